"""Policies that match nothing, and keys of policies that do nothing to what they match."""

from collections.abc import Iterator

from routesim.broker.policies import POLICY_KEYS, UNSUPPORTED, is_meant_for
from routesim.check.finding import Problem, Subject, named
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.diagnostics import NOTE, WARNING, did_you_mean
from routesim.model import Policy
from routesim.patterns import compiled
from routesim.queues import QueueType
from routesim.queues.arguments import ARGUMENTS
from routesim.queues.declaring import taken_by
from routesim.values import plain

OF_CLIENTS = ("amq\\.", "amq.", "reply", "temp", "tmp", "gen-", "celery")  # in patterns for what clients declare themselves


def policy_matches_nothing(topology: CheckedTopology) -> Iterator[Problem]:
    broker = topology.broker
    things = [(queue.broker_name, queue.kind) for queue in broker.queues.values()]
    things += [(name, "exchange") for name, _ in topology.exchanges()]
    for key, policy in broker.policies.items():
        if any(topology.policed[key]):
            continue
        if any(part in policy.pattern for part in OF_CLIENTS) or not _looked_for(topology, policy):
            continue
        named_by = compiled(policy.pattern)
        hits = [(name, kind) for name, kind in things if named_by(name)]
        why, cure, severity = _why(policy, hits, [name for name, _ in things])
        word = "operator policy" if policy.operator else "policy"
        subject = topology.subject("operator" if policy.operator else "policy", policy.name)
        inner = ("pattern",) if not hits else ("apply-to",)
        yield Problem(
            f"{word} '{policy.name}' applies to nothing that is declared here: {why}", subject, inner, cure, None, severity
        )


def _looked_for(topology: CheckedTopology, policy: Policy) -> bool:
    """Whether the file declares anything of the kind that the policy is for."""
    queues, exchanges = bool(topology.broker.queues), any(True for _ in topology.exchanges())
    return exchanges if policy.apply_to == "exchanges" else queues or (policy.apply_to == "all" and exchanges)


def _why(policy: Policy, hits: list[tuple[str, str]], names: list[str]) -> tuple[str, str, str]:
    if not hits:
        near = did_you_mean(policy.pattern.strip("^$.*").replace("\\", ""), names)
        why = f"its pattern {policy.pattern} matches no name"
        return why, near or "mend the pattern, or take the policy out", WARNING if near else NOTE
    meant = [(name, kind) for name, kind in hits if is_meant_for(policy, kind)]
    kinds = sorted({"an exchange" if kind == "exchange" else f"a {kind} queue" for _, kind in meant or hits})
    name = (meant or hits)[0][0]
    if not meant:
        why = f"its pattern matches '{name}', {' or '.join(kinds)}, but apply-to is {policy.apply_to}"
        return why, "mend apply-to", WARNING
    keys = [key for kind in ("classic", "quorum", "stream") for key in policy.definition if key in UNSUPPORTED[kind]]
    shown = ", ".join(dict.fromkeys(keys))
    why = f"its pattern matches '{name}', but no policy with {shown} applies to {' or '.join(kinds)}"
    return why, "set these keys in a policy of their own", WARNING


def policy_without_effect(topology: CheckedTopology) -> Iterator[Problem]:
    """Keys that do nothing to anything that the policy is in force for, though other keys of it may."""
    broker = topology.broker
    for key_of_policy, policy in broker.policies.items():
        queues, exchanges = topology.policed[key_of_policy]
        if not queues and not exchanges:
            continue
        subject = topology.subject("operator" if policy.operator else "policy", policy.name)
        idle: dict[str, list[str]] = {}
        for key in policy.definition:
            why = _no_effect(topology, key, {queue.kind for queue in queues}, bool(exchanges))
            if why:
                idle.setdefault(why, []).append(key)
        for why, keys in idle.items():
            text = f"policy '{policy.name}': {', '.join(keys)} {'has' if len(keys) == 1 else 'have'} no effect, {why}"
            yield Problem(text, subject, ("definition", keys[0]), "take that out, or let the policy match what it is meant for")
        yield from _overruled(policy, queues, subject)


def _no_effect(topology: CheckedTopology, key: str, kinds: set[str], exchanges: bool) -> str:
    """Why the key does nothing to queues of these kinds and to exchanges, if there are any; empty: it may."""
    means = POLICY_KEYS[key].means if key in POLICY_KEYS else "both"
    if means == "queues" and not kinds:
        return "for only exchanges are matched"
    if means == "exchanges" and not exchanges:
        return "for only queues are matched"
    taking = [kind for kind in kinds if taken_by(f"x-{key}", kind, topology.broker.rules)]
    if means == "queues" and f"x-{key}" in ARGUMENTS and not taking:
        return f"for {' and '.join(sorted(kinds))} queues do not have it"
    return ""


def _overruled(policy: Policy, queues: list[QueueType], subject: Subject) -> Iterator[Problem]:
    """Where a queue says otherwise by an argument, and the argument wins."""
    for key, value in policy.definition.items():
        row = ARGUMENTS.get(f"x-{key}")
        if row is None or row.sets is None:
            continue
        other = [
            queue.name for queue in queues
            if f"x-{key}" in queue.arguments and plain(queue.arguments[f"x-{key}"]) != plain(value)
            and (origin := queue.origins.get(row.sets.name)) is not None and origin.source == "argument"
        ]  # fmt: skip
        if other:
            text = (
                f"policy '{policy.name}': {key} has no effect on {named('queue', other)}, where the argument x-{key} says "
                "otherwise, and counts"
            )
            cure = f"take x-{key} out of the queue, which is declared anew then"
            yield Problem(text, subject, ("definition", key), cure, None, NOTE)
