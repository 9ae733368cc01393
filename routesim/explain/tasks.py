"""What became of a task or a worker process, as part of a sentence."""

from collections import Counter
from typing import Any

from routesim import events
from routesim.celery.states import COUNTED
from routesim.durations import seconds
from routesim.run.folds.fold import Fold

SENTENCES: dict[type, str] = {
    events.TaskReceived: "received by {0.worker}",
    events.TaskStarted: "started by {0.worker}",
    events.TaskSucceeded: "succeeded on {0.worker}",
    events.TaskFailed: "failed on {0.worker}: {0.why}",
    events.TaskRetried: "sent itself anew from {0.worker}",
    events.TaskRejected: "rejected by {0.worker}: {0.why}",
    events.TaskRevoked: "revoked by {0.worker}: {0.why}",
    events.TaskIgnored: "ended on {0.worker} by Ignore: no state is recorded",
    events.TaskUnsettled: "run by {0.worker}, which could not acknowledge it: its channel was gone",
}
WORKER_SENTENCES: dict[type, str] = {
    events.WorkerOnline: "it came online at {0} s: {1}",
    events.WorkerOffline: "it went offline at {0} s: {1}",
}


class TaskWitness(Fold):
    """The last event of each task and of each worker of a run, and how often each worker had what kind of event."""

    def __init__(self) -> None:
        self.tasks: dict[str, Any] = {}
        self.workers: dict[str, Any] = {}
        self.counts: dict[str, Counter[str]] = {}

    def _task(self, event: Any) -> None:
        self.tasks[event.task] = event
        if type(event) in COUNTED:
            self.counts.setdefault(event.worker, Counter())[COUNTED[type(event)]] += 1

    def _worker(self, event: Any) -> None:
        self.workers[event.worker] = event

    hears = {**dict.fromkeys(events.having("task"), _task), events.WorkerOnline: _worker, events.WorkerOffline: _worker}

    def of_task(self, task: str) -> str:
        """Empty where no worker ever had it."""
        event = self.tasks.get(task)
        return "" if event is None else f"{task} at {seconds(event.at_ms)} s: {SENTENCES[type(event)].format(event)}"

    def of_worker(self, worker: str) -> str:
        event = self.workers.get(worker)
        if event is None:
            return f"{worker} was not started"
        if type(event) is events.WorkerOffline:
            return WORKER_SENTENCES[type(event)].format(seconds(event.at_ms), event.why)
        told = [f"{count} {what}" for what, count in self.counts.get(worker, Counter()).items()]
        return f"{worker}: {', '.join(told) or 'it received nothing'}"
