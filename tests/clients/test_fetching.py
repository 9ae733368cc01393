"""Workers that look before they take the next message from Redis, and tasks that are not run again (rules/celery#2.1)."""

import json
from typing import Any

import pytest
from kits.celery.notation import carried_out, scenario, send, signal, wait

from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TASKS = {"t": {"takes": "1s", "acks": "late"}, "early": {"takes": "1s"}}


def on_redis(steps: list[Any], task: str = "t", **worker: Any) -> Any:
    """Eight tasks are there before the two workers."""
    what = {"queues": "q", "prefetch": 4, "start": False, **worker}
    return Runner(
        scenario(
            rabbitmq="4.0", broker={"kind": "redis"}, workers={"w1": what, "w2": what}, tasks=TASKS,
            steps=[*(send(f"t{number}", task) for number in range(8)), signal("w1", "start"), signal("w2", "start"), *steps],
        )
    ).run()  # fmt: skip


@pytest.mark.parametrize("task", ["t", "early"])
@pytest.mark.parametrize("concurrency", [1, 2])
def test_without_prefetch_workers_share_evenly(task: str, concurrency: int) -> None:
    def left(ready: int) -> dict[str, Any]:
        return {"expect": {"queues": {"q": {"ready": ready}}}}

    hoarded = on_redis([left(0), wait("20s")], task, concurrency=concurrency)
    assert hoarded.ok, hoarded.checked
    shared = on_redis([left(8 - 2 * concurrency), wait("20s")], task, concurrency=concurrency, fetches_when_free=True)
    assert shared.ok, shared.checked
    assert [shared.tasks.workers[name]["started"] for name in ("w1", "w2")] == [4, 4]


def test_without_prefetch_what_waits_for_its_time_takes_no_place() -> None:
    eta = {"headers": {"eta": "2026-01-01T00:00:30+00:00"}}
    steps = [*(send(f"e{number}", **eta) for number in range(3)), send("now"), wait("2s")]
    worker = {"queues": "q", "prefetch": 4, "fetches_when_free": True}
    what = scenario(rabbitmq="4.0", broker={"kind": "redis"}, workers={"w": worker}, tasks=TASKS, steps=steps)
    result = Runner(what, until="steps").run()
    assert result.tasks.of["now"]["state"] == "SUCCESS"
    assert result.processes.by_name["w"].held.keys() == {1, 2, 3}


@pytest.mark.parametrize("pool", ["solo", "gevent"])
def test_a_pool_that_stops_the_event_loop_leaves_the_rest_in_the_list(pool: str) -> None:
    """A green pool has one more, which waits for room."""
    result = on_redis([{"expect": {"queues": {"q": {"ready": 6 if pool == "solo" else 4}}}}, wait("20s")], pool=pool)
    assert result.ok, result.checked
    assert [result.tasks.workers[name]["started"] for name in ("w1", "w2")] == [4, 4]


def test_a_soft_shutdown_on_redis_takes_no_more_than_it_has_asked_for() -> None:
    """It waited for a message when it was told: that one comes to it still, and goes back at the end."""
    steps = [
        send("t0"), wait("100ms"), signal("w", "cold"), send("a"), send("b"), {"expect": {"queues": {"q": {"ready": 1}}}},
        wait("3s"), {"expect": {"queues": {"q": {"ready": 2, "unacked": 0}}}},
    ]  # fmt: skip
    worker = {"queues": "q", "prefetch": 4, "soft_shutdown": "2s"}
    what = scenario(rabbitmq="4.0", broker={"kind": "redis"}, workers={"w": worker}, tasks=TASKS, steps=steps)
    result = Runner(what).run()
    assert result.ok, result.checked
    assert result.tasks.of["t0"]["state"] == "SUCCESS"


# Deduplication -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deduplicates", [False, True])
def test_a_task_that_has_succeeded_is_not_run_again(deduplicates: bool) -> None:
    """The connection is lost while it runs; it comes again to the same worker, and waits until the first run is over."""
    worker = {"queues": "q", "prefetch": 4, "deduplicates": deduplicates}
    steps = [send("t"), wait("500ms"), signal("w", "disconnect"), wait("5s")]
    found = carried_out(scenario(workers={"w": worker}, tasks=TASKS, steps=steps))
    assert (found[1].tasks.of["t"]["runs"], found[1].tasks.of["t"]["state"]) == (1 if deduplicates else 2, "SUCCESS")
    assert found[1].broker.queues["q"].ready_count() == found[1].broker.queues["q"].unacked == 0


@pytest.mark.parametrize(("backend", "runs"), [("redis://", 1), ("rpc://", 2), (None, 2)])
def test_deduplication_needs_a_backend_that_can_be_asked(backend: str | None, runs: int) -> None:
    settings = {"worker_deduplicate_successful_tasks": True, "task_acks_late": True}
    settings |= {"result_backend": backend} if backend else {}
    celery = {"apps": {"shop": settings}, "workers": {"w": {"mingle": False}}, "tasks": {"t": {"takes": "1s"}}}
    steps = [{"call": {"task": "t", "id": "t"}}, wait("500ms"), signal("w", "disconnect"), wait("5s")]
    document = {"rabbitmq": "4.0", "celery": celery, "steps": steps}
    what = load_source(Source("row.yaml", json.dumps(document)), "")
    assert [each.code for each in what.warnings] == ([] if backend else ["not-simulated"])
    result = Runner(what).run()
    assert result.tasks is not None
    assert result.tasks.of["t"]["runs"] == runs
