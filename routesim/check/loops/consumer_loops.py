"""Consumers that get again, for ever, what they give back, die of or publish anew."""

from collections.abc import Iterator
from typing import Any

from routesim.check.finding import Draft, Problem
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.topology.publish_paths import PublishPath
from routesim.check.witness import ROUNDS, SUPERVISED, draft, lasting, publish_step, publishing, slice_of
from routesim.durations import duration_text
from routesim.explain.futures import delivery_limit
from routesim.explain.keys.key_sets import exactly
from routesim.model import Consumer, Reply
from routesim.queues import QueueType

WORKS_MS = 1_000  # what a job takes in a draft, so that time passes


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
        touched = [topology.broker.queues[name] for name in sections.get("queues", {}) if name in topology.broker.queues]
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
