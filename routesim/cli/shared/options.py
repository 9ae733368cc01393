"""Options and arguments that several commands have, declared once, and what may be given for them."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from routesim.cli.shared.exits import UsageError
from routesim.diagnostics import did_you_mean
from routesim.report.formats import ANSWER, CHECK, COMPARE, GRAPH, MONITOR, RUN, VERIFY, formats_of


def choice(option: str, given: str | None, known: Iterable[str]) -> None:
    """Raises `UsageError` when something is given that is none of the known names."""
    names = list(known)
    if given is not None and given not in names:
        hint = did_you_mean(given, names)
        raise UsageError(f"{option} takes {', '.join(names)}, not '{given}'" + (f"; {hint}" if hint else ""))


def stdin_once(files: list[str]) -> None:
    """Raises `UsageError`."""
    if files.count("-") > 1:
        raise UsageError("- stands for stdin and can be given once")


def _format(shown: str, default: str = "table, in a pipe plain") -> Any:
    *names, last = formats_of(shown)
    help = f"{', '.join(names)} or {last}. Default: {default}."
    return typer.Option("--format", "-f", metavar="FORMAT", help=help, show_default=False)


def _rabbitmq(default: str) -> Any:
    return typer.Option("--rabbitmq", metavar="VERSION", help=f"Whose rules apply, e.g. 4.1. Default: {default}.")


RUN_FORMAT = Annotated[str | None, _format(RUN)]
CHECK_FORMAT = Annotated[str | None, _format(CHECK)]
VERIFY_FORMAT = Annotated[str, _format(VERIFY, "table")]
ANSWER_FORMAT = Annotated[str | None, _format(ANSWER)]
GRAPH_FORMAT = Annotated[str, _format(GRAPH, "tree")]
MONITOR_FORMAT = Annotated[str | None, _format(MONITOR)]
COMPARE_FORMAT = Annotated[str | None, _format(COMPARE)]
OUTPUT = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")]
RABBITMQ = Annotated[str | None, _rabbitmq("the file's own version")]
NEWEST_RABBITMQ = Annotated[str | None, _rabbitmq("the newest known")]
MANAGEMENT = Annotated[
    str | None, typer.Option("--management", metavar="HTTP", help="Its HTTP API. Default: the same host, port 15672.")
]
FAIL_ON_LOSS = Annotated[bool, typer.Option("--fail-on-loss", help="Status 1 where a message is lost.")]
HEADERS = Annotated[
    list[str] | None, typer.Option("--header", "-H", metavar="K=V", help="k=text, k:=JSON, k:=null for void. Repeatable.")
]
FILE = Annotated[str, typer.Argument(metavar="FILE", help="A scenario or definitions file; - is stdin.")]
SCENARIO = Annotated[str, typer.Argument(metavar="FILE", help="A scenario; - is stdin.")]
SCENARIOS = Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Scenario or definitions files; - is stdin.")]
