"""A Celery task that is retried for ever ends the run as soon as nothing else is left, and not before."""

import pytest
from kits.report import scenario_of

from routesim.run import Result, Runner
from routesim.run.tasks.endless import ENOUGH

APP = """
celery:
  apps: {shop: }
  workers: {w1: {concurrency: 3}}
  tasks:
    shop.pay: {ends: retry, max_retries: none, countdown: 5}
    shop.long: {takes: 1h}
    shop.tired: {ends: retry, max_retries: 400, countdown: 5}
    shop.better: {ends: retry, max_retries: none, countdown: 5, runs: [{retries: '>= 400', ends: success}]}
"""


def ran(steps: str, app: str = APP) -> Result:
    return Runner(scenario_of(f"{app}steps:\n{steps}"), keep=True).run()


def test_a_task_that_only_retries_is_told_after_a_hundred_of_them() -> None:
    result = ran("- call: {task: shop.pay}")
    assert result.ended == "budget"
    assert result.kept_going.startswith("task shop.pay-1 is retried for ever, ")
    assert result.tasks is not None
    assert ENOUGH <= result.tasks.of["shop.pay-1"]["retries"] < 3 * ENOUGH


@pytest.mark.parametrize(("task", "state"), [("shop.long", "SUCCESS"), ("shop.tired", "FAILURE"), ("shop.better", "SUCCESS")])
def test_a_task_that_ends_is_waited_for_beside_one_that_does_not(task: str, state: str) -> None:
    result = ran(f"- call: {{task: shop.pay, count: 2}}\n- call: {{task: {task}}}")
    assert result.ended == "budget"
    assert result.kept_going.startswith("2 tasks are retried for ever, shop.pay-")
    assert result.tasks is not None
    assert result.tasks.of[f"{task}-1"]["state"] == state


@pytest.mark.parametrize("task", ["shop.tired", "shop.better"])
def test_retries_that_end_are_no_endless_run(task: str) -> None:
    result = ran(f"- call: {{task: {task}}}")
    assert (result.ended, result.kept_going) == ("idle", "")


def test_a_task_that_expires_ends_by_itself() -> None:
    result = ran("- call: {task: shop.pay, expires: 1h}")
    assert (result.ended, result.kept_going) == ("idle", "")


def test_until_a_time_a_run_goes_on() -> None:
    result = ran("- call: {task: shop.pay}\nuntil: 1h")
    assert result.ended == "time"
    assert result.tasks is not None
    assert result.tasks.of["shop.pay-1"]["retries"] > 3 * ENOUGH
