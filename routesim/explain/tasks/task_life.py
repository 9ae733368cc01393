"""What happens to one task in a run, as a client of Celery would tell it: rows of its story, and its runs."""

from typing import Any

from routesim import events
from routesim.durations import seconds
from routesim.named_tuples import NamedTuple
from routesim.narration import sentence_of, tone_of
from routesim.run.folds.fold import Fold
from routesim.scenario import Scenario
from routesim.shown import path_sentence, publisher, shown_key
from routesim.tables import GOOD, PLAIN, QUIET

# What a row begins with, where it is not the name of the event.
LABELS: dict[type, str] = {
    events.TaskReceived: "received", events.TaskStarted: "started", events.TaskSucceeded: "ended", events.TaskFailed: "ended",
    events.TaskRetried: "retried", events.TaskRejected: "rejected", events.TaskRevoked: "revoked", events.TaskIgnored: "ended",
    events.TaskUnsettled: "not acked", events.TaskInterrupted: "killed", events.TaskLost: "LOST", events.Requeued: "came back",
    events.Unroutable: "UNROUTABLE", events.DeadLettered: "dead-lettered", events.Got: "fetched",
    events.LostByConsumer: "LOST", events.LostAtRestart: "LOST", events.Awaiting: "kept back",
}  # fmt: skip
MANY = 3
ENDS = (
    events.TaskSucceeded, events.TaskFailed, events.TaskRetried, events.TaskRejected, events.TaskRevoked, events.TaskIgnored,
    events.TaskInterrupted, events.TaskLost,
)  # fmt: skip


class LifeRow(NamedTuple):
    at_ms: int
    label: str
    text: str
    tone: str


class TaskRunTold:
    """A run of the task: where, when, out of which message, when that was acknowledged, and how it ended (None: not yet)."""

    def __init__(self, event: events.TaskStarted, message: str) -> None:
        self.worker, self.run, self.message = event.worker, event.run, message
        self.started_ms = event.at_ms
        self.acknowledged_ms: int | None = None
        self.ended: Any = None

    def as_data(self) -> dict[str, Any]:
        ended = self.ended
        return {
            "worker": self.worker, "message": self.message, "started_ms": self.started_ms,
            "acknowledged_ms": self.acknowledged_ms, "ended_ms": None if ended is None else ended.at_ms,
            "ended": None if ended is None else events.EVENTS[type(ended)], "why": getattr(ended, "why", None) or None,
        }  # fmt: skip


def _way(path: events.Path) -> str:
    """By which bindings; of many, such as those of native delayed delivery, the last one."""
    if len(path) <= MANY:
        return path_sentence(path)
    return f"by way of {len(path)} exchanges; at the last one {path_sentence(path[-1:])}"


