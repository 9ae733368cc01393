"""Flower knows what was delivered to it, and nothing else."""

import pytest
from kits.paths import ROOT

from routesim.run.folds.event_subscriber import NOT_THERE, EventSubscriber, unknown
from routesim.run.tasks.monitored import Monitored, watch
from routesim.scenario import load, load_source
from routesim.scenario.yaml.source import Source

STOPPED = ROOT / "scenarios/introduction/flower-watches-from-the-side.yaml"
POOL = """
name: pool
exchanges: {{celeryev: topic}}
queues: {{q: , ev: {{arguments: {{x-message-ttl: 1000}}}}}}
bindings: [{{source: celeryev, destination: ev, routing_key: "#"}}]
consumers: {{flower: {{queue: ev, auto_ack: true, start: {start}}}}}
tasks: {{work: {{takes: 2s}}, fails: {{ends: exception}}}}
workers: {{w1: {{queues: [q], events: celeryev, heartbeat: 2s}}}}
steps:
  - publish: {{routing_key: q, id: t, count: 3, headers: {{task: work}}}}
  - publish: {{routing_key: q, id: f, headers: {{task: fails}}}}
  - wait: {wait}
  {steps}
"""


def heard(text: str, at_ms: int | None = None) -> tuple[EventSubscriber, Monitored]:
    scenario = load_source(Source("s.yaml", text), "") if "\n" in text else load(text)
    listener = EventSubscriber(scenario, "flower")
    seen = watch(scenario, at_ms, listener=listener.hear)
    listener.finish(seen.at_ms)
    return listener, seen


@pytest.mark.parametrize("at_ms", [0, 1_000, 2_000, 3_999, 6_000, 9_000])
def test_who_hears_everything_knows_everything(at_ms: int) -> None:
    listener, seen = heard(POOL.format(start="true", wait="8s", steps=""), at_ms)
    assert unknown(listener.seen, seen.monitor) == []
    assert not listener.missed
    assert listener.heard == sum(listener.sent.values())
    for name, worker in listener.seen.workers.items():
        assert worker.loads == seen.monitor.workers[name].loads
        assert worker.counts == seen.monitor.workers[name].counts


def test_what_happens_while_it_is_down_stays_unknown() -> None:
    listener, seen = heard(str(STOPPED))
    assert [(item.task, item.shown, item.state) for item in unknown(listener.seen, seen.monitor)] == [("missed", "", "SUCCESS")]
    assert listener.missed == {NOT_THERE: 3}
    assert sum(listener.sent.values()) == listener.heard + sum(listener.missed.values())


def test_what_nobody_fetches_in_time_expires() -> None:
    listener, seen = heard(POOL.format(start="false", wait="9s", steps="- consume: flower"))
    assert listener.missed["expired in its queue"] > 0
    assert sum(listener.sent.values()) == listener.heard + sum(listener.missed.values()) + len(listener.waiting)
    assert {item.task for item in unknown(listener.seen, seen.monitor)} == {"t-1", "t-2", "t-3", "f"}


def test_a_killed_worker_is_there_until_its_heartbeats_have_been_missing_for_a_while() -> None:
    killed = POOL.format(start="true", wait="3s", steps="- worker: {name: w1, do: kill}\n  - wait: 20s")
    for at_ms, online in ((3_500, True), (6_000, True), (6_001, False), (20_000, False)):
        listener, seen = heard(killed, at_ms)
        assert not seen.monitor.workers["w1"].online
        assert listener.online("w1") is online
