"""A recorded run can be looked at anywhere: each moment is the one that was, and what is too long is cut off, not wrong."""

from pathlib import Path
from typing import Any

import pytest
from kits.paths import SCENARIO_FILES

from routesim.events import EVENTS, Enqueued, Unroutable
from routesim.explain.event_text import explain_moment
from routesim.report.screens.step_screen import Stepping
from routesim.run import Runner
from routesim.run.folds.queue_situation import QueueSituation
from routesim.run.folds.situation import Situation
from routesim.run.recording import record
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

BUSY = """
queues: {work: {}}
consumers: {worker: {queue: work, prefetch: 2, takes: 30ms}}
steps: [{publish: {routing_key: work, count: 900, every: 10ms}}]
"""


def busy() -> Scenario:
    return load_source(Source("busy.yaml", BUSY), "")


def shown(situation: Situation) -> Any:
    return {
        name: (queue.ready(), queue.unacked) for name, queue in situation.queues.items()
    }, situation.consumers, situation.counts  # fmt: skip


def test_every_moment_is_the_one_that_was() -> None:
    recording, _ = record(busy())
    assert len(recording.events) > 4_000
    assert len(recording._kept) > 2
    now = Situation()
    for count, event in enumerate(recording.events):
        if count % 371 == 0 or count % 1_000 in (0, 1, 999):
            assert shown(recording.at(count)) == shown(now), count
        now.hear(event)
    assert shown(recording.at(len(recording.events))) == shown(now)


def test_situations_that_are_kept_take_no_more_room_than_the_events() -> None:
    recording, _ = record(
        load_source(Source("full.yaml", "queues: {q: {}}\nsteps: [{publish: {routing_key: q, count: 20000}}]"), "")
    )
    assert len(recording.events) > 40_000
    assert sum(kept.size() for _, kept in recording._kept) <= 2 * len(recording.events)


def test_what_is_too_long_is_cut_off_and_the_verdict_stays() -> None:
    whole, ended = record(busy())
    part, same = record(busy(), limit=500)
    assert part.events == whole.events[:500]
    assert part.total == whole.total > 500
    assert (same.ok, same.counts()) == (ended.ok, ended.counts())
    drawn = Stepping(part, same, encoding="utf-8", colour=False)
    text = "\n".join(drawn.screen(drawn.stops.last, 80, 24, "keys"))
    assert f"only the first 500 of {whole.total:,} events are kept; the run went on to its end" in text
    assert "OK" in text


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_every_screen_of_every_scenario_fits(path: Path) -> None:
    recording, result = record(load(str(path)))
    assert {type(event) for event in recording.events} <= EVENTS.keys()
    drawn = Stepping(recording, result, encoding="utf-8", colour=False)
    stops = drawn.stops.events
    assert stops == sorted(set(stops))
    assert set(drawn.stops.steps) <= set(stops)
    for at in stops[:: max(1, len(stops) // 25)]:
        for columns, lines in ((80, 24), (40, 15)):
            screen = drawn.screen(at, columns, lines, "keys")
            assert len(screen) <= lines
            assert max(map(len, screen)) < columns
            assert screen[-1] == "keys"
            assert any(line.startswith("  queue") for line in screen) or not recording.at(at).queues


def test_the_last_moment_is_what_the_run_came_to() -> None:
    for path in SCENARIO_FILES[:8]:
        recording, result = record(load(str(path)))
        again = Runner(load(str(path))).run()
        last = recording.at(len(recording.events))
        assert {name: len(queue.messages) for name, queue in last.queues.items()} == {
            name: queue.ready_count() for name, queue in again.broker.queues.items()
        }
        assert result.counts() == again.counts()


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_every_event_about_a_message_can_be_explained(path: Path) -> None:
    """And where a message was routed, what the explanation reaches is what the run reached."""
    recording, result = record(load(str(path)))
    told = recording.events
    about = [index for index, event in enumerate(told) if getattr(event, "message", None)]
    for index in about[:: max(1, len(about) // 15)]:
        event = told[index]
        answer = explain_moment(result, told, index)
        assert event.message in answer.headline or "there is no exchange" in answer.headline
        if isinstance(event, Enqueued) and event.cause in ("published", "dead-lettered"):
            assert event.queue in answer.data["queues"], index
        elif isinstance(event, Unroutable):
            assert answer.data["queues"] == []


@pytest.mark.parametrize("look", ["size", "clone"])
def test_of_many_queues_no_more_are_looked_at_than_there_are_events(monkeypatch: pytest.MonkeyPatch, look: str) -> None:
    looks = 0
    real = getattr(QueueSituation, look)

    def counted(self: QueueSituation) -> Any:
        nonlocal looks
        looks += 1
        return real(self)

    monkeypatch.setattr(QueueSituation, look, counted)
    monkeypatch.setattr("routesim.run.recording.APART", 10)
    queues = ", ".join(f"q{number}: " for number in range(1_000))
    consumers = ", ".join(f"c{number}: {{queue: q{number}}}" for number in range(1_000))
    steps = "".join(f"  - publish: {{routing_key: q{number}}}\n" for number in range(1_000))
    recording, _ = record(
        load_source(Source("many.yaml", f"queues: {{{queues}}}\nconsumers: {{{consumers}}}\nsteps:\n{steps}"), "")
    )
    assert len(recording.events) > 5_000
    assert looks < 2 * len(recording.events)
