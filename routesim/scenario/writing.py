"""Scenarios as text: the part of a broker that matters, the steps, and what is expected, ready to be run."""

from typing import Any

import yaml

from routesim.values import INTEGER_RANGES, Typed, Value, plain


def written(data: dict[str, Any], comments: tuple[str, ...] = ()) -> str:
    """A scenario as YAML; `comments` stand at its top, a line each."""
    head = "".join(f"# {_printable(line)}\n" for line in comments)
    parts = []
    for section, value in data.items():
        flow = None if isinstance(value, (dict, list)) else False  # lines for what holds more, braces for what is innermost
        text = yaml.safe_dump({section: value}, sort_keys=False, allow_unicode=True, width=120, default_flow_style=flow)
        parts.append(text)
    return head + "".join(parts)


def typed(value: Value, *, widths: bool = False) -> Any:
    """A value as a scenario writes it. `widths`: the width of an integer counts, as it does for headers."""
    if isinstance(value, Typed):
        if value.type in INTEGER_RANGES and not widths:
            return value.value
        return {value.type: plain(value)}
    if isinstance(value, dict):
        return {str(key): typed(item, widths=True) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item, widths=True) for item in value]
    return str(value) if isinstance(value, str) else value


def table(values: dict[str, Value], *, widths: bool = False) -> dict[str, Any]:
    """A table of arguments or headers as a scenario writes it."""
    return {str(key): typed(value, widths=widths) for key, value in values.items()}


def _printable(text: str) -> str:
    """A comment must be one line of characters that YAML allows."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
