"""What a run remembers of tasks and of the worker processes that ran them, as a monitor would."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.celery.states import COUNTED, PENDING, STATES
from routesim.run.folds.fold import Fold

COLUMNS = {"received": "received", "started": "runs", "retried": "retries"}  # what is counted of each task, too


class RecordedRun:
    """A run of a task's body: where and when it began, and when it ended (None: not yet, or its worker died)."""

    __slots__ = ("ended_ms", "started_ms", "worker")

    def __init__(self, worker: str, started_ms: int) -> None:
        self.worker = worker
        self.started_ms = started_ms
        self.ended_ms: int | None = None


class TaskRecords(Fold):
    """`of`: each task id with its name, its state, and how often it was received, ran and was retried; `runs`: the runs of each;
    `workers`: the same events counted for each worker."""

    def __init__(self, workers: Iterable[str]) -> None:
        self.of: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, list[RecordedRun]] = {}
        self.workers: dict[str, Counter[str]] = {name: Counter() for name in workers}

    def _task(self, event: Any) -> None:
        found = self.of.get(event.task)
        if found is None:
            found = self.of[event.task] = {"name": event.name, "state": PENDING, "received": 0, "runs": 0, "retries": 0}
        counted = COUNTED[type(event)]
        found["state"] = STATES[type(event)]
        self.workers[event.worker][counted] += 1
        if counted in COLUMNS:
            found[COLUMNS[counted]] += 1
        if counted != "received":
            self._run(event)

    def _run(self, event: Any) -> None:
        if type(event) is events.TaskStarted:
            self.runs.setdefault(event.task, []).append(RecordedRun(event.worker, event.at_ms))
            return
        for run in reversed(self.runs.get(event.task, ())):
            if run.worker == event.worker:
                if run.ended_ms is None:
                    run.ended_ms = event.at_ms
                return

    hears = {**dict.fromkeys(STATES, _task), events.TaskIgnored: _run}
