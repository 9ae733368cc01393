"""x-delayed-message: another type, whose messages may wait in the exchange first (rules/routing#2.5).

The broker holds the waiting messages; this type only says how long, and routes like its inner type.
"""

from collections.abc import Iterable

from routesim.content import Content
from routesim.exchanges.base import BindingVerdict, Draw, ExchangeType, precondition_failed
from routesim.exchanges.direct import Direct
from routesim.exchanges.fanout import Fanout
from routesim.exchanges.headers import Headers
from routesim.exchanges.topic import Topic
from routesim.model import Binding, Exchange
from routesim.values import INTEGER_RANGES, raw, wire_type
from routesim.versions import Rules

INNER: dict[str, type[ExchangeType]] = {"direct": Direct, "fanout": Fanout, "topic": Topic, "headers": Headers}
LONGEST_DELAY_MS = 2**32 - 1


class DelayedMessage(ExchangeType):
    name = "x-delayed-message"
    sees = "state"

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.inner = INNER[raw(exchange.arguments["x-delayed-type"])](exchange, rules)

    @classmethod
    def validate(cls, exchange: Exchange, rules: Rules) -> None:
        inner = raw(exchange.arguments.get("x-delayed-type"))
        if inner == cls.name:
            raise precondition_failed(f"'{inner}' can't be used for 'x-delayed-type'", "x-delayed-type")
        if not isinstance(inner, str) or inner not in INNER:
            raise precondition_failed("'x-delayed-type' must be an existing exchange type", "x-delayed-type")

    def delay_ms(self, content: Content) -> int:
        value = (content.headers or {}).get("x-delay")
        kind, inner = wire_type(value), raw(value)
        if (
            kind in INTEGER_RANGES
            or kind in ("float", "double")
            or (kind == "longstr" and inner.lstrip("+-").isascii() and inner.lstrip("+-").isdigit())
        ):
            delay = int(inner)
        else:
            return 0
        return delay if 0 < delay <= LONGEST_DELAY_MS else 0

    def validate_binding(self, binding: Binding, queue_type: str | None) -> None:
        self.inner.validate_binding(binding, queue_type)

    def add(self, binding: Binding) -> None:
        self.inner.add(binding)

    def remove(self, binding: Binding) -> None:
        self.inner.remove(binding)

    def restart(self) -> None:
        self.inner.restart()

    def route(self, message: str, content: Content, draw: Draw) -> Iterable[Binding]:
        return self.inner.route(message, content, draw)

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        return self.inner.why(binding, message, content)

    def clone(self) -> "DelayedMessage":
        other = DelayedMessage(self.exchange, self.rules)
        other.inner = self.inner.clone()
        return other
