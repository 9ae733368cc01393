"""AMQP 0-9-1 field values: what a header or an argument may hold, and when two of them are the same.

A value is written in Python's own types wherever AMQP's type follows from it; `Typed` names the wire type where it
does not (`{long: 1}` in a scenario, every integer of a definitions file).
"""

import struct
from typing import Any, TypeAlias

from routesim.named_tuples import NamedTuple


class Typed(NamedTuple):
    """A value whose AMQP wire type is stated rather than inferred, e.g. `Typed("long", 1)`."""

    type: str
    value: Any


# Typed | None | bool | int | float | str | list[Value] | dict[str, Value]; mypy gains nothing from the recursion.
Value: TypeAlias = Any
Table: TypeAlias = dict[str, Value]


class NoArguments(dict[str, Value]):
    """The empty table that stays empty: of all tables the only one that can be part of a key, since there is one of it alone."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce__(self) -> str:
        return "NO_ARGUMENTS"  # a copy, or another process, has it too


NO_ARGUMENTS: Table = NoArguments()

INTEGER_RANGES = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "signedint": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsignedbyte": (0, 2**8 - 1),
    "unsignedshort": (0, 2**16 - 1),
    "unsignedint": (0, 2**32 - 1),
}
OTHER_TYPES = ("float", "double", "decimal", "timestamp", "bytes", "longstr", "bool", "void", "table", "array")


def wire_type(value: Value) -> str:
    """RabbitMQ's name for the type that `value` has on the wire."""
    if isinstance(value, Typed):
        return "binary" if value.type == "bytes" else value.type
    if value is None:
        return "void"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        low, high = INTEGER_RANGES["signedint"]
        return "signedint" if low <= value <= high else "long"
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "longstr"
    return "table" if isinstance(value, dict) else "array"


def raw(value: Value) -> Any:
    """The value without its stated wire type."""
    return value.value if isinstance(value, Typed) else value


def is_integer(value: Value) -> bool:
    """True for every AMQP integer width, as RabbitMQ's argument checks understand "integer"."""
    return wire_type(value) in INTEGER_RANGES


def plain(value: Value) -> Any:
    """The value as JSON can show it: wire types dropped, byte arrays as text where they are text."""
    value = raw(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, tuple):  # a decimal: (scale, unscaled)
        return value[1] / 10 ** value[0]
    return value


def identity(value: Value) -> tuple[Any, ...]:
    """A hashable form, equal exactly when RabbitMQ calls two binding arguments the same (rules/routing#B1, rules/routing#B2)."""
    kind = wire_type(value)
    inner = raw(value)
    if isinstance(inner, dict):
        return (kind, tuple((key, identity(item)) for key, item in inner.items()))
    if isinstance(inner, list):
        return (kind, tuple(identity(item) for item in inner))
    return (kind, inner)


def table_identity(table: Table) -> tuple[Any, ...]:
    """`identity` of a whole argument table: the order of its top-level keys does not count (rules/routing#B2)."""
    return tuple(sorted((key, identity(item)) for key, item in table.items())) if table else ()


def comparable(value: Value, *, strict: bool, of_message: bool) -> tuple[Any, ...]:
    """A form in which a header and a criterion are equal exactly when a headers exchange says so.

    `strict` is 3.13's `=:=` (rules/routing#H8), otherwise 3.10's `==` (rules/routing#H7).
    `of_message` tells the message's side from the binding's: since 3.13 only a message's timestamp is turned into milliseconds.
    """
    kind = wire_type(value)
    inner = raw(value)
    if kind == "bool":
        return ("bool", inner)
    if kind == "timestamp":
        return ("integer" if strict else "number", inner * 1000 if strict and of_message else inner)
    if kind in INTEGER_RANGES:
        return ("integer" if strict else "number", inner)
    if kind in ("float", "double"):
        number = struct.unpack("f", struct.pack("f", inner))[0] if kind == "float" else float(inner)
        return ("float" if strict else "number", number)
    if kind in ("longstr", "binary"):
        return ("text", inner.encode() if isinstance(inner, str) else inner)
    if kind == "table":
        return ("list", tuple((key, wire_type(item), _inside(item)) for key, item in inner.items()))
    if kind == "array":
        return ("list", tuple((wire_type(item), _inside(item)) for item in inner))
    return (kind, inner)


def _inside(value: Value) -> tuple[Any, ...]:
    """Nested values are compared with their wire types and in order, in every version (rules/routing#H7)."""
    return comparable(value, strict=False, of_message=False)


_ESCAPED = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n"})


def erlang_term(value: Any) -> str:
    """`value` as RabbitMQ prints it inside an error text, e.g. `<<"abc">>` or `{value_negative,-1}`."""
    value = raw(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '<<"' + value.translate(_ESCAPED) + '">>' if value else "<<>>"
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ",".join(erlang_term(item) for item in value) + "]"
    if isinstance(value, dict):
        return "#{" + ",".join(f"{erlang_term(key)} => {erlang_term(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, tuple):
        return "{" + ",".join(item if isinstance(item, str) else erlang_term(item) for item in value) + "}"
    return str(value)


SIZES = {
    "byte": 1, "unsignedbyte": 1, "bool": 1, "short": 2, "unsignedshort": 2, "signedint": 4, "unsignedint": 4, "float": 4,
    "decimal": 5, "long": 8, "double": 8, "timestamp": 8, "void": 0,
}  # fmt: skip


def encoded_size(value: Value) -> int:
    """How many bytes the value takes in a field table, its type octet left out (AMQP 0-9-1, 4.2.5.5)."""
    kind, inner = wire_type(value), raw(value)
    if kind == "table":
        return 4 + sum(2 + len(_utf8(key)) + encoded_size(item) for key, item in inner.items())
    if kind == "array":
        return 4 + sum(1 + encoded_size(item) for item in inner)
    return SIZES[kind] if kind in SIZES else 4 + len(inner if isinstance(inner, bytes) else _utf8(inner))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
