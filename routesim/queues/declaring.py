"""Declaring queues: which arguments a type takes, with what values, and what declaring anew compares (rules/queues#1.8,
rules/queues#1.9)."""

from typing import Any

from routesim.diagnostics import did_you_mean
from routesim.durations import parse_duration
from routesim.model import Queue
from routesim.queues.argument_checks import OneOf
from routesim.queues.arguments import ARGUMENTS, TYPES
from routesim.replies import AmqpError
from routesim.values import Table, Value, erlang_term, is_integer, plain, raw, wire_type
from routesim.versions import Rules


def taken_by(name: str, kind: str, rules: Rules) -> bool | None:
    """Whether a queue of type `kind` takes the argument; None when no type knows it (then it is stored, unread)."""
    if name not in ARGUMENTS:
        return None
    types = ARGUMENTS[name].types
    if kind in types and rules.is_at_least(types[kind]):
        return True
    return False if any(rules.is_at_least(since) for since in types.values()) else None


def queue_type(arguments: Table, where: str) -> str:
    """The type that `x-queue-type` asks for. Raises `AmqpError` (406) when it names none."""
    value = arguments.get("x-queue-type", "classic")
    if wire_type(value) != "longstr":
        raise _invalid("x-queue-type", where, ("unacceptable_type", wire_type(value)))
    if raw(value) not in TYPES:
        raise _invalid("x-queue-type", where, f"\"unsupported queue type '{raw(value)}'\"")
    return str(raw(value))


def queue_cure(queue: Queue, refused: AmqpError) -> str:
    """What helps where RabbitMQ refuses a queue for the value of an argument; "" where nothing is known that does."""
    if "'non-durable'" in refused.text:
        return "queues of this type are durable: leave out `durable: false`"
    name = refused.argument or ""
    value, row = queue.arguments.get(name), ARGUMENTS.get(name)
    if wire_type(value) != "longstr":
        return ""
    given, check = str(raw(value)), row.check if row is not None else None
    allowed = TYPES if name == "x-queue-type" else check.allowed if isinstance(check, OneOf) else ()
    if allowed:
        return did_you_mean(given, allowed) or f"it takes {', '.join(allowed)}"
    if "expected integer" not in refused.text:
        return ""
    if given.isdecimal():
        return f"write {given} without quotes"
    length = parse_duration(given) if row is not None and row.duration else None
    return f"write {length}: RabbitMQ's arguments are in ms" if length is not None else ""


def validate(kind: str, arguments: Table, where: str, rules: Rules) -> None:
    """Raises the `AmqpError` that RabbitMQ answers to the declaration of a new queue with these arguments.

    `where` is the queue as RabbitMQ names it: `queue 'q' in vhost '/'`.
    """
    if not arguments:
        return
    for name in ARGUMENTS if len(arguments) > 1 else arguments:  # of several wrong ones the first in this order is told
        if name in arguments and taken_by(name, kind, rules):
            wrong = ARGUMENTS[name].check(arguments[name], arguments, rules)
            if wrong is not None:
                raise _invalid(name, where, wrong)
    for name in sorted(arguments):
        if taken_by(name, kind, rules) is False:
            raise AmqpError(406, f"invalid arg '{name}' for {where} of queue type rabbit_{kind}_queue", argument=name)


def _invalid(name: str, where: str, term: Any) -> AmqpError:
    text = term if isinstance(term, str) else erlang_term(term)
    return AmqpError(406, f"invalid arg '{name}' for {where}: {text}", argument=name)


def type_class(value: Value) -> str:
    """Wire types that RabbitMQ compares as one (rules/queues#1.8)."""
    kind = wire_type(value)
    if is_integer(value) or kind == "decimal":
        return "int"
    return "float" if kind in ("float", "double") else kind


def assert_equivalent(name: str, current: Table, received: Table, where: str) -> None:
    """Raises `AmqpError` (406) when argument `name` differs between what exists and what is declared anew."""
    has, wants = name in current, name in received
    if not has and not wants:
        return
    if has and wants:
        old, new = current[name], received[name]
        same_class = type_class(old) == type_class(new)
        same_type = type(_bare(old)) is type(_bare(new))
        if _bare(old) == _bare(new) and (same_class or same_type):
            return
        raise AmqpError(
            406, f"inequivalent arg '{name}' for {where}: received '{_shown(new)}' but current is '{_shown(old)}'", argument=name
        )
    raise AmqpError(
        406,
        f"inequivalent arg '{name}' for {where}: received {_described(received, name)} but current is "
        f"{_described(current, name)}",
        argument=name,
    )


def _described(table: Table, name: str) -> str:
    if name not in table:
        return "none"
    return f"the value '{_shown(table[name])}' of type '{wire_type(table[name])}'"


def _bare(value: Value) -> Any:
    """As Erlang holds it: a longstr and a byte array of the same bytes are one."""
    inner = raw(value)
    return inner.encode() if isinstance(inner, str) else inner


def _shown(value: Value) -> str:
    inner = plain(value)
    return erlang_term(inner) if isinstance(inner, bool) else str(inner)
