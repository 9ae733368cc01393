"""Classic queues: order by arrival, a rotating list of consumers, limits tested at the head (rules/queues#2.1 to
rules/queues#2.5, rules/queues#3.2, rules/queues#5, rules/queues#6).

With `x-max-priority` the queue is one such list a level; without it there is one level.
"""

from bisect import bisect
from collections import deque
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

from routesim.content import Content
from routesim.model import Queue
from routesim.queues.base import ACK, DISCARD, NO_FAILURE, NO_TIMER, REQUEUE, Host, QueueType
from routesim.queues.consumers import UNLIMITED, Channel, Copy, Delivery, Subscription
from routesim.queues.fingerprint import ConsumerNumbers, Fingerprint
from routesim.queues.lined import LinedQueue
from routesim.queues.settings import QueueSettings
from routesim.queues.single_active import Waiting, by_priority
from routesim.replies import AmqpError
from routesim.values import Table
from routesim.versions import Rules
from routesim.versions.deprecated import denial

MASTER_LOCATOR = "x-queue-master-locator"
SERIAL = attrgetter("serial")


class Classic(LinedQueue):
    """State:

    - `levels`: each sorted by serial number;
    - `blocked`: by channel, consumers that were offered a message while they had no credit;
    - `suspended`: channels that stood at their global limit when a message was offered.
    """

    kind = "classic"
    kill_marks_redelivered = True
    declaring_renews_lease = True
    counts_returns = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.blocked: dict[str, deque[Subscription]] = {}
        self.suspended: set[str] = set()
        self.counts_failures = self.rules.dead_letter_counts == "all"  # rules/routing#D22
        self.exclusive_to: Subscription | None = None
        self.active_consumer: Subscription | None = None
        self.successors: Waiting | None = None  # the single active consumer and who waits for its place, once there was one
        level = self.arguments.get("x-max-priority")
        if level is not None:
            highest = getattr(level, "value", level) or self.rules.max_priority_zero_levels
            self.levels = [deque() for _ in range(highest + 1)]

    # Messages ------------------------------------------------------------------------------------------------------

    def level(self, content: Content) -> int:
        return min(content.priority or 0, len(self.levels) - 1)

    def _append(self, copy: Copy) -> None:
        self.levels[self.level(copy.content)].append(copy)
        if copy.expires_at is not None:
            self.expiring = True
        self.count += 1
        self.bytes += copy.content.size

    def _insert(self, copy: Copy) -> None:
        """Back to its original place, by serial number (rules/queues#2.2)."""
        ready = self.levels[self.level(copy.content)]
        if not ready or copy.serial < ready[0].serial:
            ready.appendleft(copy)
        else:
            ready.insert(bisect(ready, copy.serial, key=SERIAL), copy)
        if copy.expires_at is not None:
            self.expiring = True
        self.count += 1
        self.bytes += copy.content.size

    def _place(self, copy: Copy) -> tuple[int, int]:
        """The least of them leaves first."""
        return -self.level(copy.content), copy.serial

    def head(self) -> Copy | None:
        """The next message to leave: the oldest of the highest level that has one."""
        if not self.count:
            return None
        return next(level[0] for level in reversed(self.levels) if level)

    def _take(self) -> Copy:
        copy = next(level for level in reversed(self.levels) if level).popleft()
        self.count -= 1
        self.bytes -= copy.content.size
        self.last_taken = copy.message
        return copy

    def ready(self) -> Iterator[Copy]:
        for level in reversed(self.levels):
            yield from level

    def ready_count(self) -> int:
        return self.count

    def line(self) -> deque[Copy]:
        return self.levels[0]

    def single_line(self) -> deque[Copy] | None:
        return None if self.passed_over else super().single_line()

    def is_plain(self) -> bool:
        return self.settings.overflow == "drop-head" and not self.settings.single_active_consumer

    def keeps_plainly(self) -> bool:
        return self.settings.max_length is None and self.keeps_so_many_plainly()

    def keeps_so_many_plainly(self) -> bool:
        limits = self.settings
        unlimited = limits.message_ttl is limits.max_length_bytes is None
        return unlimited and not self.expiring and len(self.levels) == 1

    def room(self, content: Content) -> int:
        limits, place = self.settings, self.level(content)
        if content.delivery_count or not any(self.levels[index] for index in range(place, len(self.levels))):
            return 0
        room = UNLIMITED if limits.max_length is None else limits.max_length - self.count
        if limits.max_length_bytes is not None and content.size:
            room = min(room, (limits.max_length_bytes - self.bytes) // content.size)
        return max(0, room)

    def join(self, copies: Sequence[Copy]) -> None:
        content = copies[0].content
        self.levels[self.level(content)].extend(copies)
        self.count += len(copies)
        self.bytes += len(copies) * content.size
        self.expiring = self.expiring or copies[0].expires_at is not None

    def takes_back_plainly(self, copy: Copy, now: int) -> bool:
        limits, head = self.settings, self.head()
        if self.passed_over or (copy.expires_at is not None and copy.expires_at <= now):
            return False
        if head is not None and self._place(head) < self._place(copy):
            return False
        return (limits.max_length is None or limits.max_length > self.count) and (
            limits.max_length_bytes is None or limits.max_length_bytes >= self.bytes + copy.content.size
        )

    # Publishing ----------------------------------------------------------------------------------------------------

    def refusal(self, content: Content, channel: str | None) -> str | None:
        limits = self.settings
        if limits.overflow == "drop-head":
            return None
        if limits.max_length is not None and self.count + 1 > limits.max_length:
            return f"max-length {limits.max_length} is reached"
        if limits.max_length_bytes is not None and self.bytes + content.size > limits.max_length_bytes:
            return f"max-length-bytes {limits.max_length_bytes} would be exceeded"
        return None

    def publish(self, host: Host, copy: Copy, channel: str | None) -> None:
        # Whenever a consumer is active the queue is empty: what is offered is what would be next.
        if self.turns and not self.count:
            subscription = self.next_consumer()
            if subscription is not None:
                host.deliver(self, subscription, copy)
                return
        if copy.content.delivery_count and (count := self.taken_over(copy.content)):
            copy = copy.with_failures(count)
        self._append(copy)
        if copy.expires_at is not None and self.count > 1 and len(self.levels) > 1 and self.head() is copy:
            self.passed_over[copy.serial] = NO_TIMER
        dropped = self.settings.overflow == "drop-head" and self._drop_over(host)
        # RabbitMQ looks at the head's expiry only here: a message that jumps the line by priority arms no timer
        # (rules/queues#5.5, rules/queues#5.6).
        if dropped or (self.count == 1 and copy.expires_at is not None):
            self._expire(host)

    def _over(self) -> bool:
        limits = self.settings
        return (limits.max_length is not None and self.count > limits.max_length) or (
            limits.max_length_bytes is not None and self.bytes > limits.max_length_bytes
        )

    def _drop_over(self, host: Host) -> bool:
        dropped = False
        while self._over():
            host.dead_letter(self, self._take(), "maxlen")
            dropped = True
        return dropped

    # Expiry --------------------------------------------------------------------------------------------------------

    def _expire(self, host: Host) -> None:
        """Remove the expired prefix, then wait for the new head."""
        head = self.head()
        while head is not None and head.expires_at is not None and head.expires_at <= host.now:
            overdue = self._overdue(host, head)
            host.dead_letter(self, self._take(), "expired", overdue=overdue)
            head = self.head()
        if head is not None and head.expires_at is not None:
            host.arm(self, head.expires_at)

    def expire_ready(self, host: Host) -> None:
        self.levels = [deque(copy._replace(expires_at=host.now) for copy in level) for level in self.levels]
        self._expire(host)

    def _tell_overdue(self, host: Host, copy: Copy) -> None:
        """Of a copy that is delivered: only one that no timer was set for can be overdue (rules/queues#5.6)."""
        overdue = self._overdue(host, copy)
        if overdue is not None:
            host.overdue(overdue)

    def tick(self, host: Host) -> None:
        self._expire(host)

    def settings_changed(self, host: Host, before: QueueSettings) -> None:
        """The limits are taken over before the overflow is: what is over them goes by the old one first (rules/queues#6.7)."""
        if "drop-head" in (before.overflow, self.settings.overflow) and self._drop_over(host):
            self._expire(host)

    # Dispatch ------------------------------------------------------------------------------------------------------

    def next_consumer(self) -> Subscription | None:
        """Whose turn it is; takes one credit. Who is offered a message without credit leaves the rotation."""
        if self.settings.single_active_consumer:
            single = self.active_consumer
            if single is None or not self._may_receive(single):
                return None
            self._use_credit(single)
            return single
        active = self.turns
        while active:
            line = active[max(active)] if len(active) > 1 else next(iter(active.values()))
            subscription = line[0]
            if self._may_receive(subscription):
                self._use_credit(subscription)
                if len(line) > 1:
                    line.rotate(-1)
                return subscription
            line.popleft()
            if not line:
                del active[subscription.priority]
            self.blocked.setdefault(subscription.channel.name, deque()).append(subscription)
        return None

    def _may_receive(self, subscription: Subscription) -> bool:
        channel = subscription.channel
        if subscription.credit <= 0 or (self.suspended and channel.name in self.suspended):
            return False
        if (channel.limit or channel.stalled) and channel.at_limit():
            self.suspended.add(channel.name)
            return False
        return True

    def credited(self, subscription: Subscription) -> bool:
        if not subscription.prefetch:
            return False
        subscription.credit += 1
        if subscription.credit > 1:
            return False
        self.unblock(subscription.channel.name)
        return True

    def whose_turn(self) -> tuple[Any, ...]:
        lines = [(key, tuple(map(id, line))) for table in (self.turns, self.blocked) for key, line in table.items()]
        return lines, sorted(self.suspended)

    def _use_credit(self, subscription: Subscription) -> None:
        if not subscription.auto_ack:
            subscription.channel.volume += 1
            if subscription.prefetch:
                subscription.credit -= 1

    def _dispatch(self, host: Host) -> None:
        while self.count:
            subscription = self.next_consumer()
            if subscription is None:
                return
            copy = self._take()
            if self.passed_over:
                self._tell_overdue(host, copy)
            host.deliver(self, subscription, copy)
            if copy.expires_at is not None or self.count:
                self._expire(host)

    def _activate(self, subscription: Subscription) -> None:
        self.turns.setdefault(subscription.priority, deque()).append(subscription)

    def unblock(self, channel: str) -> None:
        """Consumers of the channel that have credit go to the end of the rotation, in the order of their parking."""
        if channel in self.suspended or channel not in self.blocked:
            return
        still: deque[Subscription] = deque()
        for subscription in self.blocked.pop(channel):
            if subscription.credit > 0:
                self._activate(subscription)
            else:
                still.append(subscription)
        if still:
            self.blocked[channel] = still

    def resume(self, host: Host, channel: Channel[QueueType]) -> None:
        if channel.name in self.suspended:
            self.suspended.discard(channel.name)
            self.unblock(channel.name)
            self._dispatch(host)

    # Consumers -----------------------------------------------------------------------------------------------------

    def check_consume(self, auto_ack: bool, exclusive: bool, arguments: Table, channel: Channel[QueueType]) -> None:
        super().check_consume(auto_ack, exclusive, arguments, channel)
        single = self.settings.single_active_consumer
        if self.exclusive_to is not None or (exclusive and (self.subscriptions or single)):
            raise AmqpError(403, f"{self.where()} in exclusive use")

    def consume(self, host: Host, subscription: Subscription) -> None:
        self.subscriptions[subscription.channel.name, subscription.tag] = subscription
        self.had_consumers = True
        subscription.credit = subscription.prefetch if subscription.prefetch and not subscription.auto_ack else UNLIMITED
        if subscription.exclusive:
            self.exclusive_to = subscription
        self._activate(subscription)
        if self.settings.single_active_consumer:
            if self.successors is None:
                self.successors = Waiting(by_priority)
            self.successors.add(subscription)
            if self.active_consumer is None:
                self._activate_next(host)
        self._dispatch(host)

    def remove_consumer(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.channel.name, subscription.tag]
        subscription.cancelled = True
        if self.successors is not None:
            self.successors.discard(subscription)
        if subscription is self.exclusive_to:
            self.exclusive_to = None
        line = self.turns.get(subscription.priority)
        if line is not None and subscription in line:
            line.remove(subscription)
            if not line:
                del self.turns[subscription.priority]
        parked = self.blocked.get(subscription.channel.name)
        if parked is not None and subscription in parked:
            parked.remove(subscription)
            if not parked:
                del self.blocked[subscription.channel.name]

    def _succeed(self, host: Host) -> bool:
        """Name the next single active consumer when the last one has gone: highest priority, then first come."""
        if not self.settings.single_active_consumer or self.active_consumer is None or not self.active_consumer.cancelled:
            return False
        self._activate_next(host)
        return True

    def _activate_next(self, host: Host) -> None:
        self.active_consumer = self.successors.first() if self.successors is not None else None
        if self.active_consumer is not None:
            host.activated(self, self.active_consumer)

    def cancel(self, host: Host, subscription: Subscription) -> None:
        self.remove_consumer(subscription)
        # 3.x names the successor but pushes nothing, and crashes at the next publish; this is what 4.0 does
        # (rules/queues#S16).
        if self._succeed(host) or self.rules.cancel_dispatches:
            self._dispatch(host)

    def channel_down(self, host: Host, channel: Channel[QueueType], deliveries: Sequence[Delivery[QueueType]], why: str) -> None:
        self.suspended.discard(channel.name)
        self._succeed(host)
        if deliveries:
            self._requeue(host, [item.copy for item in deliveries], channel.name, why)
        else:
            self._dispatch(host)

    @classmethod
    def check_named(cls, declared: Queue) -> None:
        """It can."""

    @classmethod
    def check_declare(cls, declared: Queue, durable: bool, where: str, rules: Rules) -> None:
        if not durable and not declared.exclusive and rules.transient_queues_denied:
            raise AmqpError(541, denial("transient_nonexcl_queues"), argument="durable")
        if rules.master_locator_denied and MASTER_LOCATOR in declared.arguments:
            raise AmqpError(541, denial("queue_master_locator"), argument=MASTER_LOCATOR)

    def check_delete(self, *, if_unused: bool, if_empty: bool) -> None:
        if if_empty and self.count:
            raise AmqpError(406, f"{self.where()} not empty")
        if if_unused and self.subscriptions:
            raise AmqpError(406, f"{self.where()} in use")

    # Settling ------------------------------------------------------------------------------------------------------

    def settle(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], how: str, by: str, why: str) -> None:
        freed = False
        subscription = self.credit_owner(subscription)
        if subscription is not None and subscription.prefetch:
            freed = subscription.credit == 0
            subscription.credit += len(copies)
            if freed:
                self.unblock(subscription.channel.name)
        if how == REQUEUE:
            self._requeue(host, copies, by, why)
            return
        if how == DISCARD:
            if len(self.levels) > 1:  # highest level first (rules/queues#4.5)
                copies = sorted(copies, key=lambda copy: -self.level(copy.content))
            for copy in copies:
                host.dead_letter(self, self.discarded(copy, why), "rejected", by)
        else:
            assert how == ACK
        if freed:
            self._dispatch(host)

    def taken_over(self, content: Content) -> int:
        return content.delivery_count if self.counts_failures else 0

    def carried_count(self, copy: Copy) -> int:
        # What went straight to an idle consumer has not taken up yet what it brought along.
        return max(copy.failures, copy.content.delivery_count)

    def _failures(self, copy: Copy, why: str) -> int:
        """How many of its deliveries have failed when it is given back or discarded (rules/routing#D22)."""
        return self.carried_count(copy) + (why not in NO_FAILURE) if self.counts_failures else copy.failures

    def discarded(self, copy: Copy, why: str) -> Copy:
        return copy.with_failures(self._failures(copy, why)) if self.counts_failures else copy

    def returned(self, copy: Copy, why: str) -> Copy:
        return Copy(copy.serial, copy.message, copy.content, copy.expires_at, copy.returns + 1, self._failures(copy, why))

    def _requeue(self, host: Host, copies: Sequence[Copy], by: str, why: str) -> None:
        for copy in copies:
            back = self.returned(copy, why)
            self._insert(back)
            self._note_return(host, back)
            host.requeued(self, back, by, why)
        if self.settings.overflow == "drop-head":
            self._drop_over(host)
        self._expire(host)
        self._dispatch(host)

    def get(self, host: Host) -> Copy | None:
        if not self.count:
            return None
        copy = self._take()
        self._tell_overdue(host, copy)
        self._expire(host)
        return copy

    def purge(self, host: Host) -> list[Copy]:
        purged = list(self.ready())
        for level in self.levels:
            level.clear()
        self.count = self.bytes = 0
        return purged

    def restart(self, host: Host, *, clean: bool) -> list[Copy]:
        """Keeps persistent messages; after a kill every one of them counts as redelivered (rules/queues#7.2,
        rules/queues#7.3)."""
        lost: list[Copy] = []
        self.suspended.clear()
        self._succeed(host)  # nobody is left to: the place of the single active consumer is free
        self.count = self.bytes = 0
        for index, level in enumerate(self.levels):
            kept: deque[Copy] = deque()
            for copy in level:
                if copy.content.delivery_mode != 2:
                    lost.append(copy)
                    continue
                # Which deliveries failed is forgotten: each may have been delivered once.
                kept.append(copy if clean else copy._replace(returns=copy.returns + 1, failures=int(self.counts_failures)))
                self.bytes += copy.content.size
            self.levels[index] = kept
            self.count += len(kept)
        self._expire(host)
        return lost

    def _unshare(self, twins: dict[int, Subscription]) -> None:
        self.levels = [level.copy() for level in self.levels]
        self.turns = {key: deque(twins[id(item)] for item in line) for key, line in self.turns.items()}
        self.blocked = {key: deque(twins[id(item)] for item in line) for key, line in self.blocked.items()}
        self.suspended = self.suspended.copy()
        self.exclusive_to = twins[id(self.exclusive_to)] if self.exclusive_to else None
        self.active_consumer = twins.get(id(self.active_consumer)) if self.active_consumer else None
        self.successors = self.successors.of_twins(twins) if self.successors is not None else None

    def _own_fingerprint(self, prints: Fingerprint, numbers: ConsumerNumbers) -> tuple[Any, ...]:
        return (
            tuple([prints.copies(level, counted=False) for level in self.levels]), numbers.lines(self.turns),
            numbers.lines(self.blocked),
            tuple(sorted(self.suspended)), numbers.of(self.active_consumer), numbers.of(self.exclusive_to),
        )  # fmt: skip
