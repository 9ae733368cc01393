"""What the explain commands share: headers from the command line, the answer in a format, the exit status."""

import json
import math
import sys
from collections.abc import Callable
from typing import Any

from routesim.cli.shared.exits import NO, OK, FilesRefused, UsageError
from routesim.cli.shared.options import choice, format_of
from routesim.cli.shared.output import CannotWrite, format_for, keep_apart, opened, style_of
from routesim.cli.shared.refusing import refuse
from routesim.explain.answer import Answer, CannotExplain
from routesim.report.formats import ANSWER, formats_of, writer_of
from routesim.values import INTEGER_RANGES, OTHER_TYPES, Table, Typed, Value
from routesim.versions import Rules


def answered(
    ask: Callable[[], Answer],
    format: str | None,
    output: str | None = None,
    files: tuple[str, ...] = (),
    shown: str = ANSWER,
) -> None:
    """Print the answer and exit: 0 when the question has been answered with yes, 1 with no, 2 when a file is refused.

    `files`: those that are read, which the output must not take the place of. `shown`: what kind of answer it is, to the formats.
    """
    format = format_of(format, output, formats_of(shown))
    keep_apart(files, output)
    try:
        answer = ask()
    except CannotExplain as problem:
        raise UsageError(str(problem)) from None
    except FilesRefused as problem:
        sys.exit(refuse(problem, format, output))
    try:
        with opened(output) as out:
            chosen = format_for(format, out)
            writer_of(chosen, shown)(out, answer, style_of(out, chosen))
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    sys.exit(OK if answer.yes else NO)


# Exchanges -----------------------------------------------------------------------------------------------------------

BY_HASH = ("x-consistent-hash", "x-modulus-hash")


def exchange_types() -> tuple[str, ...]:
    """What `explain exchange` can be asked for."""
    from routesim.exchanges import EXCHANGE_TYPES

    return ("default", *EXCHANGE_TYPES)


def answer_of_exchange(kind: str, words: list[str], headers: list[str], rules: Rules) -> Answer:
    """`words`: the routing key and then bindings; of a headers exchange criteria alone. Raises `UsageError`, `CannotExplain`."""
    from routesim.explain.routes import topic, types

    choice("TYPE", kind, exchange_types())
    key, *bindings = words
    if kind == "headers":
        return types.explain_headers(table_of(headers), tables_of([word for word in words if word]), rules)
    if kind in BY_HASH:
        return types.explain_hash(kind, key, bindings, rules)
    asked = {
        "topic": topic.explain_topic, "direct": types.explain_direct, "fanout": types.explain_fanout,
        "default": types.explain_default,
    }.get(kind)  # fmt: skip
    return asked(key, bindings, rules) if asked else types.explain_any(kind, key, bindings, rules)


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
        return name[:-1], _typed(json.loads(text, parse_constant=_number, parse_float=_number))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"'{text}' in '{item}' is not JSON ({error}); k=text takes it as it is") from None


def _number(text: str) -> float:
    """JSON has no NaN, and no number that is infinite."""
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no finite number")
    return value


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
