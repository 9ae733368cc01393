"""The fast way through a run: plain publishes to plain queues, whose consumers only acknowledge.

What `Runner`, `Broker`, `Classic` and `ScriptedConsumer` do in two dozen calls a message is done here in one function, for
what most long runs consist of: no limit, no expiry, no transaction, consumers with the one rule `ack`. Everything else goes
the ordinary way, and so does every moment at which something else is due. Both ways lead to the same state and tell the
same events in the same order: `tests/run/test_express.py` holds one against the other.

What does not change meanwhile is looked up once: a `PreparedPublish` for the publishes of a step, a `PlainQueue` for a
queue, an `AckingConsumer` for a consumer.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush, heapreplace
from math import prod
from typing import Any, NamedTuple

from routesim import events
from routesim.broker import Broker, RabbitBroker
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.content import Content
from routesim.model import DEFAULT_EXCHANGE, Rule
from routesim.queues import Channel, Classic, Copy, DeliveringQueue, Delivery, QueueType, Subscription
from routesim.run.agenda import RANKS, NextPublish, RunAgenda
from routesim.run.budget import BUDGET_MS, Budget
from routesim.run.folds.fold import Listener
from routesim.scenario import PublishMany

FINISH, PUBLISH = RANKS[ConsumerJob], RANKS[NextPublish]
JUST_ACK = Rule()
PREPARED = 1_000
WAYS_TO_PREPARE = 64  # of one publish, by the consumers that are sent it


class Placeholder(NamedTuple):
    """Stands in an event for what differs from message to message: the n-th copy, the n-th delivery tag."""

    name: str
    number: int = 0


AT: Any = Placeholder("at_ms")
MESSAGE: Any = Placeholder("message")
NEXT_MESSAGE: Any = Placeholder("next_message")
NEXT_COPY: Any = Placeholder("next_copy")
NEXT_TAG: Any = Placeholder("next_tag")
# (at_ms, message, number of its first copy, delivery tag of each copy ..., then the same of a second message)
Emit = Callable[..., None]


class BatchListener:
    """A listener that can be prepared for events which come again and again."""

    def __call__(self, event: Any) -> None:
        raise NotImplementedError

    def prepare(self, told: Sequence[Any]) -> Emit:
        """A function that tells these events, their holes filled, just as if it were called with one after the other."""
        raise NotImplementedError


class PlainQueue(NamedTuple):
    """A plain queue, with its consumers by the identity of their subscriptions.

    `instant`: the only one, if it takes no time: whatever is published to the queue goes through it at once.
    """

    queue: Classic
    hands: dict[int, "AckingConsumer"]
    instant: "AckingConsumer | None" = None


class AckingConsumer(NamedTuple):
    """A consumer that acknowledges whatever it gets, `takes` ms after it has begun with it; 0: at once."""

    name: str
    place: PlainQueue
    subscription: Subscription
    channel: Channel[QueueType]
    worker: ScriptedConsumer
    concurrency: int
    rule: Rule
    takes: int
    acked: Emit
    delivered: Emit
    again: Emit  # a redelivery
    next: Emit | None  # acknowledged, and the next one delivered; only where the queue has no other consumer


class PreparedPublish(NamedTuple):
    """Where the publishes of a step go. `paths` belong to `places`, in the order in which these are served.

    `told`: by the consumers that are sent the message at once (0: it waits), what is told of it.
    """

    content: Content
    channel: Channel[QueueType]
    places: tuple[PlainQueue, ...]
    paths: tuple[events.Path, ...]
    told: dict[tuple[int, ...], Emit]


def express_for(
    broker: Broker, agenda: RunAgenda, budget: Budget, consumers: dict[str, ScriptedConsumer], listener: Listener | None
) -> "Express | None":
    """None where there is no fast way: on Redis, and for a listener that wants every event."""
    if not isinstance(broker, RabbitBroker) or not (listener is None or isinstance(listener, BatchListener)):
        return None
    return Express(broker, agenda, budget, consumers, listener)


class Express:
    """The fast way of one run. `narrator` None: nobody listens."""

    def __init__(
        self,
        broker: RabbitBroker,
        agenda: RunAgenda,
        budget: Budget,
        consumers: dict[str, ScriptedConsumer],
        narrator: BatchListener | None,
    ) -> None:
        self.broker = broker
        self.agenda = agenda
        self.budget = budget
        self.consumers = consumers
        self.narrator = narrator
        self.prepared: dict[tuple[Any, ...], tuple[Emit, Any]] = {}
        self.courses: dict[int, PreparedPublish | None] = {}
        self.places: dict[int, PlainQueue | None] = {}
        self.hands: dict[str, AckingConsumer | None] = {}
        self.fruitless = 0  # how often in a row there was nothing to do here
        self.pause = 0  # how many chances to let pass before the next look

    def burst(self, action: PublishMany, index: int) -> int:
        """Publishes of this instant, from `index` on; returns the first one that is left for the ordinary way."""
        course = self._course(action) if self._looks_anew() else None
        if course is None:
            return index
        # The last one goes the ordinary way: it notes where the instant's budget begins.
        stop = min(action.times - 1, index + self.budget.free() // len(course.places))
        if stop > index:
            self.fruitless = self.pause = 0
            self.budget.reactions += self._publish(course, action, index, stop)
        return max(index, stop)

    def pass_time(self, until_ms: int | None) -> None:  # noqa: C901
        """Carries out what is scheduled, up to what needs the ordinary way or comes after `until_ms`.

        The one long function: a consumer's answer is written out here, because every call would cost a tenth of it.
        """
        if not self._looks_anew():
            return
        broker, plans, agenda, timers = self.broker, self.agenda, self.agenda.heap, self.broker.agenda.heap
        limit = BUDGET_MS - 1 if until_ms is None else min(until_ms, BUDGET_MS - 1)
        free, traced = self.budget.free(), self.narrator is not None
        now, reactions, acked, delivered, redelivered, make = -1, 0, 0, 0, 0, tuple.__new__
        while agenda:
            at_ms, rank, _, entry = agenda[0]
            if at_ms != now:
                if at_ms > limit or (timers and timers[0].at_ms <= at_ms):
                    break
                if at_ms > broker.now:
                    broker.now = at_ms
                    broker.requeues_now.clear()
                now = at_ms
            if rank == PUBLISH:
                answers = self._publish_next(entry, free - reactions)  # type: ignore[arg-type]
                if answers is None:
                    break
                reactions += answers
            else:
                if rank != FINISH or reactions + 2 > free:
                    break
                worker, number, delivery, _, _ = entry  # type: ignore[misc]
                hand = self._at_work(worker)
                if hand is None:
                    break
                subscription, channel, queue, jobs = hand.subscription, hand.channel, hand.place.queue, worker.jobs
                if number in jobs:
                    tag, _, taker, copy, _, _ = delivery
                    if taker is not subscription or tag not in channel.unacked:
                        break
                    del jobs[number], channel.unacked[tag]
                    acked += 1
                    reactions += 1
                    if hand.next is not None and not subscription.credit and queue.count > 1 and not queue.active:
                        # The queue's one consumer would come back into the rotation, take the head and leave it again.
                        head: Copy = queue.levels[0].popleft()
                        queue.count -= 1
                        queue.bytes -= head.content.size
                        channel.next_tag = (new_tag := channel.next_tag) + 1
                        delivery = channel.unacked[new_tag] = make(Delivery, (new_tag, queue, subscription, head, now, False))
                        delivered += 1
                        if traced and not head.returns:
                            hand.next(now, copy.message, copy.serial, tag, head.message, head.serial, new_tag)
                        elif traced:
                            hand.acked(now, copy.message, copy.serial, tag)
                            hand.again(now, head.message, head.serial, new_tag)
                        redelivered += head.returns > 0
                        if worker.waiting or len(jobs) >= hand.concurrency:
                            heappop(agenda)
                            worker.waiting.append((delivery, 0))
                            while worker.waiting and len(jobs) < hand.concurrency:
                                self._begin(hand, worker.waiting.popleft()[0])
                        else:
                            worker.job_number = number = worker.job_number + 1
                            job = jobs[number] = make(ConsumerJob, (worker, number, delivery, hand.rule, 0))
                            plans.number = planned = plans.number + 1
                            heapreplace(agenda, (now + hand.takes, FINISH, planned, job))
                        reactions += not agenda or agenda[0][0] != now
                        continue
                    heappop(agenda)
                    queue.unacked -= 1
                    if traced:
                        hand.acked(now, copy.message, copy.serial, tag)
                    sent: Sequence[tuple[AckingConsumer, Delivery[Classic]]] = ()
                    if subscription.prefetch:
                        subscription.credit += 1
                        if subscription.credit == 1:
                            queue.unblock(channel.name)
                            if queue.count:
                                sent = self._dispatch(hand.place)
                    waiting = worker.waiting
                    while waiting and len(jobs) < hand.concurrency:
                        self._begin(hand, waiting.popleft()[0])
                    for other, delivery in sent:
                        self._receive(other, delivery)
                else:
                    heappop(agenda)
            if not agenda or agenda[0][0] != now:
                reactions += 1  # one for every instant
        self.budget.reactions += reactions
        ledger = broker.ledger
        ledger.acked += acked
        ledger.delivered += delivered
        ledger.redelivered += redelivered
        if reactions:
            self.fruitless = self.pause = 0

    # What is plain -----------------------------------------------------------------------------------------------------

    def _looks_anew(self) -> bool:
        """Since the last look something else has happened: what was plain need not be. Finding nothing, looks ever less often."""
        if self.pause:
            self.pause -= 1
            return False
        self.pause = (1 << self.fruitless) - 1
        self.fruitless = min(self.fruitless + 1, 8)
        self.courses.clear()
        self.places.clear()
        self.hands.clear()
        return True

    def _course(self, action: PublishMany) -> PreparedPublish | None:
        key = id(action)
        if key not in self.courses:
            self.courses[key] = self._new_course(action)
        return self.courses[key]

    def _new_course(self, action: PublishMany) -> PreparedPublish | None:
        """None until the step has published in the ordinary way, which makes the checks and finds the route."""
        broker, message = self.broker, action.message
        known = broker.contents.get(id(message))
        channel = broker.channels.get(action.channel)
        if known is None or known[0] is not message or channel is None or channel.answered is not None:
            return None
        content = known[1]
        found = broker.routes.get((message.exchange, content.keys))
        if found is None or not found.queues:
            return None
        if message.exchange == DEFAULT_EXCHANGE:
            if broker.reply_channels:
                return None
        elif broker.exchange(message.exchange).declared.internal:
            return None
        places = [self._place(queue) for queue, _ in reversed(found.queues)]
        plain = tuple(place for place in places if place is not None)
        if len(plain) < len(places) or (content.ttl_ms is not None and not all(place.instant for place in plain)):
            return None
        if self.narrator is not None and prod(len(place.hands) + 1 for place in plain) > WAYS_TO_PREPARE:
            return None
        return PreparedPublish(content, channel, plain, tuple(path for _, path in reversed(found.queues)), {})

    def _place(self, queue: QueueType) -> PlainQueue | None:
        key = id(queue)
        if key not in self.places:
            self.places[key] = self._new_place(queue)
        return self.places[key]

    def _new_place(self, queue: QueueType) -> PlainQueue | None:
        limits = queue.settings
        if not isinstance(queue, Classic) or limits.single_active_consumer or limits.overflow != "drop-head":
            return None
        place = PlainQueue(queue, {})
        for subscription in queue.subscriptions.values():
            hand = self._hand(place, subscription)
            if hand is None:
                return None
            place.hands[id(subscription)] = hand
        if len({hand.takes > 0 for hand in place.hands.values()}) > 1:
            return None
        only = next(iter(place.hands.values())) if len(place.hands) == 1 else None
        if only is not None and not only.takes and only.subscription.credit > 0 and queue.active:
            return place._replace(instant=only)
        # What goes through at once meets no limit; what waits does.
        waits = limits.message_ttl is limits.max_length is limits.max_length_bytes is None
        return place if waits and not queue.expiring and len(queue.levels) == 1 else None

    def _at_work(self, worker: ScriptedConsumer) -> AckingConsumer | None:
        """The consumer, if its queue is plain."""
        name = worker.consumer.name
        if name not in self.hands:
            self.hands[name] = None
            queue = self.broker.queues.get(worker.consumer.queue)
            place = self._place(queue) if queue is not None else None
            for hand in place.hands.values() if place is not None else ():
                self.hands[hand.name] = hand
        return self.hands[name]

    def _hand(self, place: PlainQueue, subscription: Subscription) -> AckingConsumer | None:
        queue = place.queue
        channel, worker = subscription.channel, self.consumers.get(subscription.name)
        if worker is None or subscription.auto_ack or channel.limit or channel.answered is not None or channel.late:
            return None
        consumer, rule = worker.consumer, worker.consumer.on_message[0]
        if consumer.channel != channel.name or rule._replace(takes=None) != JUST_ACK:
            return None
        if self.broker.every_channel_times_out and not channel.timeout_armed:
            return None
        takes = consumer.takes if rule.takes is None else rule.takes
        if not takes and (worker.jobs or worker.waiting):
            return None
        next: Emit | None = None
        acked = delivered = again = _silent
        if takes:
            key = (queue.name, consumer.name, channel.name)
            acked = self._prepared((*key, "acked"), lambda: [_acked(queue, subscription, 0, 0)])
            delivered = self._prepared((*key, "delivered"), lambda: [_delivered(queue, subscription, 0, 0, again=False)])
            again = self._prepared((*key, "again"), lambda: [_delivered(queue, subscription, 0, 0, again=True)])
            if len(queue.subscriptions) == 1:
                both = lambda: [_acked(queue, subscription, 0, 0), _next_delivered(queue, subscription)]  # noqa: E731
                next = self._prepared((*key, "next"), both)
        return AckingConsumer(
            consumer.name, place, subscription, channel, worker, consumer.concurrency, rule, takes, acked, delivered, again, next,
        )  # fmt: skip

    # What is told ------------------------------------------------------------------------------------------------------

    def _prepared(self, key: tuple[Any, ...], told: Callable[[], list[Any]], keeps: Any = None) -> Emit:
        """Prepared once in a run, not once a look. `keeps`: the objects whose identities stand in the key."""
        if self.narrator is None:
            return _silent
        known = self.prepared.get(key)
        if known is None:
            if len(self.prepared) >= PREPARED:
                self.prepared.clear()
            known = self.prepared[key] = (self.narrator.prepare(told()), keeps)
        return known[0]

    def _passage(self, course: PreparedPublish, takers: tuple[int, ...]) -> Emit:
        """Told of a publish that these consumers take: what its queues do with it, and the answers that take no time."""
        key = (id(course.content), course.channel.name, takers, *map(id, course.paths))
        tell = course.told[takers] = self._prepared(key, lambda: _passage(course, takers), (course, takers))
        return tell

    # What happens ------------------------------------------------------------------------------------------------------

    def _publish(self, course: PreparedPublish, action: PublishMany, start: int, stop: int) -> int:
        """Publishes of one step at this instant; returns how many answers their consumers give."""
        first, count, copies = action.first or 0, stop - start, (stop - start) * len(course.places)
        only = course.places[0] if len(course.places) == 1 else None
        if only is not None and only.instant is not None:
            publish = self._straight_through
        else:
            publish = self._wait_in_line if only is not None and not only.queue.active else self._to_all
        delivered, answered = publish(course, action.id_prefix, range(first + start, first + stop))
        self.broker.serial += copies
        ledger = self.broker.ledger
        ledger.published += count
        ledger.routed += count
        ledger.enqueued += copies
        ledger.delivered += delivered
        ledger.acked += answered
        return answered

    def _to_all(self, course: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int]:
        """Publishes to whatever queues; returns how many deliveries and how many answers that makes."""
        broker, traced = self.broker, self.narrator is not None
        now, serial, make = broker.now, broker.serial, tuple.__new__
        content, _, places, _, told = course
        size = content.size
        delivered = answered = 0
        sent: list[tuple[AckingConsumer, Delivery[Classic]]] = []
        for number in numbers:
            message = f"{prefix}{number}"
            first_copy = serial + 1
            takers: tuple[int, ...] = ()
            tags: tuple[int, ...] = ()
            for queue, hands, instant in places:
                serial += 1
                if instant is not None:
                    instant.worker.job_number += 1
                    instant.channel.next_tag += 1
                    answered += 1
                    if traced:
                        takers += (id(instant.subscription),)
                        tags += (instant.channel.next_tag - 1,)
                    continue
                subscription = queue.next_consumer() if queue.active and not queue.count else None
                if subscription is None:
                    queue.levels[0].append(make(Copy, (serial, message, content, None, 0, 0)))
                    queue.count += 1
                    queue.bytes += size
                    if traced:
                        takers += (0,)
                    continue
                hand = hands[id(subscription)]
                channel, worker, takes = hand.channel, hand.worker, hand.takes
                tag = channel.next_tag
                channel.next_tag = tag + 1
                if traced:
                    takers += (id(subscription),)
                    tags += (tag,)
                if takes:
                    delivered += 1
                    copy = make(Copy, (serial, message, content, None, 0, 0))
                    delivery = channel.unacked[tag] = make(Delivery, (tag, queue, subscription, copy, now, False))
                    queue.unacked += 1
                    sent.append((hand, delivery))
                    continue
                answered += 1
                worker.job_number += 1
                if subscription.prefetch:
                    subscription.credit += 1
                    if subscription.credit == 1:
                        queue.unblock(channel.name)
            if traced:
                tell = told.get(takers) or self._passage(course, takers)
                tell(now, message, first_copy, *tags)
            if sent:
                for hand, delivery in sent:
                    self._receive(hand, delivery)
                sent.clear()
        return delivered + answered, answered

    def _wait_in_line(self, course: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int]:
        """Publishes to one queue from which nobody takes anything now."""
        queue, content, traced = course.places[0].queue, course.content, self.narrator is not None
        now, serial, make, append = self.broker.now, self.broker.serial, tuple.__new__, queue.levels[0].append
        tell = (course.told.get((0,)) or self._passage(course, (0,))) if traced else _silent
        for number in numbers:
            serial += 1
            message = f"{prefix}{number}"
            append(make(Copy, (serial, message, content, None, 0, 0)))
            if traced:
                tell(now, message, serial)
        queue.count += len(numbers)
        queue.bytes += len(numbers) * content.size
        return 0, 0

    def _straight_through(self, course: PreparedPublish, prefix: str, numbers: range) -> tuple[int, int]:
        """Each publish to the one consumer of the one queue, who answers at once."""
        hand = course.places[0].instant
        assert hand is not None
        now, serial, traced = self.broker.now, self.broker.serial, self.narrator is not None
        channel, worker, takers = hand.channel, hand.worker, (id(hand.subscription),)
        tell = (course.told.get(takers) or self._passage(course, takers)) if traced else _silent
        for number in numbers:
            serial += 1
            tag = channel.next_tag
            channel.next_tag = tag + 1
            worker.job_number += 1
            if traced:
                tell(now, f"{prefix}{number}", serial, tag)
        return len(numbers), len(numbers)

    def _publish_next(self, due: NextPublish, free: int) -> int | None:
        """The next of the publishes that a step has scheduled. None: not here."""
        action, index, at_ms = due
        course = self._course(action)
        if course is None or index + 1 >= action.times or free <= len(course.places) + 1:
            return None
        answers = self._publish(course, action, index, index + 1)
        at_ms += action.every_ms
        self.agenda.number += 1
        following: NextPublish = tuple.__new__(NextPublish, (action, index + 1, at_ms))
        heapreplace(self.agenda.heap, (at_ms, PUBLISH, self.agenda.number, following))
        return answers

    def _receive(self, hand: AckingConsumer, delivery: Delivery[Classic]) -> None:
        worker = hand.worker
        if len(worker.jobs) < hand.concurrency and not worker.waiting:
            self._begin(hand, delivery)
        else:
            worker.waiting.append((delivery, 0))

    def _begin(self, hand: AckingConsumer, delivery: Delivery[DeliveringQueue]) -> None:
        agenda, worker = self.agenda, hand.worker
        number = worker.job_number = worker.job_number + 1
        job: ConsumerJob = tuple.__new__(ConsumerJob, (worker, number, delivery, hand.rule, 0))
        worker.jobs[number] = job
        agenda.number = planned = agenda.number + 1
        heappush(agenda.heap, (self.broker.now + hand.takes, FINISH, planned, job))

    def _dispatch(self, place: PlainQueue) -> list[tuple[AckingConsumer, Delivery[Classic]]]:
        queue, sent = place.queue, []
        while queue.count:
            subscription = queue.next_consumer()
            if subscription is None:
                break
            hand = place.hands[id(subscription)]
            sent.append((hand, self._send(hand, queue)))
        return sent

    def _send(self, hand: AckingConsumer, queue: Classic) -> Delivery[Classic]:
        """The head of the queue, to this consumer."""
        broker, channel = self.broker, hand.channel
        copy = queue.levels[0].popleft()
        queue.count -= 1
        queue.bytes -= copy.content.size
        tag = channel.next_tag
        channel.next_tag = tag + 1
        delivery: Delivery[Classic] = tuple.__new__(Delivery, (tag, queue, hand.subscription, copy, broker.now, False))
        channel.unacked[tag] = delivery
        queue.unacked += 1
        broker.ledger.delivered += 1
        if copy.returns:
            broker.ledger.redelivered += 1
        if self.narrator is not None:
            tell = hand.again if copy.returns else hand.delivered
            tell(broker.now, copy.message, copy.serial, tag)
        return delivery


def _passage(course: PreparedPublish, takers: tuple[int, ...]) -> list[Any]:
    content, name = course.content, course.channel.name
    told: list[Any] = [events.Published(AT, MESSAGE, content.exchange, content.routing_key, name)]
    answers, tag = [], 0
    for index, (place, path, taker) in enumerate(zip(course.places, course.paths, takers, strict=True)):
        queue = place.queue
        told.append(events.Enqueued(AT, MESSAGE, queue.name, _copy(index), "published", path))
        if taker:
            hand = place.hands[taker]
            told.append(_delivered(queue, hand.subscription, index, tag, again=False))
            if not hand.takes:
                answers.append(_acked(queue, hand.subscription, index, tag))
            tag += 1
    if course.channel.confirms:
        told.append(events.Confirmed(AT, MESSAGE, "ack", len(course.places)))
    return told + answers


def _copy(index: int) -> Any:
    return Placeholder("copy", index)


def _tag(index: int) -> Any:
    return Placeholder("tag", index)


def _delivered(queue: Classic, subscription: Subscription, index: int, tag: int, *, again: bool) -> events.Delivered:
    channel = subscription.channel.name
    return events.Delivered(AT, MESSAGE, queue.name, _copy(index), subscription.name, channel, _tag(tag), again, False)


def _next_delivered(queue: Classic, subscription: Subscription) -> events.Delivered:
    return _delivered(queue, subscription, 0, 0, again=False)._replace(
        message=NEXT_MESSAGE, copy=NEXT_COPY, delivery_tag=NEXT_TAG
    )


def _acked(queue: Classic, subscription: Subscription, index: int, tag: int) -> events.Acked:
    return events.Acked(AT, MESSAGE, queue.name, _copy(index), subscription.name, _tag(tag))


def _silent(*told: Any) -> None:
    """Nobody listens."""
