"""Publishes of one step at one instant, to plain queues."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from routesim.broker import RabbitBroker
from routesim.content import Content
from routesim.queues import Copy, Delivery, LinedQueue
from routesim.queues.consumers import UNLIMITED
from routesim.run.batches import Numbered
from routesim.run.express.delivering import Delivering
from routesim.run.express.emitting import Emits
from routesim.run.express.moves import Moves
from routesim.run.express.prepared import AckingConsumer, Burial, PreparedPublish
from routesim.run.express.treatments import Treatment, Treatments
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
        if (
            only is not None
            and not only.queue.count
            and not any(item.subscription.credit > 0 for item in only.consumers.values())
        ):
            only.queue.next_consumer()  # the first publish would offer it to all who have no credit: they leave the rotation
        if only is not None and only.instant is not None:
            publish = self._straight_through
        else:
            publish = self._wait_in_line if only is not None and not only.queue.turns else self._to_all
        if only is not None and only.limit is not None:
            publish = self._drop_over
        if only is not None and only.full_hands:
            publish = self._join
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
        delivered = answered = 0
        takers: tuple[int, ...] = ()
        sent: list[tuple[AckingConsumer, Delivery[LinedQueue]]] = []
        for number in numbers:
            message = f"{prefix}{number}"
            first_copy = serial + 1
            takers = ()
            tags: tuple[int, ...] = ()
            for queue, line, consumers, instant, *_ in queues:
                serial += 1
                if instant is not None:
                    instant.state.job_number += 1
                    instant.channel.next_tag += 1
                    answered += 1
                    queue.took(1)
                    if telling:
                        takers += (id(instant.subscription),)
                        tags += (instant.channel.next_tag - 1,)
                    continue
                subscription = queue.next_consumer() if queue.turns and not queue.count else None
                if subscription is None:
                    line.append(make(Copy, (serial, message, content, None, 0, 0)))
                    queue.count += 1
                    queue.bytes += queue.size(content)
                    if telling:
                        takers += (0,)
                    continue
                queue.took(1)
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
                queue.credited(subscription)
            if listening:
                found = emits.get(takers) or self.emits.of_publish(prepared, takers)
                found.emit(now, message, first_copy, *tags)
            if sent:
                for consumer, delivery in sent:
                    self.delivering.receive(consumer, delivery)
                sent.clear()
        return delivered + answered, answered, takers

    def _wait_in_line(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Publishes to one queue from which nobody takes anything now."""
        queue, content = prepared.queues[0].queue, prepared.content
        messages, serials = [f"{prefix}{number}" for number in numbers], self._serials(len(numbers))
        queue.join(self._copies(messages, serials, content))
        if self.listening:
            self.emits.tell(self.emits.of_publish(prepared, (0,)), self.broker.now, Numbered(prefix, numbers), [serials])
        return 0, 0, (0,)

    def _drop_over(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Publishes to one queue that keeps so many, and from which nobody takes anything: what is over that is dropped."""
        queue, limit, content = prepared.queues[0].queue, prepared.queues[0].limit, prepared.content
        assert limit is not None
        line, messages, serials = queue.levels[0], [f"{prefix}{number}" for number in numbers], self._serials(len(numbers))
        stay = min(max(0, limit - len(line)), len(numbers))  # so many find room
        line.extend(self._copies(messages, serials, content))
        gone = line.popleft
        heads = [gone() for _ in range(max(0, len(line) - limit))]
        queue.bytes += len(numbers) * content.size - sum([head.content.size for head in heads])
        queue.count = len(line)
        if heads:
            queue.last_taken = heads[-1].message
        self.broker.ledger.dropped += len(heads)
        self.moves.odd = True
        if self.listening:
            now, ids = self.broker.now, Numbered(prefix, numbers)
            self.emits.tell(self.emits.of_publish(prepared, (0,)), now, ids[:stay], [serials[:stay]])
            driven_out: dict[str, list[Any]] = {
                "next_message": [head.message for head in heads],
                "next_copy": [head.serial for head in heads],
            }
            self.emits.tell(self.emits.of_drop(prepared), now, ids[stay:], [serials[stay:]], (), driven_out)
        return 0, 0, (0,)

    def room(self, prepared: PreparedPublish) -> int:
        """How many publishes at this instant may go this way, for all that its queues keep."""
        queue = prepared.queues[0].queue
        if not prepared.queues[0].full_hands:
            return UNLIMITED
        return queue.room(prepared.content)

    def _join(self, prepared: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int, tuple[int, ...]]:
        """Publishes to one queue in which something waits before them, and has room for them."""
        queue, content = prepared.queues[0].queue, prepared.content
        messages, serials = [f"{prefix}{number}" for number in numbers], self._serials(len(numbers))
        queue.join(self._copies(messages, serials, content, 0, queue.expires_at(content, self.broker.now)))
        self.moves.odd = True
        if self.listening:
            self.emits.tell(self.emits.of_publish(prepared, (0,)), self.broker.now, Numbered(prefix, numbers), [serials])
        return 0, 0, (0,)

    def _serials(self, count: int, step: int = 1) -> range:
        """Of so many copies, the next that are made, or of each `step`-th of them."""
        first = self.broker.serial + 1
        return range(first, first + count * step, step)

    @staticmethod
    def _copies(
        messages: Sequence[str], serials: Sequence[int], content: Content, failures: int = 0, expires_at: int | None = None
    ) -> list[Copy]:
        values = zip(serials, messages, repeat(content), repeat(expires_at), repeat(0), repeat(failures))
        return list(map(tuple.__new__, repeat(Copy), values))

    def publish_by_rules(self, prepared: PreparedPublish, action: PublishMany, indexes: range, free: int) -> tuple[int, int]:
        """Publishes to one consumer that answers at once, by its rules: as many as go this way, with at most so many answers.
        Returns how many there were, and their answers."""
        treatments = self._treatments(prepared)
        first = action.first or 0
        runs = treatments.of_all(action.id_prefix, range(first + indexes.start, first + indexes.stop), free)
        counts: dict[int, tuple[Treatment, int]] = {}
        for treatment, numbers in runs:
            self._treat_alike(treatments, treatment, Numbered(action.id_prefix, numbers))
            counts[id(treatment)] = treatment, counts.get(id(treatment), (treatment, 0))[1] + len(numbers)
        for treatment, count in counts.values():
            self._count(treatment, count)
        self.moves.odd = True
        found = counts.values()
        return sum(count for _, count in found), sum(count * (treatment.returned + 1) for treatment, count in found)

    def _treat_alike(self, treatments: Treatments, treatment: Treatment, messages: Numbered) -> None:
        """These messages, of each of which the same becomes."""
        broker, now, count = self.broker, self.broker.now, len(messages)
        queue, state, channel = treatments.queue, treatments.state, treatments.consumer.channel
        returned, burial, found = treatment
        answers, width, first, tag = returned + 1, 1, broker.serial + 1, channel.next_tag
        if burial is not None:
            width += len(burial.targets)
            self._bury(treatments, burial, messages, range(first, first + count * width, width), returned)
        copies = [range(first + index, first + index + count * width, width) for index in range(width)]
        tags = [range(tag + index, tag + index + count * answers, answers) for index in range(answers)]
        broker.serial += count * width
        channel.next_tag += count * answers
        state.job_number += count * answers
        if state.counts_attempts:
            attempts = state.attempts
            attempts.update([(message, attempts.get(message, 0) + answers) for message in messages])
        queue.took(count)
        if returned:
            queue.last_taken = messages[-1]
            queue.wait_for_expiry(broker, queue.expires_at(treatments.publish.content, now))
        self.emits.tell(found, now, messages, copies, tags)

    def _bury(self, treatments: Treatments, burial: Burial, messages: Numbered, copies: range, returned: int) -> None:
        """Each is rejected, after it was returned so often. `copies`: the numbers of those that are."""
        content = burial.content
        if content is not None:
            for index, (target, _) in enumerate(burial.targets, 1):
                serials = range(copies.start + index, copies.stop + index, copies.step)
                target.join(self._copies(messages, serials, content, target.taken_over(content)))
        if returned or burial.targets:
            places = [treatments.queue.name] * returned + [target.name for target, _ in burial.targets]
            self.broker.requeues_now.update([(message, places.copy()) for message in messages])

    def _count(self, treatment: Treatment, count: int) -> None:
        ledger, (returned, burial, _) = self.broker.ledger, treatment
        ledger.published += count
        ledger.routed += count
        ledger.enqueued += count
        ledger.delivered += count * (returned + 1)
        ledger.redelivered += count * returned
        if burial is None:
            ledger.acked += count
        elif burial.content is None:
            ledger.dropped += count
        else:
            ledger.dead_lettered += count
            ledger.dead_letter_copies += count * len(burial.targets)

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
        consumer, count = prepared.queues[0].instant, len(numbers)
        assert consumer is not None
        channel, takers = consumer.channel, (id(consumer.subscription),)
        tag, channel.next_tag = channel.next_tag, channel.next_tag + count
        consumer.state.job_number += count
        prepared.queues[0].queue.took(count)
        if self.listening:
            found, tags = self.emits.of_publish(prepared, takers), range(tag, tag + count)
            self.emits.tell(found, self.broker.now, Numbered(prefix, numbers), [self._serials(count)], [tags])
        return count, count, takers
