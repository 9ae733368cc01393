"""One client session, method by method, on a real broker and on `routesim serve` of the same version: every answer is equal.

What differs from broker to broker is normalised, each listed in `NORMALISED`: server properties (nobody compares them), names that
the server draws, and the addresses of direct reply-to consumers. Confirms may be put together with `multiple`, and come when they
come: they are compared one by one, apart from what else a channel hears. The rest of a channel is compared in its order.
"""

import re
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple, Protocol

from routesim.amqp.frames import BODY, HEADER, METHOD, FrameReader, frame, method_frame
from routesim.amqp.methods import Method, parsed, written
from routesim.amqp.properties import Properties, parsed_properties, written_properties
from routesim.values import plain

NORMALISED = (
    (re.compile(r"amq\.gen-[\w-]+"), "amq.gen-DRAWN"),
    (re.compile(r"amq\.ctag-[\w-]+"), "amq.ctag-DRAWN"),
    (re.compile(r"amq\.rabbitmq\.reply-to\.[^'\")\s]+"), "amq.rabbitmq.reply-to.ADDRESS"),
    # What a broker's own configuration, or its package, says of a deprecated feature.
    (re.compile(r"(Feature `\w+` is deprecated\.).*?\.\.\.", re.DOTALL), r"\1..."),
    # From 4.3 on RabbitMQ lays out long terms over several lines.
    (re.compile(r",\s*\n\s*"), ","),
)
CONFIRMS = ("basic.ack", "basic.nack")
PATIENCE_S = 15.0
LATE_S = 1.5


class Said(NamedTuple):
    """One thing to say: on which connection and channel (0: the connection itself)."""

    connection: int
    channel: int
    method: str
    arguments: dict[str, Any]
    properties: Properties = Properties()
    body: bytes | None = None  # of a publish
    crash: bool = False

    def __str__(self) -> str:
        return (
            f"{self.connection}#{self.channel} {self.method} {self.arguments} {self.properties if self.body is not None else ''}"
        )


def normalised(text: str) -> str:
    for pattern, stands in NORMALISED:
        text = pattern.sub(stands, text)
    return text


