"""The situation told by events alone is the broker's own: its queues, what is held, its consumers, its ledger."""

import json
from pathlib import Path
from typing import Any

import pytest
from kits.paths import ALL_SCENARIO_FILES, ROOT

from routesim import events
from routesim.broker import Broker, counts
from routesim.queues import QueueType
from routesim.redis import RedisBroker
from routesim.run import Runner, unacked
from routesim.run.folds.depths import Depths
from routesim.run.folds.queue_situation import QueueSituation
from routesim.run.folds.situation import COUNTED, Situation
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

SCENARIOS = [pytest.param(path, id=path.stem) for path in ALL_SCENARIO_FILES]
RECORDED = [
    pytest.param(case, id=case["name"])
    for path in sorted((ROOT / "tests/conformance/recorded").glob("*.jsonl"))
    if not path.stem.endswith("-pairs")
    for case in map(json.loads, path.read_text(encoding="utf-8").splitlines())
]


def loaded(what: Any) -> Scenario:
    """The scenario in a file, or that of a recorded case."""
    return load(str(what)) if isinstance(what, Path) else load_source(Source(what["name"], what["scenario"]), "")


COLUMNS = [name for name in COUNTED if name != "entered"]
ENTERED = ("enqueued", "dead_letter_copies", "replayed")


def differences(situation: Situation, broker: Broker) -> list[str]:
    """What the situation has otherwise than the broker; for a broker at rest."""
    found = []
    if list(situation.queues) != list(broker.queues):
        found.append(f"queues {list(situation.queues)}, not {list(broker.queues)}")
    for name in situation.queues.keys() & broker.queues.keys():
        found += [f"{name}: {text}" for text in queue_differences(situation.queues[name], broker.queues[name], broker)]
    consuming = {
        item.name: (queue.name, item.channel.name) for queue in broker.queues.values() for item in queue.subscriptions.values()
    }
    told = {name: each[:2] for name, each in situation.consumers.items() if each.queue in broker.queues}
    if told != consuming:
        found.append(f"consumers {told}, not {consuming}")
    ledger = counts(broker)
    for column in COLUMNS:
        if situation.counts[column] != ledger[column]:
            found.append(f"{column} {situation.counts[column]}, not {ledger[column]}")
    if situation.counts["entered"] != sum(ledger[name] for name in ENTERED):
        found.append(f"entered {situation.counts['entered']}")
    if sum(situation.dropped.values()) != ledger["dropped"]:
        found.append(f"dropped by reason {situation.dropped}")
    return found


def queue_differences(told: QueueSituation, queue: QueueType, broker: Broker) -> list[str]:
    pairs: dict[str, tuple[list[Any], list[Any]]] = {
        "ready": (list(told.ready()), [(copy.message, copy.serial, copy.redelivered) for copy in queue.ready()]),
        "held back": (sorted(told.later), sorted(copy.serial for copy in queue.held_back())),
        "unacked": (
            sorted((item.message, item.copy, item.consumer or "", item.channel, item.delivery_tag) for item in told.unacked.values()),
            sorted(
                (item.copy.message, item.copy.serial, item.subscription.name if item.subscription else "", channel.name, item.tag)
                for channel in broker.channels.values() for item in channel.outstanding() if item.queue is queue
            ),
        ),
        "awaiting": (
            [(item.message, item.reason) for item in told.awaiting.values()],
            [(copy.message, reason) for copy, reason in queue.awaiting],
        ),
        # None in a broker at rest; a livelock is cut short while some are on their way.
        "leaving": (
            list(told.leaving),
            [item.copy.serial for item in getattr(broker, "pending_dead_letters", ()) if item.queue is queue],
        ),
    }  # fmt: skip
    if isinstance(broker, RedisBroker):  # what a dead connection holds stays unacknowledged, and nobody's
        pairs["unacked"] = ([len(told.unacked)], [queue.unacked])
    if queue.kind == "quorum" or "x-max-priority" in queue.arguments:
        pairs["ready"] = (sorted(pairs["ready"][0]), sorted(pairs["ready"][1]))
    return [f"{what} {ours}, not {theirs}" for what, (ours, theirs) in pairs.items() if ours != theirs]


