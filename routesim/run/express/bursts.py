"""Publishes of one step at one instant, to plain queues."""

from routesim.broker import RabbitBroker
from routesim.queues import Classic, Copy, Delivery
from routesim.run.batches import silent
from routesim.run.express.delivering import Delivering
from routesim.run.express.emitting import Emits
from routesim.run.express.moves import Moves
from routesim.run.express.prepared import AckingConsumer, PreparedPublish
from routesim.scenario import PublishMany


class Bursts:
    def __init__(self, broker: RabbitBroker, emits: Emits, delivering: Delivering, moves: Moves) -> None:
        self.broker = broker
        self.emits = emits
        self.delivering = delivering
        self.moves = moves
        self.listening = emits.listener is not None

    def publish(self, prepared: PreparedPublish, action: PublishMany, start: int, stop: int) -> int:
        """The publishes from `start` up to `stop`; returns how many answers their consumers give."""
        first, count, copies = action.first or 0, stop - start, (stop - start) * len(prepared.queues)
        only = prepared.queues[0] if len(prepared.queues) == 1 else None
        if only is not None and only.instant is not None:
            publish = self._straight_through
        else:
            publish = self._wait_in_line if only is not None and not only.queue.active else self._to_all
        delivered, answered, takers = publish(prepared, action.id_prefix, range(first + start, first + stop))
        if self.moves.kept is not None:
            self.moves.published(self.broker.now, prepared, action, takers)
        self.broker.serial += copies
        ledger = self.broker.ledger
        ledger.published += count
        ledger.routed += count
        ledger.enqueued += copies
        ledger.delivered += delivered
        ledger.acked += answered
        return answered

    def _to_all(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Publishes to whatever queues; returns how many deliveries and how many answers that makes, and by whom the last one is
        taken."""
        broker, listening = self.broker, self.listening
        telling = listening or self.moves.kept is not None
        now, serial, make = broker.now, broker.serial, tuple.__new__
        content, _, queues, _, emits = prepared
        size = content.size
        delivered = answered = 0
        takers: tuple[int, ...] = ()
        sent: list[tuple[AckingConsumer, Delivery[Classic]]] = []
        for number in numbers:
            message = f"{prefix}{number}"
            first_copy = serial + 1
            takers = ()
            tags: tuple[int, ...] = ()
            for queue, consumers, instant in queues:
                serial += 1
                if instant is not None:
                    instant.state.job_number += 1
                    instant.channel.next_tag += 1
                    answered += 1
                    if telling:
                        takers += (id(instant.subscription),)
                        tags += (instant.channel.next_tag - 1,)
                    continue
                subscription = queue.next_consumer() if queue.active and not queue.count else None
                if subscription is None:
                    queue.levels[0].append(make(Copy, (serial, message, content, None, 0, 0)))
                    queue.count += 1
                    queue.bytes += size
                    if telling:
                        takers += (0,)
                    continue
                consumer = consumers[id(subscription)]
                channel, takes = consumer.channel, consumer.takes
                tag = channel.next_tag
                channel.next_tag = tag + 1
                if telling:
                    takers += (id(subscription),)
                    tags += (tag,)
                if takes:
                    delivered += 1
                    copy = make(Copy, (serial, message, content, None, 0, 0))
                    delivery = channel.unacked[tag] = make(Delivery, (tag, queue, subscription, copy, now, False))
                    queue.unacked += 1
                    sent.append((consumer, delivery))
                    continue
                answered += 1
                consumer.state.job_number += 1
                if subscription.prefetch:
                    subscription.credit += 1
                    if subscription.credit == 1:
                        queue.unblock(channel.name)
            if listening:
                emit = emits.get(takers) or self.emits.of_publish(prepared, takers)
                emit(now, message, first_copy, *tags)
            if sent:
                for consumer, delivery in sent:
                    self.delivering.receive(consumer, delivery)
                sent.clear()
        return delivered + answered, answered, takers

    def _wait_in_line(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Publishes to one queue from which nobody takes anything now."""
        queue, content, listening = prepared.queues[0].queue, prepared.content, self.listening
        now, serial, make, append = self.broker.now, self.broker.serial, tuple.__new__, queue.levels[0].append
        emit = (prepared.emits.get((0,)) or self.emits.of_publish(prepared, (0,))) if listening else silent
        for number in numbers:
            serial += 1
            message = f"{prefix}{number}"
            append(make(Copy, (serial, message, content, None, 0, 0)))
            if listening:
                emit(now, message, serial)
        queue.count += len(numbers)
        queue.bytes += len(numbers) * content.size
        return 0, 0, (0,)

    def _straight_through(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Each publish to the one consumer of the one queue, who answers at once."""
        consumer = prepared.queues[0].instant
        assert consumer is not None
        now, serial, listening = self.broker.now, self.broker.serial, self.listening
        channel, state, takers = consumer.channel, consumer.state, (id(consumer.subscription),)
        emit = (prepared.emits.get(takers) or self.emits.of_publish(prepared, takers)) if listening else silent
        for number in numbers:
            serial += 1
            tag = channel.next_tag
            channel.next_tag = tag + 1
            state.job_number += 1
            if listening:
                emit(now, f"{prefix}{number}", serial, tag)
        return len(numbers), len(numbers), takers
