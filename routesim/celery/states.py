"""What a monitor is told of a task: the events that Celery sends, and the state that each of them means
(celery/events/state.py)."""

from routesim import events

STATES: dict[type, str] = {
    events.TaskReceived: "RECEIVED",
    events.TaskStarted: "STARTED",
    events.TaskSucceeded: "SUCCESS",
    events.TaskFailed: "FAILURE",
    events.TaskRetried: "RETRY",
    events.TaskRevoked: "REVOKED",
    events.TaskRejected: "REJECTED",
}
PENDING = "PENDING"  # of a task of which nothing was heard
# The same events by what Celery calls them, `task-received`, and by what is counted, `received`; in the order of `events`.
EVENT_TYPES: dict[type, str] = {kind: name.replace("_", "-") for kind, name in events.EVENTS.items() if kind in STATES}
COUNTED: dict[type, str] = {kind: name.removeprefix("task-") for kind, name in EVENT_TYPES.items()}
