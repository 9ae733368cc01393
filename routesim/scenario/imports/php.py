"""What the configuration of Symfony has in common, whichever bundle reads it: parameters, environments, flags, addresses."""

import re
from typing import Any
from urllib.parse import unquote, unquote_plus

from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item

PARAMETER = re.compile(r"%%|%([^%\s]+)%")
OF_DELAYS = "exchange_name|routing_key|delay"  # what Messenger itself fills in, in the names of its delay queues
OPEN = re.compile(rf"%(?!(?:{OF_DELAYS})%)[^%\s]+%")
DEEPEST = 8  # parameters within parameters
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
BRACKETS = re.compile(r"\[([^\]]*)\]")


def with_parameters(gathered: Gathered, document: Item) -> Item:
    """The document with the parameters that it sets itself filled in; what is left open is known to the notes."""
    gathered.open_marks = OPEN
    found = document.get("parameters").value
    data = _filled(document.value, found if isinstance(found, dict) else {}, 0)
    return Item(gathered, document.document, data, document.path)


def _filled(value: Any, parameters: dict[str, Any], depth: int) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, parameters, depth) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, parameters, depth) for inner in value]
    if not isinstance(value, str) or "%" not in value:
        return value
    whole = PARAMETER.fullmatch(value)
    if whole is not None and whole[1] in parameters and depth < DEEPEST:
        return _filled(parameters[whole[1]], parameters, depth + 1)

    def part(match: re.Match[str]) -> str:
        inner = parameters.get(match[1]) if match[1] else "%"
        known = isinstance(inner, (str, int, float)) and depth < DEEPEST
        return str(_filled(inner, parameters, depth + 1)) if known and match[1] else "%" if not match[1] else match.group()

    return PARAMETER.sub(part, value)


def environments_left_out(document: Item) -> None:
    """Say that `when@ENV` is not looked at."""
    for key, item in document.named():
        if key.startswith("when@"):
            item.leave_out(f"{key}: what holds everywhere is read, not what one environment changes", matters=True)


# Addresses: of none more is kept than what is asked for here ----------------------------------------------------------


def scheme(address: str) -> str:
    """`amqp` of `amqp://…`; empty where there is none."""
    found = SCHEME.match(address)
    return found[1].lower() if found is not None else ""


def path_of(address: str) -> list[str] | None:
    """The parts of the path, decoded, as PHP's `parse_url` has it; None: there is no path."""
    rest = address.partition("://")[2].partition("#")[0].partition("?")[0]
    _, slash, path = rest.partition("/")
    return [unquote(part) for part in path.strip("/").split("/")] if slash else None


def query_of(address: str) -> dict[str, Any]:
    """The query as PHP's `parse_str` has it: `queues[orders][binding_keys][0]=a` is a mapping of mappings."""
    found: dict[str, Any] = {}
    query = address.partition("#")[0].partition("?")[2]
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        name, bracket, rest = unquote_plus(key).partition("[")
        names = [name, *BRACKETS.findall(bracket + rest)]
        inside = found
        for part in names[:-1]:
            below = inside.setdefault(part, {})
            inside = below if isinstance(below, dict) else inside.setdefault(part + "[]", {})
        last = names[-1] or str(len(inside))
        inside[last] = unquote_plus(value)
    return found


def merged(first: Any, second: Any) -> Any:
    """PHP's `array_replace_recursive`."""
    if isinstance(first, dict) and isinstance(second, dict):
        return {**first, **{key: merged(first.get(key), value) for key, value in second.items()}}
    if isinstance(first, list) and isinstance(second, dict):
        return merged({str(index): item for index, item in enumerate(first)}, second)
    return second


def as_list(item: Item) -> list[Item]:
    """The items of a PHP array, which may be written as a list, as a mapping, or as one value."""
    if isinstance(item.value, dict):
        return [inner for _, inner in item.named()]
    return list(item.listed()) if isinstance(item.value, list) else [] if item.value is None else [item]
