"""The state of the embedded broker, and what its queues may ask of it. Plain data: it can be copied at any moment."""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from routesim import events
from routesim.broker.clock import LEASE, OVERDUE, RETRY, TICK, Agenda
from routesim.broker.ledger import Ledger
from routesim.broker.memory import Memory
from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES, ExchangeType
from routesim.model import (
    DEFAULT_EXCHANGE,
    REPLY_TO,
    Binding,
    BrokerSettings,
    ChannelPlan,
    Exchange,
    Message,
    Policy,
)
from routesim.queues import Channel, Classic, Copy, Delivery, QueueType, Subscription, unacked_of
from routesim.replies import AmqpError
from routesim.versions import Rules

PREDECLARED = (
    Exchange(DEFAULT_EXCHANGE, "direct"),
    Exchange("amq.direct", "direct"),
    Exchange("amq.fanout", "fanout"),
    Exchange("amq.headers", "headers"),
    Exchange("amq.match", "headers"),
    Exchange("amq.topic", "topic"),
    Exchange("amq.rabbitmq.trace", "topic", internal=True),
)
ACKNOWLEDGEMENT_TIMEOUT_MS = 1_800_000
TIMEOUT_TICK_MS = 60_000
DEAD_LETTER_RETRY_MS = 180_000
COMEBACKS_OF_A_LIVELOCK = 1_000
REMEMBERED_ROUTES = 4096
REMEMBERED_CONTENTS = 1024

BindingKey = tuple[str, str, str, tuple[Any, ...]]  # destination type, destination, routing key, identity of arguments


class ExchangeState:
    """A declared exchange, its bindings as a source, and the alternate exchange in force."""

    __slots__ = ("alternate", "bindings", "declared", "matcher", "shared")

    def __init__(self, declared: Exchange, rules: Rules) -> None:
        self.declared = declared
        self.matcher: ExchangeType = EXCHANGE_TYPES[declared.type](declared, rules)
        self.bindings: dict[BindingKey, Binding] = {}
        self.alternate: str | None = None
        self.shared = False

    def unshare(self) -> None:
        """Before a change: stop sharing bindings and matcher with a copy of the broker."""
        if self.shared:
            self.matcher, self.bindings, self.shared = self.matcher.clone(), self.bindings.copy(), False

    def clone(self) -> "ExchangeState":
        other = object.__new__(ExchangeState)
        other.declared, other.alternate, other.bindings = self.declared, self.alternate, self.bindings
        stateful = self.matcher.sees == "state"
        other.matcher = self.matcher.clone() if stateful else self.matcher
        if stateful:
            other.bindings = self.bindings.copy()
        else:
            self.shared = True
        other.shared = not stateful
        return other


class RememberedRoute(NamedTuple):
    """Where a message goes: each queue with the path that led there, every binding that matched, and why nothing did."""

    queues: tuple[tuple[QueueType, events.Path], ...]
    matched: tuple[Binding, ...]
    why_nowhere: str
    delayed_by: tuple[tuple[str, int], ...] = ()


class PendingDeadLetter(NamedTuple):
    """A copy on its way to a dead-letter exchange. `entered` False: its queue refused it, so it was never counted in."""

    queue: QueueType
    copy: Copy
    reason: str
    by: str
    entered: bool


class PendingPublish(NamedTuple):
    """A publish inside a transaction: routed when published, delivered at commit (rules/routing#S28)."""

    id: str
    content: Content
    route: RememberedRoute
    mandatory: bool


class StepFailure(NamedTuple):
    """A channel (or its connection) closed by the broker, or a step that could not be carried out (code None)."""

    at_ms: int
    code: int | None
    text: str


class ConsumerEnded(NamedTuple):
    """Told to whoever plays the consumer. `channel_lost`: what it held is no longer its own. `why` as in the events:
    cancelled, channel closed, connection lost …"""

    consumer: str
    channel: str
    channel_lost: bool
    why: str


class Livelock(NamedTuple):
    """A message that keeps coming back at one instant, and the places that it goes round; the run cannot go on."""

    message: str
    places: tuple[str, ...]


