"""Values, messages and deliveries between this project and the AMQP client library.

The library knows no floats and only some of RabbitMQ's integers, and reads both as what they are not; so tables are
encoded and decoded here, by RabbitMQ's own list of field types.
"""

import calendar
import struct
from datetime import datetime
from typing import Any

import pika
import pika.data

from routesim.content import Content
from routesim.model import Message
from routesim.rabbitmq.pace import Pace
from routesim.values import Table, Typed, raw, wire_type

NUMBERS = {
    "byte": "b", "unsignedbyte": "B", "short": "s", "unsignedshort": "u", "signedint": "I", "unsignedint": "i", "long": "l",
    "float": "f", "double": "d", "timestamp": "T",
}  # fmt: skip
FORMATS = {
    "b": ">b",
    "B": ">B",
    "s": ">h",
    "u": ">H",
    "I": ">i",
    "i": ">I",
    "l": ">q",
    "L": ">q",
    "f": ">f",
    "d": ">d",
    "T": ">Q",
}
NAMES = {letter: name for name, letter in NUMBERS.items()}
NAMELESS = {"I", "d"}  # types that a Python value has by itself


def encoded(value: Any) -> bytes:
    """A field value with its type in front."""
    kind, inner = wire_type(value), raw(value)
    if kind in NUMBERS:
        letter = NUMBERS[kind]
        return letter.encode() + struct.pack(FORMATS[letter], inner)
    if kind == "void":
        return b"V"
    if kind == "bool":
        return b"t" + bytes([inner])
    if kind == "decimal":
        return b"D" + struct.pack(">Bi", *inner)
    if kind in ("longstr", "binary"):
        data = inner if isinstance(inner, bytes) else inner.encode("utf-8", "surrogatepass")
        return (b"S" if kind == "longstr" else b"x") + _sized(data)
    if kind == "array":
        return b"A" + _sized(b"".join(encoded(item) for item in inner))
    return b"F" + _sized(b"".join(_short(key) + encoded(item) for key, item in inner.items()))


def _sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _short(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return bytes([len(data)]) + data


def _encode_value(pieces: list[bytes], value: Any) -> int:
    if isinstance(value, datetime):
        value = Typed("timestamp", calendar.timegm(value.utctimetuple()))
    data = encoded(value)
    pieces.append(data)
    return len(data)


def _decode_value(data: bytes, offset: int) -> tuple[Any, int]:
    letter = chr(data[offset])
    offset += 1
    if letter in FORMATS:
        number = struct.unpack_from(FORMATS[letter], data, offset)[0]
        offset += struct.calcsize(FORMATS[letter])
        return (number if letter in NAMELESS else Typed(NAMES.get(letter, "long"), number)), offset
    if letter == "V":
        return None, offset
    if letter == "t":
        return bool(data[offset]), offset + 1
    if letter == "D":
        return Typed("decimal", struct.unpack_from(">Bi", data, offset)), offset + 5
    size = struct.unpack_from(">I", data, offset)[0]
    begin, end = offset + 4, offset + 4 + size
    if letter == "F":
        table: tuple[Any, int] = pika.data.decode_table(data, offset)
        return table
    if letter == "A":
        items = []
        while begin < end:
            item, begin = _decode_value(data, begin)
            items.append(item)
        return items, end
    found = bytes(data[begin:end])
    return (_text(found) if letter == "S" else Typed("bytes", found)), end


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


pika.data.encode_value = _encode_value
pika.data.decode_value = _decode_value


def properties_of(message: Message, id: str, pace: Pace) -> pika.BasicProperties:
    """`id` is sent as message_id unless the message has one of its own."""
    message = pace.message(message)
    own = dict(message.properties)
    own.setdefault("message_id", id)
    own = {key: raw(value) for key, value in own.items()}
    return pika.BasicProperties(
        headers=message.headers, priority=message.priority, expiration=message.expiration, delivery_mode=message.delivery_mode,
        **own,
    )  # fmt: skip


def body_of(message: Message) -> bytes:
    return message.body if isinstance(message.body, bytes) else message.body.encode("utf-8", "surrogatepass")


def content_of(exchange: str, routing_key: str, properties: pika.BasicProperties, body: bytes, pace: Pace) -> Content:
    """What a delivery, a get or a return carries."""
    headers: Table = pace.up_headers(properties.headers or {})
    others = {
        name: getattr(properties, name)
        for name in ("content_type", "content_encoding", "correlation_id", "reply_to", "message_id", "timestamp", "type",
                     "user_id", "app_id", "cluster_id")
        if getattr(properties, name) is not None
    }  # fmt: skip
    return Content(
        exchange, routing_key, (routing_key,), headers or None, _text(body or b""), size=len(body or b""),
        priority=properties.priority, expiration=pace.up(properties.expiration),
        delivery_mode=properties.delivery_mode or 1, properties=others,
    )  # fmt: skip
