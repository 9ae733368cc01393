"""Checks of what policies hold, in RabbitMQ's words (rules/routing#O10, rules/routing#O12).

RabbitMQ checks the keys of one policy module by module: the keys of a module in the order of their names, then, in some, what
must hold across them.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from routesim.named_tuples import NamedTuple
from routesim.queues.argument_checks import age_ms
from routesim.values import erlang_term
from routesim.versions import Rules
from routesim.versions.deprecated import LOCATOR_POLICY_DENIED

PolicyCheck = Callable[[Any, Rules], str | None]  # None when the value is fine, else what is wrong
MAX_SEGMENT_SIZE = 3_000_000_000
LEADER_LOCATORS = ("client-local", "balanced", "random", "least-leaders")
MASTER_LOCATORS_3 = ("min-masters", "client-local", "random")
RETRY_TYPES = ("all", "failed", "returned", "disabled")


class Wrong(NamedTuple):
    """What RabbitMQ says of a policy, and the key at fault."""

    text: str
    key: str


# One key ---------------------------------------------------------------------------------------------------------------


def anything(value: Any, rules: Rules) -> str | None:
    return None


def text(name: str) -> PolicyCheck:
    return lambda value, rules: None if isinstance(value, str) else _not_valid(value, name)


def number(name: str, low: int | None = None, high: int | None = None) -> PolicyCheck:
    def check(value: Any, rules: Rules) -> str | None:
        fine = _is_integer(value) and (low is None or value >= low) and (high is None or value <= high)
        return None if fine else _not_valid(value, name)

    return check


def choice(name: str, *allowed: Any) -> PolicyCheck:
    return lambda value, rules: None if any(_same(value, one) for one in allowed) else _not_valid(value, name)


def delivery_limit(value: Any, rules: Rules) -> str | None:
    return number("delivery limit", None if rules.negative_delivery_limit_policy else 0)(value, rules)


def max_age(value: Any, rules: Rules) -> str | None:
    """Where the check itself crashes, in the versions in which an argument without a digit does, the answer has no words."""
    return None if isinstance(value, str) and age_ms(value) else _not_valid(value, "max age")


def master_locator(value: Any, rules: Rules) -> str | None:
    if rules.master_locator_denied:
        return LOCATOR_POLICY_DENIED
    if not rules.mirroring_keys:
        return None if value in (*LEADER_LOCATORS, "min-masters") else _not_valid(value, "master locator")
    return None if value in MASTER_LOCATORS_3 else f"{erlang_term(value)} invalid queue-master-locator value"


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _same(value: Any, allowed: Any) -> bool:
    """1 is neither 1.0 nor true."""
    return type(value) is type(allowed) and bool(value == allowed)


def _not_valid(value: Any, name: str) -> str:
    return f"{erlang_term(value)} is not a valid {name}"


# Across keys -----------------------------------------------------------------------------------------------------------


def delayed_retry(definition: Mapping[str, Any], rules: Rules) -> Wrong | None:
    kind, low, high = (definition.get(f"delayed-retry-{name}") for name in ("type", "min", "max"))
    if kind not in (None, "disabled") and low is None:
        return Wrong(f"delayed-retry-min is required when delayed-retry-type is {kind}", "delayed-retry-type")
    if _is_integer(low) and _is_integer(high) and high < low:
        return Wrong(f"delayed-retry-max ({high}) must not be smaller than delayed-retry-min ({low})", "delayed-retry-max")
    return None


def mirroring(definition: Mapping[str, Any], rules: Rules) -> Wrong | None:
    if "ha-mode" not in definition:
        text = "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"
        return Wrong(text, min(key for key in definition if key.startswith("ha-")))
    mode = definition["ha-mode"]
    if mode not in ("all", "exactly", "nodes"):
        return Wrong(f"{erlang_term(mode)} is not a valid ha-mode value", "ha-mode")
    wrong = _mirrors(mode, definition)
    if wrong:
        return Wrong(wrong, "ha-params" if "ha-params" in definition else "ha-mode")
    for key, allowed in (
        ("ha-sync-mode", ("manual", "automatic")), ("ha-sync-batch-size", ()),
        ("ha-promote-on-shutdown", ("always", "when-synced")), ("ha-promote-on-failure", ("always", "when-synced")),
    ):  # fmt: skip
        value = definition.get(key)
        if key not in definition or value in allowed:
            continue
        if key != "ha-sync-batch-size":
            choices = " or ".join(f'"{one}"' for one in allowed)
            return Wrong(f"{key} must be {choices}, got {erlang_term(value)}", key)
        if not _is_integer(value) or value <= 0:
            return Wrong(f"{key} takes an integer greater than 0, {erlang_term(value)} given", key)
    return None


def _mirrors(mode: str, definition: Mapping[str, Any]) -> str | None:
    """What is wrong with ha-params for that ha-mode."""
    params = definition.get("ha-params")
    shown = erlang_term(params) if "ha-params" in definition else "none"
    if mode == "all":
        return 'ha-mode="all" does not take parameters' if "ha-params" in definition else None
    if mode == "exactly":
        return None if _is_integer(params) and params > 0 else f'ha-mode="exactly" takes an integer, {shown} given'
    if not isinstance(params, list):
        return f'ha-mode="nodes" takes a list, {shown} given'
    if not params:
        return 'ha-mode="nodes" list must be non-empty'
    invalid = [one for one in params if not isinstance(one, str)]
    return f'ha-mode="nodes" takes a list of strings, {erlang_term(invalid)} was not a string' if invalid else None


def sharding(definition: Mapping[str, Any], rules: Rules) -> Wrong | None:
    if "shards-per-node" not in definition:
        return Wrong("shards-per-node must be specified", "routing-key")
    shards, key = definition["shards-per-node"], definition.get("routing-key", "")
    if isinstance(shards, bool) or not isinstance(shards, int | float):
        return Wrong(f"shards-per-node should be a number, actually was {erlang_term(shards)}", "shards-per-node")
    if shards < 0:
        return Wrong(f"shards-per-node should be greater than 0, actually was {erlang_term(shards)}", "shards-per-node")
    if not isinstance(key, str):
        return Wrong(f"routing-key should be binary, actually was {erlang_term(key)}", "routing-key")
    return None


# What must hold across the keys of a module.
ACROSS: dict[str, Callable[[Mapping[str, Any], Rules], Wrong | None]] = {
    "quorum": delayed_retry,
    "mirroring": mirroring,
    "sharding": sharding,
}
# In the order in which they are asked.
MODULES = ("sharding", "locator", "core", "quorum", "mirroring", "federation")
