"""Policies and operator policies: which one applies, and what it may hold (rules/routing#5)."""

import re
from typing import Any, TypeVar

from routesim import events, steps
from routesim.broker.broker import Broker
from routesim.broker.policy_index import anchored
from routesim.broker.records import ExchangeState
from routesim.broker.state import State
from routesim.diagnostics import did_you_mean
from routesim.model import Policy
from routesim.patterns import InvalidPattern, compiled
from routesim.queues import QueueType
from routesim.queues import policy_checks as checks
from routesim.queues.arguments import ARGUMENTS, LARGER, TYPES, PolicyKey
from routesim.queues.settings import merge_policies, origins, settings
from routesim.replies import AmqpError
from routesim.values import erlang_term, raw
from routesim.versions import Rules, rules

Named = TypeVar("Named")

ABOVE_ALL = 2**31  # a priority
APPLY_TO = ("queues", "exchanges", "all")
APPLY_TO_TYPES = {"classic_queues": "classic", "quorum_queues": "quorum", "streams": "stream"}


# Keys that are no queue argument as well.
OTHER_KEYS: dict[str, PolicyKey] = {
    "alternate-exchange": PolicyKey(checks.text("alternate exchange name"), means="exchanges"),
    "target-group-size": PolicyKey(
        checks.number("qq target count value", 1), since="3.13.0", operator="3.13.0", merged=LARGER, module="quorum"
    ),
    "federation-upstream": PolicyKey(checks.anything, means="both", module="federation"),
    "federation-upstream-set": PolicyKey(checks.anything, means="both", module="federation"),
    "federation-upstream-pattern": PolicyKey(checks.anything, module="federation"),
    "shards-per-node": PolicyKey(checks.anything, means="exchanges", module="sharding"),
    "routing-key": PolicyKey(checks.anything, means="exchanges", module="sharding"),
    **{
        key: PolicyKey(
            checks.anything,
            exists=lambda rules: rules.mirroring_keys,
            operator=since,
            not_for=("quorum", "stream"),
            module="mirroring",
        )
        for key, since in (
            ("ha-mode", "3.11.10"),
            ("ha-params", "3.11.10"),
            ("ha-sync-mode", "3.11.15"),
            ("ha-sync-batch-size", None),
            ("ha-promote-on-shutdown", None),
            ("ha-promote-on-failure", None),
        )
    },
}
POLICY_KEYS: dict[str, PolicyKey] = {
    **{name.removeprefix("x-"): row.policy for name, row in ARGUMENTS.items() if row.policy is not None},
    **OTHER_KEYS,
}
# Keys that keep a policy from applying to a queue of the type at all (rules/routing#O3).
UNSUPPORTED = {kind: frozenset(key for key, row in POLICY_KEYS.items() if kind in row.not_for) for kind in TYPES}


def known_keys(operator: bool, rules: Rules) -> list[str]:
    """The keys that a policy, or an operator policy, may set in this version."""
    return [key for key, row in POLICY_KEYS.items() if row.is_known(rules, operator)]


def policy_cure(policy: Policy, key: str) -> str:
    """What helps against a key that a version does not let the policy hold."""
    row = POLICY_KEYS.get(key)
    if row is not None and row.module == "mirroring":
        return "mirroring is gone from 4.0 on: queues of x-queue-type quorum replicate; take the ha- keys out"
    if row is not None and policy.operator and row.operator is None:
        return "an ordinary policy may hold it"
    if row is not None and row.module == "federation":
        return "enable the plugin rabbitmq_federation"
    if row is not None:
        return f"it is known from RabbitMQ {(row.operator if policy.operator else row.since) or '3.10'} on"
    if f"x-{key.removeprefix('x-')}" in ARGUMENTS and ARGUMENTS[f"x-{key.removeprefix('x-')}"].policy is None:
        return f"only a queue itself may say it, by its argument x-{key.removeprefix('x-')}"
    if key.removeprefix("x-") in POLICY_KEYS:
        return f"policies leave out the x-: {key.removeprefix('x-')}"
    return did_you_mean(key, known_keys(policy.operator, rules()))


