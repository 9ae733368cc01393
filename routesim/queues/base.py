"""What every type of queue answers, and what a queue may ask of the broker around it."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

from routesim.content import Content, digest
from routesim.events import Overdue
from routesim.model import Queue
from routesim.queues.consumer_arguments import check_consumer_arguments
from routesim.queues.consumers import Channel, Copy, Delivery, Subscription
from routesim.queues.fingerprint import ConsumerNumbers, Fingerprint
from routesim.queues.settings import Origin, QueueSettings
from routesim.replies import AmqpError
from routesim.values import Table, table_identity
from routesim.versions import Rules

BEHIND, NO_TIMER, UNACKED = "behind", "no timer", "unacked"  # why a copy is overdue (rules/queues#5.4 to rules/queues#5.7)
ACK, REQUEUE, DISCARD = "ack", "requeue", "discard"
NO_FAILURE = frozenset({"nack", "recover"})  # from 4.3 on; anything else is a failed delivery


class Host(Protocol):
    """The broker, as a queue sees it."""

    now: int
    rules: Rules

    def deliver(self, queue: "QueueType", subscription: Subscription, copy: Copy) -> None:
        """Send `copy` to the consumer over its channel."""

    def dead_letter(self, queue: "QueueType", copy: Copy, reason: str, by: str = "", overdue: Overdue | None = None) -> None:
        """Dead-letter or drop a copy that has left the queue. `overdue`: why that is so late."""

    def requeued(self, queue: "QueueType", copy: Copy, by: str, why: str) -> None:
        """A copy is back in the queue."""

    def retry_delayed(self, queue: "QueueType", copy: Copy, until_ms: int) -> None:
        """A copy that is back in the queue is not ready before that instant."""

    def overdue(self, event: Overdue) -> None:
        """A copy that was to expire earlier is delivered now."""

    def arm(self, queue: "QueueType", at_ms: int) -> None:
        """Call the queue's `tick` at that instant."""

    def activated(self, queue: "QueueType", subscription: Subscription) -> None:
        """A single active consumer took over."""


