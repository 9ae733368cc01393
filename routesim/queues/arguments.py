"""Queue arguments: which type takes which, with what values (rules/queues#1.8, rules/queues#1.9, rules/queues#1.11).
One row an argument."""

from collections.abc import Callable
from typing import Any, NamedTuple

from routesim.replies import AmqpError
from routesim.values import Table, Value, erlang_term, is_integer, plain, raw, wire_type
from routesim.versions import Rules

TYPES = ("classic", "quorum", "stream")
TEN_YEARS_MS = 315_360_000_000
Check = Callable[[Value, Table, Rules], Any]  # None when the value is fine, else the Erlang term of the error


def _integer(value: Value) -> Any:
    return None if is_integer(value) else f'"expected integer, got {wire_type(value)}"'


def _string(value: Value) -> Any:
    return None if wire_type(value) == "longstr" else ("unacceptable_type", wire_type(value))


def _non_negative(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _integer(value)
    return wrong or (("value_negative", raw(value)) if raw(value) < 0 else None)


def _at_least_one(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _non_negative(value, arguments, rules)
    return wrong or (("value_zero", 0) if raw(value) == 0 else None)


def _message_ttl(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _non_negative(value, arguments, rules)
    return wrong or (("value_too_large", raw(value)) if raw(value) > TEN_YEARS_MS else None)


def _expires(value: Value, arguments: Table, rules: Rules) -> Any:
    return _at_least_one(value, arguments, rules) or _message_ttl(value, arguments, rules)


def _dead_letter_exchange(value: Value, arguments: Table, rules: Rules) -> Any:
    return _string(value)


def _dead_letter_routing_key(value: Value, arguments: Table, rules: Rules) -> Any:
    missing = None if "x-dead-letter-exchange" in arguments else "routing_key_but_no_dlx_defined"
    return _string(value) or missing


def _one_of(error: str, *allowed: str) -> Check:
    def check(value: Value, arguments: Table, rules: Rules) -> Any:
        return _string(value) or (None if raw(value) in allowed else error)

    return check


def _max_priority(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _non_negative(value, arguments, rules)
    return wrong or (("max_value_exceeded", raw(value)) if raw(value) > 255 else None)


def _queue_version(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _non_negative(value, arguments, rules)
    return wrong or (None if raw(value) in rules.queue_versions else f"\"unsupported queue version '{raw(value)}'\"")


def _queue_mode(value: Value, arguments: Table, rules: Rules) -> Any:
    if not rules.queue_mode_checked:
        return None
    wrong = _string(value)
    return wrong or (None if raw(value) in ("default", "lazy") else f"\"unsupported queue mode '{raw(value)}'\"")


def _bool(value: Value, arguments: Table, rules: Rules) -> Any:
    return None if wire_type(value) == "bool" else ("unacceptable_type", wire_type(value))


def _max_age(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _string(value)
    if wrong:
        return wrong
    if not raw(value)[:1].isdigit() and rules.max_age_without_digit_crashes:
        raise AmqpError(541, "INTERNAL_ERROR", argument="x-max-age")
    number, unit = raw(value)[:-1], raw(value)[-1:]
    fine = number.isascii() and number.isdigit() and int(number) >= 1 and unit in tuple("YMDhms")
    return None if fine else "invalid_max_age"


def _anything(value: Value, arguments: Table, rules: Rules) -> Any:
    return None


_LOCATORS = ("client-local", "balanced", "random", "least-leaders")


class Argument(NamedTuple):
    check: Check
    types: tuple[str, ...]


# In the order in which RabbitMQ checks them. What `Rules.arguments_added` names comes to further types later.
ARGUMENTS: dict[str, Argument] = {
    "x-expires": Argument(_expires, ("classic", "quorum")),
    "x-message-ttl": Argument(_message_ttl, ("classic", "quorum")),
    "x-dead-letter-exchange": Argument(_dead_letter_exchange, ("classic", "quorum")),
    "x-dead-letter-routing-key": Argument(_dead_letter_routing_key, ("classic", "quorum")),
    "x-dead-letter-strategy": Argument(_one_of("invalid_dlx_strategy", "at-most-once", "at-least-once"), ("quorum",)),
    "x-max-length": Argument(_non_negative, ("classic", "quorum")),
    "x-max-length-bytes": Argument(_non_negative, TYPES),
    "x-max-in-memory-length": Argument(_non_negative, ("quorum",)),
    "x-max-in-memory-bytes": Argument(_non_negative, ("quorum",)),
    "x-max-priority": Argument(_max_priority, ("classic",)),
    "x-overflow": Argument(
        _one_of("invalid_overflow", "drop-head", "reject-publish", "reject-publish-dlx"), ("classic", "quorum")
    ),
    "x-queue-mode": Argument(_queue_mode, ("classic",)),
    "x-queue-version": Argument(_queue_version, ("classic",)),
    "x-single-active-consumer": Argument(_bool, ("classic", "quorum")),
    "x-queue-type": Argument(_anything, TYPES),
    "x-consumer-timeout": Argument(_non_negative, ()),
    "x-consumer-disconnected-timeout": Argument(_non_negative, ()),
    "x-delayed-retry-type": Argument(_anything, ()),
    "x-delayed-retry-min": Argument(_anything, ()),
    "x-delayed-retry-max": Argument(_anything, ()),
    "x-quorum-initial-group-size": Argument(_at_least_one, ("quorum",)),
    "x-max-age": Argument(_max_age, ("stream",)),
    "x-stream-max-segment-size-bytes": Argument(_non_negative, ("stream",)),
    "x-stream-filter-size-bytes": Argument(_non_negative, ()),
    "x-initial-cluster-size": Argument(_at_least_one, ("stream",)),
    "x-queue-leader-locator": Argument(_one_of("invalid_queue_locator_arg", *_LOCATORS), ("quorum", "stream")),
    "x-queue-master-locator": Argument(_anything, ("classic",)),
    "x-delivery-limit": Argument(_anything, ("quorum",)),
}

# The arguments that a re-declaration compares, in order (rules/queues#1.11, last lines).
COMPARED: dict[str, tuple[str, ...]] = {
    "classic": (
        "x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-max-length",
        "x-max-length-bytes", "x-max-priority", "x-overflow", "x-queue-mode", "x-queue-version",
        "x-single-active-consumer", "x-queue-type", "x-queue-master-locator",
    ),
    "quorum": (
        "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-expires", "x-max-length",
        "x-max-length-bytes", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-overflow",
        "x-single-active-consumer", "x-queue-type", "x-quorum-initial-group-size", "x-delivery-limit", "x-message-ttl",
        "x-queue-leader-locator",
    ),
    "stream": (
        "x-max-length-bytes", "x-queue-type", "x-max-age", "x-stream-max-segment-size-bytes", "x-initial-cluster-size",
        "x-queue-leader-locator",
    ),
}  # fmt: skip


def taken_by(name: str, kind: str, rules: Rules) -> bool | None:
    """Whether a queue of type `kind` takes the argument; None when no type knows it (then it is stored, unread)."""
    if name not in ARGUMENTS:
        return None
    if kind in ARGUMENTS[name].types or (kind, name) in rules.arguments_added:
        return True
    known = ARGUMENTS[name].types or any(added == name for _, added in rules.arguments_added)
    return False if known else None


def queue_type(arguments: Table, where: str) -> str:
    """The type that `x-queue-type` asks for. Raises `AmqpError` (406) when it names none."""
    value = arguments.get("x-queue-type", "classic")
    if wire_type(value) != "longstr":
        raise _invalid("x-queue-type", where, ("unacceptable_type", wire_type(value)))
    if raw(value) not in TYPES:
        raise _invalid("x-queue-type", where, f"\"unsupported queue type '{raw(value)}'\"")
    return str(raw(value))


def validate(kind: str, arguments: Table, where: str, rules: Rules) -> None:
    """Raises the `AmqpError` that RabbitMQ answers to the declaration of a new queue with these arguments.

    `where` is the queue as RabbitMQ names it: `queue 'q' in vhost '/'`.
    """
    if not arguments:
        return
    for name, argument in ARGUMENTS.items():
        if name in arguments and taken_by(name, kind, rules):
            wrong = argument.check(arguments[name], arguments, rules)
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
