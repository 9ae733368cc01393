"""Every recorded run of a real broker, replayed by the embedded engine, agrees in every observation."""

import json
from pathlib import Path
from typing import Any

import pytest

from routesim.broker import counts, imbalance
from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES
from routesim.model import Binding, Exchange
from routesim.run import Runner
from routesim.run.observations import by_tag, drain, drop_none, ids, observe_unacked
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.versions import HELD_AGAINST, rules

RECORDED = Path(__file__).parent / "recorded"
# Which patch of each version was recorded: its own rules hold, not those of the newest patch.
BROKERS = {minor: held.broker for minor, held in HELD_AGAINST.items()}


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


CASES = [
    pytest.param(BROKERS[folder.name], case, id=case["name"])
    for folder in sorted(path for path in RECORDED.iterdir() if path.is_dir())
    for path in sorted(folder.glob("*.jsonl"))
    for case in lines(f"{folder.name}/{path.stem}")
]


@pytest.mark.parametrize("version", HELD_AGAINST)
def test_as_many_runs_are_recorded_as_versions_says(version: str) -> None:
    recorded = [path.read_bytes() for path in (RECORDED / version).glob("*.jsonl")]
    assert sum(text.count(b"\n") for text in recorded) == HELD_AGAINST[version].runs


@pytest.mark.parametrize(("version", "case"), CASES)
def test_the_simulator_does_what_the_broker_did(version: str, case: Any) -> None:
    result = Runner(load_source(Source(case["name"], case["scenario"]), "", rabbitmq=version)).run()
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