@pytest.mark.parametrize("what", [*SCENARIOS, *RECORDED])
def test_it_ends_as_the_broker_does(what: Any) -> None:
    situation = Situation()
    runner = Runner(loaded(what), situation.hear)
    result = runner.run()
    situation.advance(result.clock_ms)
    assert differences(situation, result.broker) == []
    transactional = any(channel.answered is not None for channel in result.broker.channels.values())
    for name, queue in result.broker.queues.items():
        if queue.kind != "stream" and not transactional:
            assert len(situation.queues[name].unacked) == len(unacked(result.broker, queue))


@pytest.mark.parametrize("what", SCENARIOS)
def test_it_is_right_after_every_step_of_the_broker(what: Any) -> None:
    situation = Situation()
    runner = Runner(loaded(what), situation.hear)
    apply, looked = runner.broker.apply, 0

    def checking(step: Any) -> Any:
        nonlocal looked
        refused = apply(step)
        looked += 1
        if looked < 300 and runner.broker.livelock is None:
            situation.advance(runner.broker.now)
            assert differences(situation, runner.broker) == [], step
        return refused

    runner.broker.apply = checking  # type: ignore[method-assign, assignment]
    runner.run()
    assert looked


def shape(situation: Situation) -> Any:
    queues = {
        name: (queue.ready(), queue.later, queue.unacked, queue.awaiting, queue.leaving)
        for name, queue in situation.queues.items()
    }
    return situation.at_ms, queues, situation.consumers, situation.counts, situation.dropped


@pytest.mark.parametrize("what", SCENARIOS)
def test_a_copy_goes_on_alone(what: Any) -> None:
    """From a copy made in the middle the end is the same, and the copy has left the original as it was."""
    told: list[Any] = []
    Runner(loaded(what), told.append).run()
    told = told[:4_000]
    middle = len(told) // 2
    situation = Situation()
    for event in told[:middle]:
        situation.hear(event)
    before, copied = repr(shape(situation)), situation.copy()
    for event in told[middle:]:
        copied.hear(event)
    assert repr(shape(situation)) == before
    for event in told[middle:]:
        situation.hear(event)
    assert shape(situation) == shape(copied)


@pytest.mark.parametrize("what", SCENARIOS)
def test_depths_are_those_at_the_end_of_every_instant(what: Any) -> None:
    depths, plain, told = Depths(), Situation(), []  # type: ignore[var-annotated]
    Runner(loaded(what), told.append).run()
    told = told[:3_000]
    wanted: dict[str, list[tuple[int, int, int]]] = {}
    for event, following in zip(told, [*told[1:], None], strict=True):
        if isinstance(event, events.QueueDeclared):
            wanted.setdefault(event.queue, [])
        depths.hear(event)
        plain.hear(event)
        if following is not None and following.at_ms == event.at_ms:
            continue
        for name, points in wanted.items():
            queue = plain.queues.get(name)
            now = (len(queue.messages), len(queue.unacked)) if queue else (0, 0)
            if not points or points[-1][1:] != now:
                points.append((event.at_ms, *now))
    assert dict(depths.of) == wanted
    assert wanted


RETRIED = """
rabbitmq: "4.3"
queues:
  jobs: {type: quorum, arguments: {x-delayed-retry-type: all, x-delayed-retry-min: 10000}}
steps:
  - publish: {routing_key: jobs, id: m1}
  - get: {queue: jobs, channel: me}
  - nack: {channel: me, message: m1}
  - wait: 9s
  - wait: 30s
  - get: {queue: jobs, channel: me}
"""


def test_a_delayed_retry_is_ready_again_at_its_instant() -> None:
    depths, later = Depths(), []  # type: ignore[var-annotated]

    def hear(event: Any) -> None:
        depths.hear(event)
        later.append((event.at_ms, list(depths.situation.queues["jobs"].later) if depths.situation.queues else []))

    result = Runner(load_source(Source("retry.yaml", RETRIED), ""), hear).run()
    assert differences(depths.situation, result.broker) == []
    assert [copies for at_ms, copies in later if at_ms == 9_000] == [[1]], "before the second wait"
    assert depths.of["jobs"] == [(0, 0, 0), (10_000, 1, 0), (39_000, 0, 1)]
