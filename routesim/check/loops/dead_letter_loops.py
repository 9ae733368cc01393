"""Dead letters that come back: parked and worked on at once, retried for ever, or dropped by RabbitMQ as a cycle."""

from collections.abc import Iterator, Sequence
from typing import Any

from routesim.check.finding import Cause, Draft, Problem, not_checked
from routesim.check.loops.circles import MAX_RETURNS, Circle, circles, samples
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.topology.publish_paths import dead_letter_exchange
from routesim.check.witness import ROUNDS, SUPERVISED, draft, lasting, publish_step, publishing, reject_steps, slice_of
from routesim.diagnostics import ERROR
from routesim.durations import duration_text
from routesim.explain.futures import dead_letter_target, delivery_limit
from routesim.model import Consumer
from routesim.queues import QueueType


def parking_overlap(topology: CheckedTopology) -> Iterator[Problem]:
    """A dead letter that reaches a parking queue, and also a queue where it is worked on."""
    for queue in topology.broker.queues.values():
        if dead_letter_exchange(queue) is None:
            continue
        for way, key in samples(topology, queue.name):
            targets = {item.name for item in dead_letter_target(topology.broker, queue, way.content(key), "rejected").targets}
            back = queue.name in targets
            parked = targets - {queue.name} if back else targets & topology.parking
            worked = targets - parked
            if not parked or not worked:
                continue
            where = "the queue itself" if back else "queue '" + "', '".join(sorted(worked)) + "'"
            text = f"a dead letter of queue '{queue.name}' is parked in '{sorted(parked)[0]}' and also goes to {where}"
            sentence = f"{publishing(way, key)}, reject it from '{queue.name}': it is in {' and '.join(sorted(targets))}"
            fates = dict.fromkeys(sorted(targets), "ready")
            steps = [publish_step(way, key), *reject_steps(queue.name, "m1")]
            shown = draft(topology, sentence, slice_of(topology, [(way, key)], [queue.name]), steps, {"messages": {"m1": fates}})
            cure = "give the dead letter a routing key that no work binding matches, or an exchange of its own"
            yield Problem(text, topology.subject("queue", queue.name), _argument(queue), cure, shown, ERROR if back else None)
            break


def _argument(queue: QueueType) -> tuple[str, ...]:
    for name in ("x-dead-letter-routing-key", "x-dead-letter-exchange"):
        if name in queue.arguments:
            return "arguments", name
    return ("name",)


def cycle_cut(topology: CheckedTopology) -> Iterator[Problem]:
    """A loop without a rejection: RabbitMQ drops the message as it comes round (rules/queues#6, rules/routing#D16)."""
    too_large: list[str] = []
    for circle in circles(topology, too_large, rejecting=False):
        if not circle.cut:
            continue
        last = circle.hops[-1]
        names = " → ".join(hop.queue.name for hop in circle.hops)
        how = "expires" if last.reason == "expired" else "passes its delivery limit"
        text = (
            f"queue '{last.queue.name}': a message that {how} there is dropped, because it would come back without a "
            f"rejection ({names} → …); RabbitMQ takes that for a cycle"
        )
        cure = "let the loop include a rejection, or dead-letter into a queue that the message has not been in"
        yield Problem(text, topology.subject("queue", last.queue.name), _argument(last.queue), cure, _cut_shown(topology, circle))
    yield from not_checked("dead letters of queue", too_large)


def _cut_shown(topology: CheckedTopology, circle: Circle) -> Draft:
    steps = [publish_step(circle.way, circle.key)]
    sentence = publishing(circle.way, circle.key)
    for queue, reason in circle.hops:
        if reason == "expired":
            steps.append({"wait": lasting(queue.settings.message_ttl or 0)})
            sentence += f", let it expire in '{queue.name}'"
        else:
            returns = (queue.settings.delivery_limit or 0) + 1
            steps += [step for _ in range(returns) for step in reject_steps(queue.name, "m1", requeue=True)]
            sentence += f", requeue it {returns} times in '{queue.name}'"
    last = circle.hops[-1]
    sections = slice_of(topology, [(circle.way, circle.key)], [circle.hops[0].queue.name])
    fate = {last.queue.name: f"dropped: {last.reason}"}
    return draft(topology, f"{sentence}: dropped", sections, steps, {"messages": {"m1": fate}})


