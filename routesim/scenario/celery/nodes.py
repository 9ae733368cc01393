"""Making nodes: what an expansion writes stands where that stands from which it comes, so that later errors point there."""

from typing import Any

from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.scenario.yaml.writing import NOTHING


def made(value: Any, at: Node) -> Any:
    """Plain data as nodes that stand at `at`. Nodes stay what they are."""
    if isinstance(value, (Text, Mapping, Sequence)):
        return value
    if isinstance(value, dict):
        mapping = _placed(Mapping(), at)
        for key, item in value.items():
            mapping[made(str(key), at)] = made(item, at)
        return mapping
    if isinstance(value, (list, tuple)):
        listed = _placed(Sequence(), at)
        listed.extend(made(item, at) for item in value)
        return listed
    return text(value, at)


def text(value: Any, at: Node) -> Text:
    """A scalar that is read back as this value."""
    if isinstance(value, str):
        node = Text(value)
        node.plain = False
    else:
        shown = "" if value is NOTHING else "null" if value is None else repr(value)
        node = Text(shown.lower() if isinstance(value, bool) else shown)
        node.plain = True
    node.line, node.column, node.width = at.line, at.column, at.width
    return node


def _placed(node: Any, at: Node) -> Any:
    node.line, node.column, node.width, node.size = at.line, at.column, at.width, 1
    return node


def copied(node: Mapping) -> Mapping:
    """The same items in a mapping of its own."""
    copy: Mapping = _placed(Mapping(node), node)
    return copy


def key_of(mapping: Any, name: str) -> Node:
    """The key under which a mapping has it, or the mapping itself: what an error about it points at."""
    found: Node | None = mapping.key(name) if isinstance(mapping, Mapping) else None
    if found is None:
        found = mapping
    return found
