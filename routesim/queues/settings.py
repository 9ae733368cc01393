"""What a queue's arguments, its policy and its operator policy come to (rules/routing#5.2, rules/queues#1.12)."""

from collections.abc import Mapping
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.queues.arguments import ARGUMENTS, LARGER, POLICY, SMALLER, is_limit
from routesim.values import raw
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


# (argument, policy key, what they set)
SETTING = tuple((name, name.removeprefix("x-"), row.sets) for name, row in ARGUMENTS.items() if row.sets is not None)
ARGUMENTS_THAT_SET = frozenset(argument for argument, *_ in SETTING)


def merge_policies(policy: Mapping[str, Any], operator: Mapping[str, Any]) -> dict[str, Origin]:
    """One definition out of a policy and an operator policy, each key with the one that it came from (rules/routing#O9)."""
    merged = {key: Origin(raw(value), "policy") for key, value in policy.items()}
    for key, value in operator.items():
        theirs = Origin(raw(value), "operator policy")
        if key not in merged or _operator_counts(key, theirs.value, merged[key].value):
            merged[key] = theirs
    return merged


def _operator_counts(key: str, operator: Any, policy: Any) -> bool:
    row = ARGUMENTS.get(f"x-{key}")
    merged = row.policy.merged if row is not None and row.policy is not None else None
    if merged == SMALLER:
        return is_tighter(operator, policy)
    return bool(operator > policy) if merged == LARGER else True


def is_tighter(limit: int, other: int) -> bool:
    """A negative delivery limit means none: then the other one counts (rules/routing#O8, rules/routing#O9)."""
    return limit > other if min(limit, other) < 0 else limit < other


def origins(kind: str, arguments: Mapping[str, Any], policy: Mapping[str, Origin], rules: Rules) -> dict[str, Origin]:
    """Every setting that something sets, with its value and who won."""
    found: dict[str, Origin] = {}
    for argument, key, sets in SETTING if policy or not ARGUMENTS_THAT_SET.isdisjoint(arguments) else ():
        own = None
        if argument in arguments and sets.reads(arguments[argument]):
            own = Origin(sets.acts_as(raw(arguments[argument]), rules), "argument")
        policed = policy.get(key)
        if not (own or policed) or not sets.exists(rules):
            continue
        if own and policed:
            wins = sets.wins(kind, rules)
            policy_wins = wins == POLICY or (wins == SMALLER and is_tighter(policed.value, own.value))
            found[sets.name] = policed if policy_wins else own
        else:
            found[sets.name] = own or policed  # type: ignore[assignment]
    if kind == "quorum" and rules.quorum_default_limit is not None:
        limit = found.get("delivery_limit")
        if "x-delivery-limit" in arguments and not is_limit(arguments["x-delivery-limit"]) and (limit is None or limit.value < 0):
            # No number is greater than it, as Erlang compares (rules/queues#2.10).
            limit = Origin(-1, "argument") if rules.quorum_text_limit_is_none else None
        found["delivery_limit"] = limit or Origin(rules.quorum_default_limit, "default")
    if kind == "quorum" and found.get("overflow", Origin("", "")).value == "reject-publish-dlx":
        found["overflow"] = Origin("drop-head", found["overflow"].source)  # rules/queues#6.5
    return found


def settings(effective: Mapping[str, Origin]) -> QueueSettings:
    return QueueSettings(**{setting: origin.value for setting, origin in effective.items()})