def retry_endless(topology: CheckedTopology) -> Iterator[Problem]:
    """Rejected, waited, back again, and nothing in the topology that ever ends it."""
    too_large: list[str] = []
    for circle in circles(topology, too_large, rejecting=True):
        rejecting = [hop.queue for hop in circle.hops if hop.reason == "rejected"]
        if circle.cut or not rejecting or any(_counts(topology, queue.name) for queue in rejecting):
            continue
        first = rejecting[0]
        names = " → ".join([*(hop.queue.name for hop in circle.hops), circle.hops[0].queue.name])
        more = ""

        def text(loops: Sequence[str]) -> str:
            also = f", and {len(loops) - 1} more such loops ({'; '.join(loops[1:4])}{' …' if len(loops) > 4 else ''})"
            return f"a message that is always rejected goes round for ever: {loops[0]}{also if len(loops) > 1 else ''}"

        cure = "let the consumer count x-death and park the message elsewhere"
        if all(delivery_limit(queue) is None for queue in rejecting):
            cure += ", or requeue it in a quorum queue with a delivery limit"
        else:
            more = "; a delivery limit is not looked at when a message is rejected"
        cause = Cause(cure, names, lambda loops, more=more, text=text: text(loops) + more)  # type: ignore[misc]
        shown = _endless_shown(topology, circle, rejecting)
        yield Problem(text([names]) + more, topology.subject("queue", first.name), _argument(first), cure, shown, None, cause)
    yield from not_checked("dead letters of queue", too_large)


def retry_uses_limit(topology: CheckedTopology) -> Iterator[Problem]:
    """Each round is a failed delivery, until one that is returned exceeds the limit: then it is lost (rules/routing#D22)."""
    if topology.broker.rules.dead_letter_counts != "all":
        return
    told: set[str] = set()
    for circle in circles(topology, [], rejecting=True):
        first = next((hop.queue for hop in circle.hops if hop.reason == "rejected"), None)
        limit = delivery_limit(first) if first is not None else None
        if circle.cut or first is None or limit is None or limit > MAX_RETURNS or first.name in told:
            continue
        if _counts(topology, first.name):
            continue
        told.add(first.name)
        names = " → ".join([*(hop.queue.name for hop in circle.hops), circle.hops[0].queue.name])
        rounds = f"{limit} rounds" if limit > 1 else "one round"
        text = (
            f"queue '{first.name}': each round of {names} counts towards its delivery limit of {limit}; after {rounds} a message "
            "whose consumer dies, or that is rejected back, exceeds it and is lost, since it would come back without a rejection"
        )
        cure = "let the consumer count x-death and park the message before, or take the delivery limit out (-1)"
        shown = _used_up_shown(topology, circle, first, limit)
        yield Problem(text, topology.subject("queue", first.name), _argument(first), cure, shown)


def _used_up_shown(topology: CheckedTopology, circle: Circle, first: QueueType, limit: int) -> Draft:
    rounds = max(limit, 1)
    rules: list[dict[str, Any]] = [
        {"attempt": f"<= {rounds}", "do": "reject"},
        {"do": "crash", "restart": lasting(SUPERVISED)},
    ]
    consumers: dict[str, Any] = {"worker": {"queue": first.name, "on_message": rules}}
    for number, hop in enumerate(circle.hops):
        if hop.reason == "rejected" and hop.queue is not first:
            consumers[f"rejects-{number}"] = {"queue": hop.queue.name, "on_message": "reject"}
    sections = slice_of(topology, [(circle.way, circle.key)], [circle.hops[0].queue.name])
    times = f"{rounds} times" if rounds > 1 else "once"
    sentence = f"{publishing(circle.way, circle.key)}, reject it {times}, and let its consumer die of it then: dropped"
    fate = {"messages": {"m1": {first.name: "dropped: delivery_limit"}}}
    return draft(topology, sentence, sections, [publish_step(circle.way, circle.key)], fate, consumers=consumers)


def _counts(topology: CheckedTopology, queue: str) -> bool:
    """Whether consumers of the queue are known, and none of them rejects without looking how often it was tried."""
    consumers = topology.consumers_of.get(queue, [])
    return bool(consumers) and not any(_always(item, "reject") for item in consumers)


def _always(consumer: Consumer, answer: str) -> bool:
    """Whether some message would get this answer every time."""
    counting = any(rule.attempt is not None or rule.publish for rule in consumer.on_message)
    return not counting and any(
        rule.do == answer and rule.redelivered is None and rule.chance is None for rule in consumer.on_message
    )


def _endless_shown(topology: CheckedTopology, circle: Circle, rejecting: list[QueueType]) -> Draft:
    waits = sum(hop.queue.settings.message_ttl or 0 for hop in circle.hops if hop.reason == "expired")
    sections = slice_of(topology, [(circle.way, circle.key)], [circle.hops[0].queue.name])
    consumers: dict[str, Any] = {}
    for number, queue in enumerate(rejecting, 1):
        consumers[f"rejects-{number}"] = {"queue": queue.name, "on_message": "reject"}
    sentence = f"{publishing(circle.way, circle.key)}, always reject it: "
    steps = [publish_step(circle.way, circle.key)]
    if not waits:
        more: dict[str, Any] = {"consumers": consumers}
        return draft(topology, f"{sentence}it comes back at once, for ever", sections, steps, {"ended": "livelock"}, **more)
    expect = {"consumers": {"rejects-1": {"delivered": f">= {ROUNDS}"}}}
    sentence += f"delivered {ROUNDS} times within {duration_text(ROUNDS * waits)}, and no end"
    return draft(topology, sentence, sections, steps, expect, consumers=consumers, until=lasting(ROUNDS * waits))
