"""What became of a task or a worker process, as part of a sentence."""

from collections import Counter
from typing import Any

from routesim import events
from routesim.celery.states import COUNTED

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
    events.WorkerOnline: "it came online at {0:.3f} s: {1}",
    events.WorkerOffline: "it went offline at {0:.3f} s: {1}",
}


class TaskWitness:
    """Remembers of a run the last that was heard of these tasks and of these workers."""

    def __init__(self) -> None:
        self.tasks: dict[str, Any] = {}
        self.workers: dict[str, Any] = {}
        self.counts: dict[str, Counter[str]] = {}

    def hear(self, event: Any) -> None:
        kind = type(event)
        if kind in SENTENCES:
            self.tasks[event.task] = event
            if kind in COUNTED:
                self.counts.setdefault(event.worker, Counter())[COUNTED[kind]] += 1
        elif kind in WORKER_SENTENCES:
            self.workers[event.worker] = event

    def of_task(self, task: str) -> str:
        """Empty where no worker ever had it."""
        event = self.tasks.get(task)
        return "" if event is None else f"{task} at {event.at_ms / 1000:.3f} s: {SENTENCES[type(event)].format(event)}"

    def of_worker(self, worker: str) -> str:
        event = self.workers.get(worker)
        if event is None:
            return f"{worker} was not started"
        if type(event) is events.WorkerOffline:
            return WORKER_SENTENCES[type(event)].format(event.at_ms / 1000, event.why)
        told = [f"{count} {what}" for what, count in self.counts.get(worker, Counter()).items()]
        return f"{worker}: {', '.join(told) or 'it received nothing'}"
