"""Dead letters that come back: parked and worked on at once, retried for ever, or dropped by RabbitMQ as a cycle."""

from collections.abc import Iterator, Sequence
from typing import Any

from routesim.check.finding import Cause, Draft, Problem, not_checked
from routesim.check.topology_rules import CheckedTopology, PublishPath, dead_letter_exchange
from routesim.check.witness import draft, lasting, publish_step, publishing, reject_steps, slice_of
from routesim.content import Content
from routesim.diagnostics import ERROR
from routesim.durations import duration_text
from routesim.explain.futures import dead_letter_target, delivery_limit
from routesim.explain.keys.key_sets import TooManyStates, exactly
from routesim.model import Consumer, Reply
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType

DEEPEST = 8
MAX_HOPS = 500  # that are followed from one queue
MAX_CIRCLES = 10  # of one queue that are named each
MAX_RETURNS = 50  # returns that a witness makes to reach a delivery limit
ROUNDS = 3
SUPERVISED = 1_000  # ms after which a witness starts a consumer that died again, where the scenario does not say
WORKS_MS = 1_000  # what a job takes in a draft, so that time passes


class Hop(NamedTuple):
    """A message leaves a queue for a reason."""

    queue: QueueType
    reason: str


class Circle(NamedTuple):
    """A message published by `way` and `key`, the hops that it makes, and whether the cycle rule ends them."""

    way: PublishPath
    key: str
    hops: tuple[Hop, ...]
    cut: bool


def _content(way: PublishPath, key: str) -> Content:
    return Content(way.exchange, key, (key,), dict(way.headers) or None, "")


def _samples(topology: CheckedTopology, queue: str) -> Iterator[tuple[PublishPath, str]]:
    for way in topology.ways.get(queue, ()):
        key = way.sample(topology.work)
        if key is not None and topology.arrives(way, key, queue):
            yield way, key


def parking_overlap(topology: CheckedTopology) -> Iterator[Problem]:
    """A dead letter that reaches a parking queue, and also a queue where it is worked on."""
    for queue in topology.broker.queues.values():
        if dead_letter_exchange(queue) is None:
            continue
        for way, key in _samples(topology, queue.name):
            targets = {item.name for item in dead_letter_target(topology.broker, queue, _content(way, key), "rejected").targets}
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


# Circles ---------------------------------------------------------------------------------------------------------------


def _circles(topology: CheckedTopology, too_large: list[str], *, rejecting: bool) -> list[Circle]:
    """The same for every rule that asks; the queues from which there are too many ways to follow are added to `too_large`."""
    known = topology.circles.get(rejecting)
    if known is None:
        large: list[str] = []
        known = topology.circles[rejecting] = (list(_all_circles(topology, large, rejecting=rejecting)), large)
    too_large += known[1]
    return known[0]


def rejecting_circles(topology: CheckedTopology) -> list[Circle]:
    """The ways back into a queue after a rejection, as far as they are followed."""
    return _circles(topology, [], rejecting=True)


def _all_circles(topology: CheckedTopology, too_large: list[str], *, rejecting: bool) -> Iterator[Circle]:
    """Every way back into a queue: by itself alone (time, delivery limits), or with rejections.

    The queues from which there are too many ways to follow are added to `too_large`.
    """
    seen: set[tuple[frozenset[str], bool]] = set()
    for queue in topology.broker.queues.values():
        if dead_letter_exchange(queue) is None:
            continue
        left, circles = iter(range(MAX_HOPS)), iter(range(MAX_CIRCLES))
        try:
            for way, key in _samples(topology, queue.name):
                for hops, cut in _follow(topology, queue, _content(way, key), (), left, rejecting=rejecting):
                    mark = (frozenset(hop.queue.name for hop in hops), cut)
                    if mark in seen:
                        continue
                    if next(circles, None) is None:
                        raise TooManyStates
                    seen.add(mark)
                    yield Circle(way, key, hops, cut)
        except TooManyStates:
            too_large.append(queue.name)


def _reasons(queue: QueueType, *, rejecting: bool) -> Iterator[str]:
    if queue.settings.message_ttl is not None:
        yield "expired"
    elif rejecting:
        yield "rejected"
    limit = queue.settings.delivery_limit
    if not rejecting and limit is not None and 0 <= limit <= MAX_RETURNS:
        yield "delivery_limit"


def _follow(
    topology: CheckedTopology, queue: QueueType, content: Content, path: tuple[Hop, ...], left: Iterator[int], *, rejecting: bool
) -> Iterator[tuple[tuple[Hop, ...], bool]]:
    """The hops back into the first queue, and those that the cycle rule ends. `left` holds an item for each that may be looked
    at; raises `TooManyStates` after that."""
    if len(path) >= DEEPEST or dead_letter_exchange(queue) is None:
        return
    for reason in _reasons(queue, rejecting=rejecting):
        if next(left, None) is None:
            raise TooManyStates
        hops = (*path, Hop(queue, reason))
        found = dead_letter_target(topology.broker, queue, content, reason)
        if found.cut and not found.targets:
            yield hops, True
        for target in found.targets:
            if target is path[0].queue if path else target is queue:
                yield hops, False
            if all(target is not hop.queue for hop in hops) or not rejecting:
                yield from _follow(topology, target, found.content, hops, left, rejecting=rejecting)


def cycle_cut(topology: CheckedTopology) -> Iterator[Problem]:
    """A loop without a rejection: RabbitMQ drops the message as it comes round (rules/queues#6, rules/routing#D16)."""
    too_large: list[str] = []
    for circle in _circles(topology, too_large, rejecting=False):
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
    for circle in _circles(topology, too_large, rejecting=True):
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
    for circle in _circles(topology, [], rejecting=True):
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
    consumers = [item for item in topology.scenario.consumers.values() if item.queue == queue]
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


