"""What goes out on a channel of a client: answers, confirms, messages that come back, deliveries."""

from collections.abc import Callable
from struct import Struct
from typing import Any, Protocol

from routesim.amqp import frames
from routesim.amqp.frames import HEADER
from routesim.amqp.methods import short_of, written
from routesim.amqp.properties import BASIC, Properties, written_properties
from routesim.broker.records import PublishOutcome
from routesim.content import Content
from routesim.queues import Delivery

ACK = bytes((0, 60, 0, 80))
DELIVER = bytes((0, 60, 0, 60))
TAG = Struct(">Q")
CONTENT = Struct(">HHQ")  # class, weight, size of the body


class Outlet(Protocol):
    """A connection, as far as the output of its channels needs it."""

    frame_max: int
    cut_after: int | None
    confirms: tuple[str, int] | None

    def spare(self) -> bool:
        """Whether one more delivery is sent."""

    def later(self, ms: int, act: Callable[[], None]) -> None:
        """Do that when so much of the server's time has passed."""

    def write(self, data: bytes) -> None: ...

    def confirms_on(self, channel: "ChannelOutput") -> None:
        """The channel has acks to say when the turn is over."""


class ChannelOutput:
    """How frames are made of it.

    Publishes have numbers once they are confirmed: how many were (`confirmed`), of which the client was told (`said`), the
    newest that it is to be told of (`unsaid`).
    """

    def __init__(self, connection: Outlet, number: int) -> None:
        self.connection = connection
        self.number = number
        self.confirming = False
        self.confirmed = self.said = self.unsaid = 0
        self.holed = False  # not all publishes before have been confirmed
        self.prefixes: dict[str, bytes] = {}  # of deliveries, by consumer tag

    def is_open(self) -> bool:
        """Whether the client may still be told anything."""
        raise NotImplementedError

    def say(self, name: str, **arguments: Any) -> None:
        if self.unsaid:
            self.say_confirms()
        self.connection.write(frames.method_frame(self.number, written(name, **arguments)))

    def tell(self, outcome: PublishOutcome) -> None:
        """A message comes back, and its number is confirmed. Acks in a row are one, with `multiple`."""
        if outcome.returned:
            self.say_confirms()
            content = outcome.content
            method = written(
                "basic.return", reply_code=312, reply_text="NO_ROUTE", exchange=content.exchange, routing_key=content.routing_key
            )
            self.connection.write(self._content_frames(method, content, encoded_of(content)))
        if not self.confirming:
            return
        self.confirmed += 1
        if self.connection.confirms is not None:
            self._failing_confirm(self.confirmed, *self.connection.confirms)
        elif outcome.refused:
            self.say_confirms()
            self.said = self.confirmed
            self.say("basic.nack", delivery_tag=self.confirmed)
        else:
            self.unsaid = self.confirmed
            self.connection.confirms_on(self)

    def _failing_confirm(self, tag: int, how: str, late_ms: int) -> None:
        """No later ack may say `multiple`: it would speak for this one too."""
        self.say_confirms()
        self.said, self.holed = tag, True
        if how == "nack":
            self.say("basic.nack", delivery_tag=tag)
        elif how == "delay":
            self.connection.later(late_ms, lambda: self._late_confirm(tag))

    def _late_confirm(self, tag: int) -> None:
        if self.is_open():
            self.connection.write(frames.method_frame(self.number, ACK + TAG.pack(tag) + b"\0"))

    def say_confirms(self) -> None:
        """The acks that have been put together."""
        if self.unsaid:
            tag, self.unsaid = self.unsaid, 0
            first, self.said = self.said + 1, tag
            if self.holed:
                for each in range(first, tag):
                    self.connection.write(frames.method_frame(self.number, ACK + TAG.pack(each) + b"\0"))
            multiple = tag > first and not self.holed
            self.connection.write(frames.method_frame(self.number, ACK + TAG.pack(tag) + (b"\1" if multiple else b"\0")))

    def deliver(self, delivery: Delivery[Any]) -> None:
        if self.connection.cut_after is not None and not self.connection.spare():
            return
        subscription, copy = delivery.subscription, delivery.copy
        assert subscription is not None
        content: Content = copy.content
        prefix = self.prefixes.get(subscription.tag)
        if prefix is None:
            prefix = self.prefixes[subscription.tag] = DELIVER + short_of(subscription.tag)
        redelivered = b"\1" if (copy.returns or copy.failures) and not delivery.queue.keeps_log else b"\0"
        method = b"%b%b%b%b%b" % (
            prefix, TAG.pack(delivery.tag), redelivered, short_of(content.exchange), short_of(content.routing_key)
        )  # fmt: skip
        self.connection.write(self._content_frames(method, content, encoded_of(content, delivery.queue.headers(copy))))

    def _content_frames(self, method: bytes, content: Content, properties: bytes) -> bytes:
        number, body = self.number, content.body
        data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        return b"%b%b%b" % (
            frames.method_frame(number, method),
            frames.frame(HEADER, number, CONTENT.pack(BASIC, 0, len(data)) + properties),
            frames.body_frames(number, data, self.connection.frame_max),
        )

    def got(self, delivery: Delivery[Any], left: int) -> None:
        copy = delivery.copy
        content: Content = copy.content
        method = written(
            "basic.get-ok", delivery_tag=delivery.tag, redelivered=copy.redelivered and not delivery.queue.keeps_log,
            exchange=content.exchange, routing_key=content.routing_key, message_count=left,
        )  # fmt: skip
        self.connection.write(self._content_frames(method, content, encoded_of(content, delivery.queue.headers(copy, got=True))))


def encoded_of(content: Content, headers: Any = None) -> bytes:
    """The properties as they are sent, with the headers of a delivery where these are not the message's own."""
    own = content.headers
    if headers is not None and headers is not own and (headers or own):
        return written_properties(_properties(content, headers))
    if content.encoded is None:
        content.encoded = written_properties(_properties(content, own))
    return content.encoded


def _properties(content: Content, headers: Any) -> Properties:
    """A table to which a broker has added something is sorted."""
    return Properties(
        dict(sorted(headers.items())) if headers else headers,
        content.priority,
        content.expiration,
        content.delivery_mode,
        content.properties,
    )
