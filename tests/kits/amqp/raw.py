"""A client of AMQP 0-9-1 that says exactly what a test has it say: frames, and the methods that the tests need, by hand.

It shares nothing with the client library of the live mode, so that each can be held against the other.
"""

import contextlib
import socket
import struct
import time
from typing import NamedTuple

from kits.celery.wire import Wire
from routesim.rabbitmq.url import Address

METHOD, HEADER, BODY, END = 1, 2, 3, b"\xce"
NAMES = {
    (10, 50): "connection.close", (10, 51): "connection.close-ok", (20, 10): "channel.open", (20, 40): "channel.close",
    (20, 41): "channel.close-ok", (50, 11): "queue.declare-ok", (60, 11): "basic.qos-ok", (60, 20): "basic.consume",
    (60, 21): "basic.consume-ok", (60, 40): "basic.publish",
    (40, 10): "exchange.declare", (50, 20): "queue.bind", (60, 30): "basic.cancel", (60, 31): "basic.cancel-ok", (60, 60): "basic.deliver",
    (60, 80): "basic.ack", (60, 90): "basic.reject", (60, 120): "basic.nack",
}  # fmt: skip


class Frame(NamedTuple):
    """`name`: the method, by its number where a test needs no name of it; "" of header and body."""

    name: str
    channel: int
    payload: bytes


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + END


def method(channel: int, number: tuple[int, int], arguments: bytes = b"") -> bytes:
    return frame(METHOD, channel, struct.pack(">HH", *number) + arguments)


def short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def table(**values: "str | int | bool | dict[str, bool]") -> bytes:
    """Underscores in names are written as hyphens, but those of `capabilities`."""
    data = b""
    for name, value in values.items():
        data += short(name.replace("_", "-"))
        if isinstance(value, dict):
            inner = b"".join(short(key) + b"t" + bytes([on]) for key, on in value.items())
            data += b"F" + struct.pack(">I", len(inner)) + inner
        elif isinstance(value, bool):
            data += b"t" + bytes([value])
        elif isinstance(value, int):
            data += b"I" + struct.pack(">i", value)
        else:
            data += b"S" + struct.pack(">I", len(value)) + value.encode()
    return struct.pack(">I", len(data)) + data


def parsed(data: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames at the beginning, and what follows them."""
    found = []
    while len(data) >= 8:
        if data.startswith(b"AMQP"):
            data = data[8:]
            continue
        kind, channel, size = struct.unpack_from(">BHI", data)
        if len(data) < size + 8:
            break
        payload, data = data[7 : 7 + size], data[8 + size :]
        number = struct.unpack_from(">HH", payload) if kind == METHOD else (0, 0)
        name = NAMES.get(number, f"{number[0]}.{number[1]}") if kind == METHOD else ""
        found.append(Frame(name, channel, payload[4:] if kind == METHOD else payload))
    return found, data


class RawClient:
    """One connection with channel 1. Every frame that comes is kept in `heard`."""

    def __init__(self, address: Address, vhost: str, *, hears_cancels: bool = True) -> None:
        self.socket = socket.create_connection((address.host, address.port), 10)
        self.rest, self.heard, self.looked = b"", list[Frame](), 0
        self.socket.sendall(b"AMQP\x00\x00\x09\x01")
        self.until("10.10")
        says = table(capabilities={"consumer_cancel_notify": hears_cancels, "basic.nack": True})
        answer = f"\0{address.user}\0{address.password}".encode()
        self.say(0, (10, 11), says + short("PLAIN") + struct.pack(">I", len(answer)) + answer + short("en_US"))
        self.until("10.30")
        self.say(0, (10, 31), struct.pack(">HIH", 100, 131072, 0))
        self.say(0, (10, 40), short(vhost) + b"\0\0")
        self.until("10.41")
        self.say(1, (20, 10), b"\0")
        self.until("20.11")

    def say(self, channel: int, number: tuple[int, int], arguments: bytes = b"") -> None:
        self.socket.sendall(method(channel, number, arguments))

    def declare(self, queue: str, **arguments: "str | int | bool") -> int:
        """How many messages are ready."""
        self.say(1, (50, 10), struct.pack(">H", 0) + short(queue) + b"\2" + table(**arguments))
        count: int = struct.unpack(">II", self.until("queue.declare-ok").payload[-8:])[0]
        return count

    def publish(self, queue: str) -> None:
        header = struct.pack(">HHQH", 60, 0, 1, 0)
        self.say(1, (60, 40), struct.pack(">H", 0) + short("") + short(queue) + b"\0")
        self.socket.sendall(frame(HEADER, 1, header) + frame(BODY, 1, b"x"))

    def consume(self, queue: str, tag: str, prefetch: int) -> None:
        self.say(1, (60, 10), struct.pack(">IHB", 0, prefetch, 0))
        self.until("basic.qos-ok")
        self.say(1, (60, 20), struct.pack(">H", 0) + short(queue) + short(tag) + b"\0" + table())
        self.until("basic.consume-ok")

    def cancel(self, tag: str) -> None:
        self.say(1, (60, 30), short(tag) + b"\0")

    def confirm_cancel(self, tag: str) -> None:
        self.say(1, (60, 31), short(tag))

    def until(self, name: str, seconds: float = 10) -> Frame:
        """The next frame of that name after what was looked at. Fails when none comes."""
        end = time.monotonic() + seconds
        while True:
            while self.looked < len(self.heard):
                self.looked += 1
                if self.heard[self.looked - 1].name == name:
                    return self.heard[self.looked - 1]
            left = end - time.monotonic()
            assert left > 0, f"{name} does not come; heard {[item.name for item in self.heard]}"
            self._read(left)

    def listen(self, seconds: float) -> list[str]:
        """The names of the methods that come in so long a time, after what was looked at."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)
        begin, self.looked = self.looked, len(self.heard)
        return [item.name for item in self.heard[begin:] if item.name]

    def _read(self, seconds: float) -> None:
        self.socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            data = self.socket.recv(65536)
            frames, self.rest = parsed(self.rest + data)
            self.heard += frames

    def close(self) -> None:
        self.socket.close()


class FrameWire(Wire):
    """Reads along what clients say, connection by connection: the methods in `said`, those of heartbeats and contents aside."""

    def __init__(self, host: str, port: int) -> None:
        self.said: dict[int, list[str]] = {}  # by what the connection's two directions share
        self.shared: list[set[str]] = []  # kept, so that no two have the same identity
        super().__init__(host, port)

    def _read(self, data: bytes, no_ack: set[str], sent: bool) -> bytes:
        frames, rest = parsed(data)
        if sent:
            self.shared.append(no_ack)
            self.said.setdefault(id(no_ack), []).extend(item.name for item in frames if item.name)
        return rest
