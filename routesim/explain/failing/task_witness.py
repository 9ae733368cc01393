"""What became of a task or a worker process, for whoever asks why an expectation about it did not hold."""

from collections import Counter
from typing import Any

from routesim import events
from routesim.celery.states import COUNTED
from routesim.durations import seconds
from routesim.narration import sentence_of
from routesim.run.folds.fold import Fold

MAX_TASKS = 3


class TaskWitness(Fold):
    """The last event of each task and of each worker of a run, and how often each worker had what kind of event."""

    def __init__(self) -> None:
        self.tasks: dict[str, Any] = {}
        self.workers: dict[str, Any] = {}
        self.counts: dict[str, Counter[str]] = {}
        self.lost: dict[str, Any] = {}

    def _task(self, event: Any) -> None:
        self.tasks[event.task] = event
        if type(event) is events.TaskLost:
            self.lost[event.task] = event
        if type(event) in COUNTED:
            self.counts.setdefault(event.worker, Counter())[COUNTED[type(event)]] += 1

    def _worker(self, event: Any) -> None:
        self.workers[event.worker] = event

    hears = {
        **dict.fromkeys(events.having("task") - {events.TaskSent}, _task),
        events.WorkerOnline: _worker,
        events.WorkerOffline: _worker,
    }

    def of_task(self, task: str) -> str:
        """Empty where no worker ever had it."""
        event = self.tasks.get(task)
        return "" if event is None else f"{task} at {seconds(event.at_ms)} s: {sentence_of(event)}"

    def of_lost(self) -> str:
        """Which tasks were lost first."""
        return "; ".join(self.of_task(task) for task in list(self.lost)[:MAX_TASKS]) or "no task was lost"

    def of_worker(self, worker: str) -> str:
        event = self.workers.get(worker)
        if event is None:
            return f"{worker} was not started"
        if type(event) is events.WorkerOffline:
            return f"it went offline at {seconds(event.at_ms)} s: {event.why}"
        counts = [f"{count} {what}" for what, count in self.counts.get(worker, Counter()).items()]
        return f"{worker}: {', '.join(counts) or 'it received nothing'}"
