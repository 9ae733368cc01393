"""Random small Celery scenarios, on RabbitMQ's and on Redis's rules: what must hold of the fate of every task.

The fates are worked out a second time here, from the events alone and by other means: a message is followed copy by copy, and
a run from its begin to whatever ends it.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kits.scenario import assert_balanced, play, routesim

from routesim import events
from routesim.broker import counts
from routesim.celery.fates import FATES, LOST, OVER, RUNNING, SUCCEEDED, UNREPORTED, WAITING
from routesim.explain.tasks.task import explain_task
from routesim.run import Runner
from routesim.run.tasks.fates import fates_of
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source

ENGINES = {"rabbitmq": {}, "redis": {"broker": {"kind": "redis", "visibility_timeout": "30s", "restore_every": "10s"}}}
HOW_OFTEN = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
TASKS = ("early", "late", "retries", "calls", "dies", "short")
WORKERS = ("w1", "w2")


def task_options(draw: Any) -> dict[str, Any]:
    takes = draw(st.sampled_from(["0s", "1s", "3s"]))
    return {
        "early": {"takes": takes},
        "late": {"takes": takes, "acks_late": True, "reject_on_worker_lost": draw(st.booleans())},
        "retries": {
            "takes": "1s", "acks_late": draw(st.booleans()), "max_retries": 2,
            "runs": [{"retries": draw(st.integers(0, 2)), "ends": "retry", "countdown": draw(st.sampled_from(["0s", "2s"]))}],
        },
        "calls": {"takes": "1s", "calls": [{"task": draw(st.sampled_from(["early", "late"]))}]},
        "dies": {"takes": "1s", "acks_late": draw(st.booleans()), "runs": [
            {"run": 1, "ends": draw(st.sampled_from(["kill_child", "kill_worker", "exception", "reject", "requeue", "ignore"]))},
        ]},
        "short": {"takes": takes, "acks_late": draw(st.booleans()), "time_limit": "2s"},
    }  # fmt: skip


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    """A few calls, and what befalls the workers in between."""
    steps: list[Any] = []
    for number in range(draw(st.integers(1, 7))):
        call: dict[str, Any] = {"task": draw(st.sampled_from(TASKS)), "id": f"t{number}"}
        if draw(st.integers(0, 4)) == 0:
            call["countdown"] = draw(st.sampled_from(["1s", "5s"]))
        if draw(st.integers(0, 5)) == 0:
            call["queue"] = "nobody"
        steps.append({"call": call})
        for _ in range(draw(st.integers(0, 2))):
            do = draw(st.sampled_from(["wait", "kill", "cold", "warm", "disconnect", "kill_child", "start", "revoke"]))
            if do == "wait":
                steps.append({"wait": draw(st.sampled_from(["1s", "2s", "4s"]))})
            elif do == "revoke":
                steps.append({"control": {
                    "do": "revoke", "id": f"t{draw(st.integers(0, number))}", "terminate": draw(st.booleans()),
                }})  # fmt: skip
            else:
                steps.append({"worker": {"name": draw(st.sampled_from(WORKERS)), "do": do}})
    workers = {
        name: {"concurrency": draw(st.integers(1, 2)), **({"restart": "3s"} if draw(st.booleans()) else {})} for name in WORKERS
    }
    app = {"worker_prefetch_multiplier": draw(st.sampled_from([1, 4]))}
    if draw(st.booleans()):
        app["result_backend"] = "rpc://"
    until = draw(st.sampled_from(["idle", "3s", "20s", "90s"]))
    return {
        "celery": {"apps": {"shop": app}, "workers": workers, "tasks": task_options(draw)},
        "steps": steps, **({"until": until} if until != "idle" else {"until": "600s"}),
    }  # fmt: skip


def loaded(scenario: dict[str, Any], engine: str) -> Any:
    return load_source(Source("scene.yaml", json.dumps({**ENGINES[engine], **scenario})), "")


class Followed:
    """A task by the events of its copies and runs: `open` copies in queues, `running` runs, and what the last one came to."""

    def __init__(self) -> None:
        self.copies: dict[int, str] = {}  # copy -> message, of all that stand in queues or are unacked
        self.task_of: dict[str, str] = {}
        self.runs: dict[str, list[str]] = {}  # task -> workers that are at it
        self.over: dict[str, str] = {}
        self.had: set[str] = set()  # tasks of which some run succeeded
        self.tasks: list[str] = []

    def hear(self, event: Any) -> None:
        kind = type(event)
        if kind is events.TaskSent:
            self.task_of[event.message] = event.task
            if event.task not in self.tasks:
                self.tasks.append(event.task)
        elif kind is events.Enqueued:
            self.copies[event.copy] = event.message
        elif kind in events.ENDED or kind is events.DeadLettered:
            self.copies.pop(event.copy, None)
        elif kind is events.TaskStarted:
            self.runs.setdefault(event.task, []).append(event.worker)
            self.over.pop(event.task, None)
        elif kind is events.TaskReceived:
            self.over.pop(event.task, None)
        elif kind is events.WorkerOffline:
            for at in self.runs.values():
                while event.worker in at:
                    at.remove(event.worker)
        elif hasattr(event, "task") and kind is not events.TaskUnsettled:
            self._ended(event)

    def _ended(self, event: Any) -> None:
        kind = type(event)
        if event.worker in self.runs.get(event.task, []):
            self.runs[event.task].remove(event.worker)
        if kind in (events.TaskInterrupted, events.TaskLost):
            return
        if kind is events.TaskSucceeded:
            self.had.add(event.task)
        back = (kind is events.TaskRejected and event.requeue) or getattr(event, "why", "") == "cancelled"
        if back or kind is events.TaskRetried:
            self.over.pop(event.task, None)
        else:
            self.over[event.task] = events.EVENTS[kind]

    def of(self, task: str) -> str:
        """over, running, there (a message of it is in a queue or with a client), done (before), or nowhere."""
        if task in self.over:
            return "over"
        if self.runs.get(task):
            return "running"
        if any(self.task_of.get(message) == task for message in self.copies.values()):
            return "there"
        return "done" if task in self.had else "nowhere"


EXPECTED = {
    "over": OVER, "running": {RUNNING}, "there": set(FATES) - OVER - {RUNNING, LOST, UNREPORTED, "gone"},
    "done": {SUCCEEDED}, "nowhere": {LOST, UNREPORTED, "gone"},
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@HOW_OFTEN
@given(scenario=scenarios())
def test_every_task_has_one_fate_which_its_copies_and_runs_bear_out(engine: str, scenario: dict[str, Any]) -> None:
    followed = Followed()
    result = Runner(loaded(scenario, engine), followed.hear).run()
    assert_balanced(counts(result.broker))
    found = fates_of(result)
    assert list(found) == followed.tasks
    for task, fate in found.items():
        assert fate.name in FATES
        assert fate.name in EXPECTED[followed.of(task)], (task, fate, followed.of(task))


@pytest.mark.parametrize("engine", ENGINES)
@HOW_OFTEN
@given(scenario=scenarios())
def test_explain_task_names_the_same_fate_and_has_a_sentence_for_it(engine: str, scenario: dict[str, Any]) -> None:
    value = loaded(scenario, engine)
    for task, fate in fates_of(Runner(value).run()).items():
        answer = explain_task(value, task)
        assert answer.data["fate"] == fate.name
        assert answer.headline.startswith(f"{task} ")
        assert ("is lost" in answer.headline) is (fate.name == LOST)
        if fate.name == WAITING:
            assert fate.where in answer.headline


@pytest.mark.parametrize("engine", ENGINES)
@HOW_OFTEN
@given(scenario=scenarios())
def test_what_expand_prints_runs_to_the_same_trace(engine: str, scenario: dict[str, Any]) -> None:
    text = json.dumps({**ENGINES[engine], **scenario})
    written = routesim("celery", "expand", "scene.yaml", files={"scene.yaml": text})
    assert written.status == 0, written.err
    ours, theirs = play(text, limit_s=30), play(written.out, limit_s=30)
    assert list(_told(ours.events)) == list(_told(theirs.events))
    assert ours.result["tasks"] == theirs.result["tasks"]


def _told(happened: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All but the places in the file."""
    for event in happened:
        if event["event"] not in ("step", "expected"):
            yield {key: value for key, value in event.items() if key != "seq"}
