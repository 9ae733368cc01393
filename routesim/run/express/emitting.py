"""The events of the fast way, prepared as batches."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any, TypeAlias

from routesim import events
from routesim.broker.records import NO_EXCHANGE
from routesim.queues import LinedQueue, Subscription
from routesim.run.batches import (
    AT,
    MESSAGE,
    NEXT_COPY,
    NEXT_MESSAGE,
    NEXT_TAG,
    SILENT,
    BatchListener,
    Columns,
    Prepared,
    copy,
    tag,
)
from routesim.run.express.prepared import AckingConsumer, Burial, PreparedPublish

OfConsumer: TypeAlias = tuple[Prepared, Prepared, Prepared, Prepared | None]

REMEMBERED = 1_000


class Emits:
    """`listener` None: nobody listens."""

    def __init__(self, listener: BatchListener | None) -> None:
        self.listener = listener
        self.known: dict[tuple[Any, ...], tuple[Prepared, Any]] = {}
        self.of_consumers: dict[tuple[str, str, str, bool], OfConsumer] = {}  # as many as there are: none is forgotten

    def tell(
        self, found: Prepared, now: int, messages: Sequence[str], copies: Sequence[range], tags: Sequence[range] = (),
        following: Columns | None = None,
    ) -> None:  # fmt: skip
        """Of a batch that comes again for each of the messages: their copies' numbers and delivery tags, and, by their variables,
        the values of a second message."""
        if self.listener is None:
            return
        if len(messages) < self.listener.few and following is None:
            for values in zip(repeat(now), messages, copies[0], *tags):
                found.emit(*values)
            return
        columns: dict[str, Sequence[Any] | int] = {"at_ms": now, "message": messages, **(following or {})}
        columns.update({f"copy{index}": column for index, column in enumerate(copies)})
        columns.update({f"tag{index}": column for index, column in enumerate(tags)})
        self.listener.emit_rounds(len(messages), [(found.rows, columns)])

    def of_publish(self, publish: PreparedPublish, takers: tuple[int, ...]) -> Prepared:
        """Of a publish that these consumers take: what its queues do with it, and the answers that take no time."""
        known = publish.emits.get(takers)
        if known is not None:
            return known
        key = (id(publish.content), publish.channel.name, takers, *map(id, publish.paths))
        found = publish.emits[takers] = self._prepared(key, lambda: _published(publish, takers), (publish, takers))
        return found

    def of_treatment(self, publish: PreparedPublish, consumer: AckingConsumer, returned: int, burial: Burial | None) -> Prepared:
        """Of a publish to a consumer that requeues it so often and then acknowledges or rejects it at once."""
        dead = () if burial is None else (id(burial.content), *(id(part) for target in burial.targets for part in target))
        name = consumer.subscription.name
        key = (id(publish.content), publish.channel.name, id(publish.paths[0]), name, returned, burial is None, *dead)
        batch, kept = partial(_treatment, publish, consumer, returned, burial), (publish, burial)
        return self._prepared(key, batch, kept)

    def of_drop(self, publish: PreparedPublish) -> Prepared:
        """Of a publish that drives the head out of its queue, for which there is no dead-letter exchange."""
        key = (id(publish.content), publish.channel.name, id(publish.paths[0]), "drops")
        return self._prepared(key, lambda: _dropping(publish), publish)

    def of_consumer(self, queue: LinedQueue, subscription: Subscription) -> OfConsumer:
        """Of a consumer that takes its time: acked, delivered, redelivered, and acked with the next one delivered."""
        alone = len(queue.subscriptions) <= 1
        key = (queue.name, subscription.name, subscription.channel.name, alone)
        if key not in self.of_consumers:
            acked = [_acked(queue, subscription, 0, 0)]
            delivered, redelivered = ([_delivered(queue, subscription, 0, 0, again=again)] for again in (False, True))
            both = self._prepare([*acked, _next_delivered(queue, subscription)]) if alone else None
            self.of_consumers[key] = self._prepare(acked), self._prepare(delivered), self._prepare(redelivered), both
        return self.of_consumers[key]

    def of_soloist(self, queue: LinedQueue, subscription: Subscription) -> tuple[Prepared, Prepared, Prepared]:
        """Of the only consumer of a queue: acked with the next one delivered, and redelivered; requeued and redelivered."""
        key = (queue.name, subscription.name, subscription.channel.name)
        both = self._prepared((*key, "next"), lambda: [_acked(queue, subscription, 0, 0), _next_delivered(queue, subscription)])
        again = self._prepared((*key, "next again"), lambda: _next_again(queue, subscription))
        return both, again, self._prepared((*key, "back"), lambda: _back_again(queue, subscription))

    def _prepared(self, key: tuple[Any, ...], batch: Callable[[], list[Any]], keeps: Any = None) -> Prepared:
        """Prepared once in a run, not once a look. `keeps`: the objects whose identities stand in the key."""
        if self.listener is None:
            return SILENT
        known = self.known.get(key)
        if known is None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            known = self.known[key] = (self._prepare(batch()), keeps)
        return known[0]

    def _prepare(self, batch: list[Any]) -> Prepared:
        return SILENT if self.listener is None else self.listener.prepare(batch)


def _published(publish: PreparedPublish, takers: tuple[int, ...]) -> list[Any]:
    content, name = publish.content, publish.channel.name
    batch: list[Any] = [events.Published(AT, MESSAGE, content.exchange, content.routing_key, name)]
    answers, number = [], 0
    for index, (plain, path, taker) in enumerate(zip(publish.queues, publish.paths, takers, strict=True)):
        queue = plain.queue
        batch.append(events.Enqueued(AT, MESSAGE, queue.name, copy(index), "published", path))
        if taker:
            consumer = plain.consumers[taker]
            batch.append(_delivered(queue, consumer.subscription, index, number, again=False))
            if not consumer.takes:
                answers.append(_acked(queue, consumer.subscription, index, number))
            number += 1
    if publish.channel.confirms:
        batch.append(events.Confirmed(AT, MESSAGE, "ack", len(publish.queues)))
    return batch + answers


def _treatment(publish: PreparedPublish, consumer: AckingConsumer, returned: int, burial: Burial | None) -> list[Any]:
    queue, subscription, name = publish.queues[0].queue, consumer.subscription, consumer.subscription.name
    batch = _published(publish, (id(subscription),))[:-1]  # but for its answer
    for number in range(returned):
        batch.append(events.Requeued(AT, MESSAGE, queue.name, copy(0), name, "nack"))
        batch.append(_delivered(queue, subscription, 0, number + 1, again=True))
    if burial is None:
        return [*batch, _acked(queue, subscription, 0, returned)]
    batch.append(events.Rejected(AT, MESSAGE, queue.name, copy(0), name, tag(returned)))
    if burial.content is None:
        return [*batch, events.Dropped(AT, MESSAGE, queue.name, copy(0), "rejected", NO_EXCHANGE, name)]
    key = burial.content.routing_key
    batch.append(events.DeadLettered(AT, MESSAGE, queue.name, copy(0), "rejected", burial.exchange, key, name))
    for index, (target, path) in enumerate(burial.targets, 1):
        count = target.taken_over(burial.content)
        batch.append(events.Enqueued(AT, MESSAGE, target.name, copy(index), "dead-lettered", path, count))
    return batch


def _dropping(publish: PreparedPublish) -> list[Any]:
    published, enqueued, *confirmed = _published(publish, (0,))
    name = publish.queues[0].queue.name
    dropped = events.Dropped(AT, NEXT_MESSAGE, name, NEXT_COPY, "maxlen", NO_EXCHANGE, "")
    return [published, enqueued, dropped, *confirmed]


def _delivered(queue: LinedQueue, subscription: Subscription, index: int, number: int, *, again: bool) -> events.Delivered:
    channel = subscription.channel.name
    return events.Delivered(AT, MESSAGE, queue.name, copy(index), subscription.name, channel, tag(number), again, False)


def _next_delivered(queue: LinedQueue, subscription: Subscription) -> events.Delivered:
    delivered = _delivered(queue, subscription, 0, 0, again=False)
    return delivered._replace(message=NEXT_MESSAGE, copy=NEXT_COPY, delivery_tag=NEXT_TAG)


def _next_again(queue: LinedQueue, subscription: Subscription) -> list[Any]:
    return [_acked(queue, subscription, 0, 0), _next_delivered(queue, subscription)._replace(redelivered=True)]


def _back_again(queue: LinedQueue, subscription: Subscription) -> list[Any]:
    requeued = events.Requeued(AT, MESSAGE, queue.name, copy(0), subscription.name, "nack")
    return [requeued, _delivered(queue, subscription, 0, 0, again=True)]


def _acked(queue: LinedQueue, subscription: Subscription, index: int, number: int) -> events.Acked:
    return events.Acked(AT, MESSAGE, queue.name, copy(index), subscription.name, tag(number))