class TwinConnection:
    """`heard`: what each channel has been told, in order; `confirmed`: which of its publishes, and how."""

    def __init__(self, port: int, vhost: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = FrameReader()
        self.heard: dict[int, list[str]] = {}
        self.confirms: dict[int, dict[int, str]] = {}
        self.unconfirmed: dict[int, int] = {}
        self.open: set[int] = set()
        self.flows: dict[int, int] = {}
        self.content: dict[int, tuple[Method, list[Any]]] = {}
        self.tags: dict[int, list[int]] = {}  # deliveries that wait for an answer
        self.drawn: list[str] = []
        self.addresses: list[str] = []
        self.closed = False
        self.leaving: set[int] = set()  # channels of which a close-ok is to come
        self.waiting: list[str] = []
        self.socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._until("connection.start")
        capabilities = dict.fromkeys(
            ("consumer_cancel_notify", "basic.nack", "publisher_confirms", "authentication_failure_close"), True
        )
        self.say(
            0,
            "connection.start-ok",
            client_properties={"capabilities": capabilities},
            mechanism="PLAIN",
            response=b"\0guest\0guest",
            locale="en_US",
        )
        self._until("connection.tune")
        self.say(0, "connection.tune-ok", channel_max=100, frame_max=131072, heartbeat=0)
        self.reader.largest = 131072
        self.say(0, "connection.open", virtual_host=vhost)
        self._until("connection.open-ok")
        self.heard.clear()

    def say(self, channel: int, name: str, **arguments: Any) -> None:
        self._send(method_frame(channel, written(name, **arguments)))

    def _send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def carry_out(self, said: Said) -> None:
        data = method_frame(said.channel, written(said.method, **said.arguments))
        if said.method == "channel.open":
            self.confirms[said.channel], self.unconfirmed[said.channel] = {}, 1
            self.tags[said.channel] = []
            self.open.add(said.channel)
        if said.method in ("channel.close", "connection.close"):
            self.open -= {said.channel} if said.channel else self.open
            self.leaving.add(said.channel)
        if said.body is not None:
            header = struct.pack(">HHQ", 60, 0, len(said.body)) + written_properties(said.properties)
            data += frame(HEADER, said.channel, header) + (frame(BODY, said.channel, said.body) if said.body else b"")
        self._send(data)

    def ask(self) -> None:
        """Ask every channel for a sign of life."""
        for channel in sorted(self.open):
            self.flows[channel] = self.flows.get(channel, 0) + 1
            self.say(channel, "channel.flow", active=True)

    def answered(self) -> bool:
        return self.closed or not (self.leaving or any(self.flows.get(channel) for channel in self.open))

    def _until(self, name: str) -> None:
        while name not in self.waiting and not self.closed:
            self.read(PATIENCE_S)
        assert not self.closed, self.heard
        self.waiting.clear()

    def read(self, seconds: float) -> None:
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data = self.socket.recv(1 << 20)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if not data:
            if not self.closed:
                self.heard.setdefault(0, []).append("(the socket is closed)")
            self.closed = True
            self.open.clear()
            return
        for kind, channel, payload in self.reader.frames(data):
            self._hear(kind, channel, payload)

    def _hear(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == METHOD:
            method = parsed(payload)
            self.waiting.append(method.name)
            if method.name in ("basic.deliver", "basic.get-ok", "basic.return"):
                self.content[channel] = (method, [])
                return
            self._told(channel, method, None, b"")
        elif kind == HEADER:
            size = struct.unpack_from(">Q", payload, 4)[0]
            method, parts = self.content[channel]
            parts += [parsed_properties(payload[12:]), size, b""]
            if not size:
                self._told(channel, method, parts[0], b"")
        elif kind == BODY:
            method, parts = self.content[channel]
            parts[2] += payload
            if len(parts[2]) == parts[1]:
                self._told(channel, method, parts[0], parts[2])

    def _told(self, channel: int, method: Method, properties: Properties | None, body: bytes) -> None:
        name, given = method.name, method.arguments
        if name == "channel.flow-ok":
            self.flows[channel] -= 1
            return
        if name in CONFIRMS:
            first = self.unconfirmed[channel] if given["multiple"] else given["delivery_tag"]
            for tag in range(first, given["delivery_tag"] + 1):
                self.confirms[channel].setdefault(tag, name)
            while self.unconfirmed[channel] in self.confirms[channel]:
                self.unconfirmed[channel] += 1
            return
        if name in ("basic.deliver", "basic.get-ok"):
            self.tags[channel].append(given["delivery_tag"])
            if properties is not None and str(properties.others.get("reply_to", "")).startswith("amq.rabbitmq.reply-to."):
                self.addresses.append(str(properties.others["reply_to"]))
        if name == "queue.declare-ok" and given["queue"].startswith("amq.gen-"):
            self.drawn.append(given["queue"])
        shown = {key: value for key, value in given.items() if name != "connection.start"}
        text = f"{name} {shown}"
        if properties is not None:
            text += f" {properties_shown(properties)} {body!r}"
        self.heard.setdefault(channel, []).append(normalised(text))
        if name == "channel.close":
            self.open.discard(channel)
            self.flows[channel] = 0
            self.say(channel, "channel.close-ok")
        elif name == "channel.close-ok":
            self.flows[channel] = 0
            self.leaving.discard(channel)
        elif name == "connection.close":
            self.say(0, "connection.close-ok")
            self.open.clear()
            self.closed = True
        elif name == "connection.close-ok":
            self.open.clear()
            self.closed = True

    def take(self) -> dict[str, Any]:
        """What has been heard since, and every confirm so far."""
        heard, self.heard = self.heard, {}
        return {
            "heard": heard,
            "confirms": {channel: dict(sorted(found.items())) for channel, found in self.confirms.items() if found},
        }

    def end(self) -> None:
        self.socket.close()


TIMES = re.compile(r"(?<='time': Typed\(type='timestamp', value=)\d+")


def properties_shown(properties: Properties) -> str:
    others = {name: plain(value) for name, value in properties.others.items()}
    headers = None if properties.headers is None else TIMES.sub("T", str(properties.headers))
    return f"{headers} {properties.priority} {properties.expiration} {properties.delivery_mode} {others}"


class Twin:
    """One side: its connections by number."""

    def __init__(self, port: int, vhost: str, rounds: int, pause_s: float = 0.0) -> None:
        self.port, self.vhost, self.rounds, self.pause_s = port, vhost, rounds, pause_s
        self.connections: dict[int, TwinConnection] = {}

    def connection(self, number: int) -> TwinConnection:
        found = self.connections.get(number)
        if found is None or found.closed:
            if found is not None:
                found.end()
            found = self.connections[number] = TwinConnection(self.port, self.vhost)
        return found

    def carry_out(self, said: Said) -> dict[int, Any]:
        if said.crash:
            found = self.connections.pop(said.connection, None)
            if found is not None:
                with suppress(OSError):  # the other side has been quicker
                    found.socket.shutdown(socket.SHUT_RDWR)
                found.end()
                time.sleep(0.01)
        else:
            self.connection(said.connection).carry_out(said)
        for _ in range(self.rounds):
            self.settle()
            if self.pause_s and said.method.startswith(("basic", "tx", "queue.delete", "channel.close")):
                time.sleep(self.pause_s)
        return {number: found.take() for number, found in sorted(self.connections.items())}

    def settle(self) -> None:
        for found in self.connections.values():
            found.ask()
        end = time.monotonic() + PATIENCE_S
        for found in self.connections.values():
            while not found.answered():
                assert time.monotonic() < end, f"no answer from {self.port}: {found.heard}"
                found.read(end - time.monotonic())

    def end(self) -> None:
        for found in self.connections.values():
            found.end()


class TwinDifference(NamedTuple):
    at: int
    said: Said
    real: dict[int, Any]
    served: dict[int, Any]

    def __str__(self) -> str:
        return f"step {self.at}: {self.said}\n  real   {self.real}\n  served {self.served}"


def cleaned(port: int, vhost: str, queues: Iterable[str], exchanges: Iterable[str]) -> None:
    """Take away what a session that was broken off has left."""
    connection = TwinConnection(port, vhost)
    connection.carry_out(Said(0, 1, "channel.open", {}))
    for name in queues:
        connection.carry_out(Said(0, 1, "queue.delete", {"queue": name}))
    for name in exchanges:
        connection.carry_out(Said(0, 1, "exchange.delete", {"exchange": name}))
    connection.ask()
    while not connection.answered():
        connection.read(PATIENCE_S)
    connection.end()


class Session(Protocol):
    """What is said next may depend on what is still open."""

    random: Random
    open: set[tuple[int, int]]

    def said(self) -> Iterator[Said]: ...


def first_difference(session: Session, real: Twin, served: Twin) -> "TwinDifference | None":
    """Where the two begin to differ."""
    for at, drawn in enumerate(session.said()):
        said = _with_tag(session, drawn, real)
        left, right = real.carry_out(said), served.carry_out(said)
        end = time.monotonic() + LATE_S
        while left != right and time.monotonic() < end:  # what goes through a replicated log takes its time
            time.sleep(0.03)
            for twin, answers in ((real, left), (served, right)):
                twin.settle()
                for number, found in twin.connections.items():
                    _add(answers.setdefault(number, {"heard": {}, "confirms": {}}), found.take())
        if left != right:
            return TwinDifference(at, said, left, right)
        session.open &= {(number, channel) for number, found in real.connections.items() for channel in found.open}
    return None


def play_alone(session: Session, served: Twin) -> None:
    """Say it to one side only."""
    for drawn in session.said():
        served.carry_out(_with_tag(session, drawn, served))
        session.open &= {(number, channel) for number, found in served.connections.items() for channel in found.open}


def _with_tag(session: Session, said: Said, real: Twin) -> Said:
    """The method with the tag of a delivery that waits, where one is asked for."""
    if said.arguments.get("delivery_tag") != "TAG":
        return said
    found = real.connections.get(said.connection)
    waiting = found.tags.get(said.channel, []) if found is not None else []
    tag = waiting.pop(session.random.randrange(len(waiting))) if waiting else 1
    return said._replace(arguments={**said.arguments, "delivery_tag": tag})


def _add(answers: dict[str, Any], more: dict[str, Any]) -> None:
    for channel, texts in more["heard"].items():
        answers["heard"].setdefault(channel, []).extend(texts)
    answers["confirms"] = more["confirms"]
