"""Where everything is at any moment of a run, by its events alone: queues, who holds what, consumers, counts.

A fold: an event costs the same however much there is. Each situation can be looked at, and kept as a `copy` from which one
can go on later.
"""

import heapq
from typing import Any

from routesim import events
from routesim.model import REPLY_TO
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import TimedFold
from routesim.run.folds.queue_situation import AwaitingDeadLetter, HeldCopy, HeldKey, QueueSituation, Ready

COUNTED = (
    "published", "returned", "unroutable", "entered", "delivered", "redelivered", "acked", "dead_lettered", "dropped", "purged",
    "deleted", "lost_at_restart", "lost",
)  # fmt: skip


class Consuming(NamedTuple):
    """`active`: whose turn it is on a queue with a single active consumer."""

    queue: str
    channel: str
    active: bool = False


class Situation(TimedFold):
    """Where everything is after the events heard so far.

    - `queues`, `consumers`: those that exist, by name, in the order of their coming;
    - `counts`: the columns of the ledger that events tell, `dropped` by reason as well. `entered` are all copies that came
      into queues, for whatever cause.

    What is answered in an open transaction counts as unacked until the commit, as in RabbitMQ.
    """

    def __init__(self) -> None:
        self.queues: dict[str, QueueSituation] = {}
        self.consumers: dict[str, Consuming] = {}
        self.counts: dict[str, int] = dict.fromkeys(COUNTED, 0)
        self.dropped: dict[str, int] = {}
        self.releases: list[tuple[int, int, str]] = []  # a heap: (instant, copy, queue) of delayed retries
        self._gone = QueueSituation(REPLY_TO, "classic")  # what passes through no declared queue

    def advance(self, to_ms: int) -> None:
        """Let time pass up to `to_ms`: delayed retries that are due are ready again."""
        while self.releases and self.releases[0][0] <= to_ms:
            _, copy, name = heapq.heappop(self.releases)
            queue = self.queue(name)
            item = queue.later.pop(copy, None)
            if item is not None:
                queue.put(item)
        self.at_ms = max(self.at_ms, to_ms)

    def queue(self, name: str) -> QueueSituation:
        """The queue of that name; one that is never shown for direct reply-to and for queues that are gone."""
        return self.queues.get(name) or self._gone

    def held_by(self, consumer: str) -> list[HeldCopy]:
        """What a consumer has been sent and not settled, in the order of the deliveries."""
        consuming = self.consumers.get(consumer)
        held = self.queue(consuming.queue).unacked.values() if consuming else ()
        return [item for item in held if item.consumer == consumer]

    def size(self) -> int:
        """How much a copy of it has to copy."""
        return sum(queue.size() for queue in self.queues.values()) + len(self.queues) + len(self.consumers)

    def copy(self) -> "Situation":
        """An equal situation that hears for itself."""
        other = Situation()
        other.at_ms = self.at_ms
        other.queues = {name: queue.clone() for name, queue in self.queues.items()}
        other.consumers = self.consumers.copy()
        other.counts, other.dropped, other.releases = self.counts.copy(), self.dropped.copy(), self.releases.copy()
        other._gone = self._gone.clone()
        return other

    # Messages ----------------------------------------------------------------------------------------------------------

    def _published(self, event: events.Published) -> None:
        self.counts["published"] += 1

    def _returned(self, event: events.Returned) -> None:
        self.counts["returned"] += 1

    def _unroutable(self, event: events.Unroutable) -> None:
        if not event.returned:
            self.counts["unroutable"] += 1
            self.counts["lost"] += 1

    def _enqueued(self, event: events.Enqueued) -> None:
        self.counts["entered"] += 1
        self.queue(event.queue).put(Ready(event.message, event.copy, event.delivery_count > 0))

    def _delivered(self, event: events.Delivered) -> None:
        self.counts["delivered"] += 1
        self.counts["redelivered"] += event.redelivered
        self._goes_out(event, event.consumer)

    def _got(self, event: events.Got) -> None:
        if event.copy is None:
            return
        self.counts["delivered"] += 1
        self.counts["redelivered"] += bool(event.redelivered)
        self._goes_out(event, None)

    def _goes_out(self, event: Any, consumer: str | None) -> None:
        queue, copy = self.queue(event.queue), event.copy
        key: HeldKey = copy
        if queue.type.keeps_log:  # the log keeps it
            key = (copy, consumer or event.channel, event.delivery_tag, event.channel)
        else:
            queue.take(copy)
        if event.auto_ack:
            self.counts["acked"] += 1
        else:
            queue.unacked[key] = HeldCopy(event.message, copy, consumer, event.channel, event.delivery_tag, event.redelivered)

    def _acked(self, event: events.Acked) -> None:
        queue = self.queue(event.queue)
        if queue.type.keeps_log:
            meant = (event.copy, event.by, event.delivery_tag)
            # No more than the prefetch limits of its consumers allow; consumers of one name have different channels.
            key = next((key for key in queue.unacked if isinstance(key, tuple) and key[:3] == meant), None)
            if key is not None:
                del queue.unacked[key]
        else:
            queue.take(event.copy)
            self.counts["acked"] += 1

    def _rejected(self, event: events.Rejected) -> None:
        queue = self.queue(event.queue)
        queue.take(event.copy)
        queue.leaving[event.copy] = event.message

    def _requeued(self, event: events.Requeued) -> None:
        queue = self.queue(event.queue)
        queue.take(event.copy)
        queue.put(Ready(event.message, event.copy, True))

    def _retry_delayed(self, event: events.RetryDelayed) -> None:
        queue = self.queue(event.queue)
        item = queue.messages.pop(event.copy, None)
        if item is not None:
            queue.later[event.copy] = item
            heapq.heappush(self.releases, (event.until_ms, event.copy, event.queue))

    def _awaiting(self, event: events.Awaiting) -> None:
        queue = self.queue(event.queue)
        queue.take(event.copy)
        queue.awaiting[event.copy] = AwaitingDeadLetter(event.message, event.copy, event.reason, event.why)

    def _leaves(self, event: Any) -> bool:
        """Whether the copy was in the queue at all: one that was refused there can be dead-lettered too."""
        return self.queue(event.queue).take(event.copy) or self._gone.take(event.copy)

    def _dead_lettered(self, event: events.DeadLettered) -> None:
        self.counts["dead_lettered"] += self._leaves(event)

    def _dropped(self, event: events.Dropped) -> None:
        if self._leaves(event):
            self.counts["dropped"] += 1
            self.counts["lost"] += 1
            self.dropped[event.reason] = self.dropped.get(event.reason, 0) + 1

    def _purged(self, event: events.Purged) -> None:
        self.counts["purged"] += self._leaves(event)

    def _deleted(self, event: events.Deleted) -> None:
        self._leaves(event)
        self.counts["deleted"] += 1
        self.counts["lost"] += 1

    def _lost_at_restart(self, event: events.LostAtRestart) -> None:
        self._leaves(event)
        self.counts["lost_at_restart"] += 1
        self.counts["lost"] += 1

    def _lost_by_consumer(self, event: events.LostByConsumer | events.TaskLost) -> None:
        self.counts["lost"] += 1

    # Queues and consumers ----------------------------------------------------------------------------------------------

    def _queue_declared(self, event: events.QueueDeclared) -> None:
        self.queues[event.queue] = QueueSituation(event.queue, event.type)

    def _queue_deleted(self, event: events.QueueDeleted) -> None:
        """What is left of it is on its way to a dead-letter exchange."""
        queue = self.queues.pop(event.queue, None)
        for table in (queue.messages, queue.leaving, queue.unacked) if queue and not queue.type.keeps_log else ():
            self._gone.leaving.update(dict.fromkeys(table, ""))  # type: ignore[arg-type]

    def _consumer_started(self, event: events.ConsumerStarted) -> None:
        self.consumers[event.consumer] = Consuming(event.queue, event.channel)

    def _consumer_cancelled(self, event: events.ConsumerCancelled) -> None:
        self.consumers.pop(event.consumer, None)

    def _consumer_active(self, event: events.ConsumerActive) -> None:
        for name, consuming in self.consumers.items():
            if consuming.queue == event.queue:
                self.consumers[name] = consuming._replace(active=name == event.consumer)

    def _channels_gone(self, channels: tuple[str, ...] | None) -> None:
        """Streams take nothing back, so that nothing else tells. None: all of them."""
        for queue in self.queues.values():
            if queue.type.keeps_log and queue.unacked:
                queue.unacked = {
                    key: item for key, item in queue.unacked.items() if channels is not None and item.channel not in channels
                }

    def _restarted(self, event: events.Restarted) -> None:
        self._channels_gone(None)
        if event.clean:
            return
        for queue in self.queues.values():
            if queue.type.kill_marks_redelivered:
                queue.messages = {copy: item._replace(redelivered=True) for copy, item in queue.messages.items()}

    hears = {
        events.Published: _published,
        events.Returned: _returned,
        events.Unroutable: _unroutable,
        events.Enqueued: _enqueued,
        events.Delivered: _delivered,
        events.Got: _got,
        events.Acked: _acked,
        events.Rejected: _rejected,
        events.Requeued: _requeued,
        events.RetryDelayed: _retry_delayed,
        events.DeadLettered: _dead_lettered,
        events.Dropped: _dropped,
        events.Awaiting: _awaiting,
        events.Purged: _purged,
        events.Deleted: _deleted,
        events.LostAtRestart: _lost_at_restart,
        events.LostByConsumer: _lost_by_consumer,
        events.TaskLost: _lost_by_consumer,
        events.QueueDeclared: _queue_declared,
        events.QueueDeleted: _queue_deleted,
        events.ConsumerStarted: _consumer_started,
        events.ConsumerCancelled: _consumer_cancelled,
        events.ConsumerActive: _consumer_active,
        events.ChannelClosed: lambda self, event: self._channels_gone((event.channel,)),
        events.ConnectionClosed: lambda self, event: self._channels_gone(event.channels),
        events.ConnectionLost: lambda self, event: self._channels_gone(event.channels),
        events.Restarted: _restarted,
    }
