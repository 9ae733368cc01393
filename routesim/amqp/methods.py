"""The methods of AMQP 0-9-1, by the table of them that `pamqp` keeps: which there are, their arguments and the types of these.

A method is called as in the specification (`queue.declare-ok`), its arguments as in `pamqp` (`message_count`).
"""

import re
from functools import cache
from struct import Struct, error
from typing import Any

from pamqp import commands

from routesim.amqp.fields import BadField, bytes_of, read_table, text_of, written_table
from routesim.named_tuples import NamedTuple

NUMBERS = {
    "octet": Struct(">B"),
    "short": Struct(">H"),
    "long": Struct(">I"),
    "longlong": Struct(">Q"),
    "timestamp": Struct(">Q"),
}
ID = Struct(">HH")


class Method(NamedTuple):
    name: str
    arguments: dict[str, Any]


class Form(NamedTuple):
    """How a method looks on the wire: class and method number, and the types of its arguments, in order."""

    id: tuple[int, int]
    name: str
    fields: tuple[tuple[str, str], ...]


class BadMethod(Exception):
    """The bytes after the method's number are not its arguments. `id`: which method."""

    def __init__(self, id: tuple[int, int]) -> None:
        self.id = id
        super().__init__(id)


class UnknownMethod(Exception):
    def __init__(self, id: tuple[int, int]) -> None:
        self.id = id
        super().__init__(id)


def _spoken(name: str) -> str:
    """`Queue.DeclareOk` as `queue.declare-ok`."""
    kind, _, method = name.partition(".")
    return f"{kind.lower()}.{re.sub('(?<!^)(?=[A-Z])', '-', method).lower()}"


# Beside pamqp's: a method of 0-9 that RabbitMQ still carries out.
_REALM = (("realm", "shortstr"), *((name, "bit") for name in ("exclusive", "passive", "active", "write", "read")))
_MORE = (Form((30, 10), "access.request", _REALM), Form((30, 11), "access.request-ok", (("ticket", "short"),)))
FORMS: dict[tuple[int, int], Form] = {form.id: form for form in _MORE}
_COMMANDS: dict[int, Any] = commands.INDEX_MAPPING
for _index, _command in _COMMANDS.items():
    _id = (_index >> 16, _index & 0xFFFF)
    FORMS[_id] = Form(
        _id, _spoken(_command.name), tuple((name.rstrip("_"), _command.amqp_type(name)) for name in _command.attributes())
    )
BY_NAME = {form.name: form for form in FORMS.values()}
WITH_CONTENT = frozenset({"basic.publish", "basic.return", "basic.deliver", "basic.get-ok"})


def id_of(name: str) -> tuple[int, int]:
    return BY_NAME[name].id


def parsed(payload: bytes) -> Method:
    """The method in a frame. Raises `UnknownMethod`, `BadMethod`."""
    id: tuple[int, int] = ID.unpack_from(payload)
    form = FORMS.get(id)
    if form is None:
        raise UnknownMethod(id)
    try:
        return Method(form.name, _arguments(form, payload))
    except (error, IndexError, BadField):
        raise BadMethod(id) from None


def _arguments(form: Form, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at, bit = 4, 8  # the next bit of the octet before `at`; 8: a new octet begins
    for name, kind in form.fields:
        if kind == "bit":
            if bit == 8:
                at, bit = at + 1, 0
            found[name] = bool(data[at - 1] >> bit & 1)
            bit += 1
            continue
        bit = 8
        if kind == "shortstr":
            end = at + 1 + data[at]
            if end > len(data):
                raise IndexError
            found[name], at = text_of(data[at + 1 : end]), end
        elif kind == "table":
            found[name], at = read_table(data, at)
        elif kind == "longstr":
            end = at + 4 + NUMBERS["long"].unpack_from(data, at)[0]
            if end > len(data):
                raise IndexError
            found[name], at = data[at + 4 : end], end
        else:
            form_of = NUMBERS[kind]
            found[name], at = form_of.unpack_from(data, at)[0], at + form_of.size
    if at != len(data):
        raise IndexError
    return found


def written(name: str, **arguments: Any) -> bytes:
    """The payload of a method's frame. An argument that is left out is empty, 0 or false."""
    return payload_of(BY_NAME[name], arguments)


def payload_of(form: Form, arguments: dict[str, Any]) -> bytes:
    pieces = [_head(form.id)]
    octet, bit = 0, 0
    for name, kind in form.fields:
        value = arguments.get(name)
        if kind == "bit":
            octet |= bool(value) << bit
            bit += 1
            continue
        if bit:
            pieces.append(bytes((octet,)))
            octet = bit = 0
        if kind == "shortstr":
            pieces.append(short_of(value or ""))
        elif kind == "table":
            pieces.append(written_table(value or {}))
        elif kind == "longstr":
            data = value if isinstance(value, bytes) else bytes_of(value or "")
            pieces.append(NUMBERS["long"].pack(len(data)) + data)
        else:
            pieces.append(NUMBERS[kind].pack(value or 0))
    if bit:
        pieces.append(bytes((octet,)))
    return b"".join(pieces)


@cache
def _head(id: tuple[int, int]) -> bytes:
    return ID.pack(*id)


def short_of(text: str) -> bytes:
    """A short string; of a longer text as much as fits."""
    data = bytes_of(text)[:255]
    return bytes((len(data),)) + data
