"""Options and arguments that several commands have, declared once, and what may be given for them."""

import os
from collections.abc import Iterable
from typing import Annotated, Any

from routesim.cli.shared.exits import UsageError
from routesim.cli.shared.parameters import Option, Positional
from routesim.diagnostics import did_you_mean
from routesim.durations import both_readings, parse_duration
from routesim.report.formats import (
    ANSWER,
    CHECK,
    COMPARE,
    DIFF,
    ENDINGS,
    EXPLORE,
    GRAPH,
    MONITOR,
    NO_FORMATS,
    PICTURES,
    RUN,
    VERIFY,
    formats_of,
)

SEEDS_FORMAT = "with --seeds, --format"


def choice(option: str, given: str | None, known: Iterable[str]) -> None:
    """Raises `UsageError` when something is given that is none of the known names."""
    names = list(known)
    if given is not None and given not in names:
        hint = did_you_mean(given, names)
        raise UsageError(f"{option} takes {', '.join(names)}, not '{given}'" + (f"; {hint}" if hint else ""))


def format_of(given: str | None, output: str | None, known: Iterable[str], option: str = "--format") -> str | None:
    """The format that is asked for, else the one that the ending of the output file means; None: neither says.

    Raises `UsageError` where it is none of the known ones, and where a page or a picture is to hold another format.
    """
    names = list(known)
    choice(option, given, names)
    if given is None and output in names:
        raise UsageError(f"-o names a file; write `{option} {output}`, or `-o ./{output}` where a file is to be called so")
    ending = os.path.splitext(output)[1].lower() if output is not None else ""
    meant = ENDINGS.get(ending)
    if given is None and meant in names:
        return meant
    if meant in PICTURES and meant != given:
        if given is not None:
            raise UsageError(
                f"--format {given} does not go into {output}: {ending} means {meant}; leave out --format, or name another file"
            )
        raise UsageError(f"{output}: there is no {meant} here; {option} takes {', '.join(names)}")
    if given is None and ending in NO_FORMATS:
        pictures = [name for name in PICTURES if name in names]
        instead = f"for a picture there is {' and '.join(pictures)}" if pictures else f"{option} takes {', '.join(names)}"
        raise UsageError(f"{output}: nothing here is written as {ending[1:]}; {instead}")
    return given


def written_as(what: str, output: str | None, *endings: str) -> None:
    """For a command that writes one format alone: raises `UsageError` where the output file's name promises another one."""
    ending = os.path.splitext(output)[1].lower() if output is not None else ""
    if ending in {*ENDINGS, *NO_FORMATS}.difference(endings):
        raise UsageError(f"{output}: {what} is written here, nothing else; name the file *{endings[0]}")
    if output in ("yaml", "json"):
        raise UsageError(f"-o names a file, and {what} is written in any case; `-o ./{output}` where a file is to be called so")


def unit_checked(option: str, text: str) -> int | None:
    """A duration in ms; None: it is none. Raises `UsageError` for a number without a unit, other than 0."""
    readings = both_readings(text)
    if readings:
        raise UsageError(f"{option} {text} has no unit: {readings}?")
    return parse_duration(text)


def stdin_once(files: list[str]) -> None:
    """Raises `UsageError`."""
    if files.count("-") > 1:
        raise UsageError("- stands for stdin and can be given once")


def _format(shown: str, default: str = "table, in a pipe plain") -> Any:
    *names, last = formats_of(shown)
    help = f"{', '.join(names)} or {last}. Default: {default}."
    return Option("--format", "-f", metavar="FORMAT", help=help, show_default=False)


def _rabbitmq(default: str) -> Any:
    return Option("--rabbitmq", metavar="VERSION", help=f"Whose rules apply, e.g. 4.1. Default: {default}.")


RUN_FORMAT = Annotated[str | None, _format(RUN)]
CHECK_FORMAT = Annotated[str | None, _format(CHECK)]
EXPLORE_FORMAT = Annotated[str | None, _format(EXPLORE)]
VERIFY_FORMAT = Annotated[str | None, _format(VERIFY, "table")]
ANSWER_FORMAT = Annotated[str | None, _format(ANSWER)]
DIFF_FORMAT = Annotated[str | None, _format(DIFF)]
GRAPH_FORMAT = Annotated[str | None, _format(GRAPH, "tree")]
MONITOR_FORMAT = Annotated[str | None, _format(MONITOR)]
COMPARE_FORMAT = Annotated[str | None, _format(COMPARE)]
OUTPUT = Annotated[
    str | None,
    Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout; .html, .svg, .json … choose the format."),
]
WRITTEN = Annotated[str | None, Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")]
RABBITMQ = Annotated[str | None, _rabbitmq("the file's own version")]
NEWEST_RABBITMQ = Annotated[str | None, _rabbitmq("the newest known")]
VHOST = Annotated[
    str | None,
    Option("--vhost", metavar="NAME", help="Which one of a definitions file. Default: /, or the only one with something in it."),
]
EVERY_VHOST = Annotated[
    str | None, Option("--vhost", metavar="NAME", help="Only this one of a definitions file. Default: all of them.")
]
MANAGEMENT = Annotated[
    str | None,
    Option("--management", metavar="HTTP", help="Its HTTP API. Default: same host, AMQP's port + 10000, or 15672."),
]
CLUSTER = Annotated[
    str | None,
    Option("--cluster", metavar="ADDRESS", help="Share the work out to the workers of this Dask scheduler: tcp://HOST:8786."),
]
FAIL_ON_LOSS = Annotated[bool, Option("--fail-on-loss", help="Status 1 where a message is lost.")]
HEADERS = Annotated[
    list[str] | None, Option("--header", "-H", metavar="K=V", help="k=text, k:=JSON, k:=null for void. Repeatable.")
]
FILE = Annotated[str, Positional(metavar="FILE", help="A scenario or definitions file; - is stdin.")]
SCENARIO = Annotated[str, Positional(metavar="FILE", help="A scenario; - is stdin.")]
SCENARIOS = Annotated[
    list[str],
    Positional(metavar="SCENARIO...", help="Scenario or definitions files, folders of them, or names of --list; - is stdin."),
]
