"""What worker processes do, as rows of a trace: how each kind of event is called, what is said of it, in which tone."""

from collections.abc import Callable
from typing import Any

from routesim import events
from routesim.durations import seconds
from routesim.tables import BAD, GOOD, NOTICE, QUIET


def _name(event: Any) -> str:
    name: str = event.name
    return name


def _received(event: events.TaskReceived) -> str:
    parts = [event.name]
    if event.redelivered:
        parts.append("redelivered")
    if event.retries:
        parts.append(f"retry {event.retries}")
    if event.due_ms is not None:
        parts.append(f"held until {seconds(event.due_ms)} s")
    return ", ".join(parts)


def _started(event: events.TaskStarted) -> str:
    return event.name if event.run == 1 else f"{event.name}, run {event.run}"


def _rejected(event: events.TaskRejected) -> str:
    return f"{event.why}; {'back to its queue' if event.requeue else 'not requeued'}"


def _why(event: Any) -> str:
    why: str = event.why
    return why


def _unsettled(event: events.TaskUnsettled) -> str:
    return f"{event.name}: its channel is gone, so it cannot be acknowledged: it will run again"


# of a task: the event's name in the trace, why, tone
TASK_ROWS: dict[type, tuple[str, Callable[[Any], str], str]] = {
    events.TaskReceived: ("received", _received, QUIET),
    events.TaskStarted: ("started", _started, QUIET),
    events.TaskSucceeded: ("succeeded", _name, GOOD),
    events.TaskFailed: ("FAILED", _why, BAD),
    events.TaskRetried: ("retried", lambda event: f"{event.name}, due at {seconds(event.due_ms)} s", NOTICE),
    events.TaskRejected: ("rejected", _rejected, NOTICE),
    events.TaskRevoked: ("revoked", _why, NOTICE),
    events.TaskIgnored: ("ignored", _name, QUIET),
    events.TaskUnsettled: ("NOT ACKED", _unsettled, BAD),
}
# of a worker
WORKER_ROWS: dict[type, tuple[str, Callable[[Any], str], str]] = {
    events.WorkerOnline: ("online", _why, GOOD),
    events.WorkerOffline: ("OFFLINE", _why, BAD),
}
