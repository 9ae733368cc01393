"""What the embedded engines have in common: virtual time, channels, the ledger, and what happens to every copy alike.

Plain data: it can be copied at any moment.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from routesim import events
from routesim.broker.clock import Agenda, AgendaEntry
from routesim.broker.ledger import Ledger
from routesim.broker.memory import Memory
from routesim.broker.policy_index import Policies
from routesim.broker.protocols import OpenOrders
from routesim.broker.records import (
    PREDECLARED,
    ChannelEnded,
    ConsumerEnded,
    ExchangeState,
    Incoming,
    Livelock,
    PublishOutcome,
    QueueAnswer,
    RememberedRoute,
    StepFailure,
)
from routesim.chance import uniform
from routesim.content import Content
from routesim.model import Binding, BrokerSettings, ChannelPlan, Exchange, Message
from routesim.queues import Channel, Copy, Delivery, QueueType, Subscription, unacked_of
from routesim.replies import AmqpError
from routesim.steps import Step
from routesim.versions import Rules
from routesim.versions.deprecated import permitting

COMEBACKS_OF_A_LIVELOCK = 1_000
REMEMBERED_ROUTES = 4096
REMEMBERED_CONTENTS = 1024


class Broker:
    """`apply` a step, `advance` the clock; what happens goes to `listen`, what consumers must react to into `outbox`.

    Every call ends with the broker at rest: dispatched to exhaustion, dead letters carried out, the ledger balanced.
    `listen` None: no event is built. A subclass is one engine: RabbitMQ (`RabbitBroker`) or Redis (`RedisBroker`).
    """

    predeclared: ClassVar[tuple[Exchange, ...]] = PREDECLARED

    def __init__(
        self, rules: Rules, *, vhost: str = "/", seed: int = 0, settings: BrokerSettings | None = None,
        channel_plans: dict[str, ChannelPlan] | None = None,
        listen: Callable[[events.Event], None] | None = None,
    ) -> None:  # fmt: skip
        self.broker_settings = settings or BrokerSettings()
        self.rules = rules = permitting(rules, self.broker_settings.permit)
        self.vhost = vhost
        self.seed = seed
        self.channel_plans = channel_plans or {}
        self.listen = listen
        self.now = 0
        self.epoch_s = 0  # what x-death calls the beginning of time
        self.agenda = Agenda()
        self.ledger = Ledger()
        self.exchanges = {item.name: ExchangeState(item, rules) for item in self.predeclared}
        self.incoming = Incoming()
        self.incoming_shared = False
        self.queues: dict[str, QueueType] = {}
        self.queues_declared = 0  # ever
        self.owners: dict[str, dict[str, None]] = {}  # by connection: the names of its exclusive queues, as they were declared
        self.policies = Policies()  # on Redis there are none
        self.connections: dict[str, list[str]] = {}
        self.channels: dict[str, Channel[QueueType]] = {}
        self.every_channel_times_out = False  # else those queues do whose type says so
        self.channel_number = 0
        self.serial = 0
        self.registrations = 0
        self.most_deaths: int | None = None  # x-death counts no further, where nobody reads it and all that is to come matters
        self.races: OpenOrders | None = None  # else what RabbitMQ leaves open falls out as is usual
        self.draws = self.names_drawn = 0  # names apart, so that who asks for one changes nothing else
        self.outbox: deque[Delivery[QueueType] | ConsumerEnded | ChannelEnded] = deque()
        self.handed: Delivery[QueueType] | None = None  # what a client got last, for whoever hears of it
        self.answer: QueueAnswer | None = None  # of the last step that is answered with more than "ok"
        self.tells_publishers = False  # else nothing is put into `told`
        self.told: deque[PublishOutcome] = deque()
        self.failures: list[StepFailure] = []
        self.requeues_now: dict[str, list[str]] = {}
        self.livelock: Livelock | None = None
        self.used: dict[int, Binding] = {}  # by identity: the bindings that a message has matched
        self.routes: Memory[tuple[str, tuple[str, ...]], RememberedRoute] = Memory(REMEMBERED_ROUTES)
        self.contents: dict[int, tuple[Message, Content]] = {}  # by identity: messages that have passed the checks

    # What differs between the engines -------------------------------------------------------------------------------

    def apply(self, step: Step) -> AmqpError | None:
        """Carry out one step. A refusal closes the channel or connection, is noted in `failures` and returned."""
        raise NotImplementedError

    def _fire(self, entry: AgendaEntry) -> None:
        """What the agenda has planned for now happens."""
        raise NotImplementedError

    def patience_with(self, queue: QueueType) -> int:
        """For how long a delivery of the queue may be unacknowledged, in ms, where the consumer has not asked for less or more;
        0: for ever."""
        return 0

    def loses_patience_at(self, channel: Channel[QueueType]) -> int | None:
        """When a delivery of the channel has been unacknowledged for too long; None: never."""
        return None

    def arm(self, queue: QueueType, at_ms: int) -> None:
        """Call the queue's `tick` at that instant."""
        raise NotImplementedError

    def dead_letter(self, queue: QueueType, copy: Copy, reason: str, by: str = "", overdue: events.Overdue | None = None) -> None:
        """Dead-letter or drop a copy that has left the queue. `overdue`: why that is so late."""
        raise NotImplementedError

    def watch_acknowledgement(self, channel: Channel[QueueType]) -> None:
        """A delivery of the channel may become overdue."""

    def dead_letters_on_their_way(self) -> int:
        """How many copies have left their queue and are not yet anywhere else."""
        return 0

    def copy(self) -> "Broker":
        """An independent broker in the same situation, without a listener. Messages and unchanged bindings are shared."""
        raise NotImplementedError

    def fingerprint(self) -> tuple[Any, ...]:
        """Equal for two brokers that behave alike from here on, however they came to be so."""
        raise NotImplementedError

    # Time ------------------------------------------------------------------------------------------------------------

    def due(self) -> int | None:
        """The instant at which the broker itself has something to do."""
        return self.agenda.due()

    def idle(self) -> bool:
        """Nothing is on the agenda that keeps a run going by itself."""
        return not self.agenda.lively

    def advance(self, to_ms: int) -> None:
        """Let time pass up to and including `to_ms`; whoever plays the consumers sees to it that none is skipped."""
        while True:
            at_ms = self.agenda.due()
            if at_ms is None or at_ms > to_ms:
                break
            self._set_clock(at_ms)
            self._fire(self.agenda.pop())
        self._set_clock(to_ms)

    def _set_clock(self, at_ms: int) -> None:
        if at_ms > self.now:
            self.now = at_ms
            self.requeues_now.clear()

    def _tick(self, name: str, at_ms: int) -> None:
        queue = self.queues.get(name)
        if queue is not None and queue.armed_at is not None and queue.armed_at <= at_ms:
            queue.armed_at = None
            queue.tick(self)

    # Copies of messages ----------------------------------------------------------------------------------------------

    def deliver(self, queue: QueueType, subscription: Subscription, copy: Copy) -> None:
        channel = subscription.channel
        tag = channel.next_tag
        channel.next_tag = tag + 1
        auto_ack = subscription.auto_ack
        self.handed = delivery = Delivery(tag, queue, subscription, copy, self.now, auto_ack)
        ledger = self.ledger
        ledger.delivered += 1
        redelivered = copy.returns > 0 or copy.failures > 0
        if redelivered:
            ledger.redelivered += 1
        if not auto_ack:
            channel.unacked[tag] = delivery
            if not queue.keeps_log:
                queue.unacked += 1
            if not channel.timeout_armed and (self.every_channel_times_out or queue.times_out_each):
                self.watch_acknowledgement(channel)
        elif not queue.keeps_log:
            ledger.acked += 1
        if self.listen:
            self.listen(
                events.Delivered(
                    self.now, copy.message, queue.name, copy.serial, subscription.name, channel.name, tag,
                    redelivered and not queue.keeps_log, auto_ack,
                )
            )  # fmt: skip
        self.outbox.append(delivery)

    def drop(self, queue: QueueType, copy: Copy, reason: str, why: str, by: str = "", *, entered: bool = True) -> None:
        """`copy` ends here."""
        if entered:
            self.ledger.dropped += 1
        if self.listen:
            self.listen(events.Dropped(self.now, copy.message, queue.name, copy.serial, reason, why, by))

    def requeued(self, queue: QueueType, copy: Copy, by: str, why: str) -> None:
        if self.listen:
            self.listen(events.Requeued(self.now, copy.message, queue.name, copy.serial, by, why))
        self.came_back(copy.message, queue.name)

    def overdue(self, event: events.Overdue) -> None:
        if self.listen:
            self.listen(event)

    def retry_delayed(self, queue: QueueType, copy: Copy, until_ms: int) -> None:
        if self.listen:
            self.listen(events.RetryDelayed(self.now, copy.message, queue.name, copy.serial, until_ms))

    def came_back(self, message: str, place: str) -> None:
        """Counts returns at one instant; a message that does nothing else is a livelock."""
        places = self.requeues_now.setdefault(message, [])
        places.append(place)
        if len(places) >= COMEBACKS_OF_A_LIVELOCK and self.livelock is None:
            self.livelock = Livelock(message, tuple(_cycle(places)))

    def go_on(self) -> None:
        """What came back at this instant is forgotten: between real clients it is no livelock, for each of its rounds takes
        time."""
        if self.requeues_now:
            self.requeues_now.clear()
            self.livelock = None

    def activated(self, queue: QueueType, subscription: Subscription) -> None:
        if self.listen:
            self.listen(events.ConsumerActive(self.now, subscription.name, queue.name))

    def unacked_of(self, queue: object) -> list[tuple[str, str | None, str, int, bool]]:
        """What is out and unsettled of a queue: message, consumer (None: basic.get), channel, tag, redelivered."""
        assert isinstance(queue, QueueType)
        subscribed = {item.channel.number: item.channel for item in queue.subscriptions.values()}
        of_consumers = unacked_of([subscribed[number] for number in sorted(subscribed)], queue)
        if len(of_consumers) == queue.unacked and not queue.keeps_log:
            return of_consumers
        return unacked_of(self.channels.values(), queue)

    def lost_by_consumer(self, consumer: str, message: str, queue: str, serial: int) -> None:
        """A consumer crashed while working on a message that was acknowledged when it was sent."""
        self.ledger.lost_by_consumer += 1
        if self.listen:
            self.listen(events.LostByConsumer(self.now, message, queue, serial, consumer))

    def lost_by_worker(self, event: events.TaskLost) -> None:
        """A worker process ended with a task of which the message was acknowledged."""
        self.ledger.task_lost += 1
        if self.listen:
            self.listen(event)

    # Shared by the parts of an engine --------------------------------------------------------------------------------

    def draw(self, count: int) -> int:
        """0 to `count` - 1, from the seed and the number of draws so far."""
        self.draws += 1
        return int(uniform(self.seed, self.draws) * count)

    def channel(self, name: str) -> Channel[QueueType]:
        """The open channel of that name; opened now when it is not."""
        found = self.channels.get(name)
        return found if found is not None else self.open(self.channel_plans.get(name) or ChannelPlan(name, name))

    def open(self, plan: ChannelPlan) -> Channel[QueueType]:
        """A new channel of that name."""
        name = plan.name
        self.channel_number += 1
        channel: Channel[QueueType] = Channel(
            name, plan.connection, self.channel_number, confirms=plan.confirms, opened_at=self.now
        )
        if plan.prefetch:
            if self.rules.global_qos_denied:
                channel.prefetch = plan.prefetch
            else:
                channel.limit = plan.prefetch
        self.channels[name] = channel
        self.connections.setdefault(plan.connection, []).append(name)
        return channel

    def unshared_incoming(self) -> Incoming:
        """Before a change: stop sharing it with a copy of the broker."""
        if self.incoming_shared:
            self.incoming = self.incoming.clone()
            self.incoming_shared = False
        return self.incoming

    def warn(self, text: str) -> None:
        if self.listen:
            self.listen(events.Warned(self.now, text))


def _cycle(places: list[str]) -> list[str]:
    """The shortest period at the end of the list, e.g. `work → retry → work`."""
    for period in range(1, len(places) // 2):
        if places[-period:] == places[-2 * period : -period]:
            return [*places[-period:], places[-period]]
    return list(dict.fromkeys(places))
