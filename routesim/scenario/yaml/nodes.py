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


FEW_KEYS = 16


class Mapping(dict[Any, Any]):
    """Keys are `Text`, and may be looked up by any text."""

    __slots__ = ("by_text", "column", "line", "size", "width")

    line: int
    column: int
    width: int
    size: int
    by_text: dict[str, Any]  # its keys, once somebody has looked for one among many

    def key(self, name: str) -> Any:
        """Its own key of that text, which knows its place; None: it has none."""
        if name not in self:
            return None
        if len(self) <= FEW_KEYS:
            return next(key for key in self if key == name)
        known = getattr(self, "by_text", None)
        if known is None or name not in known:
            known = self.by_text = {str(key): key for key in self}
        return known[name]


class Sequence(list[Any]):
    __slots__ = ("column", "line", "size", "width")

    line: int
    column: int
    width: int
    size: int


Node: TypeAlias = Text | Mapping | Sequence
