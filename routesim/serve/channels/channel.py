"""A channel of a client: its frames to methods and messages, and these to steps."""

from struct import Struct
from typing import Any, Protocol

from routesim.amqp.fields import BadField, text_of
from routesim.amqp.frames import BODY, HEADER, METHOD, described
from routesim.amqp.methods import WITH_CONTENT, Method, id_of
from routesim.amqp.properties import parsed_properties
from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.model import Message
from routesim.replies import AmqpError
from routesim.serve.channels.channel_methods import METHODS
from routesim.serve.channels.channel_output import ACK, CONTENT, ChannelOutput, Outlet
from routesim.serve.faults import NOBODY, Fault, limited, method_of
from routesim.serve.vhosts import Vhost
from routesim.steps import Ack, OpenChannel, Publish, Step

STARTING, OPEN, CLOSING = "starting", "open", "closing"
PUBLISH = bytes((0, 60, 0, 40))
ANSWERS = ("basic.ack", "basic.nack", "basic.reject")  # to a delivery
ACKED = Struct(">4xQB")


class Carries(Outlet, Protocol):
    """A connection, as far as its channels need it."""

    name: str
    hears_cancels: bool
    largest_body: int
    cut_at_ack: int | None
    alarm: str | None

    def hears_answer(self) -> bool:
        """Whether an answer to a delivery is heard."""

    def block(self) -> None:
        """It has begun to publish while there is an alarm."""

    def refused(self, refused: AmqpError, at: tuple[int, int]) -> None:
        """The engine has closed the connection."""

    def message_id(self, properties: dict[str, Any]) -> str:
        """What the next message is called in traces."""

    def forget(self, channel: "ServedChannel") -> None:
        """The channel is closed, its number is free."""


