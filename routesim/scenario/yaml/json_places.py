"""Where an item of a JSON text stands. JSON is read without positions; they are looked up only when one is needed."""

import json
import re
from functools import lru_cache
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
    return _keys(text, at).get(wanted) if text[at] == "{" else None


def _item(text: str, at: int, wanted: int) -> tuple[int, int] | None:
    """Begin of an item in the list at `at`, twice."""
    if text[at] != "[":
        return None
    begin = _items(text, at)[wanted]
    return begin, begin


# A file may have a hundred thousand places to look up; the way to each leads through the same few collections.
@lru_cache(maxsize=64)
def _keys(text: str, at: int) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    at = _skip(text, at + 1)
    while text[at] == '"':
        key, end = scanstring(text, at + 1)
        value = _skip(text, _skip(text, end) + 1)
        found.setdefault(key, (at, value))
        next_one = _after(text, value)
        if next_one is None:
            break
        at = next_one
    return found


@lru_cache(maxsize=64)
def _items(text: str, at: int) -> list[int]:
    found = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        found.append(at)
        next_one = _after(text, at)
        if next_one is None:
            break
        at = next_one
    return found


def _after(text: str, at: int) -> int | None:
    """Begin of what follows the value at `at`; None when it is the last, or nested deeper than anybody looks."""
    try:
        end = _skip(text, _decode(text, at)[1])
    except RecursionError:
        return None
    return _skip(text, end + 1) if text[end] == "," else None