def requeue_endless(topology: CheckedTopology) -> Iterator[Problem]:
    """A consumer that puts back whatever it gets, or dies of it, on a queue that does not count that."""
    for consumer in topology.scenario.consumers.values():
        queue = topology.broker.queues.get(consumer.queue)
        rule = consumer.on_message[0]
        always = rule._replace(do="ack", takes=None, after=None, restart=None) == type(rule)()
        if queue is None or queue.keeps_log or not always or rule.do not in ("requeue", "crash") or consumer.auto_ack:
            continue
        dies = rule.do == "crash"
        limit = delivery_limit(queue)
        if limit is not None and (dies or queue.counts_nacks()):
            continue
        delay = _retry_delay(queue, "failed" if dies else "returned")
        when = "at once" if not delay else "after its delayed retry"
        does = (
            f"dies of every message; queue '{queue.name}' takes it back and"
            if dies
            else f"requeues every message; queue '{queue.name}'"
        )
        text = f"consumer '{consumer.name}' {does} delivers it again {'' if dies else when + ', '}for ever"
        cure = "reject it into a dead-letter exchange, or use a quorum queue's delivery limit"
        if limit is not None:
            text += f": a nack does not count towards its delivery limit of {limit}"
            cure = "reject it, with requeue or without: that counts"
        yield Problem(text, consumer.name, (), cure, _back_again_shown(topology, queue, consumer, delay))


def _retry_delay(queue: QueueType, kind: str) -> int:
    """The longest time for which a returned message is held back there (rules/queues#2.11)."""
    limits = queue.settings
    if not queue.rules.quorum_delayed_retry or limits.delayed_retry_type not in ("all", kind):
        return 0
    return max(limits.delayed_retry_min or 0, limits.delayed_retry_max or 0) if limits.delayed_retry_min else 0


def _back_again_shown(topology: CheckedTopology, queue: QueueType, consumer: Consumer, delay: int) -> Draft:
    way, key = topology.publish(queue.name)
    sections, steps = slice_of(topology, [(way, key)], [queue.name]), [publish_step(way, key)]
    fields: dict[str, Any] = {"queue": queue.name, "on_message": "requeue"}
    rule = consumer.on_message[0]
    if rule.do == "requeue" and not delay:
        return draft(
            topology, f"{publishing(way, key)}: '{consumer.name}' gets it again and again", sections, steps,
            {"ended": "livelock"}, consumers={consumer.name: fields},
        )  # fmt: skip
    pause = delay
    if rule.do == "crash":
        restart = rule.restart or SUPERVISED
        fields["on_message"] = [{"do": "crash", "restart": lasting(restart)}]
        pause = max(delay, restart)
    sentence = (
        f"{publishing(way, key)}: '{consumer.name}' gets it {ROUNDS} times within {duration_text(ROUNDS * pause)}, and no end"
    )
    expect = {"consumers": {consumer.name: {"delivered": f">= {ROUNDS}"}}}
    return draft(topology, sentence, sections, steps, expect, consumers={consumer.name: fields}, until=lasting(ROUNDS * pause))


def republish_endless(topology: CheckedTopology) -> Iterator[Problem]:
    """A consumer that publishes whatever it gets anew, to where it comes back from."""
    for consumer in topology.scenario.consumers.values():
        queue = topology.broker.queues.get(consumer.queue)
        rule = consumer.on_message[0]
        plainly = rule._replace(do="ack", takes=None, publish=()) == type(rule)()
        if queue is None or queue.keeps_log or rule.do != "ack" or not rule.publish or not plainly:
            continue
        way, key = topology.publish(queue.name)
        anew = [_anew(reply, key) for reply in rule.publish if "$" not in reply.message.exchange]
        ways = [(way, key)]
        ways += [(PublishPath(item.get("exchange", ""), exactly(item["routing_key"])), item["routing_key"]) for item in anew]
        sections = slice_of(topology, ways, [queue.name])
        touched = [item for name, item in topology.broker.queues.items() if name in sections.get("queues", {})]
        waits = sum(item.settings.message_ttl or 0 for item in touched) + sum(int(item.get("expiration", "0")) for item in anew)
        lasts = (ROUNDS + 1) * (WORKS_MS + waits)
        fields = {"queue": queue.name, "takes": lasting(WORKS_MS), "on_message": [{"publish": anew}]}
        shown = draft(
            topology, f"{publishing(way, key)}: '{consumer.name}' gets it {ROUNDS} times, and no end", sections,
            [publish_step(way, key)], {"consumers": {consumer.name: {"delivered": f">= {ROUNDS}"}}},
            consumers={consumer.name: fields}, until=lasting(lasts),
        )  # fmt: skip
        text = f"consumer '{consumer.name}' publishes every message anew, and gets it back from queue '{queue.name}', for ever"
        cure = "end it with a rule before: {round: '>= 5', do: reject}"
        yield Problem(text, consumer.name, (), cure, shown)


def _anew(reply: Reply, key: str) -> dict[str, Any]:
    """What a rule publishes, as a draft may write it."""
    message = reply.message
    fields: dict[str, Any] = {"exchange": message.exchange} if message.exchange else {}
    fields["routing_key"] = message.routing_key.replace("$routing_key", key)
    if message.expiration is not None and message.expiration.isdecimal():
        fields["expiration"] = message.expiration
    if reply.copy_headers:
        fields["headers"] = "copy"
    return fields
