"""Publishes of one step at one instant, to plain queues."""

from routesim.broker import RabbitBroker
from routesim.queues import Classic, Copy, Delivery
from routesim.run.batches import silent
from routesim.run.express.delivering import Delivering
from routesim.run.express.emitting import Emits
from routesim.run.express.moves import Moves
from routesim.run.express.prepared import AckingConsumer, PreparedPublish
from routesim.run.express.treatments import MOST_ANSWERS, Treatments
from routesim.scenario import PublishMany

REMEMBERED = 100


class Bursts:
    def __init__(self, broker: RabbitBroker, emits: Emits, delivering: Delivering, moves: Moves) -> None:
        self.broker = broker
        self.emits = emits
        self.delivering = delivering
        self.moves = moves
        self.treatments: dict[int, Treatments] = {}  # by the identity of the publish that each keeps
        self.listening = emits.listener is not None

    def publish(self, prepared: PreparedPublish, action: PublishMany, start: int, stop: int) -> int:
        """The publishes from `start` up to `stop`; returns how many answers their consumers give."""
        first, count, copies = action.first or 0, stop - start, (stop - start) * len(prepared.queues)
        only = prepared.queues[0] if len(prepared.queues) == 1 else None
        if only is not None and only.instant is not None:
            publish = self._straight_through
        else:
            publish = self._wait_in_line if only is not None and not only.queue.active else self._to_all
        if only is not None and only.limit is not None:
            publish = self._drop_over
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
            for queue, consumers, instant, _, _ in queues:
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

    def _drop_over(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Publishes to one queue that keeps so many, and from which nobody takes anything: what is over that is dropped."""
        queue, content, listening = prepared.queues[0].queue, prepared.content, self.listening
        now, serial, make = self.broker.now, self.broker.serial, tuple.__new__
        limit, line, before, head = prepared.queues[0].limit, queue.levels[0], queue.count, None
        assert limit is not None
        emit = (prepared.emits.get((0,)) or self.emits.of_publish(prepared, (0,))) if listening else silent
        emit_drop = self.emits.of_drop(prepared)
        for number in numbers:
            serial += 1
            message = f"{prefix}{number}"
            line.append(make(Copy, (serial, message, content, None, 0, 0)))
            if len(line) > limit:
                head = line.popleft()
                queue.bytes -= head.content.size
                if listening:
                    emit_drop(now, message, serial, head.message, head.serial, 0)
            elif listening:
                emit(now, message, serial)
        if head is not None:
            queue.last_taken = head.message
        queue.count = len(line)
        queue.bytes += len(numbers) * content.size
        self.broker.ledger.dropped += before + len(numbers) - len(line)
        self.moves.odd = True
        return 0, 0, (0,)

    def publish_by_rules(self, prepared: PreparedPublish, action: PublishMany, indexes: range, free: int) -> tuple[int, int]:
        """Publishes to one consumer that answers at once, by its rules: as many as go this way, with at most so many answers.
        Returns how many there were, and their answers."""
        broker, listening, treatments = self.broker, self.listening, self._treatments(prepared)
        treatments.begin()
        consumer, queue, first = treatments.consumer, treatments.queue, action.first or 0
        state, channel, requeues = consumer.state, consumer.channel, broker.requeues_now
        attempts = state.attempts if state.counts_attempts else None
        now, serial, tag, make = broker.now, broker.serial, channel.next_tag, tuple.__new__
        done = answered = acked = dropped = buried = copies = 0
        returned = None  # the message that came back last
        for index in indexes:
            if answered + MOST_ANSWERS > free:
                break
            message = f"{action.id_prefix}{first + index}"
            treatment = treatments.of(message)
            if treatment is None:
                break
            times, burial, emit = treatment
            answers = times + 1
            done += 1
            answered += answers
            serial += 1
            if attempts is not None:
                attempts[message] = attempts.get(message, 0) + answers
            if listening:
                emit(now, message, serial, *range(tag, tag + answers))
            tag += answers
            if times:
                returned = message
            if burial is None:
                acked += 1
                continue
            places = [queue.name] * times
            if burial.content is None:
                dropped += 1
            else:
                buried += 1
                for target, _ in burial.targets:
                    serial += 1
                    copies += 1
                    failures = target.taken_over(burial.content)
                    target.levels[0].append(make(Copy, (serial, message, burial.content, None, 0, failures)))
                    target.count += 1
                    target.bytes += burial.content.size
                    places.append(target.name)
            if places:
                requeues[message] = places
        broker.serial, channel.next_tag = serial, tag
        state.job_number += answered
        if returned is not None:
            queue.last_taken = returned
            queue.wait_for_expiry(broker, queue.expires_at(prepared.content, now))
        ledger = broker.ledger
        for name in ("published", "routed", "enqueued"):
            setattr(ledger, name, getattr(ledger, name) + done)
        ledger.delivered += answered
        ledger.redelivered += answered - done
        ledger.acked += acked
        ledger.dropped += dropped
        ledger.dead_lettered += buried
        ledger.dead_letter_copies += copies
        self.moves.odd = True
        return done, answered

    def _treatments(self, prepared: PreparedPublish) -> Treatments:
        known = self.treatments.get(id(prepared))
        if known is None or known.publish is not prepared:
            if len(self.treatments) >= REMEMBERED:
                self.treatments.clear()
            consumer = prepared.queues[0].instant
            assert consumer is not None
            known = self.treatments[id(prepared)] = Treatments(self.broker, self.emits, prepared, consumer)
        return known

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
