"""What a queue can do with a message later: expire it, drop it, dead-letter it, and where that leads, to the end."""

from typing import Any, NamedTuple

from routesim.broker import Broker
from routesim.broker.deadletters import is_cycle, record_death
from routesim.broker.routing import route
from routesim.content import Content
from routesim.durations import duration_text
from routesim.queues import QueueType

DEEPEST = 12


class Future(NamedTuple):
    """`when` it happens, for which `reason`, and `where` the message goes: the queues reached, or none and why."""

    depth: int
    queue: str
    when: str
    reason: str
    queues: tuple[str, ...]
    why: str
    loops: bool


def ways_out(queue: QueueType) -> list[tuple[str, str]]:
    """The ways in which a message can leave the queue without an ack: (reason, when)."""
    limits = queue.settings
    if queue.keeps_log:
        return []
    ways = [("rejected", "rejected (requeue=false)")]
    if limits.message_ttl is not None:
        ways.append(("expired", f"not consumed for {duration_text(limits.message_ttl)}"))
    if limits.max_length is not None or limits.max_length_bytes is not None:
        limit = f"{limits.max_length} messages" if limits.max_length is not None else f"{limits.max_length_bytes} bytes"
        if limits.overflow == "reject-publish":
            ways.append(("refused", f"published while it holds {limit}"))
        else:
            ways.append(("maxlen", f"the head, once it holds more than {limit}"))
    if limits.delivery_limit is not None and limits.delivery_limit >= 0:
        ways.append(("delivery_limit", f"returned more than {limits.delivery_limit} times"))
    return ways


def futures(broker: Broker, queue: QueueType, content: Content, seen: tuple[str, ...] = ()) -> list[Future]:
    """Every way out of the queue, each followed through dead-letter exchanges to its end or its loop."""
    found: list[Future] = []
    depth = len(seen)
    for reason, when in ways_out(queue):
        if reason == "refused":
            found.append(Future(depth, queue.name, when, reason, (), "refused, and nacked to its publisher", False))
            continue
        targets, dead, _, why = dead_letter_target(broker, queue, content, reason)
        names = tuple(target.name for target in targets)
        loops = any(name in (*seen, queue.name) for name in names)
        found.append(Future(depth, queue.name, when, reason, names, why, loops))
        for target in targets:
            if target.name not in (*seen, queue.name) and depth < DEEPEST:
                found += futures(broker, target, dead, (*seen, queue.name))
    return found


class DeadLetterTarget(NamedTuple):
    """Where a dead letter goes: the queues that take it, those from which the cycle rule keeps it, and why in words."""

    targets: list[QueueType]
    content: Content
    cut: list[QueueType]
    why: str


def dead_letter_target(broker: Broker, queue: QueueType, content: Content, reason: str) -> DeadLetterTarget:
    """Where a message that dies in `queue` goes, as the broker itself would send it."""
    exchange = queue.settings.dead_letter_exchange
    if exchange is None:
        return DeadLetterTarget([], content, [], "dropped: no dead-letter exchange")
    if exchange not in broker.exchanges:
        return DeadLetterTarget([], content, [], f"dropped: its dead-letter exchange '{exchange}' does not exist")
    key = queue.settings.dead_letter_routing_key
    dead, deaths = record_death(broker.rules, content, queue, reason, exchange, key, 0)
    found = route(broker, exchange, "?", dead)
    targets = [target for target, _ in found.queues]
    cut = [target for target in targets if reason != "rejected" and is_cycle(target.broker_name, deaths)]
    kept = [target for target in targets if target not in cut]
    shown = f"'{exchange}' by '{dead.routing_key}'" if exchange else f"the default exchange by '{dead.routing_key}'"
    if kept:
        return DeadLetterTarget(kept, dead, cut, f"through {shown}")
    if targets:
        return DeadLetterTarget([], dead, cut, f"dropped by RabbitMQ: through {shown} it would come back without a rejection")
    return DeadLetterTarget([], dead, [], f"dropped: {shown} leads nowhere")


def as_data(found: list[Future]) -> list[dict[str, Any]]:
    return [
        {
            "queue": item.queue, "when": item.when, "reason": item.reason, "queues": list(item.queues), "why": item.why,
            "loops": item.loops,
        }
        for item in found
    ]  # fmt: skip
