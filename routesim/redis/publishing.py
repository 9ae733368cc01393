"""basic.publish: the publisher looks up the bindings itself and pushes into each list. Nobody answers it."""

from routesim import events, steps
from routesim.broker.broker import REMEMBERED_CONTENTS
from routesim.broker.routing import route
from routesim.content import Content
from routesim.model import DEFAULT_EXCHANGE, REPLY_TO, Message
from routesim.queues import Copy
from routesim.redis.popping import broadcast, push
from routesim.redis.state import RedisState


def publish(broker: RedisState, step: steps.Publish) -> None:
    message = step.message
    broker.channel(step.channel)
    broker.ledger.published += 1
    if broker.listen:
        broker.listen(events.Published(broker.now, step.id, message.exchange, message.routing_key, step.channel))
    _warn(broker, message)
    content = _content(broker, message)
    reached, why_nowhere = _reach(broker, step.id, content)
    if reached:
        broker.ledger.routed += 1
        return
    broker.ledger.unroutable += 1
    if broker.listen:
        broker.listen(
            events.Unroutable(broker.now, step.id, content.exchange, content.routing_key, why_nowhere, False, False, step.channel)
        )


def _warn(broker: RedisState, message: Message) -> None:
    if message.mandatory:
        broker.warn_once("Redis has no mandatory flag: an unroutable message is gone, and nobody is told")
    if message.expiration is not None:
        broker.warn_once("Redis has no message TTL: `expiration` is ignored")
    if message.headers and message.headers.keys() & {"CC", "BCC"}:
        broker.warn_once("Redis has no CC and BCC: the headers are carried, nothing is routed by them")
    if message.properties.get("reply_to") == REPLY_TO:
        broker.warn_once(f"Redis has no direct reply-to: {REPLY_TO} is a list like any other")


def _content(broker: RedisState, message: Message) -> Content:
    known = broker.contents.get(id(message))
    if known is not None and known[0] is message:
        return known[1]
    content = Content(
        message.exchange, message.routing_key, (message.routing_key,), message.headers, message.body, priority=message.priority,
        delivery_mode=message.delivery_mode, properties=message.properties,
    )  # fmt: skip
    if len(broker.contents) >= REMEMBERED_CONTENTS:
        broker.contents.clear()
    broker.contents[id(message)] = (message, content)
    return content


def _reach(broker: RedisState, message: str, content: Content) -> tuple[int, str]:
    """How many lists or subscribers the message has got to; or why none."""
    if content.exchange == DEFAULT_EXCHANGE:
        broker.list_of(content.routing_key)  # LPUSH makes the list
    state = broker.exchanges.get(content.exchange)
    if state is None:
        return 0, f"nobody has declared exchange '{content.exchange}': kombu takes it for a direct one, and nothing is bound"
    if state.declared.type == "fanout":
        return broadcast(broker, content.exchange, message, content), "nobody is subscribed now"
    found = route(broker, content.exchange, message, content)
    for queue, path in found.queues:
        broker.serial += 1
        broker.ledger.enqueued += 1
        if broker.listen:
            broker.listen(events.Enqueued(broker.now, message, queue.name, broker.serial, "published", path))
        there = broker.list_of(queue.name)
        push(broker, there, Copy(broker.serial, message, content), head=False, prolong=True)
    return len(found.queues), found.why_nowhere
