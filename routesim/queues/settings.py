"""What a queue's arguments, its policy and its operator policy come to (rules/routing#5.2, rules/queues#1.12)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from routesim.values import is_integer, raw, wire_type
from routesim.versions import Rules


class QueueSettings(NamedTuple):
    """The effective settings of one queue. Times in ms, sizes in bytes; None: not set."""

    message_ttl: int | None = None
    expires: int | None = None
    max_length: int | None = None
    max_length_bytes: int | None = None
    overflow: str = "drop-head"
    dead_letter_exchange: str | None = None
    dead_letter_routing_key: str | None = None
    dead_letter_strategy: str = "at-most-once"
    max_priority: int | None = None
    single_active_consumer: bool = False
    delivery_limit: int | None = None
    consumer_timeout: int | None = None
    delayed_retry_type: str = "disabled"
    delayed_retry_min: int | None = None
    delayed_retry_max: int | None = None


class Origin(NamedTuple):
    """Where an effective setting comes from: `argument`, `policy`, `operator policy` or `default`."""

    value: Any
    source: str


# setting -> its name as an argument (without `x-`) and as a policy key
NUMERIC = {
    "message_ttl": "message-ttl",
    "expires": "expires",
    "max_length": "max-length",
    "max_length_bytes": "max-length-bytes",
    "delivery_limit": "delivery-limit",
    "consumer_timeout": "consumer-timeout",
    "delayed_retry_min": "delayed-retry-min",
    "delayed_retry_max": "delayed-retry-max",
}
TEXT = {
    "overflow": "overflow",
    "dead_letter_exchange": "dead-letter-exchange",
    "dead_letter_routing_key": "dead-letter-routing-key",
    "dead_letter_strategy": "dead-letter-strategy",
    "delayed_retry_type": "delayed-retry-type",
}
ARGUMENT_ONLY = {"max_priority": "x-max-priority", "single_active_consumer": "x-single-active-consumer"}
# What merging the two kinds of policy does with a key that both set (rules/routing#O9).
SMALLER_WINS = frozenset({
    "message-ttl", "expires", "max-length", "max-length-bytes", "max-in-memory-length", "max-in-memory-bytes",
    "delivery-limit",
})  # fmt: skip


def merge_policies(policy: Mapping[str, Any], operator: Mapping[str, Any]) -> dict[str, Origin]:
    """One definition out of a policy and an operator policy, each key with the one that it came from."""
    merged = {key: Origin(raw(value), "policy") for key, value in policy.items()}
    for key, value in operator.items():
        number = raw(value)
        if key not in merged:
            merged[key] = Origin(number, "operator policy")
        elif key in SMALLER_WINS:
            mine = merged[key].value
            if min(mine, number) < 0:  # a negative delivery limit means none: the other one is the larger
                merged[key] = merged[key] if mine >= number else Origin(number, "operator policy")
            elif number < mine:
                merged[key] = Origin(number, "operator policy")
        else:
            merged[key] = Origin(number, "operator policy")
    return merged


def origins(kind: str, arguments: Mapping[str, Any], policy: Mapping[str, Origin], rules: Rules) -> dict[str, Origin]:
    """Every setting that something sets, with its value and who won."""
    found: dict[str, Origin] = {}
    for setting, key in NUMERIC.items():
        argument = arguments.get(f"x-{key}")
        own = Origin(raw(argument), "argument") if is_integer(argument) else None
        if key == "delivery-limit" and own and own.value < 0 and not rules.quorum_negative_limit_is_none:
            own = Origin(0, "argument")
        policed = policy.get(key)
        if key == "consumer-timeout" and not rules.consumer_timeout_argument:
            continue
        if own and policed:
            policy_wins = policed.value < own.value or (
                kind == "quorum" and setting == "expires" and rules.quorum_expires_policy_wins
            )
            found[setting] = policed if policy_wins else own
        elif own or policed:
            found[setting] = own or policed  # type: ignore[assignment]
    for setting, key in TEXT.items():
        argument = arguments.get(f"x-{key}")
        own = Origin(raw(argument), "argument") if wire_type(argument) == "longstr" else None
        policed = policy.get(key)
        policy_first = kind == "quorum" and setting == "overflow"
        winner = (policed or own) if policy_first else (own or policed)
        if winner:
            found[setting] = winner
    for setting, key in ARGUMENT_ONLY.items():
        if key in arguments:
            found[setting] = Origin(raw(arguments[key]), "argument")
    if kind == "quorum" and "delivery_limit" not in found and rules.quorum_default_limit is not None:
        found["delivery_limit"] = Origin(rules.quorum_default_limit, "default")
    if kind == "quorum" and found.get("overflow", Origin("", "")).value == "reject-publish-dlx":
        found["overflow"] = Origin("drop-head", found["overflow"].source)  # rules/queues#6.5
    return found


def settings(effective: Mapping[str, Origin]) -> QueueSettings:
    return QueueSettings(**{setting: origin.value for setting, origin in effective.items()})
