"""What a consumer of the events exchange, such as Flower, learns of workers and tasks: what was delivered to it, no more.

A fold over a run's events. What an event message tells is known from the event that its worker published it for; it is
heard at the moment of its delivery.
"""

from collections import Counter
from typing import Any

from routesim import events
from routesim.celery.states import EVENT_TYPES
from routesim.model import events_channel
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import Fold
from routesim.run.folds.monitoring import Monitor
from routesim.scenario import Scenario

NOT_THERE = "published while it had no queue"
FREQUENCY_MS = 60_000  # between heartbeats, where a worker does not say (celery/events/state.py)
WINDOW = 2  # so many of these without an event, and a worker counts as offline

_GONE: dict[type, str] = {
    events.Dropped: "expired in its queue",
    events.DeadLettered: "dead-lettered from its queue",
    events.Purged: "purged from its queue",
    events.Deleted: "gone with its queue",
    events.LostAtRestart: "lost when the broker restarted",
}


class Unknown(NamedTuple):
    """A task of which the listener believes something else than what is so; `shown` "": it has never heard of it."""

    task: str
    shown: str
    state: str


class EventSubscriber(Fold):
    """`seen`: the monitor that heard only what reached the consumer; `missed`: event messages that did not, by the reason;
    `waiting`: those that are still on their way; `heard_ms`: when each worker was heard of last."""

    def __init__(self, scenario: Scenario, consumer: str) -> None:
        self.consumer = consumer
        self.queue = scenario.consumers[consumer].queue
        self.seen = Monitor(scenario.workers, scenario.tasks)
        self.channels = {events_channel(name): name for name in scenario.workers}
        self.last: dict[str, Any] = {}  # of each worker the event that it tells of next
        self.fresh: dict[str, str] = {}  # of each worker the message that has not come into the queue yet
        self.waiting: dict[str, tuple[str, Any]] = {}
        self.sent: Counter[str] = Counter()
        self.heard = 0
        self.heard_ms: dict[str, int] = {}
        self.missed: Counter[str] = Counter()

    def finish(self, at_ms: int) -> None:
        """The run is over: what has come into no queue by now never will."""
        for worker in list(self.fresh):
            self._passed_by(worker)
        self.seen.advance(at_ms)

    def online(self, worker: str) -> bool:
        """Whether the listener takes it to be there: it has not said farewell, and was heard of not too long ago."""
        if not self.seen.workers[worker].online:
            return False
        often = self.seen.workers[worker].plan.heartbeat or FREQUENCY_MS
        return self.seen.at_ms - self.heard_ms[worker] <= WINDOW * often

    def _task(self, event: Any) -> None:
        self.last[event.worker] = event

    def _published(self, event: events.Published) -> None:
        worker = self.channels.get(event.channel)
        if worker is None:
            return
        self._passed_by(worker)
        self.sent[worker] += 1
        event_message = self.last.get(worker) if event.routing_key.startswith("task.") else None
        if event.routing_key == "worker.online":
            event_message = events.WorkerOnline(event.at_ms, worker, "worker-online")
        elif event.routing_key == "worker.offline":
            event_message = events.WorkerOffline(event.at_ms, worker, "worker-offline")
        self.waiting[event.message] = (worker, event_message)
        self.fresh[worker] = event.message

    def _enqueued(self, event: events.Enqueued) -> None:
        if event.queue == self.queue and event.message in self.waiting:
            self.fresh.pop(self.waiting[event.message][0], None)

    def _removed(self, event: Any) -> None:
        if event.queue == self.queue and self.waiting.pop(event.message, None) is not None:
            self.missed[_GONE[type(event)]] += 1

    def _passed_by(self, worker: str) -> None:
        """The message before has come into other queues, or into none."""
        message = self.fresh.pop(worker, None)
        if message is not None and self.waiting.pop(message, None) is not None:
            self.missed[NOT_THERE] += 1

    def _delivered(self, event: events.Delivered) -> None:
        if event.consumer != self.consumer or event.message not in self.waiting:
            return
        worker, event_message = self.waiting.pop(event.message)
        self.heard += 1
        self.heard_ms[worker] = event.at_ms
        if event_message is None:
            return
        view = self.seen.workers[worker]
        if type(event_message) is not events.WorkerOffline:
            view.online = True  # whoever is heard of is there
        self.seen.hear(event_message._replace(at_ms=event.at_ms))

    hears = {
        **dict.fromkeys(EVENT_TYPES, _task),
        events.Published: _published,
        events.Enqueued: _enqueued,
        events.Delivered: _delivered,
        **dict.fromkeys(_GONE, _removed),
    }


def unknown(seen: Monitor, truth: Monitor) -> list[Unknown]:
    """All tasks of which the two say something else."""
    found = []
    for task in truth.tasks.values():
        shown = seen.tasks[task.id].state if task.id in seen.tasks else ""
        if shown != task.state:
            found.append(Unknown(task.id, shown, task.state))
    return found
