"""Where a message would go if it were published now, without publishing it."""

from routesim.broker.broker import Broker
from routesim.broker.publishing import texts
from routesim.broker.records import RememberedRoute
from routesim.broker.routing import Visit, route, walk
from routesim.content import Content
from routesim.model import DEFAULT_EXCHANGE, Message


def content_of(message: Message) -> Content:
    """The message as routing sees it, the keys of CC and BCC included (rules/routing#R1, rules/routing#U19)."""
    headers = message.headers or {}
    keys = (message.routing_key, *(key for name in ("CC", "BCC") for key in texts(headers.get(name))))
    seen = {name: value for name, value in headers.items() if name != "BCC"}
    return Content(
        message.exchange, message.routing_key, keys, seen, message.body, delivery_mode=message.delivery_mode,
        properties=message.properties,
    )  # fmt: skip


def would_reach(broker: Broker, message: Message, name: str, visits: list[Visit] | None = None) -> RememberedRoute:
    """Nothing changes by it: no exchange remembers the message, and the next draw is the same. A delay counts as over."""
    content = content_of(message)
    if message.exchange == DEFAULT_EXCHANGE:
        return route(broker, DEFAULT_EXCHANGE, name, content)
    draws = broker.draws
    try:
        return walk(broker, message.exchange, name, content, delay_over=True, visits=visits, comes=False)[0]
    finally:
        broker.draws = draws