def validate(policy: Policy, rules: Rules) -> None:
    """Raises the `AmqpError` that stands for RabbitMQ's "Validation failed" (rules/routing#O12)."""
    try:
        compiled(policy.pattern)
    except InvalidPattern as error:
        raise _failed(f"pattern should be regular expression but is invalid: {error}", "pattern") from None
    types = APPLY_TO_TYPES if rules.policy_names_queue_types else {}
    if policy.apply_to not in (*APPLY_TO, *types):
        names = "'queues', 'exchanges' or 'all'"
        if types:  # with RabbitMQ's two blanks
            names = "one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'"
        raise _failed(f"apply-to '{policy.apply_to}' unrecognised; should be {names}", "apply-to")
    if not policy.definition:
        raise _failed("no policy provided", "definition")
    modules: dict[str, dict[str, Any]] = {}
    unknown = []
    for key in sorted(policy.definition, key=lambda key: key.encode("utf-8", "surrogatepass")):
        row, value = POLICY_KEYS.get(key), raw(policy.definition[key])
        if row is None or not row.is_known(rules, policy.operator):
            unknown.append((key, value))
        else:
            modules.setdefault(row.module, {})[key] = value
    for module in sorted(modules, key=checks.MODULES.index):
        wrong = _wrong_in(module, modules[module], rules)
        if wrong is not None:
            raise _failed(*wrong)
    if unknown:
        pairs = ",".join(f"{{{erlang_term(key)},{erlang_term(value)}}}" for key, value in unknown)
        raise _failed(f"[{pairs}] are not recognised policy settings", unknown[0][0])


def _wrong_in(module: str, definition: dict[str, Any], rules: Rules) -> checks.Wrong | None:
    """What is wrong with the keys that one of RabbitMQ's modules checks."""
    for key, value in definition.items():
        wrong = POLICY_KEYS[key].check(value, rules)
        if wrong:
            return checks.Wrong(wrong, key)
    return checks.ACROSS[module](definition, rules) if module in checks.ACROSS else None


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
    gone = broker.policies.remove((step.operator, step.name))
    if gone is None:
        raise AmqpError(400, f"{'operator policy' if step.operator else 'policy'} '{step.name}' does not exist")
    if broker.listen:
        broker.listen(events.PolicyDeleted(broker.now, step.name, step.operator))
    _apply_change(broker, gone)


def _apply_change(broker: State, *changed: Policy) -> None:
    """Every exchange and queue that a changed policy names is looked at again (rules/routing#O4)."""
    patterns = {policy.pattern for policy in changed}
    names = [compiled(pattern) for pattern in patterns]
    for exchange in _within(broker.exchanges, patterns):
        if any(named(exchange.declared.name) for named in names):
            apply_to_exchange(broker, exchange)
    broker.routes.clear()
    for queue in _within(broker.queues, patterns):
        if not any(named(queue.broker_name) for named in names):
            continue
        before = queue.settings
        apply_to_queue(broker, queue)
        if queue.settings != before:
            queue.settings_changed(broker, before)
            if queue.settings.expires != before.expires:
                broker.watch_lease(queue)


def _within(named: dict[str, Named], patterns: set[str]) -> list[Named]:
    """Those that a pattern can fit: all, unless there is one pattern, which says how a name begins."""
    begins = anchored(next(iter(patterns))) if len(patterns) == 1 else None
    # Of a name that the broker has drawn the scenario has another; `$` fits before a line's end too.
    if begins is None or begins.text.startswith("amq.") or "amq.".startswith(begins.text):
        return list(named.values())
    if not begins.whole or f"{begins.text}\n" in named:
        return [item for name, item in named.items() if name.startswith(begins.text)]
    return [named[begins.text]] if begins.text in named else []


def matching(broker: Broker, operator: bool, name: str, kind: str) -> list[Policy]:
    """The policies that fit an exchange or a queue of type `kind`, the one that applies first (rules/routing#O2,
    rules/routing#O3)."""
    found = []
    for is_operator, policy in broker.policies.that_may_fit(name):
        if is_operator != operator or not is_meant_for(policy, kind):
            continue
        if kind != "exchange" and not UNSUPPORTED[kind].isdisjoint(policy.definition):
            continue
        if compiled(policy.pattern)(name):
            found.append(policy)
    # Equal priorities are undefined in RabbitMQ; here the first declared wins.
    return sorted(found, key=lambda policy: -policy.priority)


def full(broker: Broker, queue: QueueType, name: str, overflow: str) -> Policy:
    """The policy of that name, above all others, by which a queue takes no message more than it has now. What another policy says
    of the queue goes on counting: only one of them is in force."""
    before = matching(broker, False, queue.broker_name, queue.kind)
    definition = before[0].definition if before else {}
    limited = {**definition, "max-length": queue.ready_count(), "overflow": overflow}
    return Policy(name, f"^{re.escape(queue.broker_name)}$", limited, "queues", ABOVE_ALL)


def is_meant_for(policy: Policy, kind: str) -> bool:
    """Whether its `apply-to` names this type of queues, or `exchange`."""
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