class QueueType:
    """One queue: its messages, its consumers, and whose turn it is. A subclass is one type of queue.

    - `keeps_log`: a copy stays when it is settled, and every consumer reads for itself;
    - `replicated`: what is done to it goes through a log that several nodes agree on;
    - `returns_to_place`: what comes back stands where it stood before;
    - `kill_marks_redelivered`: after a kill everything that is kept counts as redelivered (rules/queues#7.3);
    - `times_out_each`: where acknowledgement timeouts are the queue's (4.3+), it has one, for each delivery (rules/queues#5.10);
    - `at_least_once`: it can keep a dead letter until it has been taken (rules/routing#D19);
    - `declaring_renews_lease`, `lease_tick_ms`: declaring it again counts as use for x-expires; how often it looks whether
      that is over, 0: at the instant itself (rules/queues#5.9);
    - `knows_publishers`: it keeps state about the channels that publish to it;
    - `counts_holders`: whoever holds a message, be it by basic.get or after its end, counts as a consumer for a declare;
    - `shares_single_active`: basic.get works beside a single active consumer;
    - `counts_returns`: how often a copy came back matters, not only whether it did.
    """

    kind: ClassVar[str]
    keeps_log: ClassVar[bool] = False
    replicated: ClassVar[bool] = False
    returns_to_place: ClassVar[bool] = True
    kill_marks_redelivered: ClassVar[bool] = False
    times_out_each: ClassVar[bool] = False
    at_least_once: ClassVar[bool] = False
    declaring_renews_lease: ClassVar[bool] = False
    lease_tick_ms: ClassVar[int] = 0
    knows_publishers: ClassVar[bool] = False
    counts_holders: ClassVar[bool] = False
    shares_single_active: ClassVar[bool] = True
    counts_returns: ClassVar[bool] = True

    def __init__(
        self, name: str, broker_name: str, arguments: Table, *, durable: bool = True, auto_delete: bool = False,
        owner: str | None = None, rules: Rules, vhost: str = "/",
    ) -> None:  # fmt: skip
        self.name = name
        self.broker_name = broker_name
        self.arguments = arguments
        self.durable = durable
        self.auto_delete = auto_delete
        self.owner = owner  # the connection of an exclusive queue
        self.declared = 0  # how many queues had been declared then, with this one
        self.rules = rules
        self.vhost = vhost
        self.settings = QueueSettings()
        self.origins: dict[str, Origin] = {}
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        self.had_consumers = False
        self.deleted = False
        self.unacked = 0
        self.awaiting: list[tuple[Copy, str]] = []  # at-least-once dead letters that nothing has taken yet
        self.aside_bytes = 0  # of what is neither ready nor out: `awaiting`, delayed retries
        self.burying = 0  # dead letters that have left the queue, are on their way and are to arrive at least once
        self.burying_bytes = 0
        self.armed_at: int | None = None
        self.last_taken: str | None = None  # the message that left the front last
        self.passed_over: dict[int, str] = {}  # by serial: why a copy may not expire when it is due
        self.used_at = 0  # when the lease of x-expires began
        self.look: tuple[QueueSettings, bytes] | None = None  # of what is declared, with those settings; worked out once

    # What differs between the types --------------------------------------------------------------------------------

    def publish(self, host: Host, copy: Copy, channel: str | None) -> None:
        """Take a message that `refusal` has not refused. `channel` None: it comes from the broker itself."""
        raise NotImplementedError

    def refusal(self, content: Content, channel: str | None) -> str | None:
        """Why the queue does not take this message now; None: it takes it. `channel` None: a dead letter."""
        return None

    def consume(self, host: Host, subscription: Subscription) -> None:
        raise NotImplementedError

    def cancel(self, host: Host, subscription: Subscription) -> None:
        """Take the consumer out; what it holds stays unacked."""
        raise NotImplementedError

    def settle(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], how: str, by: str, why: str) -> None:
        """`copies`, delivered to one consumer (None: by basic.get), are acked, requeued or discarded in one operation."""
        raise NotImplementedError

    def take_back(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], by: str) -> None:
        """`copies` were not acknowledged in time: their consumer leaves (None: it has left, or they are of a basic.get), they
        come back, and only then is somebody else served (rules/queues#5.10). Only where `times_out_each`."""
        raise NotImplementedError

    def channel_down(
        self, host: Host, channel: "Channel[QueueType]", deliveries: "Sequence[Delivery[QueueType]]", why: str
    ) -> None:
        """A channel is gone: take back what it held of this queue. Its consumers have been removed already."""
        raise NotImplementedError

    def remove_consumer(self, subscription: Subscription) -> None:
        """Remove a consumer of which the channel is gone, without dispatching."""
        raise NotImplementedError

    def get(self, host: Host) -> Copy | None:
        """Take the head for basic.get."""
        raise NotImplementedError

    def purge(self, host: Host) -> list[Copy]:
        """Remove and return all ready messages."""
        raise NotImplementedError

    def expire_ready(self, host: Host) -> None:
        """The time to live of all ready messages is over."""
        raise NotImplementedError

    def tick(self, host: Host) -> None:
        """An instant asked for with `arm` has come."""
        raise NotImplementedError

    def settings_changed(self, host: Host, before: QueueSettings) -> None:
        """A policy changed `settings`."""

    def resume(self, host: Host, channel: "Channel[QueueType]") -> None:
        """A channel that stood at its global limit may be sent to again."""

    def restart(self, host: Host, *, clean: bool) -> list[Copy]:
        """The broker comes back: keep what survives, return what is lost."""
        raise NotImplementedError

    def ready(self) -> Iterator[Copy]:
        """The ready messages, in the order in which basic.get would give them."""
        raise NotImplementedError

    def ready_count(self) -> int:
        raise NotImplementedError

    def level(self, content: Content) -> int:
        """Among what waits, the place that a message's priority gives it; 0 in a queue without priorities."""
        return 0

    def taken_over(self, content: Content) -> int:
        """How many failed deliveries this queue reckons with from the start, of those that a dead letter brings along
        (rules/routing#D22)."""
        return 0

    def carried_count(self, copy: Copy) -> int:
        """How many failed deliveries a dead letter of this copy brings along (rules/routing#D22)."""
        return copy.content.delivery_count

    def awaiting_changed(self, host: Host) -> None:
        """A dead letter is with its targets, or kept in `awaiting`, for no queue has taken it."""

    def held_back(self) -> list[Copy]:
        """Copies that are in the queue but not ready: delayed retries."""
        return []

    def copies(self) -> list[Copy]:
        """Every copy that waits in the queue: ready, held back, or as a dead letter that nothing has taken yet."""
        return [*self.ready(), *self.held_back(), *(copy for copy, _ in self.awaiting)]

    def held_by_get(self) -> bool:
        """Whether it is in use, for x-expires, though nobody consumes from it."""
        return False

    def counts_nacks(self) -> bool:
        """Whether a nack that requeues counts towards the delivery limit (rules/queues#2.10)."""
        return True

    @classmethod
    def check_named(cls, declared: Queue) -> None:
        """Raises the `AmqpError` that RabbitMQ answers when a queue of this type cannot be named by the server."""
        if declared.server_named:
            raise AmqpError(406, f"Cannot declare a server-named queue for type {cls.kind}", argument="server_named")

    @classmethod
    def check_declare(cls, declared: Queue, durable: bool, where: str, rules: Rules) -> None:
        """Raises the `AmqpError` that RabbitMQ answers when a queue of this type cannot have these properties."""
        cls.check_named(declared)
        for field, wrong in (
            ("auto-delete", declared.auto_delete), ("exclusive-owner", declared.exclusive), ("non-durable", not durable),
        ):  # fmt: skip
            if wrong:
                raise AmqpError(406, f"invalid property '{field}' for {where}", argument=field)

    def size(self, content: Content) -> int:
        """What a message counts towards max-length-bytes (rules/queues#6.2)."""
        return content.size

    def bury(self, copy: Copy) -> None:
        """A dead letter that is to arrive at least once leaves the queue; `buried` says when it is with its targets, or kept
        back. Until then it counts towards the queue's limits."""
        self.burying += 1
        self.burying_bytes += self.size(copy.content)

    def buried(self, copy: Copy) -> None:
        self.burying -= 1
        self.burying_bytes -= self.size(copy.content)

    def keep_back(self, copy: Copy, reason: str) -> None:
        """No queue has taken the dead letter, which is to arrive at least once."""
        self.awaiting.append((copy, reason))
        self.aside_bytes += self.size(copy.content)

    def take_kept_back(self) -> list[tuple[Copy, str]]:
        waiting, self.awaiting = self.awaiting, []
        self.aside_bytes -= sum(self.size(copy.content) for copy, _ in waiting)
        return waiting

    def check_delete(self, *, if_unused: bool, if_empty: bool) -> None:
        """Raises the `AmqpError` that RabbitMQ answers to queue.delete with these flags."""

    def check_answer(self, how: str, why: str) -> None:
        """Raises the `AmqpError` that RabbitMQ gives to an answer that this type does not know."""

    def clone(self, channels: "dict[str, Channel[QueueType]]") -> "QueueType":
        """An equal queue whose consumers are on the given channels."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.awaiting, other.subscriptions, other.passed_over = self.awaiting.copy(), {}, self.passed_over.copy()
        twins: dict[int, Subscription] = {}
        for key, old in self.subscriptions.items():
            other.subscriptions[key] = twins[id(old)] = old.clone(channels[old.channel.name])
        other._unshare(twins)
        return other

    def _unshare(self, twins: dict[int, Subscription]) -> None:
        """Of a clone that is being made: copy what a subclass changes in place. `twins`: its own consumers, by identity of
        those that they are clones of."""
        raise NotImplementedError

    def fingerprint(self, prints: Fingerprint) -> tuple[Any, ...]:
        """Equal for queues that behave alike from here on."""
        numbers = ConsumerNumbers(self.subscriptions.values())
        consumers = tuple(
            (item.channel.name, item.tag, item.credit, item.priority, item.auto_ack, item.quiescing, item.offset)
            for item in numbers.order
        )
        awaiting = tuple((prints.copy(copy), reason) for copy, reason in self.awaiting)
        lease = None if self.settings.expires is None else prints.after(self.used_at)
        if self.look is None or self.look[0] is not self.settings:
            declared = self.kind, self.durable, self.owner, self.settings, table_identity(self.arguments)
            self.look = self.settings, digest(declared)
        common = (
            self.look[1], self.auto_delete, self.had_consumers, consumers, awaiting, lease, prints.after(self.armed_at),
        )  # fmt: skip
        return common, self._own_fingerprint(prints, numbers)

    def _own_fingerprint(self, prints: Fingerprint, numbers: ConsumerNumbers) -> tuple[Any, ...]:
        """What a type has beside what all have."""
        raise NotImplementedError

    # What the types share -----------------------------------------------------------------------------------------

    def consumer_count(self) -> int:
        return len(self.subscriptions)

    def expires_at(self, content: Content, now: int) -> int | None:
        """The instant at which a message enqueued now expires: the lower TTL counts (rules/queues#5.1)."""
        queue_ttl, own_ttl = self.settings.message_ttl, content.ttl_ms
        if queue_ttl is None:
            return None if own_ttl is None else now + own_ttl
        return now + (queue_ttl if own_ttl is None or queue_ttl < own_ttl else own_ttl)

    def _note_return(self, host: Host, copy: Copy) -> None:
        """A copy is put back; one that is due by now was out at that instant (rules/queues#5.7)."""
        if copy.expires_at is not None and copy.expires_at < host.now:
            self.passed_over[copy.serial] = UNACKED

    def _overdue(self, host: Host, copy: Copy) -> Overdue | None:
        """Why the copy, which is about to leave the front, leaves later than it was due; None: it does not."""
        why = self.passed_over.pop(copy.serial, None)
        due = copy.expires_at
        if due is None or due >= host.now:
            return None
        before = self.last_taken if why is None else None
        return Overdue(host.now, copy.message, self.name, copy.serial, due, why or BEHIND, before)

    def waits_overdue(self, copy: Copy, now: int) -> Overdue | None:
        """The same of a ready copy that still waits."""
        if copy.expires_at is None or copy.expires_at >= now:
            return None
        why = self.passed_over.get(copy.serial, BEHIND)
        head = next(self.ready(), None) if why == BEHIND else None
        before = head.message if head is not None else None
        return Overdue(now, copy.message, self.name, copy.serial, copy.expires_at, why, before)

    def check_consume(self, auto_ack: bool, exclusive: bool, arguments: Table, channel: "Channel[QueueType]") -> None:
        """Raises the `AmqpError` that RabbitMQ answers to basic.consume (rules/queues#3.1)."""
        check_consumer_arguments(self.kind, self.where(), arguments, self.rules)

    def check_get(self, channel: "Channel[QueueType]") -> None:
        """Raises the `AmqpError` that RabbitMQ answers to basic.get."""

    def where(self) -> str:
        return f"queue '{self.broker_name}' in vhost '{self.vhost}'"

    def headers(self, copy: Copy, *, got: bool = False) -> Table:
        """The headers with which this queue delivers the copy."""
        return copy.content.delivered_headers()

    def credit_owner(self, subscription: Subscription | None) -> Subscription | None:
        """Who gets the credit of a settled delivery: the consumer that has the tag now, be it a later one of that name."""
        if subscription is None or not subscription.cancelled:
            return subscription
        later = self.subscriptions.get((subscription.channel.name, subscription.tag))
        return later if later is not None and later.channel is subscription.channel else None
