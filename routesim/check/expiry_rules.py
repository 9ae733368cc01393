"""Messages and queues that expire otherwise than one thinks: late, or with all that is in them."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from routesim.broker.asking import content_of
from routesim.broker.routing import route
from routesim.check.finding import Draft, Problem
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.topology.publish_paths import PublishPath, dead_letter_exchange
from routesim.check.witness import cause_of, confirmed, draft, lasting, publish_step, publishing, slice_of
from routesim.diagnostics import NOTE
from routesim.durations import duration_text
from routesim.explain.keys.key_sets import exactly
from routesim.model import Message
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType

MAX_MESSAGES = 200  # publishes of a scenario that are looked at
MAX_KINDS = 6  # of messages in one queue that are held against each other


class Arrival(NamedTuple):
    """A message that somebody publishes, as it comes into a queue: how long it lives there (None: for ever), and its level."""

    lives_ms: int | None
    level: int
    message: Message


def expiry_late(topology: CheckedTopology) -> Iterator[Problem]:
    """Queues in which a message does not expire when it is due (rules/queues#5.4, rules/queues#5.6)."""
    taken_from = {item.queue for item in topology.scenario.consumers.values()}
    for name, arrivals in _arrivals(topology).items():
        queue = topology.broker.queues[name]
        if name in taken_from and dead_letter_exchange(queue) is None:
            continue  # it is dropped when its turn comes, and nobody waits for that
        shown = next((item for pair in _pairs(arrivals) if (item := _shown(topology, queue, *pair)) is not None), None)
        if shown is not None:
            yield shown


def queue_expires(topology: CheckedTopology) -> Iterator[Problem]:
    """Queues that are deleted, with what is in them, when nobody has used them for a while (rules/queues#5.9)."""
    causes: dict[tuple[str, str], list[tuple[QueueType, Draft, bool]]] = {}
    for queue in topology.broker.queues.values():
        limits = queue.settings
        made_for_one = queue.owner is not None or queue.auto_delete or not queue.durable or queue.broker_name != queue.name
        if limits.expires is None or queue.keeps_log or made_for_one:
            continue
        waits = limits.message_ttl is not None and limits.message_ttl < limits.expires
        shown = _expires_draft(topology, queue, waits=waits)
        if confirmed(shown, "Queue expires") is not None:
            causes.setdefault(cause_of(topology, queue, "expires"), []).append((queue, shown, waits))
    for (kind, name), found in causes.items():
        queue, shown, waits = next((item for item in found if not item[2]), found[0])
        who = f"queue '{queue.name}' is" if len(found) == 1 else f"{len(found)} queues, such as '{queue.name}', are"
        by = "" if kind == "queue" else f"policy '{name}': "
        text = (
            f"{by}{who} deleted when nobody has used {'it' if len(found) == 1 else 'them'} for "
            f"{duration_text(queue.settings.expires or 0)}, with all messages that are left: they are not dead-lettered"
        )
        inner = ("arguments", "x-expires") if kind == "queue" else ("definition", "expires")
        cure = "take expires out, or see to it that there always is a consumer"
        if waits:
            cure = "declare the queue anew with every publish, or take expires out"
            text += "; a publish does not count as use"
        yield Problem(text, topology.subject(kind, name), inner, cure, shown, NOTE if waits else None)


def _expires_draft(topology: CheckedTopology, queue: QueueType, *, waits: bool) -> Draft:
    """`waits`: published so late that the queue goes before the message expires."""
    limits = queue.settings
    expires, lives = limits.expires or 0, limits.message_ttl or 0
    way, key = topology.publish(queue.name)
    step = publish_step(way, key)
    over = 2 * queue.lease_tick_ms + 1
    steps: list[dict[str, object]] = [step, {"wait": lasting(expires + over)}]
    sentence = f"{publishing(way, key)}, wait {duration_text(expires + over)}: deleted with '{queue.name}'"
    if waits:
        before = expires - min(lives, expires) // 2
        steps = [{"wait": lasting(before)}, step, {"wait": lasting(expires - before + over)}]
        sentence = f"wait {duration_text(before)}, {publishing(way, key)}, wait again: deleted with '{queue.name}'"
    expect = {"messages": {"m1": {queue.name: "deleted"}}}
    return draft(topology, sentence, slice_of(topology, [(way, key)], [queue.name]), steps, expect)


def _arrivals(topology: CheckedTopology) -> dict[str, list[Arrival]]:
    """By queue the messages that are published to it, one of each kind."""
    found: dict[str, dict[tuple[int | None, int], Arrival]] = {}
    sent = [message for _, message in topology.publishes] + topology.sent_at_work
    for message in sent[:MAX_MESSAGES]:
        if message.exchange not in topology.broker.exchanges:
            continue
        content = content_of(message)
        content.priority, content.ttl_ms = message.priority, _ttl(message)
        for queue, _ in route(topology.broker, message.exchange, "?", content).queues:
            if queue.keeps_log:
                continue
            level = queue.level(content)
            lives = queue.expires_at(content, 0)
            found.setdefault(queue.name, {}).setdefault((lives, level), Arrival(lives, level, message))
    return {name: list(kinds.values())[:MAX_KINDS] for name, kinds in found.items()}


def _ttl(message: Message) -> int | None:
    """None also for what RabbitMQ refuses (rules/queues#5.2)."""
    return (
        int(message.expiration)
        if message.expiration is not None and message.expiration.isascii() and message.expiration.isdecimal()
        else None
    )


def _pairs(arrivals: list[Arrival]) -> Iterator[tuple[Arrival, Arrival]]:
    """Two kinds of messages of which the second may not expire when it is due if the first stands there, the surest first."""
    pairs = [
        (first, second)
        for first, second in product(arrivals, arrivals)
        if second.lives_ms is not None and (first.lives_ms is None or first.lives_ms > second.lives_ms)
    ]
    yield from sorted(pairs, key=lambda pair: (pair[1].lives_ms or 0, -(pair[0].lives_ms or 1 << 60)))


def _shown(topology: CheckedTopology, queue: QueueType, first: Arrival, second: Arrival) -> Problem | None:
    """None where the queue has seen to it: 4.3 looks at the head of every priority of a quorum queue."""
    lives = second.lives_ms or 0
    jumps = second.level > first.level
    if jumps and queue.replicated:
        return None
    if first.level != second.level and queue.replicated and queue.rules.quorum_priorities == "strict":
        return None
    short, long = duration_text(lives), "without an end" if first.lives_ms is None else f"of {duration_text(first.lives_ms)}"
    if jumps:
        text = (
            f"queue '{queue.name}': a message that comes to the front by its priority gets no timer, so one with a time to live "
            f"of {short} stays there beyond it, or is delivered after it"
        )
        cure = "give messages with a time to live a queue without priorities"
    else:
        text = (
            f"queue '{queue.name}': a message with a time to live of {short} stays beyond it behind one with a time to live "
            f"{long}, for only the head of a queue expires"
        )
        cure = "use a queue for each time to live"
    return Problem(text, topology.subject("queue", queue.name), ("name",), cure, _late_draft(topology, queue, first, second))


def _late_draft(topology: CheckedTopology, queue: QueueType, first: Arrival, second: Arrival) -> Draft:
    lives = second.lives_ms or 0
    ways = [_way(item.message) for item in (first, second)]
    steps = [_step(item.message, name) for item, name in ((first, "first"), (second, "second"))]
    sentence = (
        f"{publishing(*ways[0])} {_shown_life(first)}, then {_to(ways)}{_shown_life(second)}, wait {duration_text(lives + 1)}: "
        f"the second one is still in '{queue.name}'"
    )
    expect = {"messages": {"second": {queue.name: "ready"}}}
    return draft(
        topology,
        sentence,
        slice_of(topology, ways, [queue.name]),
        [*steps, {"wait": lasting(lives + 1)}],
        expect,
        until="steps",
    )


def _way(message: Message) -> tuple[PublishPath, str]:
    return PublishPath(
        message.exchange, exactly(message.routing_key), tuple((message.headers or {}).items())
    ), message.routing_key


def _to(ways: list[tuple[PublishPath, str]]) -> str:
    return "" if ways[0] == ways[1] else f"{publishing(*ways[1]).removeprefix('publish ')} "


def _step(message: Message, name: str) -> dict[str, Any]:
    more: dict[str, Any] = {"id": name}
    if message.expiration is not None:
        more["expiration"] = message.expiration
    if message.priority is not None:
        more["priority"] = message.priority
    return publish_step(*_way(message), **more)


def _shown_life(arrival: Arrival) -> str:
    lives = "without a time to live" if arrival.lives_ms is None else f"with a time to live of {duration_text(arrival.lives_ms)}"
    return lives + (f" and priority {arrival.message.priority}" if arrival.message.priority is not None else "")
