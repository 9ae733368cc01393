"""What the explain commands share: headers from the command line, files, formats, the exit status."""

import gc
import json
import sys
from collections.abc import Callable
from typing import Any

from routesim.cli.shared.exits import NO, OK, UNUSABLE, UsageError
from routesim.cli.shared.output import is_terminal, look, opened, read_stdin, stderr, wants_colour
from routesim.diagnostics import Diagnostic, Invalid, did_you_mean
from routesim.explain.answer import Answer, CannotExplain
from routesim.report.answers.explanation import EXPLANATION_FORMATS
from routesim.report.formats import diagnostics
from routesim.scenario import Scenario, load
from routesim.values import INTEGER_RANGES, OTHER_TYPES, Table, Typed, Value
from routesim.versions import NEWEST, Rules, UnknownVersion, rules


def answered(ask: Callable[[], Answer], format: str | None) -> None:
    """Print the answer and exit: 0 when the question has been answered with yes, 1 with no."""
    if format is not None and format not in EXPLANATION_FORMATS:
        hint = did_you_mean(format, EXPLANATION_FORMATS)
        raise UsageError(f"--format takes {', '.join(EXPLANATION_FORMATS)}, not '{format}'" + (f"; {hint}" if hint else ""))
    try:
        answer = ask()
    except CannotExplain as problem:
        raise UsageError(str(problem)) from None
    with opened(None) as out:
        chosen = format or ("table" if is_terminal(out) else "plain")
        how = look(out, "table", quiet=False)
        EXPLANATION_FORMATS[chosen](out, answer, colour=how.colour, columns=how.columns or 80)
    sys.exit(OK if answer.yes else NO)


def rules_of(version: str | None) -> Rules:
    try:
        return rules(version or NEWEST)
    except UnknownVersion as unknown:
        raise UsageError(f"no RabbitMQ '{version}' is known: {unknown}") from None


def scenario_of(path: str, version: str | None, *, lenient: bool = False, redis: bool = False) -> Scenario:
    """The scenario in a file, under another version's rules where one is asked for; exits with 2 when it is invalid.

    `redis`: the command knows the rules of Redis too.
    """
    if version is not None:
        rules_of(version)
    problems: list[Diagnostic]
    scenario = None
    try:
        scenario = load(path, read_stdin() if path == "-" else None, rabbitmq=version, lenient=lenient, redis=redis)
        problems = list(scenario.warnings)
    except Invalid as invalid:
        problems = invalid.diagnostics
    if problems:
        with stderr() as stream:
            diagnostics.write(stream, problems, colour=wants_colour(stream))
    if scenario is None:
        sys.exit(UNUSABLE)
    gc.freeze()  # a large topology is no garbage: the collector need not look through it again
    return scenario


# Headers -------------------------------------------------------------------------------------------------------------


def table_of(items: list[str]) -> Table:
    """`k=text`, `k:=JSON` one by one. Raises `UsageError`."""
    return dict(_pair(item) for item in items)


def tables_of(items: list[str]) -> list[Table]:
    """Each of the items is a whole table: pairs parted by commas outside brackets and quotes."""
    return [table_of(_parted(item)) for item in items]


def _pair(item: str) -> tuple[str, Value]:
    name, equals, text = item.partition("=")
    if not equals or not name or name == ":":
        raise UsageError(f"'{item}' is no header: write k=text or k:=JSON")
    if not name.endswith(":"):
        return name, text
    try:
        return name[:-1], _typed(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"'{text}' in '{item}' is not JSON ({error}); k=text takes it as it is") from None


def _typed(value: Any) -> Value:
    """JSON as AMQP: an object of one type's name is a typed value, as in a scenario."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            ((kind, inner),) = value.items()
            if kind in INTEGER_RANGES or kind in OTHER_TYPES:
                return Typed(kind, inner.encode() if kind == "bytes" and isinstance(inner, str) else inner)
        return {key: _typed(item) for key, item in value.items()}
    return value


def _parted(text: str) -> list[str]:
    parts, depth, quoted, start = [], 0, False, 0
    for index, character in enumerate(text):
        if character == '"' and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted and character in "[{":
            depth += 1
        elif not quoted and character in "]}":
            depth -= 1
        elif not quoted and depth == 0 and character == ",":
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part for part in parts if part]
