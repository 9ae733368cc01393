"""Expectations against what happened."""

from typing import TYPE_CHECKING, Any

from routesim.broker import Broker, counts
from routesim.broker.protocols import Engine, EngineQueue, UnackedDelivery
from routesim.celery.fates import LOST
from routesim.comparisons import holds, shown
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.checked import Checked, shown_value
from routesim.run.expecting.queue_facts import FACTS, is_of_argument, of_argument
from routesim.run.expecting.ready_messages import is_of_ready, of_ready
from routesim.run.expecting.task_runs import is_of_runs, of_runs
from routesim.run.folds.records import Deliveries, Fates, Publishers
from routesim.scenario import Expectation

if TYPE_CHECKING:
    from routesim.run.folds.task_records import TaskRecords
    from routesim.run.processes import Processes
    from routesim.run.tasks.fates import Fate

ANSWERS = {"acked": "ack", "rejected": "reject", "requeued": "requeue"}


class Evidence(NamedTuple):
    """What expectations are checked against. `ended` None: the run still goes on."""

    broker: Broker
    deliveries: Deliveries
    fates: Fates
    publishers: Publishers
    ended: str | None
    tasks: "TaskRecords | None" = None
    processes: "Processes | None" = None

    def task_fates(self) -> "dict[str, Fate]":
        """Of every task that was sent."""
        from routesim.run.tasks.fates import task_fates

        return {} if self.tasks is None or self.processes is None else task_fates(self.tasks, self.processes, self.broker)


def check(expectation: Expectation, evidence: Evidence, step: int | None = None) -> Checked:
    section = expectation.path[0]
    if is_of_ready(expectation):
        return of_ready(expectation, evidence.broker, step)
    if is_of_argument(expectation):
        return of_argument(expectation, evidence.broker, step)
    if is_of_runs(expectation) and evidence.tasks is not None:
        return of_runs(expectation, evidence.tasks, step)
    actual = _ACTUAL[section](expectation.path[1:], expectation.wanted, evidence)
    wanted = expectation.wanted
    if isinstance(wanted, tuple) and len(wanted) == 2 and isinstance(wanted[1], int) and not isinstance(actual, tuple):
        ok = isinstance(actual, int) and holds(actual, wanted)
        text = f"{'.'.join(expectation.path)} is {shown(wanted)}"
    else:
        ok = actual == wanted or (isinstance(actual, str) and _fits(expectation.path, actual, wanted))
        text = f"{'.'.join(expectation.path)} is {shown_value(wanted)}"
    return Checked(expectation.line, text, ok, list(actual) if isinstance(actual, tuple) else actual, expectation, step)


def _fits(path: tuple[str, ...], actual: str, wanted: Any) -> bool:
    """Whether a text that is not the one expected is as good."""
    if path[0] == "messages":
        return wanted in _names_of(actual)
    return path[0] == "tasks" and path[2] == "error" and wanted in actual


def _names_of(state: str) -> tuple[str, ...]:
    """The shorter names of a state of a copy. What is kept back was called ready before it had a name of its own."""
    name = state.partition(":")[0]
    return (name, "ready") if name == "kept back" else (name,)


def _is_count(wanted: Any) -> bool:
    return isinstance(wanted, tuple) and len(wanted) == 2 and isinstance(wanted[1], int)


def _queue(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    name, field = path[:2]
    queue = evidence.broker.queues.get(name)
    if field == "exists":
        return queue is not None
    if queue is None:
        return None
    if field in FACTS:
        return FACTS[field](queue)
    if field == "ready":
        return queue.ready_count() if _is_count(wanted) else tuple(copy.message for copy in queue.ready())
    held = unacked(evidence.broker, queue)
    return len(held) if _is_count(wanted) else tuple(message for message, *_ in held)


def unacked(broker: Engine, queue: EngineQueue) -> list[UnackedDelivery]:
    """What is out and unsettled of a queue: message, consumer (None: basic.get), channel, tag, redelivered."""
    return broker.unacked_of(queue)


def _consumer(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    name, field = path
    deliveries = evidence.deliveries.of.get(name, [])
    if field == "delivered":
        return len(deliveries) if _is_count(wanted) else tuple(item["message"] for item in deliveries)
    if field == "redelivered":
        return sum(item["redelivered"] for item in deliveries)
    return sum(item["answer"] == ANSWERS[field] for item in deliveries)


def _message(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    return evidence.fates.state(*path)


def _ids(kind: str) -> Any:
    def actual(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
        found = getattr(evidence.publishers, kind)
        return len(found) if _is_count(wanted) else tuple(found)

    return actual


def _task(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    name, field = path
    if field == "fate":
        fate = evidence.task_fates().get(name)
        return None if fate is None else fate.name
    if field in ("queue", "error"):
        facts = evidence.tasks.facts.get(name) if evidence.tasks is not None else None
        return None if facts is None else getattr(facts, field) or None
    found = evidence.tasks.of.get(name) if evidence.tasks is not None else None
    if found is None:
        return "PENDING" if field == "state" else 0
    return found[field]


def _lost_tasks(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    found = [task for task, fate in evidence.task_fates().items() if fate.name == LOST]
    return len(found) if _is_count(wanted) else tuple(found)


def _worker(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    name, field = path
    assert evidence.tasks is not None
    assert evidence.processes is not None
    counted = evidence.tasks.workers[name]
    found = evidence.processes.by_name[name]
    if field in NOW:
        return NOW[field](found)
    return counted[field]


def _chord(path: tuple[str, ...], wanted: Any, evidence: Evidence) -> Any:
    name, field = path
    chord = evidence.processes.chords.by_group.get(name) if evidence.processes is not None else None
    if field == "returned":
        return len(chord.parts) if chord is not None else 0
    return chord.state if chord is not None else "waits"


NOW: dict[str, Any] = {
    "active": lambda process: len(process.running),
    "reserved": lambda process: len(process.reserved) + sum(len(limit.waiting) for limit in process.buckets.values()),
    "held": lambda process: len(process.held),
    "prefetch": lambda process: process.prefetch.sent,
    "online": lambda process: process.is_online(),
}
_ACTUAL = {
    "queues": _queue,
    "consumers": _consumer,
    "messages": _message,
    "tasks": _task,
    "workers": _worker,
    "chords": _chord,
    "returned": _ids("returned"),
    "nacked": _ids("nacked"),
    "unroutable": _ids("unroutable"),
    "lost": lambda path, wanted, evidence: counts(evidence.broker)["lost"],
    "lost_tasks": _lost_tasks,
    "ended": lambda path, wanted, evidence: evidence.ended,
}
