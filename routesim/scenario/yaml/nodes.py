"""What YAML and JSON become: nodes that know where they stand.

A node is a `Text` (a scalar, its text as written), a `Mapping` or a `Sequence`. What a scalar means is decided by
whoever reads it, so `routing_key: 1.10` stays the text `1.10`.
"""

from typing import Any, TypeAlias

DEEPEST = 64  # levels of nesting


class Text(str):
    """A scalar. `plain` is False for quoted and block scalars, which are always text."""

    __slots__ = ("column", "line", "plain", "width")

    line: int
    column: int
    width: int
    plain: bool


class Mapping(dict[Any, Any]):
    """Keys are `Text`, and may be looked up by any text."""

    __slots__ = ("column", "line", "size", "width")

    line: int
    column: int
    width: int
    size: int


class Sequence(list[Any]):
    __slots__ = ("column", "line", "size", "width")

    line: int
    column: int
    width: int
    size: int


Node: TypeAlias = Text | Mapping | Sequence
