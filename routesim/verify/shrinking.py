"""A scenario made smaller for as long as it keeps a property."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from routesim.diagnostics import Invalid

Document = dict[str, Any]
MAX_TRIES = 400


def shrink(document: Document, holds: Callable[[Document], bool]) -> Document:
    """The smallest document found for which `holds`; what does not load does not."""
    tries, again = 0, True
    while again:
        again = False
        for smaller in _smaller(document):
            tries += 1
            if tries > MAX_TRIES:
                return document
            try:
                kept = holds(smaller)
            except Invalid:
                kept = False
            if kept:
                document, again = smaller, True
                break
    return document


def _smaller(document: Document) -> Iterator[Document]:
    """The document without a run of steps, a step, a consumer, a queue …, without an option; the big cuts first."""
    steps = document.get("steps", [])
    size = len(steps) // 2
    while size >= 1:
        for begin in range(0, len(steps), size):
            yield {**document, "steps": steps[:begin] + steps[begin + size :]}
        size //= 2
    for section in ("policies", "consumers", "bindings", "queues", "exchanges"):
        for key in _keys(document.get(section, {})):
            yield _without(document, (section, key))
    for path in list(_options(document)):
        yield _without(document, path)


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value)))


def _options(document: Document) -> Iterator[tuple[Any, ...]]:
    for section in ("exchanges", "queues", "consumers", "bindings", "steps"):
        value = document.get(section, {})
        for key in _keys(value):
            item = value[key]
            for name, inner in item.items() if isinstance(item, dict) else ():
                if section != "steps":
                    yield section, key, name
                if isinstance(inner, dict):
                    yield from ((section, key, name, each) for each in inner)


def _without(document: Document, path: tuple[Any, ...]) -> Document:
    fresh = copy.deepcopy(document)
    inner: Any = fresh
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return fresh
