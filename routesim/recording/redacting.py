"""What is private in headers and properties: each value has a stand-in, the same one wherever it comes again, so that what is
routed by it goes where it went."""

from collections.abc import Collection
from typing import Any

from routesim.values import Table, Value, identity

ROUTES = ("CC", "BCC", "x-delay", "x-match")  # what a broker acts on by name


class Redaction:
    """`names`: of headers, at any depth, and of properties."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)
        self.known: dict[tuple[Any, ...], str] = {}

    def hides(self, name: str) -> bool:
        return name in self.names

    def headers(self, table: Table | None) -> Table | None:
        if not self.names or not table:
            return table
        return {key: self._stand_in(key, value) if key in self.names else self._inside(value) for key, value in table.items()}

    def properties(self, table: Table) -> Table:
        """Those of numbers are left out: nothing stands in for them."""
        if not self.names:
            return table
        return {
            key: value if key not in self.names else self._stand_in(key, value)
            for key, value in table.items()
            if key not in self.names or (isinstance(value, str) and key not in ("message_id", "user_id"))
        }

    def _inside(self, value: Value) -> Value:
        if isinstance(value, dict):
            return self.headers(value)
        return [self._inside(item) for item in value] if isinstance(value, list) else value

    def _stand_in(self, name: str, value: Value) -> str:
        return self.known.setdefault((name, *identity(value)), f"redacted-{len(self.known) + 1}")
