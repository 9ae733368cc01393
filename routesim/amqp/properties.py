"""The basic properties of a message (class `basic`): in a content header, and as values."""

from struct import Struct, error
from typing import Any

from pamqp import commands

from routesim.amqp.fields import BadField, read_table, text_of, written_table
from routesim.amqp.methods import short_of
from routesim.named_tuples import NamedTuple
from routesim.values import Table, Typed

FLAGS = Struct(">H")
LONGLONG = Struct(">Q")
HEADER = Struct(">HHQ")  # class, weight, size of the body
BASIC = 60
_TABLE = commands.Basic.Properties
# Each with its bit in the flags and its type, in the order of the wire.
PROPERTIES: tuple[tuple[str, int, str], ...] = tuple(
    ("type" if name == "message_type" else name, _TABLE.flags[name], _TABLE.amqp_type(name)) for name in _TABLE.attributes()
)
MORE_FLAGS = 1
OWN_FIELDS = frozenset({"headers", "priority", "expiration", "delivery_mode"})  # those that `model.Message` has fields for


class Properties(NamedTuple):
    """`others`: what `model.Message` calls its properties. None: it was not sent."""

    headers: Table | None = None
    priority: int | None = None
    expiration: str | None = None
    delivery_mode: int | None = None
    others: Table = {}


NONE = Properties()


def parsed_properties(data: bytes) -> Properties:
    """The flags and the properties of a content header. Raises `BadField`."""
    try:
        return _parsed(data)
    except (error, IndexError):
        raise BadField("a property goes beyond the end of its frame") from None


def _parsed(data: bytes) -> Properties:
    flags = FLAGS.unpack_from(data)[0]
    if not flags and len(data) == 2:
        return NONE
    if flags & MORE_FLAGS:
        raise BadField("there are no more than 14 properties")
    at = 2
    own: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, bit, kind in PROPERTIES:
        if not flags & bit:
            continue
        into = own if name in OWN_FIELDS else others
        if kind == "shortstr":
            end = at + 1 + data[at]
            if end > len(data):
                raise IndexError
            into[name], at = text_of(data[at + 1 : end]), end
        elif kind == "octet":
            into[name], at = data[at], at + 1
        elif kind == "table":
            into[name], at = read_table(data, at)
        else:
            into[name], at = Typed("timestamp", LONGLONG.unpack_from(data, at)[0]), at + 8
    if at != len(data):
        raise IndexError
    return Properties(others=others, **own)


def written_properties(properties: Properties) -> bytes:
    """Flags and properties, as they follow the body's size in a content header."""
    flags, pieces = 0, [b""]
    given = {**properties.others, **{name: getattr(properties, name) for name in OWN_FIELDS}}
    for name, bit, kind in PROPERTIES:
        value = given.get(name)
        if value is None:
            continue
        flags |= bit
        if kind == "shortstr":
            pieces.append(short_of(str(value.value if isinstance(value, Typed) else value)))
        elif kind == "octet":
            pieces.append(bytes((value & 0xFF,)))
        elif kind == "table":
            pieces.append(written_table(value))
        else:
            pieces.append(LONGLONG.pack(int(value.value if isinstance(value, Typed) else value)))
    pieces[0] = FLAGS.pack(flags)
    return b"".join(pieces)
