"""What a run remembers of tasks and of the worker processes that ran them, as a monitor would."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routesim.celery.states import COUNTED, PENDING, STATES
from routesim.run.folds.fold import Fold

COLUMNS = {"received": "received", "started": "runs", "retried": "retries"}  # what is counted of each task, too


class TaskRecords(Fold):
    """`of`: each task id with its name, its state, and how often it was received, ran and was retried; `workers`: the same
    events counted for each worker."""

    def __init__(self, workers: Iterable[str]) -> None:
        self.of: dict[str, dict[str, Any]] = {}
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

    hears = dict.fromkeys(STATES, _task)