class State:
    """Everything that a broker knows. `listen` is called with every event; None: no event is built."""

    def __init__(
        self, rules: Rules, *, vhost: str = "/", seed: int = 0, settings: BrokerSettings | None = None,
        channel_plans: dict[str, ChannelPlan] | None = None,
        listen: Callable[[events.Event], None] | None = None,
    ) -> None:  # fmt: skip
        self.rules = rules
        self.vhost = vhost
        self.seed = seed
        self.every_channel_times_out = rules.acknowledgement_timeout == "channel"  # else quorum queues do
        self.broker_settings = settings or BrokerSettings()
        self.channel_plans = channel_plans or {}
        self.listen = listen
        self.now = 0
        self.agenda = Agenda()
        self.ledger = Ledger()
        self.exchanges = {item.name: ExchangeState(item, rules) for item in PREDECLARED}
        self.incoming: dict[tuple[str, str], dict[int, Binding]] = {}  # to a destination, by identity, in order
        self.incoming_shared = False
        self.queues: dict[str, QueueType] = {}
        self.reply_queue: QueueType = Classic(REPLY_TO, REPLY_TO, {}, rules=rules, vhost=vhost)
        self.reply_channels: dict[str, str] = {}  # every address that was ever handed out -> channel
        self.policies: dict[tuple[bool, str], Policy] = {}
        self.connections: dict[str, list[str]] = {}
        self.channels: dict[str, Channel[QueueType]] = {}
        self.uncommitted: dict[str, list[PendingPublish]] = {}  # by channel
        self.channel_number = 0
        self.serial = 0
        self.registrations = 0
        self.draws = 0
        self.outbox: deque[Delivery[QueueType] | ConsumerEnded] = deque()
        self.pending_dead_letters: deque[PendingDeadLetter] = deque()
        self.failures: list[StepFailure] = []
        self.requeues_now: dict[str, list[str]] = {}
        self.livelock: Livelock | None = None
        self.used: dict[int, Binding] = {}  # by identity: the bindings that a message has matched
        self.routes: Memory[tuple[str, tuple[str, ...]], RememberedRoute] = Memory(REMEMBERED_ROUTES)
        self.contents: dict[int, tuple[Message, Content]] = {}  # by identity: messages that have passed the checks

    # Asked by queues (queues.base.Host) ------------------------------------------------------------------------------

    def deliver(self, queue: QueueType, subscription: Subscription, copy: Copy) -> None:
        channel = subscription.channel
        tag = channel.next_tag
        channel.next_tag = tag + 1
        auto_ack = subscription.auto_ack
        delivery = Delivery(tag, queue, subscription, copy, self.now, auto_ack)
        ledger = self.ledger
        ledger.delivered += 1
        if copy.returns:
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
                    copy.returns > 0 and not queue.keeps_log, auto_ack,
                )
            )  # fmt: skip
        self.outbox.append(delivery)

    def dead_letter(self, queue: QueueType, copy: Copy, reason: str, by: str = "") -> None:
        if queue.settings.dead_letter_exchange is None:
            self.drop(queue, copy, reason, "the queue has no dead-letter exchange", by)
        else:
            self.pending_dead_letters.append(PendingDeadLetter(queue, copy, reason, by, True))

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

    def retry_delayed(self, queue: QueueType, copy: Copy, until_ms: int) -> None:
        if self.listen:
            self.listen(events.RetryDelayed(self.now, copy.message, queue.name, copy.serial, until_ms))

    def came_back(self, message: str, place: str) -> None:
        """Counts returns at one instant; a message that does nothing else is a livelock."""
        places = self.requeues_now.setdefault(message, [])
        places.append(place)
        if len(places) >= COMEBACKS_OF_A_LIVELOCK and self.livelock is None:
            self.livelock = Livelock(message, tuple(_cycle(places)))

    def arm(self, queue: QueueType, at_ms: int) -> None:
        if queue.armed_at is None or at_ms < queue.armed_at:
            queue.armed_at = at_ms
            self.agenda.add(at_ms, TICK, queue.name)

    def activated(self, queue: QueueType, subscription: Subscription) -> None:
        if self.listen:
            self.listen(events.ConsumerActive(self.now, subscription.name, queue.name))

    # Asked by whoever looks at it -----------------------------------------------------------------------------------

    def unacked_of(self, queue: object) -> list[tuple[str, str | None, str, int, bool]]:
        """What is out and unsettled of a queue: message, consumer (None: basic.get), channel, tag, redelivered."""
        return unacked_of(self.channels.values(), queue)

    # Shared by the parts of the broker -------------------------------------------------------------------------------

    def watch_acknowledgement(self, channel: Channel[QueueType]) -> None:
        """Wait for a delivery of the channel to become overdue (rules/queues#5.10): until 4.3 the oldest one, at a minute of
        the channel's life; then each delivery of a quorum queue at its own instant."""
        if self.every_channel_times_out:
            oldest = next(iter(channel.unacked.values()))
            at_ms = oldest.at_ms + self.acknowledgement_timeout(oldest.queue)
            minutes = (at_ms - channel.opened_at) // TIMEOUT_TICK_MS + 1
            at_ms = channel.opened_at + minutes * TIMEOUT_TICK_MS
        else:
            watched = [item for item in channel.unacked.values() if item.queue.times_out_each]
            if not watched:
                return
            at_ms = min(item.at_ms + self.acknowledgement_timeout(item.queue) for item in watched)
        channel.timeout_armed = True
        self.agenda.add(at_ms, OVERDUE, channel.name, channel.number)

    def watch_lease(self, queue: QueueType) -> None:
        """Wait for the lease of x-expires to run out; a queue may look only now and then (rules/queues#5.9)."""
        expires = queue.settings.expires
        if expires is None or queue.subscriptions:
            return
        at_ms = max(queue.used_at + expires, self.now)
        if queue.lease_tick_ms:
            at_ms = (at_ms // queue.lease_tick_ms + 1) * queue.lease_tick_ms
        self.agenda.add(at_ms, LEASE, queue.name)

    def acknowledgement_timeout(self, queue: QueueType) -> int:
        own, node = queue.settings.consumer_timeout, self.broker_settings.consumer_timeout
        node = ACKNOWLEDGEMENT_TIMEOUT_MS if node is None else node
        if own is None:
            return node
        return min(own, node) if self.rules.acknowledgement_timeout == "channel" else own

    def retry_dead_letter(self, queue: QueueType) -> None:
        self.agenda.add(self.now + DEAD_LETTER_RETRY_MS, RETRY, queue.name)

    def draw(self, count: int) -> int:
        """0 to `count` - 1, from the seed and the number of draws so far."""
        self.draws += 1
        return int(uniform(self.seed, self.draws) * count)

    def channel(self, name: str) -> Channel[QueueType]:
        """The open channel of that name; opened now when it is not."""
        found = self.channels.get(name)
        return found if found is not None else self._open(name)

    def _open(self, name: str) -> Channel[QueueType]:
        plan = self.channel_plans.get(name) or ChannelPlan(name, name)
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

    def queue(self, name: str) -> QueueType:
        """The queue of that name. Raises `AmqpError` (404)."""
        found = self.queues.get(name)
        if found is None:
            raise AmqpError(404, f"no queue '{name}' in vhost '{self.vhost}'")
        return found

    def accessible(self, queue: QueueType, connection: str) -> QueueType:
        """The queue itself. Raises `AmqpError` (405) when it is exclusive to another connection (rules/queues#1.7)."""
        if queue.owner is not None and queue.owner != connection:
            raise AmqpError(
                405,
                f"cannot obtain exclusive access to locked {queue.where()}. It could be originally declared on another "
                "connection or the exclusive property value does not match that of the original declaration.",
            )
        return queue

    def exchange(self, name: str) -> ExchangeState:
        """The exchange of that name. Raises `AmqpError` (404)."""
        found = self.exchanges.get(name)
        if found is None:
            raise AmqpError(404, f"no exchange '{name}' in vhost '{self.vhost}'")
        return found

    def unshared_incoming(self) -> dict[tuple[str, str], dict[int, Binding]]:
        """Before a change: stop sharing it with a copy of the broker."""
        if self.incoming_shared:
            self.incoming = {key: bindings.copy() for key, bindings in self.incoming.items()}
            self.incoming_shared = False
        return self.incoming

    def warn(self, text: str) -> None:
        if self.listen:
            self.listen(events.Warned(self.now, text))


def uniform(seed: int, counter: int, stream: int = 0) -> float:
    """A number in [0, 1) that depends on its arguments alone (splitmix64)."""
    mask = 0xFFFFFFFFFFFFFFFF
    value = (seed * 0x9E3779B97F4A7C15 + counter * 0xBF58476D1CE4E5B9 + stream * 0x94D049BB133111EB + 0x2545F4914F6CDD1D) & mask
    for _ in range(2):
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & mask
        value = (value ^ value >> 27) * 0x94D049BB133111EB & mask
        value ^= value >> 31
    return (value >> 11) / 2**53


def _cycle(places: list[str]) -> list[str]:
    """The shortest period at the end of the list, e.g. `work → retry → work`."""
    for period in range(1, len(places) // 2):
        if places[-period:] == places[-2 * period : -period]:
            return [*places[-period:], places[-period]]
    return list(dict.fromkeys(places))
