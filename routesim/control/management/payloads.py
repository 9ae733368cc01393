"""Publishing and getting messages by request."""

import base64
import binascii
from typing import Any

from routesim import steps
from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.broker.records import PublishOutcome
from routesim.control.http_messages import HttpError, HttpRequest
from routesim.control.management.asked import (
    FOUR,
    LONGEST_NAME,
    Managed,
    body_of,
    not_found,
    reason_of,
    required,
    table_of,
    vhost_named,
)
from routesim.control.management.exchanges import exchange_name
from routesim.control.management.queues import queue_named
from routesim.control.router import Route
from routesim.model import Message
from routesim.queues import Delivery
from routesim.replies import AmqpError
from routesim.serve.faults import limited
from routesim.serve.vhosts import OWN, Vhost
from routesim.values import Typed, plain

GETTING = "routesim (get)"  # the channel of messages that come back when it closes
TEXTS = (
    "content_type", "content_encoding", "correlation_id", "reply_to", "expiration", "message_id", "type", "user_id", "app_id",
    "cluster_id",
)  # fmt: skip
OCTETS = ("priority", "delivery_mode")
ACKMODES = ("ack_requeue_true", "ack_requeue_false", "reject_requeue_true", "reject_requeue_false")
Item = dict[str, Any]


class PublisherTold:
    """What the publisher is told of a message."""

    def __init__(self) -> None:
        self.routed = False

    def tell(self, outcome: PublishOutcome) -> None:
        self.routed = not (outcome.returned or outcome.refused)

    def deliver(self, delivery: Delivery[Any]) -> None:
        """It consumes nothing."""

    def consumer_ended(self, item: ConsumerEnded) -> None:
        """Nor did it."""

    def ended(self, item: ChannelEnded) -> None:
        """That is known from the refusal."""


def refused_on_channel(refused: AmqpError) -> HttpError:
    """As a channel of the API's own is told: with the code."""
    text = reason_of(refused) if refused.closes_connection else refused.text
    return HttpError(400, f"{refused.code} {limited(text)}")


