"""What two runs of one scenario are compared by, out of the events of each."""

from typing import Any

from routesim import events
from routesim.celery.states import STATES
from routesim.model import Consumer, events_channel, task_consumer
from routesim.named_tuples import NamedTuple
from routesim.narration import NARRATION
from routesim.run.folds.fold import Fold
from routesim.run.folds.situation import Situation
from routesim.scenario import Scenario


def own_consumers(scenario: Scenario) -> dict[str, Consumer]:
    """Those that the scenario lists itself, without the ones of its workers."""
    of_workers = {
        task_consumer(name, queue)
        for name, worker in scenario.workers.items()
        for queue in (*worker.queues, worker.control, worker.gossip)
        if queue is not None
    }
    return {name: consumer for name, consumer in scenario.consumers.items() if name not in of_workers}


class Occurrence(NamedTuple):
    at_ms: int
    message: str
    queue: str
    why: str


class RunTraits(Fold):
    """What the rules for differences look at, out of one run's events. Messages that tell of events are left out.

    `lost`: each message that was lost in a queue or on its way to one; `sentences`: what happened to tasks and at the scenario's
    consumers, by the instant and by who did it, in order.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.consumers = own_consumers(scenario)
        self.silent = {events_channel(name) for name in scenario.workers}
        self.unheard: set[str] = set()
        self.situation = Situation()
        self.types: dict[str, str] = {}
        self.exchanges: dict[str, tuple[str, str, int]] = {}  # of each message: its exchange, its key, when
        self.reached: dict[str, list[str]] = {}
        self.order: dict[str, list[tuple[int, str]]] = {}  # of first deliveries out of each queue
        self.takers: dict[tuple[str, str], str] = {}  # of each queue and message: the consumer that got it first
        self.delivered: dict[str, list[str]] = {}
        self.first: set[tuple[str, str]] = set()
        self.requeued: list[Occurrence] = []
        self.behind: list[Occurrence] = []  # requeued while others waited
        self.removed: list[Occurrence] = []
        self.refused: list[Occurrence] = []
        self.returned: list[Occurrence] = []
        self.nobody: list[Occurrence] = []
        self.deleted: list[Occurrence] = []
        self.warned: list[Occurrence] = []
        self.lost: list[str] = []
        self.sentences: dict[int, dict[str, list[str]]] = {}
        self.last_ms = 0  # when something happened last; the clock may go on to the time limit of what is gone

    def hear(self, event: Any) -> None:
        self.last_ms = event.at_ms
        super().hear(event)
        if events.is_lost(event) and type(event) is not events.TaskLost and event.message not in self.unheard:
            self.lost.append(event.message)
        self.situation.hear(event)

    def _compare(self, event: Any, who: str) -> None:
        sentence = NARRATION[type(event)].compared
        assert sentence is not None
        self.sentences.setdefault(event.at_ms, {}).setdefault(who, []).append(sentence(event))

    def _task(self, event: Any) -> None:
        self._compare(event, event.worker)

    def _published(self, event: events.Published) -> None:
        if event.channel in self.silent:
            self.unheard.add(event.message)
        else:
            self.exchanges[event.message] = (event.exchange, event.routing_key, event.at_ms)

    def _enqueued(self, event: events.Enqueued) -> None:
        if event.cause == "published" and event.message in self.exchanges:
            self.reached.setdefault(event.message, []).append(event.queue)

    def _delivered(self, event: events.Delivered) -> None:
        if event.message in self.unheard:
            return
        if (event.queue, event.message) not in self.first:
            self.first.add((event.queue, event.message))
            self.order.setdefault(event.queue, []).append((event.at_ms, event.message))
            self.takers[event.queue, event.message] = event.consumer
        if event.consumer in self.consumers:
            self.delivered.setdefault(event.consumer, []).append(event.message)
            self._compare(event, event.consumer)

    def _requeued(self, event: events.Requeued) -> None:
        item = Occurrence(event.at_ms, event.message, event.queue, event.why)
        self.requeued.append(item)
        if self.situation.queue(event.queue).messages:
            self.behind.append(item)

    def _removed(self, event: Any) -> None:
        if event.message not in self.unheard:
            self.removed.append(Occurrence(event.at_ms, event.message, event.queue, getattr(event, "reason", "restart")))

    def _dead_lettered(self, event: events.DeadLettered) -> None:
        self._removed(event)
        if event.message not in self.unheard:
            self.removed.append(Occurrence(event.at_ms, event.message, event.queue, "dead-lettered"))

    def _unroutable(self, event: events.Unroutable) -> None:
        if event.message not in self.unheard:
            self.nobody.append(Occurrence(event.at_ms, event.message, event.exchange, event.why))
            self._compare(event, "")

    def _channel_closed(self, event: events.ChannelClosed) -> None:
        self.refused.append(Occurrence(event.at_ms, event.channel, "", event.text))

    def _connection_closed(self, event: events.ConnectionClosed) -> None:
        if event.code >= 300:
            self.refused.append(Occurrence(event.at_ms, event.connection, "", event.text))

    hears = {
        events.ExchangeDeclared: lambda self, event: self.types.update({event.exchange: event.type}),
        events.Published: _published,
        events.Enqueued: _enqueued,
        events.Delivered: _delivered,
        events.Requeued: _requeued,
        events.Dropped: _removed,
        events.DeadLettered: _dead_lettered,
        events.LostAtRestart: _removed,
        events.QueueDeleted: lambda self, event: self.deleted.append(Occurrence(event.at_ms, "", event.queue, event.why)),
        events.Unroutable: _unroutable,
        events.Returned: lambda self, event: self.returned.append(
            Occurrence(event.at_ms, event.message, event.exchange, event.why)
        ),
        events.Warned: lambda self, event: self.warned.append(Occurrence(event.at_ms, "", "", event.text)),
        events.ChannelClosed: _channel_closed,
        events.ConnectionClosed: _connection_closed,
        **dict.fromkeys(STATES, _task),
        events.TaskLost: _task,
    }
