"""Field tables (AMQP 0-9-1, 4.2.5) with the wire type of every value kept, by RabbitMQ's list of types.

What Python's own types say by themselves (`values.wire_type`) comes as them, everything else as `Typed`. Text that is not UTF-8
comes back byte by byte as it was.
"""

from collections.abc import Callable
from struct import Struct, error
from typing import Any

from routesim.values import Table, Typed, Value, raw, wire_type

DEEPEST = 100  # tables within tables


class BadField(Exception):
    """The bytes are no field table."""


NUMBERS = {
    "b": ("byte", Struct(">b")), "B": ("unsignedbyte", Struct(">B")), "s": ("short", Struct(">h")),
    "u": ("unsignedshort", Struct(">H")), "I": ("signedint", Struct(">i")), "i": ("unsignedint", Struct(">I")),
    "l": ("long", Struct(">q")), "L": ("long", Struct(">q")), "f": ("float", Struct(">f")), "d": ("double", Struct(">d")),
    "T": ("timestamp", Struct(">Q")),
}  # fmt: skip
DECIMAL = Struct(">Bi")
SIZE = Struct(">I")
OF_PYTHON = {"I", "d"}  # a Python value has these types by itself
WRITTEN = {name: (letter.encode(), form) for letter, (name, form) in reversed(NUMBERS.items())}


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# Reading -----------------------------------------------------------------------------------------------------------


def read_table(data: bytes, at: int) -> tuple[Table, int]:
    """The table that begins at `at`, and where it ends. Raises `BadField`."""
    try:
        return _table(data, at, 0)
    except (error, IndexError) as problem:
        raise BadField(str(problem)) from None


def _end(data: bytes, at: int) -> int:
    end = at + 4 + int(SIZE.unpack_from(data, at)[0])
    if end > len(data):
        raise BadField("it is longer than its frame")
    return end


def _table(data: bytes, at: int, depth: int) -> tuple[Table, int]:
    if depth > DEEPEST:
        raise BadField("tables within tables without end")
    end = _end(data, at)
    at += 4
    table: Table = {}
    while at < end:
        begin = at + 1
        at = begin + data[at]
        key = text_of(data[begin:at])
        table[key], at = _value(data, at, depth)
    if at != end:
        raise BadField("its last field goes beyond its end")
    return table, end


def _array(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    if depth > DEEPEST:
        raise BadField("arrays within arrays without end")
    end = _end(data, at)
    at += 4
    items = []
    while at < end:
        item, at = _value(data, at, depth)
        items.append(item)
    if at != end:
        raise BadField("its last item goes beyond its end")
    return items, end


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    letter = chr(data[at])
    at += 1
    if letter == "S":
        end = _end(data, at)
        return text_of(data[at + 4 : end]), end
    number = NUMBERS.get(letter)
    if number is not None:
        name, form = number
        value = form.unpack_from(data, at)[0]
        return (value if letter in OF_PYTHON else Typed(name, value)), at + form.size
    if letter == "t":
        return data[at] != 0, at + 1
    if letter == "F":
        return _table(data, at, depth + 1)
    if letter == "A":
        return _array(data, at, depth + 1)
    if letter == "V":
        return None, at
    if letter == "x":
        end = _end(data, at)
        return Typed("bytes", data[at + 4 : end]), end
    if letter == "D":
        return Typed("decimal", DECIMAL.unpack_from(data, at)), at + DECIMAL.size
    raise BadField(f"no field type is '{letter}'")


# Writing -----------------------------------------------------------------------------------------------------------


def written_table(table: Table) -> bytes:
    data = b"".join(_short(key) + _written(item) for key, item in table.items())
    return SIZE.pack(len(data)) + data


def _short(text: str) -> bytes:
    data = bytes_of(text)[:255]
    return bytes((len(data),)) + data


def _written(value: Value) -> bytes:
    kind, inner = wire_type(value), raw(value)
    writer = _WRITERS.get(kind)
    if writer is not None:
        return writer(inner)
    letter, form = WRITTEN[kind]
    return letter + form.pack(inner)


def _sized(letter: bytes, data: bytes) -> bytes:
    return letter + SIZE.pack(len(data)) + data


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "longstr": lambda inner: _sized(b"S", inner if isinstance(inner, bytes) else bytes_of(inner)),
    "binary": lambda inner: _sized(b"x", inner if isinstance(inner, bytes) else bytes_of(inner)),
    "bool": lambda inner: b"t\1" if inner else b"t\0",
    "void": lambda inner: b"V",
    "table": lambda inner: b"F" + written_table(inner),
    "array": lambda inner: _sized(b"A", b"".join(map(_written, inner))),
    "decimal": lambda inner: b"D" + DECIMAL.pack(*inner),
}
