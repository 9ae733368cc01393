"""What the monitor folds out of events is what the worker processes know of themselves, at every moment of a run."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kits.paths import ALL_SCENARIO_FILES, ROOT

from routesim.run import Runner
from routesim.run.expecting.expectations import NOW
from routesim.run.folds.depths import Depths
from routesim.run.folds.monitoring import LOST, Monitor
from routesim.run.tasks.monitored import samples, watch
from routesim.scenario import Scenario, load

OWN = Path(__file__).parent / "monitored"
EVERYTHING = OWN / "everything.yaml"


def with_workers() -> list[Any]:
    """All scenarios that have worker processes."""
    paths = [*sorted(OWN.glob("*.yaml")), *ALL_SCENARIO_FILES]
    texts = ((path, path.read_text(encoding="utf-8")) for path in paths)
    return [pytest.param(path, id=path.stem) for path, text in texts if "\nworkers:" in text or "\ncelery:" in text]


SCENARIOS = with_workers()


def differences(monitor: Monitor, runner: Runner) -> list[str]:
    assert runner.processes is not None
    found = []
    for name, process in runner.processes.by_name.items():
        worker = monitor.workers[name]
        numbers = worker.numbers()
        told = {"online": worker.online, **{field: numbers[field] for field in ("active", "reserved", "held")}}
        if process.is_online():
            told["prefetch"] = numbers["prefetch"]
        known = {field: NOW[field](process) for field in told}
        if told != known:
            found.append(f"{name} at {monitor.at_ms} ms: {told}, not {known}")
        running = sorted(job.request.id for job in process.running.values())
        if sorted(run.task for run in worker.children.values()) != running:
            found.append(f"{name} at {monitor.at_ms} ms: runs {running}")
    return found


@pytest.mark.parametrize("path", SCENARIOS)
def test_it_knows_what_the_processes_know_after_every_instant(path: Path) -> None:
    scenario = load(str(path))
    monitor, wrong, looked = Monitor(scenario.workers, scenario.tasks), [], 0
    runner = Runner(scenario, monitor.hear)
    advance = runner.broker.advance

    def checking(to_ms: int) -> None:
        nonlocal looked
        if to_ms > runner.broker.now:
            monitor.advance(runner.broker.now)
            wrong.extend(differences(monitor, runner))
            looked += 1
        advance(to_ms)

    runner.broker.advance = checking  # type: ignore[method-assign]
    result = runner.run()
    monitor.advance(result.clock_ms)
    assert wrong == []
    assert differences(monitor, runner) == []
    assert looked or not result.clock_ms


@pytest.mark.parametrize("path", SCENARIOS)
def test_series_and_counts_end_as_the_run_does(path: Path) -> None:
    seen = watch(load(str(path)))
    result = seen.result
    for name, worker in seen.monitor.workers.items():
        final = worker.loads[-1][1:] if worker.loads else (0, 0, 0)
        assert final == worker.load(seen.at_ms)[1:]
        instants = [load.at_ms for load in worker.loads]
        assert instants == sorted(set(instants))
        assert all(one[1:] != other[1:] for one, other in pairwise(worker.loads))
        assert max(instants, default=0) <= seen.at_ms
        assert name in seen.monitor.workers
    for name, queue in result.broker.queues.items():
        if queue.kind != "stream":
            assert seen.depths[name][-1][1:] == (queue.ready_count(), queue.unacked)


@pytest.mark.parametrize("path", SCENARIOS)
def test_tasks_and_workers_are_those_of_the_record_of_the_run(path: Path) -> None:
    scenario = load(str(path))
    monitor = Monitor(scenario.workers, scenario.tasks)
    result = Runner(scenario, monitor.hear).run()
    assert result.tasks is not None
    told = {task: record for task, record in result.tasks.of.items() if record["state"] != "PENDING"}
    assert {task.id: task.record for task in monitor.tasks.values() if task.state != "PENDING"} == told
    assert {name: worker.counts for name, worker in monitor.workers.items()} == result.tasks.workers


@pytest.mark.parametrize("path", SCENARIOS)
def test_a_child_does_one_thing_at_a_time(path: Path) -> None:
    seen = watch(load(str(path)))
    of_child: dict[tuple[str, int], list[Any]] = {}
    for run in seen.monitor.runs:
        of_child.setdefault((run.worker, run.child), []).append(run)
    for (worker, child), runs in of_child.items():
        assert 1 <= child <= seen.monitor.workers[worker].plan.concurrency
        for before, after in pairwise(runs):
            assert before.ended_ms is not None
            assert before.began_ms <= before.ended_ms <= after.began_ms
    for run in seen.monitor.runs:
        assert (run.ended_ms is None) == (run.ends == "running")


def at_moment(scenario: Scenario, at_ms: int) -> tuple[Monitor, Depths]:
    """What a monitor of the whole run knew at that moment."""
    monitor, depths = Monitor(scenario.workers, scenario.tasks), Depths()

    def hear(event: Any) -> None:
        if event.at_ms <= at_ms:
            monitor.hear(event)
            depths.hear(event)

    Runner(scenario, hear).run()
    monitor.advance(at_ms)
    depths.advance(at_ms)
    return monitor, depths


@pytest.mark.parametrize("at_ms", [0, 700, 1_299, 1_300, 3_000, 5_000, 7_500, 9_000])
def test_a_moment_is_the_same_whether_the_run_goes_on_or_not(at_ms: int) -> None:
    scenario = load(str(EVERYTHING))
    seen = watch(scenario, at_ms)
    monitor, depths = at_moment(scenario, at_ms)
    assert seen.at_ms == at_ms
    for name, worker in seen.monitor.workers.items():
        assert worker.loads == [load for load in monitor.workers[name].loads if load.at_ms <= at_ms]
    # A step at this very instant is carried out either way, those after it are not.
    assert {name: points[-1] for name, points in seen.depths.items()} == {name: points[-1] for name, points in depths.of.items()}


def test_samples_are_the_values_at_their_instants() -> None:
    seen = watch(load(str(EVERYTHING)))
    taken = samples(seen, 300)
    assert [sample.at_ms for sample in taken] == [*range(0, seen.at_ms + 1, 300), seen.at_ms][: len(taken)]
    for sample in taken[::5]:
        other = watch(load(str(EVERYTHING)), sample.at_ms)
        assert sample.workers == {name: worker.load(0)[1:] for name, worker in other.monitor.workers.items()}


def test_runs_end_as_they_do() -> None:
    seen = watch(load(str(EVERYTHING)))
    ends = {run.ends for run in seen.monitor.runs}
    assert ends == {"success", "failure", "retry", "rejected", "revoked", "ignored", LOST, "cancelled"}


def test_what_waits_and_was_never_received_is_pending() -> None:
    seen = watch(load(str(ROOT / "scenarios/celery/rate-limit-delays-others.yaml")), 500)
    assert ("urgent", "PENDING") in [(item.task, "PENDING") for item in seen.pending]
    assert not {item.task for item in seen.pending} & seen.monitor.tasks.keys()
