"""What a run remembers of tasks and of the worker processes that ran them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.celery import fates
from routesim.celery.states import COUNTED, PENDING, STATES
from routesim.run.folds.fold import Fold

COLUMNS = {"received": "received", "started": "runs", "retried": "retries"}  # what is counted of each task, too
OUTCOMES = {
    events.TaskSucceeded: fates.SUCCEEDED, events.TaskFailed: fates.FAILED, events.TaskIgnored: fates.IGNORED,
    events.TaskRevoked: fates.REVOKED, events.TaskRejected: fates.REJECTED,
}  # fmt: skip
CANCELLED = "cancelled"  # why a run is over of which the message comes back
# After which of them a message of a task is in no queue.
GONE = (
    events.Unroutable, events.Returned, events.Refused, events.Unpublished, events.Uncommitted, events.Dropped, events.Purged,
    events.Deleted, events.LostAtRestart,
)  # fmt: skip


class RecordedRun:
    """A run of a task's body: where and when it began, and when it ended (None: not yet, or its worker died)."""

    __slots__ = ("ended_ms", "started_ms", "worker")

    def __init__(self, worker: str, started_ms: int) -> None:
        self.worker = worker
        self.started_ms = started_ms
        self.ended_ms: int | None = None


class TaskFacts:
    """What is known of a task beside its record.

    - `outcome`: how it ended last, one of `fates.OVER`; "": not yet, or it is to run again;
    - `succeeded`: some run of it did; `lost`: what took it away last;
    - `queue`, `worker`: out of which queue it came last, and to whom; `error`: the last reason of a bad end.
    """

    __slots__ = ("error", "lost", "outcome", "queue", "sent_ms", "succeeded", "worker")

    def __init__(self) -> None:
        self.outcome = self.queue = self.worker = self.error = ""
        self.sent_ms: int | None = None
        self.succeeded = False
        self.lost: events.TaskLost | None = None


class TaskRecords(Fold):
    """`of`: each task id with its name, its state, and how often it was received, ran and was retried; `facts` and `runs`: more
    of each; `workers`: the events of tasks counted for each worker.

    `messages`: which task a message is of, where their ids differ; `gone`: of a task what ended a message of it in no
    queue last; `delayed`: until when an exchange keeps a message back.
    """

    def __init__(self, workers: Iterable[str]) -> None:
        self.of: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, TaskFacts] = {}
        self.runs: dict[str, list[RecordedRun]] = {}
        self.workers: dict[str, Counter[str]] = {name: Counter() for name in workers}
        self.messages: dict[str, str] = {}
        self.gone: dict[str, Any] = {}
        self.delayed: dict[str, events.Delayed] = {}

    def task_of(self, message: str) -> str:
        """The id of the task that a message is of."""
        return self.messages.get(message, message)

    def _known(self, event: Any) -> tuple[dict[str, Any], TaskFacts]:
        found = self.of.get(event.task)
        if found is None:
            found = self.of[event.task] = {"name": event.name, "state": PENDING, "received": 0, "runs": 0, "retries": 0}
            self.facts[event.task] = TaskFacts()
        return found, self.facts[event.task]

    def _sent(self, event: events.TaskSent) -> None:
        _, facts = self._known(event)
        if facts.sent_ms is None:
            facts.sent_ms = event.at_ms
        if event.message != event.task:
            self.messages[event.message] = event.task

    def _task(self, event: Any) -> None:
        found, facts = self._known(event)
        kind = type(event)
        counted = COUNTED[kind]
        found["state"] = STATES[kind]
        self.workers[event.worker][counted] += 1
        if counted in COLUMNS:
            found[COLUMNS[counted]] += 1
        facts.worker = event.worker
        if kind is events.TaskReceived:
            facts.queue, facts.outcome = event.queue, ""
            return
        facts.outcome = _outcome(event)
        facts.succeeded = facts.succeeded or kind is events.TaskSucceeded
        facts.error = getattr(event, "why", facts.error)
        self._run(event)

    def _ignored(self, event: events.TaskIgnored) -> None:
        self._known(event)[1].outcome = fates.IGNORED
        self._run(event)

    def _lost(self, event: events.TaskLost) -> None:
        self._known(event)[1].lost = event
        self.workers[event.worker]["lost"] += 1

    def _run(self, event: Any) -> None:
        if type(event) is events.TaskStarted:
            self.runs.setdefault(event.task, []).append(RecordedRun(event.worker, event.at_ms))
            return
        for run in reversed(self.runs.get(event.task, ())):
            if run.worker == event.worker:
                if run.ended_ms is None:
                    run.ended_ms = event.at_ms
                return

    def _gone(self, event: Any) -> None:
        task = self.task_of(event.message)
        if task in self.of:
            self.gone[task] = event

    def _delayed(self, event: events.Delayed) -> None:
        if self.task_of(event.message) in self.of:
            self.delayed[event.message] = event

    hears = {
        **dict.fromkeys(STATES, _task),
        events.TaskSent: _sent,
        events.TaskIgnored: _ignored,
        events.TaskLost: _lost,
        events.Delayed: _delayed,
        **dict.fromkeys(GONE, _gone),
    }


def _outcome(event: Any) -> str:
    """How the task is over by it; "": it is not, for it is to be run, or to be run again."""
    if type(event) is events.TaskRejected and event.requeue:
        return ""
    if type(event) is events.TaskRevoked and event.why == CANCELLED:
        return ""
    return OUTCOMES.get(type(event), "")
