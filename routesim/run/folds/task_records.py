"""What a run remembers of tasks and of the worker processes that ran them, as a monitor would."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routesim.celery.states import COUNTED, PENDING, STATES
from routesim.run.folds.records import Hears


class TaskRecords:
    """`of`: each task id with its state and its counts; `workers`: the same events counted for each worker."""

    def __init__(self, workers: Iterable[str]) -> None:
        self.of: dict[str, dict[str, Any]] = {}
        self.workers: dict[str, Counter[str]] = {name: Counter() for name in workers}
        self.hears: Hears = dict.fromkeys(STATES, self._hear)

    def _hear(self, event: Any) -> None:
        kind = type(event)
        found = self.of.get(event.task)
        if found is None:
            found = self.of[event.task] = {"name": event.name, "state": PENDING, "received": 0, "runs": 0, "retries": 0}
        found["state"] = STATES[kind]
        counted = COUNTED[kind]
        self.workers[event.worker][counted] += 1
        if counted == "received":
            found["received"] += 1
        elif counted == "started":
            found["runs"] += 1
        elif counted == "retried":
            found["retries"] += 1
