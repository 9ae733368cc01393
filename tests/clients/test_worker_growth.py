"""What workers do grows with the number of tasks, and no faster: counted in bytecode lines, not in seconds."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from kits.celery.notation import command, scenario, send, signal, wait

from routesim.run import Runner
from routesim.run.folds.monitoring import Monitor

FEW, MANY = 60, 240
ROOM = 1.25  # beside the factor: what is done once
TASKS = {
    "t": {"takes": "100ms"},
    "late": {"takes": "100ms", "acks": "late"},
    "retried": {"runs": [{"retries": 0, "ends": "retry", "countdown": "1s"}]},
    "rated": {"rate_limit": "100/s"},
    "long": {"takes": "1h", "acks": "late"},
}
CONTROL: dict[str, Any] = {
    "exchanges": {"celery.pidbox": "fanout"},
    "queues": {"q": {}, "w0.inbox": {}},
    "bindings": [{"source": "celery.pidbox", "destination": "w0.inbox"}],
}


def ids(count: int, task: str, **more: Any) -> list[Any]:
    return [send(f"t{number}", task, **more) for number in range(count)]


def held(count: int) -> list[Any]:
    return ids(count, "t", headers={"eta": "2026-01-01T00:01:00+00:00"})


def terminated(count: int) -> list[Any]:
    kills = [command("revoke", task_id=f"t{number}", terminate=True) for number in range(count)]
    for number, step in enumerate(kills):
        step["publish"]["id"] = f"c{number}"
    return [*ids(count, "long"), *kills]


CASES: dict[str, tuple[Callable[[int], list[Any]], dict[str, Any]]] = {
    "early": (lambda count: ids(count, "t"), {}),
    "late": (lambda count: ids(count, "late"), {}),
    "no limit": (lambda count: ids(count, "late"), {"prefetch": 0}),
    "retried": (lambda count: ids(count, "retried"), {}),
    "rated": (lambda count: ids(count, "rated"), {"prefetch": 0}),
    "held for their time": (held, {}),
    "autoscale": (lambda count: ids(count, "t"), {"prefetch": 0, "autoscale": {"max": 4, "min": 1}}),
    "solo": (lambda count: ids(count, "late"), {"pool": "solo", "prefetch": 0}),
    "gevent": (lambda count: ids(count, "late"), {"pool": "gevent", "prefetch": 0}),
    "soft shutdown": (lambda count: [*ids(count, "late"), wait("1s"), signal("w0", "cold")], {"soft_shutdown": "5s", "prefetch": 0}),
    "terminated": (terminated, {"prefetch": 0}),
}  # fmt: skip


def lines(steps: list[Any], worker: dict[str, Any]) -> int:
    """How many lines of the simulator a run executes, with a monitor that listens."""
    workers = {f"w{number}": {"queues": "q", "prefetch": 8, "concurrency": 4, **worker} for number in range(3)}
    workers["w0"]["control"] = "w0.inbox"
    what = scenario(workers=workers, tasks=TASKS, steps=steps, **CONTROL)
    monitor = Monitor(what.workers, what.tasks)
    runner = Runner(what, monitor.hear)
    counted = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal counted
        if "routesim" not in frame.f_code.co_filename:
            return None
        counted += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        runner.run()
    finally:
        sys.settrace(before)
    return counted


@pytest.mark.parametrize("name", CASES)
def test_four_times_the_tasks_are_four_times_the_work(name: str) -> None:
    steps, worker = CASES[name]
    few, many = lines(steps(FEW), worker), lines(steps(MANY), worker)
    assert many < ROOM * MANY / FEW * few, f"{few} lines for {FEW} tasks, {many} for {MANY}"
