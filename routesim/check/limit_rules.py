"""Time-to-live and length limits that lose messages, of work queues and of queues that only dead letters reach."""

from collections.abc import Iterator
from typing import Any

from routesim.check.finding import Draft, Problem
from routesim.check.topology_rules import CheckedTopology
from routesim.check.witness import draft, lasting, publish_step, publishing, slice_of
from routesim.durations import duration_text
from routesim.queues import QueueType

LONGEST_FILL = 20_000  # messages that a witness publishes to fill a queue
LARGEST_FILL = 100_000  # bytes


def limit_loses(topology: CheckedTopology) -> Iterator[Problem]:
    for queue in topology.broker.queues.values():
        if queue.name not in topology.parking:
            yield from _limits(topology, queue)


def parking_loses(topology: CheckedTopology) -> Iterator[Problem]:
    for queue in topology.broker.queues.values():
        if queue.name in topology.parking:
            yield from _limits(topology, queue)


def _limits(topology: CheckedTopology, queue: QueueType) -> Iterator[Problem]:
    limits = queue.settings
    if queue.keeps_log or limits.dead_letter_exchange is not None:
        return
    if queue.owner is not None or queue.auto_delete or queue.broker_name != queue.name:
        return  # made for one client, gone with it
    lossy = limits.overflow == "drop-head"
    set_by = {key: origin.source for key, origin in queue.origins.items()}
    said, inner = [], ("name",)
    if limits.message_ttl is not None:
        said.append(f"what is not consumed within {duration_text(limits.message_ttl)} ({set_by['message_ttl']} message-ttl)")
        inner = ("message_ttl",)
    if limits.max_length is not None and lossy:
        said.append(f"the oldest beyond {limits.max_length:,} messages ({set_by['max_length']} max-length)")
        inner = inner if said[1:] else ("max_length",)
    if limits.max_length_bytes is not None and lossy:
        said.append(f"the oldest beyond {limits.max_length_bytes:,} bytes ({set_by['max_length_bytes']} max-length-bytes)")
        inner = inner if said[1:] else ("max_length_bytes",)
    if not said:
        return
    kind = "parking queue" if queue.name in topology.parking else "queue"
    text = f"{kind} '{queue.name}' has no dead-letter exchange and drops {', and '.join(said)}"
    argument = f"x-{inner[0].replace('_', '-')}"
    where = ("arguments", argument) if argument in queue.arguments else ("name",)
    cure = "set x-dead-letter-exchange" if kind == "queue" else "let what is parked stay, or set x-dead-letter-exchange"
    yield Problem(text, topology.subject("queue", queue.name), where, cure, _limit_shown(topology, queue))


def _limit_shown(topology: CheckedTopology, queue: QueueType) -> Draft | None:
    limits = queue.settings
    way, key = topology.publish(queue.name)
    sections = slice_of(topology, [(way, key)], [queue.name])
    step: dict[str, Any]
    if limits.message_ttl is not None:
        sentence = f"{publishing(way, key)}, wait {duration_text(limits.message_ttl)}: dropped from '{queue.name}'"
        steps = [publish_step(way, key), {"wait": lasting(limits.message_ttl)}]
        return draft(topology, sentence, sections, steps, {"messages": {"m1": {queue.name: "dropped: expired"}}})
    if limits.max_length is not None and limits.max_length <= LONGEST_FILL:
        count, fate = limits.max_length + 1, {queue.name: "dropped: maxlen"}
        sentence = f"{publishing(way, key)} {count:,} times: the first one is dropped from '{queue.name}'"
        step = publish_step(way, key, count=count)
        return draft(topology, sentence, sections, [step], {"messages": {"m1": fate}})
    if limits.max_length_bytes is not None and limits.max_length_bytes <= LARGEST_FILL:
        sentence = f"{publishing(way, key)} twice with {limits.max_length_bytes + 1} bytes: dropped from '{queue.name}'"
        step = publish_step(way, key, body="x" * (limits.max_length_bytes + 1), count=2)
        return draft(topology, sentence, sections, [step], {"messages": {"m1": {queue.name: "dropped: maxlen"}}})
    return None
