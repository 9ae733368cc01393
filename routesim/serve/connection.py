"""A connection of a client, without its socket: bytes in, bytes out, from the protocol header to the last close-ok."""

from collections.abc import Callable
from typing import Any

from routesim.amqp import frames
from routesim.amqp.frames import HEADER, HEARTBEAT, METHOD, PROTOCOL_HEADER, BrokenFrame, FrameReader, described
from routesim.amqp.methods import written
from routesim.replies import AmqpError
from routesim.serve import handshake
from routesim.serve.channels.channel import ServedChannel
from routesim.serve.channels.channel_output import ChannelOutput
from routesim.serve.faults import NOBODY, Fault, limited, method_of
from routesim.serve.host import Link, ServerHost
from routesim.serve.vhosts import Vhost
from routesim.steps import Close, Crash, Flow

HEADER_WANTED, RUNNING, CLOSING, CLOSED = "header", "running", "closing", "closed"
PATIENCE_S = 10.0  # for a close-ok


class Connection:
    """`name` says in traces whose it is. `state`: header, starting, tuning, opening, running, refused or closing (both wait for a
    close-ok), closed."""

    def __init__(self, server: ServerHost, link: Link, peer: str, *, loopback: bool) -> None:
        self.server = server
        self.largest_body = server.largest_body
        self.link = link
        self.peer = peer
        self.loopback = loopback
        self.name = peer
        self.state = HEADER_WANTED
        self.reader = FrameReader()
        self.header = b""
        self.vhost: Vhost | None = None
        self.user = ""
        self.frame_max = frames.SMALLEST_MAX
        self.channel_max = 0
        self.hears_cancels = False
        self.capabilities: dict[str, Any] = {}
        self.client_properties: dict[str, Any] = {}
        self.mechanism = ""
        self.heartbeat_s = 0
        self.opened_ms = 0  # when it had found its virtual host
        self.channels: dict[int, ServedChannel] = {}
        self.output: list[bytes] = []
        self.confirming: list[ChannelOutput] = []  # with acks to be said
        self.messages = 0
        # What failures on order have made of it.
        self.cut_after: int | None = None  # so many deliveries more, and it is cut
        self.cut_at_ack: int | None = None  # with that answer to a delivery, which is not heard
        self.confirms: tuple[str, int] | None = None  # nack, delay or swallow, and how late in ms
        self.late_ms = 0  # so late is what is sent, both ways
        self.late_until_ms = 0
        self.alarm: str | None = None  # why it is blocked as soon as it publishes
        self.waiting: list[tuple[int, int, bytes]] | None = None  # frames of a connection that is blocked
        self.held = False  # nothing is delivered

    # Bytes ------------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """What the client has sent."""
        if self.late_ms or self.late_until_ms:
            self._late(lambda: self._receive(data))
        else:
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        if self.state == HEADER_WANTED:
            data = self._protocol_header(data)
        if self.state == CLOSED or not data:
            return
        try:
            for kind, number, payload in self.reader.frames(data):
                self._frame(kind, number, payload)
                if self.state == CLOSED:
                    return
        except BrokenFrame as broken:
            self._lost_sync(broken)

    def _protocol_header(self, data: bytes) -> bytes:
        self.header += data
        if len(self.header) < len(PROTOCOL_HEADER):
            return b""
        header, rest = self.header[:8], self.header[8:]
        answer = handshake.offered(header, self.server.rules)
        if answer is not None:
            self.write(answer)
            self.end()
            return b""
        handshake.start(self)
        return rest

    def _lost_sync(self, broken: BrokenFrame) -> None:
        """What follows has no meaning: the error is said, and no answer is waited for."""
        if self.state in (RUNNING, CLOSING):
            self.fail(Fault(501, broken.text))
        self.state = CLOSED
        self._gone()
        self.link.end(handshake.SILENT_S)

    def _frame(self, kind: int, number: int, payload: bytes) -> None:
        try:
            if number == 0:
                self._frame_of_connection(kind, payload)
            elif self.waiting is not None:
                self.waiting.append((kind, number, payload))
            elif self.state == RUNNING:
                channel = self.channels.get(number)
                if channel is None:
                    channel = self._new_channel(kind, number, payload)
                channel.receive(kind, payload)
            elif self.state != CLOSING:
                raise Fault(505, described(kind, payload))
        except Fault as fault:
            self.fail(fault, fault.at, number)

    def _new_channel(self, kind: int, number: int, payload: bytes) -> ServedChannel:
        if kind == HEARTBEAT and not payload:
            raise Fault(505, described(kind, payload))
        if self.channel_max and len(self.channels) >= self.channel_max:
            most = self.channel_max
            raise Fault(530, f"number of channels opened ({most}) has reached the negotiated channel_max ({most})")
        channel = self.channels[number] = ServedChannel(self, self.vhost_of(), number)
        return channel

    def _frame_of_connection(self, kind: int, payload: bytes) -> None:
        if kind == HEARTBEAT and not payload:
            return
        if kind == METHOD and len(payload) >= 4:
            method = method_of(payload)
            handshake.carry_out(self, method.name, method.arguments)
            return
        if self.state == CLOSING:
            return
        known = kind in (frames.BODY, HEADER)
        raise Fault(505, described(kind, payload)) if known else Fault(501, f"{described(kind, payload)}: unknown_frame")

    def write(self, data: bytes) -> None:
        if not self.output:
            self.server.unsent.append(self)
        self.output.append(data)

    def confirms_on(self, channel: ChannelOutput) -> None:
        """The channel has acks to say when the turn is over."""
        if not self.output:
            self.server.unsent.append(self)
            self.output.append(b"")
        self.confirming.append(channel)

    def flush(self) -> None:
        """Hand over what has been written since."""
        if self.confirming:
            confirming, self.confirming = self.confirming, []
            for channel in confirming:
                channel.say_confirms()
        output, self.output = self.output, []
        data = b"".join(output)
        if self.late_ms or self.late_until_ms:
            self._late(lambda: self.link.send(data))
        else:
            self.link.send(data)
        if self.cut_after == 0:
            self.cut()

    def say(self, name: str, **arguments: Any) -> None:
        """A method on channel 0."""
        self.write(frames.method_frame(0, written(name, **arguments)))

    def flow(self, *, active: bool) -> None:
        """Whether the client reads what it is sent."""
        if active and self.held:
            return
        if self.state == RUNNING and self.vhost is not None:
            for channel in list(self.channels.values()):
                if channel.name in self.vhost.channels:
                    self.vhost.apply(Flow(channel.name, active))
            self.vhost.dispatch()

    # Failures on order ------------------------------------------------------------------------------------------------

    def _late(self, act: Callable[[], None]) -> None:
        """In its order, however late what came before it is."""
        now = self.server.clock_ms()
        self.late_until_ms = max(self.late_until_ms, now + self.late_ms)
        if self.late_until_ms > now:
            self.server.later(self.late_until_ms - now, act)
        else:
            self.late_until_ms = 0
            act()

    def cut(self) -> None:
        """Its socket is closed without a word."""
        self.lost()
        self.link.end(0)

    def hold(self, *, held: bool) -> None:
        """Whether it is sent nothing, as a client that does not read."""
        self.held = held
        self.flow(active=not held)

    def spare(self) -> bool:
        """Whether one more delivery is sent; the last one, after which it is cut, is."""
        assert self.cut_after is not None
        if not self.cut_after:
            return False
        self.cut_after -= 1
        return True

    def hears_answer(self) -> bool:
        """Whether an answer to a delivery is heard, or it is cut first."""
        assert self.cut_at_ack is not None
        self.cut_at_ack -= 1
        if self.cut_at_ack:
            return True
        self.cut()
        return False

    def block(self) -> None:
        """It has begun to publish while there is an alarm: it is told, and what it sends is left alone."""
        assert self.alarm is not None
        if self.waiting is None:
            self.waiting = []
            if self.capabilities.get("connection.blocked") is True:
                self.say("connection.blocked", reason=self.alarm)

    def set_alarm(self, reason: str | None) -> None:
        self.alarm = reason
        waiting, self.waiting = self.waiting, None
        if reason is not None:
            self.waiting = waiting
        elif waiting is not None:
            if self.capabilities.get("connection.blocked") is True:
                self.say("connection.unblocked")
            for kind, number, payload in waiting:
                if self.state != CLOSED:
                    self._frame(kind, number, payload)

    # Its life ---------------------------------------------------------------------------------------------------------

    def vhost_of(self) -> Vhost:
        assert self.vhost is not None
        return self.vhost

    def message_id(self, properties: dict[str, Any]) -> str:
        """What the next message of this connection is called in traces: its message_id, where nobody else's is the same."""
        self.messages += 1
        return self.vhost_of().history.name_of(self.name, self.messages, properties.get("message_id"))

    def later(self, ms: int, act: Callable[[], None]) -> None:
        """Do that when so much of the server's time has passed."""
        self.server.later(ms, act)

    def forget(self, channel: ServedChannel) -> None:
        """The channel is closed, its number is free."""
        self.channels.pop(channel.number, None)
        channel.vhost.channels.pop(channel.name, None)

    def _forget_all(self) -> None:
        for channel in list(self.channels.values()):
            self.forget(channel)

    def fail(self, fault: AmqpError, at: tuple[int, int] = NOBODY, number: int = 0) -> None:
        """The connection is closed with this error, by what the client said. `number`: of the channel to blame."""
        if self.state == RUNNING:
            assert self.vhost is not None
            self.vhost.dispatch()
            blamed = self.channels.get(number)
            self._forget_all()
            self.vhost.apply(Close(self.name, fault.code, fault.text, None if blamed is None else blamed.name))
            self.vhost.dispatch()
            self._tell(fault, at)
        elif self.state not in (CLOSING, CLOSED):
            handshake.failed(self, fault, at)

    def refused(self, refused: AmqpError, at: tuple[int, int]) -> None:
        """The engine has closed the connection."""
        self._tell(refused, at)

    def _tell(self, error: AmqpError, at: tuple[int, int]) -> None:
        self._forget_all()
        self.state = CLOSING
        self.say("connection.close", reply_code=error.code, reply_text=limited(error.text), class_id=at[0], method_id=at[1])
        self.link.end(PATIENCE_S)

    def close(self) -> None:
        """connection.close by the client."""
        if self.state == RUNNING:
            assert self.vhost is not None
            self.vhost.dispatch()
            self._forget_all()
            self.vhost.apply(Close(self.name))
            self.vhost.dispatch()
        self.say("connection.close-ok")
        self.end()

    def force_out(self, code: int, text: str) -> None:
        """The server ends."""
        if self.state == RUNNING:
            self.fail(Fault(code, text))
        else:
            self.end()

    def end(self) -> None:
        """Nothing more is said or heard."""
        self.state = CLOSED
        self._gone()
        self.link.end(0)

    def lost(self) -> None:
        """The socket is gone."""
        if self.state == RUNNING:
            assert self.vhost is not None
            self._forget_all()
            self.vhost.apply(Crash(self.name))
            self.vhost.dispatch()
        self.state = CLOSED
        self._gone()

    def _gone(self) -> None:
        self.server.connections.discard(self)
        self.server.names.discard(self.name)
