"""Every recorded run of a real broker, replayed by the embedded engine, agrees in every observation."""

import json
from pathlib import Path
from typing import Any

import pytest

from routesim import steps
from routesim.broker import Broker, counts, imbalance
from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES
from routesim.model import Binding, Exchange
from routesim.queues import Copy
from routesim.run import Result, Runner, unacked
from routesim.scenario import load_source
from routesim.scenario.source import Source
from routesim.values import plain
from routesim.versions import rules

RECORDED = Path(__file__).parent / "recorded"
KINDS = sorted(path.stem for path in RECORDED.glob("*.jsonl") if not path.stem.endswith("-pairs"))
DRAIN = "(drain)"
DEATH_FIELDS = ("queue", "reason", "count", "exchange", "routing-keys")


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


CASES = [pytest.param(case, id=case["name"]) for kind in KINDS for case in lines(kind)]


@pytest.mark.parametrize("case", CASES)
def test_the_simulator_does_what_the_broker_did(case: Any) -> None:
    result = Runner(load_source(Source(case["name"], case["scenario"]), "")).run()
    expected = case["expected"]
    assert [error for error in result.errors if not error.expected] == []
    assert imbalance(counts(result.broker)) is None
    held = observe_unacked(result)
    for queue, deliveries in expected["unacked"].items():
        assert by_tag(held.get(queue, [])) == by_tag(deliveries), queue
    for consumer, deliveries in expected["deliveries"].items():
        assert [
            {key: item[key] for key in ("message", "redelivered", "delivery_tag")} for item in result.deliveries.of[consumer]
        ] == deliveries, consumer
    assert [drop_none(item) for item in result.gets.all] == expected["gets"]
    assert result.publishers.returned == expected["returned"]
    assert result.publishers.nacked == expected["nacked"]
    ready = drain(result.broker)
    if any(state.matcher.sees == "state" for state in result.broker.exchanges.values()):
        # Where the real broker threw dice only the whole can be equal.
        assert sorted(ids(ready)) == sorted(ids(expected["ready"]))
    else:
        assert ready == expected["ready"]


def ids(ready: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [item["message"] for items in ready.values() for item in items]


def by_tag(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(deliveries, key=lambda item: (item["channel"], item["delivery_tag"]))


def drop_none(got: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in got.items() if value is not None or key == "message"}


def observe_unacked(result: Result) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {"message": message, "channel": channel, "delivery_tag": tag}
            for message, _, channel, tag, _ in unacked(result.broker, queue)
        ]
        for name, queue in result.broker.queues.items()
    }


def drain(broker: Broker) -> dict[str, list[dict[str, Any]]]:
    """What basic.get gives at the end, once every consumer has been cancelled without getting anything more."""
    broker.listen = None
    for queue in list(broker.queues.values()):
        for subscription in queue.subscriptions.values():
            subscription.prefetch, subscription.credit = 1, -1_000_000
        for channel, tag in list(queue.subscriptions):
            broker.apply(steps.Cancel(channel, tag))
    found: dict[str, list[dict[str, Any]]] = {}
    for name, queue in list(broker.queues.items()):
        found[name] = []
        while name in broker.queues:
            held = broker.channel(DRAIN).unacked
            before = len(held)
            if broker.apply(steps.Get(DRAIN, name)) is not None or len(broker.channel(DRAIN).unacked) == before:
                break
            found[name].append(seen(queue, next(reversed(held.values())).copy))
    return found


def seen(queue: Any, copy: Copy) -> dict[str, Any]:
    headers, content = queue.headers(copy, got=True), copy.content
    row: dict[str, Any] = {
        "message": copy.message,
        "redelivered": copy.redelivered,
        "exchange": content.exchange,
        "routing_key": content.routing_key,
    }
    if "x-death" in headers:
        row["x_death"] = [{field: plain(death[field]) for field in DEATH_FIELDS} for death in headers["x-death"]]
    if "CC" in headers:
        row["CC"] = plain(headers["CC"])
    if "x-delivery-count" in headers:
        row["x_delivery_count"] = plain(headers["x-delivery-count"])
    if content.expiration is not None:
        row["expiration"] = content.expiration
    return row


def matches(kind: str, binding: Binding, content: Content) -> tuple[bool, bool]:
    """The verdict of the index, and that of the plain rule."""
    matcher = EXCHANGE_TYPES[kind](Exchange("x", kind), rules("3.10"))
    matcher.add(binding)
    return bool(list(matcher.route("m1", content, lambda count: 0))), matcher.why(binding, "m1", content).match


def test_topic_verdicts() -> None:
    pairs = lines("topic-pairs")
    assert len(pairs) > 400
    for pair in pairs:
        binding = Binding("x", "q", "queue", pair["pattern"])
        content = Content("x", pair["key"], (pair["key"],), None, "")
        assert matches("topic", binding, content) == (pair["match"], pair["match"]), pair


def test_headers_verdicts() -> None:
    pairs = lines("headers-pairs")
    assert len(pairs) > 300
    for pair in pairs:
        binding = Binding("x", "q", "queue", "", pair["binding_args"])
        content = Content("x", "", ("",), pair["headers"], "")
        assert matches("headers", binding, content) == (pair["match"], pair["match"]), pair
