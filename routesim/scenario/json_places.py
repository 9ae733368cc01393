"""Where an item of a JSON text stands. JSON is read without positions; they are looked up only when one is needed."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]

SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def find(text: str, path: tuple[str | int, ...]) -> tuple[int, int]:
    """The span of the value at `path`, of the key where its value is a collection; as much of the path as there is."""
    begin = _skip(text, 0)
    shown = begin
    for part in path:
        found = _key(text, begin, part) if isinstance(part, str) else _item(text, begin, part)
        if found is None:
            return shown, shown + 1
        shown, begin = found
    if text[begin] in "[{":
        return shown, shown + 1 if shown == begin else scanstring(text, shown + 1)[1]
    return begin, _decode(text, begin)[1]


def _skip(text: str, at: int) -> int:
    match = SPACE.match(text, at)
    assert match
    return match.end()


def _key(text: str, at: int, wanted: str) -> tuple[int, int] | None:
    """Begin of a key and of its value in the object at `at`."""
    if text[at] != "{":
        return None
    at = _skip(text, at + 1)
    while text[at] == '"':
        key, end = scanstring(text, at + 1)
        value = _skip(text, _skip(text, end) + 1)
        if key == wanted:
            return at, value
        at = _skip(text, _decode(text, value)[1])
        if text[at] != ",":
            return None
        at = _skip(text, at + 1)
    return None


def _item(text: str, at: int, wanted: int) -> tuple[int, int] | None:
    """Begin of an item in the list at `at`, twice."""
    if text[at] != "[":
        return None
    at = _skip(text, at + 1)
    for _ in range(wanted):
        at = _skip(text, _skip(text, _decode(text, at)[1]) + 1)
    return at, at
