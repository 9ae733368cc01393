"""Policies that another one hides, or whose keys are of no use."""

from collections.abc import Iterator
from typing import Any

from routesim.broker.policies import POLICY_KEYS, matching
from routesim.check.finding import Problem
from routesim.check.topology.checked_topology import RESERVED, CheckedTopology
from routesim.check.topology.publish_paths import PublishPath
from routesim.check.witness import draft, publish_step, publishing
from routesim.diagnostics import NOTE
from routesim.explain.keys.key_sets import exactly
from routesim.explain.routes.route import unused_alternate
from routesim.model import DEFAULT_EXCHANGE, Policy
from routesim.scenario.topology_data import exchange_form, policy_form
from routesim.values import plain


def _contests(topology: CheckedTopology) -> Iterator[tuple[Policy, Policy, str]]:
    """(who applies, who would too, to what) for every exchange and queue that the keys of the second mean anything for."""
    broker = topology.broker
    things = [(name, "exchange", name) for name, _ in topology.exchanges()]
    things += [(queue.broker_name, queue.kind, name) for name, queue in broker.queues.items()]
    for broker_name, kind, name in things:
        for operator in (False, True):
            found = matching(broker, operator, broker_name, kind)
            for other in found[1:]:
                if _means_something(other, kind):
                    yield found[0], other, name


def _means_something(policy: Policy, kind: str) -> bool:
    """Whether one of its keys does anything to an exchange, or to a queue."""
    meant = ("exchanges" if kind == "exchange" else "queues", "both")
    return any(POLICY_KEYS[key].means in meant for key in policy.definition)


def policy_hidden(topology: CheckedTopology) -> Iterator[Problem]:
    hidden: dict[tuple[bool, str], list[tuple[Policy, Policy, str]]] = {}
    applies: dict[tuple[bool, str], int] = {}
    for name, kind in [(name, "exchange") for name, _ in topology.exchanges()]:
        _count(topology, name, kind, applies)
    for queue in topology.broker.queues.values():
        _count(topology, queue.broker_name, queue.kind, applies)
    for contest in _contests(topology):
        winner, other, _ = contest
        if other.priority < winner.priority and other.definition != winner.definition:
            hidden.setdefault((other.operator, other.name), []).append(contest)
    for (operator, name), contests in hidden.items():
        winner = contests[0][0]
        names = ", ".join(f"'{item[2]}'" for item in contests[:4]) + (" …" if len(contests) > 4 else "")
        everywhere = not applies.get((operator, name))
        how = "never applies" if everywhere else f"does not apply to {len(contests)} of what it matches ({names})"
        word = "operator policy" if operator else "policy"
        lost = sorted(contests[0][1].definition.keys() - winner.definition.keys())
        text = (
            f"{word} '{name}' {how}: '{winner.name}' has the higher priority ({winner.priority:g}), and only one policy applies"
        )
        if lost:
            text += f"; {', '.join(lost)} {'is' if len(lost) == 1 else 'are'} without effect"
        subject = topology.subject("operator" if operator else "policy", name)
        yield Problem(text, subject, (), "put all keys into one policy", None, None if everywhere else NOTE)


def _count(topology: CheckedTopology, name: str, kind: str, applies: dict[tuple[bool, str], int]) -> None:
    for operator in (False, True):
        for policy in matching(topology.broker, operator, name, kind)[:1]:
            if _means_something(policy, kind):
                applies[operator, policy.name] = applies.get((operator, policy.name), 0) + 1


def policy_tie(topology: CheckedTopology) -> Iterator[Problem]:
    ties: set[tuple[str, str]] = set()
    for winner, other, name in _contests(topology):
        if other.priority == winner.priority and other.definition != winner.definition and (winner.name, other.name) not in ties:
            ties.add((winner.name, other.name))
            text = (
                f"policies '{winner.name}' and '{other.name}' both match '{name}' with priority {other.priority:g}: "
                "which of them applies is undefined"
            )
            subject = topology.subject("operator" if other.operator else "policy", other.name)
            yield Problem(text, subject, ("priority",), "give them different priorities")


def policy_unused(topology: CheckedTopology) -> Iterator[Problem]:
    """An alternate exchange of the default exchange (rules/routing#R2)."""
    policy = unused_alternate(topology.broker)
    if policy is None:
        return
    target = str(plain(policy.definition["alternate-exchange"]))
    key = next(name for name in ("nobody", "nobody.else", "nobody.at.all") if name not in topology.broker.queues)
    way = PublishPath(DEFAULT_EXCHANGE, exactly(key))
    sections: dict[str, Any] = {"policies": [policy_form(policy, short=False, widths=False)]}
    state = topology.broker.exchanges.get(target)
    if state is not None and target not in RESERVED:
        sections["exchanges"] = {target: exchange_form(state.declared._replace(auto_delete=False), short=False, widths=False)}
    shown = draft(topology, f"{publishing(way, key)}: dropped", sections, [publish_step(way, key)], {"lost": 1})
    text = (
        f"policy '{policy.name}' gives the default exchange the alternate exchange '{target}', which is never used there: what "
        "no queue is named for is dropped or returned"
    )
    cure = "publish to an exchange of your own that has it, or with mandatory"
    yield Problem(text, topology.subject("policy", policy.name), ("definition", "alternate-exchange"), cure, shown)
