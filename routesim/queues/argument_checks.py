"""Checks of queue arguments, with RabbitMQ's error terms (rules/queues#1.11), and of policies' keys (rules/routing#O10)."""

from collections.abc import Callable
from typing import Any

from routesim.durations import UNITS_MS
from routesim.replies import AmqpError
from routesim.values import Table, Value, erlang_term, is_integer, raw, wire_type
from routesim.versions import Rules

TEN_YEARS_MS = 3650 * UNITS_MS["d"]
AGE_UNITS_MS = {
    "Y": 365 * UNITS_MS["d"], "M": 30 * UNITS_MS["d"], "D": UNITS_MS["d"], "h": UNITS_MS["h"], "m": UNITS_MS["m"],
    "s": UNITS_MS["s"],
}  # fmt: skip
ArgumentCheck = Callable[[Value, Table, Rules], Any]  # None when the value is fine, else the Erlang term of the error
PolicyCheck = Callable[[Any, Rules], str | None]  # None when the value is fine, else what is wrong


def _integer(value: Value) -> Any:
    return None if is_integer(value) else f'"expected integer, got {wire_type(value)}"'


def _string(value: Value) -> Any:
    return None if wire_type(value) == "longstr" else ("unacceptable_type", wire_type(value))


def non_negative(value: Value, arguments: Table, rules: Rules) -> Any:
    wrong = _integer(value)
    return wrong or (("value_negative", raw(value)) if raw(value) < 0 else None)


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


def one_of(error: str, *allowed: str) -> ArgumentCheck:
    def check(value: Value, arguments: Table, rules: Rules) -> Any:
        return _string(value) or (None if raw(value) in allowed else error)

    return check


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
    if not raw(value)[:1].isdigit() and rules.max_age_without_digit_crashes:
        raise AmqpError(541, "INTERNAL_ERROR", argument="x-max-age")
    number, unit = raw(value)[:-1], raw(value)[-1:]
    fine = number.isascii() and number.isdigit() and int(number) >= 1 and unit in AGE_UNITS_MS
    return None if fine else "invalid_max_age"


def anything(value: Value, arguments: Table, rules: Rules) -> Any:
    return None


# Keys of policies ------------------------------------------------------------------------------------------------------


def policy_anything(value: Any, rules: Rules) -> str | None:
    return None


def policy_text(name: str) -> PolicyCheck:
    return lambda value, rules: None if isinstance(value, str) else _not_valid(value, name)


def policy_number(name: str, low: int | None) -> PolicyCheck:
    def check(value: Any, rules: Rules) -> str | None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and (low is None or value >= low) else _not_valid(value, name)

    return check


def policy_choice(name: str, *allowed: Any) -> PolicyCheck:
    return lambda value, rules: None if value in allowed else _not_valid(value, name)


def policy_delivery_limit(value: Any, rules: Rules) -> str | None:
    return policy_number("delivery limit", None if rules.negative_delivery_limit_policy else 0)(value, rules)


def policy_master_locator(value: Any, rules: Rules) -> str | None:
    allowed = ("min-masters", "client-local", "random", "balanced")
    return None if value in allowed else f"{erlang_term(value)} invalid queue-master-locator value"


def _not_valid(value: Any, name: str) -> str:
    return f"{erlang_term(value)} is not a valid {name}"
