"""x-recent-history: fanout that also remembers, and replays to new bindings (rules/routing#2.4)."""

from typing import Any

from routesim.content import Content
from routesim.exchanges.base import precondition_failed
from routesim.exchanges.fanout import Fanout
from routesim.model import Exchange
from routesim.values import erlang_term, raw, wire_type
from routesim.versions import Rules

LENGTH = "x-recent-history-length"
NO_STORE = "x-recent-history-no-store"


class RecentHistory(Fanout):
    """`recent` holds (message id, content), oldest first; the broker adds to it and replays it."""

    name = "x-recent-history"
    sees = "state"
    remembers = True

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.length: int = raw(exchange.arguments.get(LENGTH, 20))
        self.recent: list[tuple[str, Content]] = []

    @classmethod
    def validate(cls, exchange: Exchange, rules: Rules) -> None:
        if LENGTH in exchange.arguments:
            value = exchange.arguments[LENGTH]
            if wire_type(value) not in ("byte", "short", "signedint", "long") or raw(value) <= 0:
                raise precondition_failed(f"Invalid argument {erlang_term(value)}, '{LENGTH}' must be a positive integer", LENGTH)

    def remember(self, message: str, content: Content) -> None:
        if (content.headers or {}).get(NO_STORE) is not True:
            self.recent.append((message, content))
            del self.recent[: -self.length]

    def fingerprint(self) -> tuple[Any, ...]:
        return tuple((message, content.fingerprint()) for message, content in self.recent)

    def restart(self) -> None:
        self.recent.clear()

    def clone(self) -> "RecentHistory":
        other = RecentHistory(self.exchange, self.rules)
        other.kept, other.recent = self.kept.copy(), self.recent.copy()
        return other
