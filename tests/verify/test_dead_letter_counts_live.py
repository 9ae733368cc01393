"""rules/routing#D22 on real brokers: what a dead letter brings along is counted alike by the simulator, count by count.

A row for each cause of death has a source and a target of its own in one scenario. `verify` compares what the target's first and
later deliveries show (redelivered, x-delivery-count, x-acquired-count, x-death), and after how many of them its limit ends them.
"""

from typing import Any

import pytest
from kits.live import agreed

from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario.yaml.writing import text

LIMIT = 3
SHORT_MS = 1200
Step = dict[str, Any]


def get(queue: str, channel: str) -> Step:
    return {"get": {"queue": queue, "channel": channel}}


def answer(verb: str, channel: str, tag: int, *, requeue: bool) -> Step:
    return {verb: {"channel": channel, "delivery_tag": tag, "requeue": requeue}}


def twice(queue: str, *last: Step) -> list[Step]:
    """A message that is got, rejected back, got and nacked back, and then meets its end."""
    return [
        get(queue, queue), answer("reject", queue, 1, requeue=True), get(queue, queue), answer("nack", queue, 2, requeue=True),
        *last,
    ]  # fmt: skip


def ends(queue: str, verb: str) -> list[Step]:
    """The channel's connection ends with the message in hand, twice; then it is discarded."""
    each = [get(queue, f"{queue} {number}") for number in range(3)]
    return [each[0], {verb: f"{queue} 0"}, each[1], {verb: f"{queue} 1"}, each[2], answer("nack", f"{queue} 2", 1, requeue=False)]


def until_the_limit(queue: str, verb: str) -> list[Step]:
    steps: list[Step] = []
    for number in range(LIMIT + 1):
        channel = f"{queue} {number}"
        steps.append(get(queue, channel))
        steps.append({verb: channel} if verb in ("crash", "close") else answer(verb, channel, 1, requeue=True))
    return steps


# What happens to a message in `queue` before it is a dead letter. What expires does so in the wait at the end of all.
CAUSES = {
    "untouched-reject": lambda queue: [get(queue, queue), answer("reject", queue, 1, requeue=False)],
    "untouched-nack": lambda queue: [get(queue, queue), answer("nack", queue, 1, requeue=False)],
    "reject": lambda queue: twice(queue, get(queue, queue), answer("reject", queue, 3, requeue=False)),
    "nack": lambda queue: twice(queue, get(queue, queue), answer("nack", queue, 3, requeue=False)),
    "crash": lambda queue: ends(queue, "crash"),
    "close": lambda queue: ends(queue, "close"),
    "expired": lambda queue: twice(queue),
    "maxlen": lambda queue: twice(queue, {"publish": {"routing_key": queue, "id": f"{queue}-later"}}),
    "limit-by-reject": lambda queue: until_the_limit(queue, "reject"),
    "limit-by-nack": lambda queue: until_the_limit(queue, "nack"),
    "limit-by-crash": lambda queue: until_the_limit(queue, "crash"),
    "limit-by-close": lambda queue: until_the_limit(queue, "close"),
}
TARGETS = {"classic": ["classic"], "quorum": ["quorum"], "through classic": ["classic", "quorum"]}


def chain(cause: str, source: str, target: str, strategy: str) -> tuple[dict[str, Any], list[Step], list[Step], str]:
    """Queues, steps before and after the wait of all rows, and the last queue."""
    names = [cause, *(f"{cause}-{number}" for number in range(1, len(TARGETS[target]) + 1))]
    queues: dict[str, Any] = {}
    for number, kind in enumerate([source, *TARGETS[target]]):
        arguments: dict[str, Any] = {}
        if number < len(names) - 1:
            arguments |= {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": names[number + 1]}
        if 0 < number < len(names) - 1:
            arguments["x-message-ttl"] = 300
        if kind == "quorum":
            arguments["x-delivery-limit"] = LIMIT
        queues[names[number]] = {"type": kind, "arguments": arguments}
    own = queues[cause]["arguments"]
    if strategy == "at-least-once":
        own |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    if cause == "expired":
        own["x-message-ttl"] = SHORT_MS
    if cause == "maxlen":
        own["x-max-length"] = 1
    begin = [{"publish": {"routing_key": cause, "id": cause}}, *CAUSES[cause](cause)]
    last = names[-1]
    # Once more than the limit allows: what is not there any more can neither be got nor rejected, on either side.
    after: list[Step] = []
    for number in range(LIMIT + 2):
        channel = f"{last} {number}"
        after += [get(last, channel), answer("reject", channel, 1, requeue=True), {"close": channel}]
    return queues, begin, after, last


def scenario(source: str, target: str, strategy: str) -> str:
    queues: dict[str, Any] = {}
    begins: list[Step] = []
    afters: list[Step] = []
    for cause in CAUSES:
        if cause.startswith("limit") and source == "classic":
            continue  # it has none
        if cause == "maxlen" and strategy == "at-least-once":
            continue  # reject-publish lets none die of it
        more, begin, after, _ = chain(cause, source, target, strategy)
        queues |= more
        # What expires comes last before the wait, so that its time is not over while the others are at work.
        begins = begins + begin if cause == "expired" else begin + begins
        afters += after
    return text({"name": "counts", "queues": queues, "steps": [*begins, {"wait": "3s"}, *afters], "until": "steps"})


WAYS = [
    (source, target, strategy)
    for source in ("classic", "quorum")
    for target in TARGETS
    for strategy in ("at-most-once", "at-least-once")
    if source == "quorum" or strategy == "at-most-once"
]


@pytest.mark.parametrize(("source", "target", "strategy"), WAYS, ids=[" ".join(way) for way in WAYS])
def test_d22_what_a_dead_letter_brings_along(session: BrokerSession, source: str, target: str, strategy: str) -> None:
    agreed(session, scenario(source, target, strategy))
