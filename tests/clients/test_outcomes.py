"""How a run of a task goes."""

from typing import Any

import pytest
from kits.clients import requested

from routesim.clients.worker.outcomes import RunContext, TaskCourse, course, lost
from routesim.model import Run, Task

NOW = RunContext(run=2, worker="w1", now=5_000)
PLAIN = {"takes": 1_000, "ends": "success"}


def gone(moment: RunContext = NOW, headers: dict[str, Any] | None = None, **fields: Any) -> TaskCourse:
    return course(requested(Task("t", **{**PLAIN, **fields}), **(headers or {})), moment)


def test_a_task_without_rules_does_what_it_says() -> None:
    assert gone() == TaskCourse(1_000, "success", 180_000, ())


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({}, True),
        ({"retries": ("==", 1)}, True),
        ({"retries": (">=", 2)}, False),
        ({"redelivered": False}, True),
        ({"redelivered": True}, False),
        ({"run": ("==", 2)}, True),
        ({"run": ("==", 1)}, False),
        ({"id": "t1"}, True),
        ({"id": "t2"}, False),
        ({"worker": "w1"}, True),
        ({"worker": "w2"}, False),
        ({"before": 5_001}, True),
        ({"before": 5_000}, False),
        ({"chance": 1.0}, True),
        ({"chance": 0.0}, False),
        ({"id": "t1", "worker": "w2"}, False),
    ],
)
def test_a_rule_fits_when_all_of_its_conditions_do(rule: dict[str, Any], fits: bool) -> None:
    ends = gone(headers={"retries": 1}, runs=(Run(**rule, ends="exception"),)).ends
    assert ends == ("exception" if fits else "success")


def test_the_first_rule_that_fits_replaces_what_it_names() -> None:
    rules = (Run(id="other", takes=9), Run(ends="retry", countdown=7), Run(takes=8))
    assert gone(runs=rules) == TaskCourse(1_000, "retry", 7, ())


def test_chance_is_a_function_of_the_seed_and_of_the_runs_before() -> None:
    drawn = [
        gone(RunContext(1, "w1", 0, seed=3, number=number), runs=(Run(chance=0.5, ends="retry"),)).ends for number in range(99)
    ]
    again = [
        gone(RunContext(1, "w1", 0, seed=3, number=number), runs=(Run(chance=0.5, ends="retry"),)).ends for number in range(99)
    ]
    assert drawn == again
    assert 30 < drawn.count("retry") < 70


@pytest.mark.parametrize(
    ("limits", "takes", "ends"),
    [
        ({"time_limit": 400}, 400, "time_limit"),
        ({"soft_time_limit": 300}, 300, "exception"),
        ({"time_limit": 400, "soft_time_limit": 300}, 300, "exception"),
        ({"time_limit": 300, "soft_time_limit": 400}, 300, "time_limit"),
        ({"time_limit": 1_000}, 1_000, "success"),
    ],
)
def test_the_limit_that_strikes_first_cuts_a_run_short(limits: dict[str, int], takes: int, ends: str) -> None:
    assert gone(**limits)[:2] == (takes, ends)


@pytest.mark.parametrize(
    ("retries", "most", "ends"), [(2, 3, "retry"), (3, 3, "exception"), (99, None, "retry"), (0, 0, "exception")]
)
def test_retries_that_are_used_up_are_a_failure(retries: int, most: int | None, ends: str) -> None:
    assert gone(headers={"retries": retries}, ends="retry", max_retries=most).ends == ends


@pytest.mark.parametrize("acks", ["early", "late"])
def test_a_process_sends_a_lost_task_anew_after_the_tasks_own_countdown(acks: str) -> None:
    rule = Run(ends="kill_child", countdown=7)
    run = gone(acks=acks, on_worker_lost="retry", countdown=5_000, runs=(rule,))
    assert (run.ends, run.countdown, run.why) == ("retry", 5_000, "WorkerLostError")


def test_nothing_of_a_lost_bodys_end_happens() -> None:
    request = requested(Task("t", on_worker_lost="retry", max_retries=0))
    assert lost(request, TaskCourse(1_000, "success", 0, (object(),))) == TaskCourse(
        1_000, "kill_child", 180_000, (), "WorkerLostError"
    )  # type: ignore[arg-type]