def publish(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    exchange = exchange_name(name)
    vhost_there(context, vhost)
    where = context.server.vhosts[vhost]
    if exchange not in where.broker.exchanges and context.at_least(FOUR):
        raise not_found("exchange_not_found")
    body = body_of(request)
    routing_key, properties, payload, encoding = required(body, "routing_key", "properties", "payload", "payload_encoding")
    if not isinstance(routing_key, str) or len(routing_key.encode()) > LONGEST_NAME:
        raise HttpError(400, f"routing_key is a text of {LONGEST_NAME} bytes at most")
    message = _message(exchange, routing_key, _decoded(payload, encoding), properties)
    return {"routed": _published(where, message)}


def vhost_there(context: Managed, vhost: str) -> None:
    """Raises `HttpError`, in the words of the version."""
    if vhost not in context.server.vhosts:
        raise not_found("vhost_not_found") if context.at_least(FOUR) else HttpError(401, "Access refused.", "not_authorised")


def _published(vhost: Vhost, message: Message) -> bool:
    vhost.broker.channel(OWN)
    for step in (steps.SelectConfirms(OWN), steps.Publish(OWN, message, _id(vhost, message))):
        heard = vhost.channels[OWN] = PublisherTold()
        try:
            refused = vhost.command(step)
        finally:
            del vhost.channels[OWN]
        if refused is not None:
            raise refused_on_channel(refused)
    return heard.routed


def _id(vhost: Vhost, message: Message) -> str:
    return vhost.history.name_of(OWN, vhost.broker.ledger.published + 1, message.properties.get("message_id"))


def _decoded(payload: Any, encoding: Any) -> bytes:
    if not isinstance(payload, str):
        raise HttpError(400, "payload_not_string")
    if encoding == "string":
        return payload.encode()
    if encoding != "base64":
        raise HttpError(400, ["unsupported_encoding", encoding])
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(400, ["not_base64", payload]) from None


def _message(exchange: str, routing_key: str, body: bytes, given: Any) -> Message:
    if not isinstance(given, dict):
        raise HttpError(400, "properties is an object")
    texts = {name: _text(given, name) for name in TEXTS if name in given}
    octets = {name: _number(given, name, 2**8) for name in OCTETS if name in given}
    headers = table_of(given["headers"], "headers") if "headers" in given else None
    expiration = texts.pop("expiration", None)
    others: Item = dict(texts)
    if "timestamp" in given:
        others["timestamp"] = Typed("timestamp", _number(given, "timestamp", 2**63))
    return Message(
        exchange, routing_key, body, headers, octets.get("priority"), expiration, octets.get("delivery_mode"), True,
        others,
    )  # fmt: skip


def _text(given: Item, name: str) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise HttpError(400, ["not_string", name])
    if len(value.encode()) > LONGEST_NAME:
        raise HttpError(400, "506 failed to deliver message: content_properties_shortstr_overflow")
    return value


def _number(given: Item, name: str, above: int) -> int:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise HttpError(400, ["not_int", name])
    if not 0 <= value < above:
        raise HttpError(400, f"{name} is a number from 0 to {above - 1}")
    return value


# Getting -------------------------------------------------------------------------------------------------------------


def get(context: Managed, request: HttpRequest, vhost: str, name: str) -> Any:
    vhost_there(context, vhost)
    where = vhost_named(context, vhost)
    queue = queue_named(where, name)
    if queue is None:
        raise not_found("queue_not_found" if context.at_least(FOUR) else f"NOT_FOUND - no queue '{name}' in vhost '{vhost}'")
    body = body_of(request)
    ackmode, count, encoding = required(body, "ackmode", "count", "encoding")
    number, cut = _integer(count), _integer(body["truncate"]) if "truncate" in body else None
    if encoding not in ("auto", "base64"):
        raise HttpError(400, "Unsupported encoding. Please use auto or base64.")
    if ackmode not in ACKMODES:
        raise HttpError(400, f"Invalid ackmode value: {ackmode}. Valid values are: {', '.join(ACKMODES)}")
    if cut is not None and cut < 0:
        raise HttpError(400, "truncate is a number from 0 on")
    return _got(where, queue.name, number, ackmode, encoding, cut)


def _integer(value: Any) -> int:
    """Numbers, and texts that are one."""
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise HttpError(400, ["not_integer", value])


def _got(vhost: Vhost, queue: str, count: int, ackmode: str, encoding: str, cut: int | None) -> list[Item]:
    """What there is, up to so many messages; a negative number is no limit. What is not taken out comes back when the channel
    closes."""
    found: list[Item] = []
    tags: list[int] = []
    vhost.apply(steps.OpenChannel(GETTING, GETTING))
    while count:
        refused = vhost.command(steps.Get(GETTING, queue, ackmode == "ack_requeue_false"))
        if refused is not None:
            raise refused_on_channel(refused)
        delivery, answer = vhost.broker.handed, vhost.broker.answer
        if delivery is None or answer is None:
            break
        found.append(_form(delivery, answer.messages, encoding, cut))
        tags.append(delivery.tag)
        count -= 1
    if ackmode.startswith("reject"):
        for tag in tags:
            vhost.command(steps.Reject(GETTING, tag, ackmode == "reject_requeue_true"))
    vhost.command(steps.Close(GETTING))
    return found


def _form(delivery: Delivery[Any], left: int, encoding: str, cut: int | None) -> Item:
    copy = delivery.copy
    content = copy.content
    body = content.body if isinstance(content.body, bytes) else content.body.encode("utf-8", "surrogatepass")
    payload, how = _encoded(body if cut is None else body[:cut], encoding)
    headers = delivery.queue.headers(copy, got=True)
    given = {
        **content.properties, "headers": headers if headers or content.headers is not None else None,
        "priority": content.priority,
        "expiration": content.expiration, "delivery_mode": content.delivery_mode,
    }  # fmt: skip
    properties = {name: plain(value) for name, value in given.items() if value is not None}
    return {
        "payload_bytes": len(body), "redelivered": copy.redelivered, "exchange": content.exchange,
        "routing_key": content.routing_key, "message_count": left, "properties": properties or [], "payload": payload,
        "payload_encoding": how,
    }  # fmt: skip


def _encoded(body: bytes, encoding: str) -> tuple[str, str]:
    if encoding == "auto":
        try:
            return body.decode(), "string"
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), "base64"


ROUTES = [
    Route("POST", "exchanges/{vhost}/{name}/publish", publish),
    Route("POST", "queues/{vhost}/{name}/get", get),
]
