"""Pools that grow and shrink, and the heartbeats that a busy solo worker misses (rules/celery#2.2-14, rules/celery#2.2-15)."""

import json
from typing import Any

import pytest
from kits.celery.notation import carried_out, command, eta, scenario, send, signal, wait

from routesim import events
from routesim.events import Event
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TASKS = {"t": {"takes": "3s", "acks": "late"}, "rated": {"rate_limit": "1/s", "takes": "3s"}}
CONTROL: dict[str, Any] = {
    "exchanges": {"celery.pidbox": "fanout"}, "queues": {"q": {}, "inbox": {}},
    "bindings": [{"source": "celery.pidbox", "destination": "inbox"}],
}  # fmt: skip


def sizes(*steps: Any, **worker: Any) -> list[tuple[int, int]]:
    heard: list[Event] = []
    what = {"queues": "q", "prefetch": 4, "control": "inbox", **worker}
    Runner(scenario(workers={"w": what}, tasks=TASKS, steps=[*steps, wait("3m")], **CONTROL), heard.append).run()
    return [(event.at_ms // 1000, event.size) for event in heard if isinstance(event, events.PoolResized)]


def several(count: int, task: str = "t", **more: Any) -> list[Any]:
    return [send(f"t{number}", task, **more) for number in range(count)]


RANGE = {"autoscale": {"max": 4, "min": 1}}


def test_autoscale_grows_with_what_is_at_hand_and_shrinks_when_it_was_not_needed() -> None:
    """At 30 s the last task had come 27 s before, at 60 s the pool is looked at again."""
    assert sizes(*several(6), **RANGE) == [(0, 2), (0, 3), (0, 4), (60, 1)]
    assert sizes(*several(2), **RANGE) == [(0, 2), (60, 1)]
    assert sizes(*several(1), **RANGE) == []


def test_autoscale_does_not_see_what_waits_for_its_time_or_a_token() -> None:
    assert sizes(*several(4, **eta(5)), **RANGE) == []
    assert sizes(*several(4, "rated"), **RANGE) == []


def test_autoscale_by_command() -> None:
    """Processes that run something stay, until the pool is looked at."""
    told = command("autoscale", max=1, min=1)
    assert sizes(*several(6), wait("1s"), told, **RANGE) == [(0, 2), (0, 3), (0, 4), (60, 1)]
    assert sizes(*several(6), wait("10s"), told, **RANGE) == [(0, 2), (0, 3), (0, 4), (10, 1)]
    assert sizes(wait("10s"), command("autoscale", max=10, min=5), **RANGE) == [(10, 5)]


def test_a_pool_that_was_told_to_grow_has_its_processes_within_five_seconds() -> None:
    assert sizes(wait("6s"), command("pool_grow", n=2)) == [(10, 3)]
    assert sizes(wait("6s"), command("pool_grow", n=2), pool="gevent") == [(6, 3)]
    assert sizes(wait("6s"), command("pool_grow", n=2), pool="threads") == []
    assert sizes(wait("6s"), command("pool_grow", n=2), **RANGE) == []
    assert sizes(wait("6s"), command("pool_grow", n=2), signal("w", "kill"), signal("w", "start")) == []


def test_a_pool_shrinks_by_what_is_idle() -> None:
    assert sizes(command("pool_shrink", n=2), concurrency=4) == [(0, 2)]
    assert sizes(*several(3), command("pool_shrink", n=2), concurrency=4) == [(0, 3)]


@pytest.mark.parametrize(("n", "idle", "limit"), [(1, 4, 12), (2, 4, 8), (2, 1, 16)])
def test_the_limit_follows_the_pool(n: int, idle: int, limit: int) -> None:
    worker = {"queues": "q", "prefetch": 16, "concurrency": 4, "control": "inbox"}
    steps = [*several(4 - idle), command("pool_shrink", n=n), wait("1s"), {"expect": {"workers": {"w": {"prefetch": limit}}}}]
    result = Runner(scenario(workers={"w": worker}, tasks=TASKS, steps=steps, **CONTROL)).run()
    assert result.ok, result.checked


# Heartbeats --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "lost"), [("0", 6), ("1s", 9), ("2900ms", 9), ("3s", 9), ("3100ms", 12)]
)  # between two and three of them later
def test_a_solo_task_that_outlasts_two_heartbeats_costs_the_connection(begins: str, lost: int) -> None:
    worker = {"queues": "q", "prefetch": 4, "pool": "solo", "broker_heartbeat": "3s", "prefetch_of": "consumer"}
    tasks = {"t": {"takes": "20s", "acks": "late", "runs": [{"redelivered": True, "takes": "1s"}]}}
    heard = carried_out(scenario(workers={"w": worker}, tasks=tasks, steps=[wait(begins), send("t"), wait("60s")]))[0]
    assert f"{lost}s: X, back(1)" in heard
    assert heard.endswith("end, Q(4,c), D(1,r), unsettled, run, " + heard.rpartition("run, ")[2])
    assert heard.endswith("end, A(1)")


def test_a_short_task_other_pools_and_redis_lose_nothing() -> None:
    def connections_lost(takes: str, **more: Any) -> int:
        heard: list[Event] = []
        worker = {"queues": "q", "pool": more.pop("pool", "solo"), "broker_heartbeat": "3s"}
        tasks = {"t": {"takes": takes, "acks": "late"}}
        Runner(scenario(workers={"w": worker}, tasks=tasks, steps=[send("t"), wait("60s")], **more), heard.append).run()
        return sum(isinstance(event, events.ConnectionLost) for event in heard)

    assert connections_lost("5s") == 0
    assert connections_lost("20s", pool="prefork") == 0
    assert connections_lost("20s", pool="threads") == 0
    assert connections_lost("20s", broker={"kind": "redis"}, rabbitmq="4.0") == 0


# Of a `celery:` section --------------------------------------------------------------------------------------------------


def plan(settings: dict[str, Any], worker: dict[str, Any]) -> Any:
    document = {"celery": {"apps": {"shop": settings}, "workers": {"w": worker}}}
    return load_source(Source("row.yaml", json.dumps(document)), "").workers["w"]


def test_what_a_worker_of_an_app_becomes() -> None:
    scaled = plan({}, {"autoscale": {"max": 10, "min": 3}})
    assert (scaled.autoscale, scaled.prefetch) == ((10, 3), 40)
    assert plan({}, {"pool": "solo"}).broker_heartbeat == 60_000
    assert plan({"broker_heartbeat": 10, "worker_pool": "solo"}, {}).broker_heartbeat == 10_000
    assert plan({"broker_heartbeat": 0}, {"pool": "solo"}).broker_heartbeat is None
    assert plan({}, {}).broker_heartbeat is None
    queues = {"task_queues": {"a": None, "b": None}}
    assert plan(queues, {"exclude": "a"}).queues == ("b",)
    assert plan(queues, {"queues": ["a", "b"], "exclude": ["b"]}).queues == ("a",)


def test_commands_of_a_scenario() -> None:
    celery = {"apps": {"shop": None}, "workers": {"w": {"concurrency": 2}}, "tasks": {"t": {"takes": "1s"}}}
    steps = [{"control": {"do": "pool_grow", "n": 2}}, wait("6s"), {"call": {"task": "t", "count": 4}}, wait("1s")]
    expect = {"workers": {"w": {"succeeded": 4, "prefetch": 16}}}
    text = json.dumps({"rabbitmq": "4.0", "celery": celery, "steps": steps, "expect": expect})
    result = Runner(load_source(Source("row.yaml", text), ""), until="steps").run()
    assert result.ok, result.checked
