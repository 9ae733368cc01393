"""Checks of queue arguments, with RabbitMQ's error terms (rules/queues#1.11)."""

import re
from collections.abc import Callable
from typing import Any

from routesim.durations import UNITS_MS
from routesim.replies import AmqpError
from routesim.values import Table, Value, is_integer, raw, wire_type
from routesim.versions import Rules

TEN_YEARS_MS = 3650 * UNITS_MS["d"]
AGE_UNITS_MS = {
    "Y": 365 * UNITS_MS["d"], "M": 30 * UNITS_MS["d"], "D": UNITS_MS["d"], "h": UNITS_MS["h"], "m": UNITS_MS["m"],
    "s": UNITS_MS["s"],
}  # fmt: skip
ArgumentCheck = Callable[[Value, Table, Rules], Any]  # None when the value is fine, else the Erlang term of the error


def _integer(value: Value) -> Any:
    return None if is_integer(value) else f'"expected integer, got {wire_type(value)}"'


def _string(value: Value) -> Any:
    return None if wire_type(value) == "longstr" else ("unacceptable_type", wire_type(value))


def non_negative(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _integer(value)
    return wrong or (("value_negative", raw(value)) if raw(value) < 0 else None)


def consumer_timeout(value: Value, arguments: Table, rules: Rules) -> Any:
    return non_negative(value, arguments, rules) if rules.consumer_timeouts_checked else None


def at_least_one(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = non_negative(value, arguments, rules)
    return wrong or (("value_zero", 0) if raw(value) == 0 else None)


def message_ttl(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = non_negative(value, arguments, rules)
    return wrong or (("value_too_large", raw(value)) if raw(value) > TEN_YEARS_MS else None)


def expires(value: Value, arguments: Table, rules: Rules) -> Any:
    return at_least_one(value, arguments, rules) or message_ttl(value, arguments, rules)


def text(value: Value, arguments: Table, rules: Rules) -> Any:
    return _string(value)


def dead_letter_routing_key(value: Value, arguments: Table, rules: Rules) -> Any:
    missing = None if "x-dead-letter-exchange" in arguments else "routing_key_but_no_dlx_defined"
    return _string(value) or missing


class OneOf:
    """Checks that a value is one of those that are allowed."""

    def __init__(self, error: str, allowed: tuple[str, ...]) -> None:
        self.error, self.allowed = error, allowed

    def __call__(self, value: Value, arguments: Table, rules: Rules) -> Any:
        return _string(value) or (None if raw(value) in self.allowed else self.error)


def one_of(error: str, *allowed: str) -> ArgumentCheck:
    return OneOf(error, allowed)


def max_priority(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = non_negative(value, arguments, rules)
    return wrong or (("max_value_exceeded", raw(value)) if raw(value) > 255 else None)


def queue_version(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = non_negative(value, arguments, rules)
    return wrong or (None if raw(value) in rules.queue_versions else f"\"unsupported queue version '{raw(value)}'\"")


def queue_mode(value: Value, arguments: Table, rules: Rules) -> Any:
    if not rules.queue_mode_checked:
        return None
    wrong = _string(value)
    return wrong or (None if raw(value) in ("default", "lazy") else f"\"unsupported queue mode '{raw(value)}'\"")


def boolean(value: Value, arguments: Table, rules: Rules) -> Any:
    return None if wire_type(value) == "bool" else ("unacceptable_type", wire_type(value))


def max_age(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _string(value)
    if wrong:
        return wrong
    if not begins_with_digit(raw(value)) and rules.max_age_without_digit_crashes:
        raise AmqpError(541, "INTERNAL_ERROR", argument="x-max-age")
    return None if age_ms(raw(value)) else "invalid_max_age"


def begins_with_digit(text: str) -> bool:
    return re.match("[0-9]", text) is not None


def age_ms(text: str) -> int | None:
    """An age above 0 such as `1h`, in ms; None when it is none. What follows a line break is not looked at
    (rules/queues#1.11)."""
    age = re.match("([0-9]+)(.*)", text)
    return int(age[1]) * AGE_UNITS_MS[age[2]] or None if age is not None and age[2] in AGE_UNITS_MS else None


def anything(value: Value, arguments: Table, rules: Rules) -> Any:
    return None