class ServedChannel(ChannelOutput):
    """`name` is what the engine calls it. Its state is `starting` until channel.open, `closing` after a channel.close to the
    client until that answers.
    """

    connection: Carries

    def __init__(self, connection: Carries, vhost: Vhost, number: int) -> None:
        super().__init__(connection, number)
        self.owner = connection.name
        self.name = f"{connection.name}#{number}"
        self.vhost = vhost
        self.broker = self.vhost.broker
        self.state = STARTING
        self.awaits = METHOD
        self.method: Method | None = None  # whose content is coming
        self.exchange = self.routing_key = ""
        self.mandatory = self.immediate = False
        self.header = b""
        self.size = self.left = 0  # of the body that is coming
        self.fragments: list[bytes] = []
        self.cancelled: set[str] = set()  # tags of consumers that the broker has ended

    def is_open(self) -> bool:
        return self.state == OPEN and self.vhost.channels.get(self.name) is self

    # What comes -------------------------------------------------------------------------------------------------------

    def receive(self, kind: int, payload: bytes) -> None:
        """The next frame. Raises `Fault` for what closes the connection."""
        if kind == METHOD and self.awaits == METHOD:
            head = payload[:4]
            if head == PUBLISH and self.state == OPEN:
                self._begin_publish(payload)
            elif head == ACK and self.state == OPEN and len(payload) == 13:
                if self.connection.cut_at_ack is not None and not self.connection.hears_answer():
                    return
                tag, multiple = ACKED.unpack(payload)
                self.ask("basic.ack", Ack(self.name, tag, bool(multiple & 1)))
                self.vhost.dispatch()
            else:
                if len(payload) < 4:
                    raise Fault(501, f"{described(kind, payload)}: unknown_frame")
                self._method(method_of(payload))
        elif kind == HEADER and self.awaits == HEADER:
            self._header(payload)
        elif kind == BODY and self.awaits == BODY:
            self._body(payload)
        else:
            raise self._unexpected(kind, payload)

    def _unexpected(self, kind: int, payload: bytes) -> Fault:
        if kind not in (METHOD, HEADER, BODY) or (kind == METHOD and len(payload) < 4) or (kind == HEADER and len(payload) < 12):
            return Fault(501, f"{described(kind, payload)}: unknown_frame")
        if self.awaits == METHOD:
            return Fault(505, "expected method frame, got non method frame instead")
        at = id_of(self.method.name) if self.method else id_of("basic.publish")
        if self.awaits == HEADER:
            return Fault(505, f"expected content header for class {at[0]}, got non content header frame instead", at)
        return Fault(505, "expected content body, got non content body frame instead", at)

    def _begin_publish(self, payload: bytes) -> None:
        """basic.publish is most of what comes, and is read by hand."""
        try:
            end = 7 + payload[6]
            self.exchange = text_of(payload[7:end])
            stop = end + 1 + payload[end]
            self.routing_key = text_of(payload[end + 1 : stop])
            flags = payload[stop]
        except IndexError:
            flags = stop = -1
        if stop + 1 != len(payload):
            method_of(payload)  # says what is wrong
        self.mandatory, self.immediate = bool(flags & 1), bool(flags & 2)
        self.method = None
        self.awaits = HEADER

    def _header(self, payload: bytes) -> None:
        if len(payload) < 12:
            raise self._unexpected(HEADER, payload)
        kind, weight, size = CONTENT.unpack_from(payload)
        at = id_of(self.method.name) if self.method else id_of("basic.publish")
        if weight:
            raise Fault(505, f"expected content header for class {at[0]}, got non content header frame instead", at)
        if kind != at[0]:
            raise Fault(505, f"expected content header for class {at[0]}, got one for class {kind} instead", at)
        limit = self.connection.largest_body
        if size > limit and self.broker.rules.body_frames_checked:
            raise Fault(501, f"content body size {size} exceeds maximum allowed size {limit}", at)
        self.header, self.size, self.left = payload[12:], size, size
        if size:
            self.awaits = BODY
        else:
            self._whole(b"")
        if self.connection.alarm is not None:
            self.connection.block()

    def _body(self, payload: bytes) -> None:
        self.left = left = self.left - len(payload)
        if left > 0:
            if self.size <= self.connection.largest_body:
                self.fragments.append(payload)
        elif left:
            if self.broker.rules.body_frames_checked:
                at = id_of(self.method.name) if self.method else id_of("basic.publish")
                raise Fault(501, "content body frame exceeds remaining content size", at)
            self.fragments.clear()  # whatever comes, nothing is left of it ever again
        elif self.size == len(payload):
            self._whole(payload)
        else:
            pieces, self.fragments = self.fragments, []
            # Nothing of what no version takes has been kept: its size is what it is refused for.
            self._whole(b"".join((*pieces, payload)) if self.size <= self.connection.largest_body else bytes(self.size))

    def _whole(self, body: bytes) -> None:
        """A method with its content is there."""
        self.awaits = METHOD
        if self.method is not None:
            method, self.method = self.method, None
            self._carry_out(method)
        elif self.state == OPEN:
            self._publish(body)

    def _publish(self, body: bytes) -> None:
        if self.immediate:
            raise Fault(540, "immediate=true", id_of("basic.publish"))
        header = self.header
        try:
            sent = parsed_properties(header)
        except BadField:
            raise Fault(541, "INTERNAL_ERROR") from None
        message = Message(
            self.exchange, self.routing_key, body, sent.headers, sent.priority, sent.expiration, sent.delivery_mode,
            self.mandatory, sent.others, header,
        )  # fmt: skip
        self.ask("basic.publish", Publish(self.name, message, self.connection.message_id(sent.others)))
        self.vhost.dispatch()

    # Methods ----------------------------------------------------------------------------------------------------------

    def _method(self, method: Method) -> None:
        if method.name in WITH_CONTENT:
            self.awaits, self.method = HEADER, method
            if method.name == "basic.publish":  # in no state to publish
                self.exchange = method.arguments["exchange"]
            return
        self._carry_out(method)

    def _carry_out(self, method: Method) -> None:
        name = method.name
        if self.state == CLOSING:
            if name == "channel.close-ok":
                self.connection.forget(self)
            elif name == "channel.close":
                self.say("channel.close-ok")
            return
        if self.state == STARTING:
            if name != "channel.open":
                raise Fault(504, "expected 'channel.open'", id_of(name))
            self.state = OPEN
            self.vhost.channels[self.name] = self
            self.vhost.apply(OpenChannel(self.name, self.connection.name))
            self.say("channel.open-ok")
            return
        do = METHODS.get(name)
        if do is None:
            raise Fault(503, "unimplemented method", id_of(name))
        if self.connection.cut_at_ack is not None and name in ANSWERS and not self.connection.hears_answer():
            return
        do(self, method.arguments)
        self.vhost.dispatch()

    def knows(self, tag: str) -> bool:
        return tag in self.cancelled or tag in self.broker.channel(self.name).subscriptions

    def forget(self) -> None:
        self.connection.forget(self)

    def ask(self, name: str, step: Step) -> bool:
        """Ask the engine on behalf of a method; False where it refuses, of which the client has been told then."""
        refused = self.vhost.apply(step)
        if refused is None:
            return True
        self.refuse(refused, id_of(name))
        return False

    def refuse(self, refused: AmqpError, at: tuple[int, int]) -> None:
        """The engine has closed the channel, or its connection."""
        if refused.closes_connection:
            self.connection.refused(refused, at)
        else:
            self._close(refused, at)

    def _close(self, refused: AmqpError, at: tuple[int, int]) -> None:
        self.vhost.dispatch_told()
        self.vhost.channels.pop(self.name, None)
        self.say("channel.close", reply_code=refused.code, reply_text=limited(refused.text), class_id=at[0], method_id=at[1])
        self.state = CLOSING
        self.prefixes.clear()

    # What the broker ends ---------------------------------------------------------------------------------------------

    def consumer_ended(self, item: ConsumerEnded) -> None:
        """The broker has cancelled a consumer."""
        self.prefixes.pop(item.tag, None)
        if item.why != "cancelled":
            self.cancelled.add(item.tag)
        if not item.channel_lost and item.why != "cancelled" and self.connection.hears_cancels:
            self.say("basic.cancel", consumer_tag=item.tag, nowait=True)

    def cancel_for(self, tag: str) -> None:
        """The broker cancels a consumer, and the client is told if it wants to hear it."""
        self.prefixes.pop(tag, None)
        self.cancelled.add(tag)
        if self.connection.hears_cancels:
            self.say("basic.cancel", consumer_tag=tag, nowait=True)

    def close_for(self, error: AmqpError) -> None:
        """The broker closes the channel, and nothing that the client has said is to blame."""
        if self.state == OPEN:
            self._close(error, NOBODY)

    def ended(self, item: ChannelEnded) -> None:
        """The broker has closed the channel by itself."""
        if item.refused is not None and self.state == OPEN:
            self._close(item.refused, NOBODY)
