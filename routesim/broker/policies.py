"""Policies and operator policies: which one applies, and what it may hold (rules/routing#5)."""

from collections.abc import Callable
from typing import Any

from routesim import events, steps
from routesim.broker.broker import Broker
from routesim.broker.patterns import InvalidPattern, compiled
from routesim.broker.records import ExchangeState
from routesim.broker.state import State
from routesim.model import Policy
from routesim.queues import QueueType
from routesim.queues.settings import merge_policies, origins, settings
from routesim.replies import AmqpError
from routesim.values import erlang_term, raw
from routesim.versions import Rules

APPLY_TO = ("queues", "exchanges", "all")
APPLY_TO_TYPES = {"classic_queues": "classic", "quorum_queues": "quorum", "streams": "stream"}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(what: str) -> Callable[[Any], str | None]:
    return lambda value: None if isinstance(value, str) else f"{erlang_term(value)} is not a valid {what}"


def _number(what: str, low: int | None) -> Callable[[Any], str | None]:
    return lambda value: (
        None if _is_int(value) and (low is None or value >= low) else f"{erlang_term(value)} is not a valid {what}"
    )


def _choice(what: str, *allowed: Any) -> Callable[[Any], str | None]:
    return lambda value: None if value in allowed else f"{erlang_term(value)} is not a valid {what}"


def _any(value: Any) -> str | None:
    return None


MASTER_LOCATORS = ("min-masters", "client-local", "random", "balanced")
# Every key that a policy may set: how its value is checked (rules/routing#O10).
KEYS: dict[str, Callable[[Any], str | None]] = {
    "alternate-exchange": _text("alternate exchange name"),
    "dead-letter-exchange": _text("dead letter exchange name"),
    "dead-letter-routing-key": _text("dead letter routing key"),
    "dead-letter-strategy": _choice("dead letter strategy", "at-most-once", "at-least-once"),
    "message-ttl": _number("message TTL", 0),
    "expires": _number("queue expiry", 1),
    "max-length": _number("maximum length", 0),
    "max-length-bytes": _number("maximum length in bytes", 0),
    "max-in-memory-length": _number("maximum memory in bytes", 0),
    "max-in-memory-bytes": _number("maximum memory in bytes", 0),
    "overflow": _choice("overflow", "drop-head", "reject-publish", "reject-publish-dlx"),
    "delivery-limit": _number("delivery limit", None),
    "queue-mode": _choice("queue mode", "default", "lazy"),
    "queue-version": _choice("queue version", 1, 2),
    "max-age": _text("max age"),
    "stream-max-segment-size-bytes": _number("segment size", 0),
    "queue-leader-locator": _text("queue leader locator"),
    "queue-master-locator": lambda value: (
        None if value in MASTER_LOCATORS else f"{erlang_term(value)} invalid queue-master-locator value"
    ),
    "initial-cluster-size": _number("cluster size", 1),
    "federation-upstream": _any,
    "federation-upstream-set": _any,
    "federation-upstream-pattern": _any,
    "shards-per-node": _any,
    "routing-key": _any,
}
LATER_KEYS: dict[str, Callable[[Any], str | None]] = {
    "consumer-timeout": _number("consumer timeout", 0),
    "stream-filter-size-bytes": _number("filter size", 0),
    "target-group-size": _number("target group size", 1),
    "consumer-disconnected-timeout": _number("consumer disconnected timeout", 0),
    "delayed-retry-type": _choice("delayed retry type", "all", "failed", "returned", "disabled"),
    "delayed-retry-min": _number("delayed retry minimum", 0),
    "delayed-retry-max": _number("delayed retry maximum", 0),
}
MIRRORING = ("ha-mode", "ha-params", "ha-sync-mode", "ha-sync-batch-size", "ha-promote-on-shutdown", "ha-promote-on-failure")
OPERATOR_KEYS = (
    "expires", "message-ttl", "max-length", "max-length-bytes", "max-in-memory-length", "max-in-memory-bytes",
    "delivery-limit",
)  # fmt: skip

# Keys that keep a policy from applying to a queue of the type at all (rules/routing#O3).
_MIRRORED = (*MIRRORING, "queue-master-locator")
UNSUPPORTED: dict[str, frozenset[str]] = {
    "classic": frozenset({
        "max-age", "stream-max-segment-size-bytes", "queue-leader-locator", "initial-cluster-size", "delivery-limit",
        "dead-letter-strategy",
    }),
    "quorum": frozenset({
        "max-priority", "queue-mode", "single-active-consumer", *_MIRRORED, "max-age", "stream-max-segment-size-bytes",
        "initial-cluster-size",
    }),
    "stream": frozenset({
        "expires", "message-ttl", "dead-letter-exchange", "dead-letter-routing-key", "dead-letter-strategy", "max-length",
        "max-in-memory-length", "max-in-memory-bytes", "max-priority", "overflow", "queue-mode", "single-active-consumer",
        "delivery-limit", *_MIRRORED,
    }),
}  # fmt: skip


def known_keys(operator: bool, rules: Rules) -> dict[str, Callable[[Any], str | None]]:
    """The keys that a policy, or an operator policy, may set in this version."""
    known = {**KEYS, **{key: LATER_KEYS[key] for key in rules.policy_keys_added}}
    if rules.mirroring_keys:
        known |= dict.fromkeys(MIRRORING, _any)
    if not rules.negative_delivery_limit_policy:
        known["delivery-limit"] = _number("delivery limit", 0)
    if operator:
        allowed = (*OPERATOR_KEYS, *rules.operator_keys_added)
        return {key: check for key, check in {**LATER_KEYS, **known}.items() if key in allowed}
    return known