class TaskLife(Fold):
    """`name`: the task's; `rows`: its story; `runs`; `results`: the messages in which its results went out, each with the last
    event of it; `back`: what brought its message back to a queue last; `died`: the end of the worker that had it last."""

    def __init__(self, scenario: Scenario, task: str, why_routed: str) -> None:
        self.scenario = scenario
        self.task = task
        self.why_routed = why_routed
        self.name = ""
        self.sent: list[events.TaskSent] = []
        self.messages: set[str] = set()
        self.rows: list[LifeRow] = []
        self.runs: list[TaskRunTold] = []
        self.received: list[events.TaskReceived] = []
        self.retries: list[events.TaskRetried] = []
        self.results: dict[str, Any] = {}
        self.known: dict[str, None] = {}  # the ids of all tasks
        self.back: Any = None
        self.died: events.WorkerOffline | None = None
        self.acks: dict[tuple[str, str], int] = {}  # (worker, message) -> when

    def hear(self, event: Any) -> None:
        task = getattr(event, "task", None)
        if task is not None:
            self.known.setdefault(task)
            if task == self.task:
                self._of_task(event)
        elif type(event) is events.WorkerOffline:
            if self.received and self.received[-1].worker == event.worker:
                self.died = event
        elif (message := getattr(event, "message", None)) in self.messages:
            self._of_message(event)
        elif message is not None and str(message).startswith(f"{self.task}-result-") and sentence_of(event):
            self._of_result(event, message)

    def _row(self, event: Any, label: str, text: str, tone: str | None = None) -> None:
        self.rows.append(LifeRow(event.at_ms, label, text, tone_of(event) if tone is None else tone))

    # What is told of the task ------------------------------------------------------------------------------------------

    def _of_task(self, event: Any) -> None:
        kind = type(event)
        if kind is events.TaskSent:
            self.name = self.name or event.name
            self.sent.append(event)
            self.messages.add(event.message)
            return  # the publish follows
        if kind is events.TaskReceived:
            self.received.append(event)
            self._row(event, "received", self._received(event), PLAIN)
            return
        if kind is events.TaskStarted:
            message = next((item.message for item in reversed(self.received) if item.worker == event.worker), self.task)
            self.runs.append(TaskRunTold(event, message))
            self.runs[-1].acknowledged_ms = self.acks.get((event.worker, message))
            again = f", run {event.run} of it" if event.run > 1 else ""
            self._row(event, "started", f"by {event.worker}{again}", PLAIN)
            return
        if kind is events.TaskRetried:
            self.retries.append(event)
        run = self._open_run(event.worker)
        if kind in ENDS and run is not None:
            run.ended = event
        self._row(event, LABELS.get(kind, ""), sentence_of(event) or "")

    def _received(self, event: events.TaskReceived) -> str:
        text = f"by {event.worker}, out of {event.queue}"
        text += ", redelivered" * event.redelivered + (f", retry {event.retries}" if event.retries else "")
        return text + (f"; held until its ETA, {seconds(event.due_ms)} s" if event.due_ms is not None else "")

    def _open_run(self, worker: str) -> TaskRunTold | None:
        return next((run for run in reversed(self.runs) if run.worker == worker and run.ended is None), None)

    # What happens to its messages --------------------------------------------------------------------------------------

    def _of_message(self, event: Any) -> None:
        kind = type(event)
        if kind is events.Published:
            self._row(event, "sent", self._sent_text(event), PLAIN)
        elif kind is events.Enqueued and event.cause in ("published", "delayed"):
            why = f"; {self.why_routed}" if self.why_routed and event.message == self.sent[0].message else ""
            self._row(event, "routed", f"into {event.queue}, {_way(event.path)}{why}", PLAIN)
        elif kind is events.Delivered and event.channel in self.scenario.workers:
            return  # the worker tells that it has received it
        elif kind is events.Acked and (worker := self._worker(event.by)) is not None:
            self._acked(event, worker)
        elif (text := sentence_of(event)) and kind is not events.Confirmed:
            if kind is events.Requeued:
                self.back = event
            self._row(event, LABELS.get(kind, events.EVENTS[kind].replace("_", " ")), text)

    def _sent_text(self, event: events.Published) -> str:
        anew = f"anew, as {event.message}, " if len(self.sent) > 1 and event.message == self.sent[-1].message else ""
        first = f"as {event.message}, " if not anew and event.message != self.task else ""
        who = publisher(event.channel)
        to = f"exchange '{event.exchange}'" if event.exchange else "the default exchange"
        return f"{anew}{first}by {who or 'a step'} to {to} with key {shown_key(event.routing_key)}"

    def _worker(self, consumer: str) -> str | None:
        """Whose consumer it is."""
        return next((name for name in self.scenario.workers if consumer.startswith(f"{name}:")), None)

    def _acked(self, event: events.Acked, worker: str) -> None:
        self.acks[worker, event.message] = event.at_ms
        run = next((run for run in reversed(self.runs) if run.worker == worker and run.message == event.message), None)
        if run is not None and run.acknowledged_ms is None:
            run.acknowledged_ms = event.at_ms
        plan = self.scenario.tasks.get(self.name)
        early = plan is not None and plan.acks == "early"
        when = "as it begins (early)" if early else "as it has ended (late)" if run is not None else "without a run"
        self._row(event, "acknowledged", f"by {worker}, {when}", PLAIN if early else GOOD)

    def _of_result(self, event: Any, message: str) -> None:
        if type(event) not in (events.Confirmed, events.Published):
            self.results[message] = event
            if type(event) in (events.Enqueued, events.Unroutable):
                self._row(event, "result", sentence_of(event) or "", QUIET)
