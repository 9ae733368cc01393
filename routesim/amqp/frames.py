"""Frames (AMQP 0-9-1, 4.2.3): bytes as they come, to frames, and back."""

from collections.abc import Iterator
from struct import Struct

from routesim.named_tuples import NamedTuple

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
HEAD = Struct(">BHI")
END = b"\xce"
END_OCTET = 0xCE
EMPTY_FRAME = 8  # octets of a frame around its payload
SMALLEST_MAX = 4096
SHOWN = 16  # octets of a payload in an error
HEARTBEAT_FRAME = HEAD.pack(HEARTBEAT, 0, 0) + END


class WireFrame(NamedTuple):
    kind: int
    channel: int
    payload: bytes


class BrokenFrame(Exception):
    """From here on the bytes have no meaning any more. `text` as RabbitMQ says it."""

    def __init__(self, frame: WireFrame, reason: str) -> None:
        self.frame = frame
        self.text = f"{described(frame.kind, frame.payload)}: {reason}"
        super().__init__(self.text)


class FrameReader:
    """Takes bytes as they come and yields whole frames. `largest`: the frame-max that was agreed on, 0: none."""

    def __init__(self) -> None:
        self.largest = SMALLEST_MAX
        self.rest = bytearray()

    def frames(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Kind, channel and payload of each. Raises `BrokenFrame`. What `largest` is changed to counts from the next frame on."""
        if self.rest:
            self.rest += data
            if len(self.rest) >= 7:  # nothing is moved about before the frame is whole
                size = HEAD.unpack_from(self.rest)[2]
                whole = len(self.rest) >= size + EMPTY_FRAME
                if not whole and not (self.largest and size > self.largest):
                    return
            else:
                return
            data, self.rest = bytes(self.rest), bytearray()
        at, end = 0, len(data)
        unpack = HEAD.unpack_from
        try:
            while end - at >= 7:
                kind, channel, size = unpack(data, at)
                if self.largest and size > self.largest:  # RabbitMQ takes 8 octets more than were agreed on
                    reason = f"{{frame_too_large,{size},{self.largest - EMPTY_FRAME}}}"
                    raise BrokenFrame(WireFrame(kind, channel, b""), reason)
                stop = at + 7 + size
                if stop >= end:
                    break
                payload = data[at + 7 : stop]
                if data[stop] != END_OCTET:
                    raise BrokenFrame(WireFrame(kind, channel, payload), f"{{invalid_frame_end_marker,{data[stop]}}}")
                at = stop + 1
                yield kind, channel, payload
        finally:
            if at < end:
                self.rest = bytearray(data[at:])


def described(kind: int, payload: bytes) -> str:
    """A frame in RabbitMQ's words: `type 1, first 16 octets = <<…>>`."""
    which = "all" if len(payload) <= SHOWN else f"first {SHOWN}"
    return f"type {kind}, {which} octets = {erlang_binary(payload[:SHOWN])}"


def erlang_binary(data: bytes) -> str:
    """`~p` of a binary: text where every octet is printable, else numbers."""
    if not data:
        return "<<>>"
    if all(32 <= octet < 127 or octet >= 160 or octet in b"\n\r\t\v\b\f\x1b" for octet in data):
        escapes = {10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 8: "\\b", 12: "\\f", 27: "\\e", 34: '\\"', 92: "\\\\"}
        return '<<"' + "".join(escapes.get(octet, chr(octet)) for octet in data) + '">>'
    return f"<<{','.join(map(str, data))}>>"


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return b"%b%b\xce" % (HEAD.pack(kind, channel, len(payload)), payload)


def method_frame(channel: int, payload: bytes) -> bytes:
    return b"%b%b\xce" % (HEAD.pack(METHOD, channel, len(payload)), payload)


def body_frames(channel: int, body: bytes, largest: int) -> bytes:
    """The body of a message in as many frames as it takes."""
    room = largest - EMPTY_FRAME if largest else len(body)
    if len(body) <= room:
        return b"%b%b\xce" % (HEAD.pack(BODY, channel, len(body)), body) if body else b""
    view = memoryview(body)
    return b"".join(frame(BODY, channel, bytes(view[at : at + room])) for at in range(0, len(body), room))