def validate(policy: Policy, rules: Rules) -> None:
    """Raises the `AmqpError` that stands for RabbitMQ's "Validation failed" (rules/routing#O12)."""
    try:
        compiled(policy.pattern)
    except InvalidPattern as error:
        raise _failed(f"pattern should be regular expression but is invalid: {error}", "pattern") from None
    types = APPLY_TO_TYPES if rules.policy_names_queue_types else {}
    if policy.apply_to not in (*APPLY_TO, *types):
        names = "'queues', 'exchanges' or 'all'"
        if types:
            names = "'queues', 'classic_queues', 'quorum_queues', 'streams', 'exchanges' or 'all'"
        raise _failed(f"apply-to '{policy.apply_to}' unrecognised; should be {names}", "apply-to")
    if not policy.definition:
        raise _failed("no policy provided", "definition")
    known = known_keys(policy.operator, rules)
    for key, value in policy.definition.items():
        if key not in known:
            raise _failed(f"[{{{erlang_term(key)},{erlang_term(value)}}}] are not recognised policy settings", key)
        wrong = known[key](raw(value))
        if wrong:
            raise _failed(wrong, key)


def _failed(text: str, argument: str) -> AmqpError:
    return AmqpError(400, f"Validation failed: {text}", argument=argument)


def set_policy(broker: State, step: steps.SetPolicy) -> None:
    policy = step.policy
    validate(policy, broker.rules)
    before = broker.policies.get((policy.operator, policy.name), policy)
    broker.policies[policy.operator, policy.name] = policy
    if broker.listen:
        broker.listen(events.PolicySet(broker.now, policy.name, policy.operator))
    _apply_change(broker, before, policy)


def delete_policy(broker: State, step: steps.DeletePolicy) -> None:
    gone = broker.policies.pop((step.operator, step.name), None)
    if gone is None:
        raise AmqpError(400, f"{'operator policy' if step.operator else 'policy'} '{step.name}' does not exist")
    if broker.listen:
        broker.listen(events.PolicyDeleted(broker.now, step.name, step.operator))
    _apply_change(broker, gone)


def _apply_change(broker: State, *changed: Policy) -> None:
    """Every exchange and queue that a changed policy names is looked at again (rules/routing#O4)."""
    names = [compiled(pattern).search for pattern in {policy.pattern for policy in changed}]
    for name, exchange in broker.exchanges.items():
        if any(named(name) for named in names):
            apply_to_exchange(broker, exchange)
    broker.routes.clear()
    for queue in list(broker.queues.values()):
        if not any(named(queue.broker_name) for named in names):
            continue
        before = queue.settings
        apply_to_queue(broker, queue)
        if queue.settings != before:
            queue.settings_changed(broker)
            if queue.settings.expires != before.expires:
                broker.watch_lease(queue)


def matching(broker: Broker, operator: bool, name: str, kind: str) -> list[Policy]:
    """The policies that fit an exchange or a queue of type `kind`, the one that applies first (rules/routing#O2,
    rules/routing#O3)."""
    found = []
    for (is_operator, _), policy in broker.policies.items():
        if is_operator != operator or not _names(policy, kind):
            continue
        if kind != "exchange" and not UNSUPPORTED[kind].isdisjoint(policy.definition):
            continue
        if compiled(policy.pattern).search(name):
            found.append(policy)
    # Equal priorities are undefined in RabbitMQ; here the first declared wins.
    return sorted(found, key=lambda policy: -policy.priority)


def _names(policy: Policy, kind: str) -> bool:
    if policy.apply_to in APPLY_TO_TYPES:
        return APPLY_TO_TYPES[policy.apply_to] == kind
    return policy.apply_to == "all" or policy.apply_to == ("exchanges" if kind == "exchange" else "queues")


def effective(broker: Broker, name: str, kind: str) -> dict[str, Any]:
    """The merged definition of the one policy and the one operator policy in force, each key with its origin."""
    policies = matching(broker, False, name, kind)
    operators = matching(broker, True, name, kind)
    return merge_policies(policies[0].definition if policies else {}, operators[0].definition if operators else {})


def apply_to_exchange(broker: State, exchange: ExchangeState) -> None:
    """The alternate exchange: argument first, then policy (rules/routing#E10)."""
    own = raw(exchange.declared.arguments.get("alternate-exchange"))
    if own is None and broker.policies:
        origin = effective(broker, exchange.declared.name, "exchange").get("alternate-exchange")
        own = origin.value if origin else None
    exchange.alternate = own


def apply_to_queue(broker: State, queue: QueueType) -> None:
    policy = effective(broker, queue.broker_name, queue.kind) if broker.policies else {}
    queue.origins = origins(queue.kind, queue.arguments, policy, broker.rules)
    queue.settings = settings(queue.origins)
    strategy = queue.settings.dead_letter_strategy
    if strategy == "at-least-once" and not (
        queue.at_least_once and queue.settings.overflow == "reject-publish" and queue.settings.dead_letter_exchange is not None
    ):  # rules/routing#D19
        queue.settings = queue.settings._replace(dead_letter_strategy="at-most-once")
        broker.warn(
            f"queue '{queue.name}': at-least-once needs a dead-letter exchange and x-overflow reject-publish; "
            "at-most-once is used"
        )
