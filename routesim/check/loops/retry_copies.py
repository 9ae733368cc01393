"""Retries that come back through an exchange which others are bound to as well."""

from collections.abc import Iterator

from routesim.check.finding import Draft, Problem
from routesim.check.loops.circles import rejecting_circles
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.topology.publish_paths import PublishPath
from routesim.check.witness import draft, lasting, publish_step, publishing, reject_steps, slice_of
from routesim.explain.futures import dead_letter_target
from routesim.queues import QueueType


def retry_copies(topology: CheckedTopology) -> Iterator[Problem]:
    """Each time that one queue tries again, the others get the message once more."""
    told: set[tuple[str, frozenset[str]]] = set()
    for circle in rejecting_circles(topology):
        queues = [hop.queue for hop in circle.hops]
        first = next((hop.queue for hop in circle.hops if hop.reason == "rejected"), None)
        if circle.cut or first is None or first is not queues[0]:
            continue
        content = circle.way.content(circle.key)
        others: set[str] = set()
        for hop in circle.hops:
            found = dead_letter_target(topology.broker, hop.queue, content, hop.reason)
            content = found.content
            if hop is circle.hops[-1]:
                others = {item.name for item in found.targets} - {item.name for item in queues} - topology.parking
        mark = (first.name, frozenset(others))
        if not others or mark in told:
            continue
        told.add(mark)
        names = "', '".join(sorted(others)[:5])
        last = queues[-1]
        exchange = last.settings.dead_letter_exchange
        text = (
            f"each retry of queue '{first.name}' comes back through exchange '{exchange}', which hands '{names}' the message "
            "again too"
        )
        cure = f"let '{last.name}' dead-letter to the default exchange with x-dead-letter-routing-key: {first.name}"
        inner = ("arguments", "x-dead-letter-exchange") if "x-dead-letter-exchange" in last.arguments else ("name",)
        shown = _copied(topology, circle.way, circle.key, [(hop.queue, hop.reason) for hop in circle.hops], sorted(others)[0])
        yield Problem(text, topology.subject("queue", last.name), inner, cure, shown)


def _copied(topology: CheckedTopology, way: PublishPath, key: str, hops: list[tuple[QueueType, str]], other: str) -> Draft | None:
    """One round, and the message of the other queue is there once more."""
    steps = [publish_step(way, key, id="m1")]
    for queue, reason in hops:
        if reason == "expired":
            steps.append({"wait": lasting(queue.settings.message_ttl or 0)})
        else:
            steps += reject_steps(queue.name, "m1")
    sections = slice_of(topology, [(way, key)], [hops[0][0].name])
    sentence = f"{publishing(way, key)}, reject it from '{hops[0][0].name}', let it come back: '{other}' has it once more"
    least = 2 if topology.arrives(way, key, other) else 1
    return draft(topology, sentence, sections, steps, {"queues": {other: {"ready": f">= {least}"}}})
