"""Quorum queues (rules/queues#2.6 to rules/queues#2.12, rules/queues#3.3, rules/queues#6): a log of messages,
a list of returned ones before it, and consumers in a service line that they leave as soon as their credit is used up."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from routesim.content import Content
from routesim.queues.base import ACK, DISCARD, NO_FAILURE, REQUEUE, Host, QueueType
from routesim.queues.consumers import UNLIMITED, Channel, Copy, Delivery, Subscription
from routesim.queues.fingerprint import ConsumerNumbers, Fingerprint
from routesim.queues.lined import LinedQueue
from routesim.queues.settings import QueueSettings
from routesim.queues.single_active import Waiting, by_arrival, by_priority_and_credit
from routesim.replies import AmqpError
from routesim.values import Table, Typed

DEFAULT_CREDIT = 2000  # what prefetch 0 means here (rules/queues#S4)
HIGH_PRIORITY = 5  # 4.0-4.2: from here on a message is in the high bucket
DEFAULT_LEVEL, HIGHEST_LEVEL = 4, 31  # 4.3+


class Quorum(LinedQueue):
    """State:

    - `returns`: copies that came back, before everything else (with a delivery limit; without one, those of lost channels);
    - `levels`: the others, by priority as the version has it;
    - `turns`: only consumers with credit;
    - `publishers`: the channels known to publish here, and whether reject-publish stops them.
    """

    kind = "quorum"
    replicated = True
    returns_to_place = False
    times_out_each = True
    at_least_once = True
    lease_tick_ms = 5_000
    knows_publishers = True
    counts_holders = True
    shares_single_active = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.returns: deque[Copy] = deque()
        levels = {"none": 1, "two": 2, "strict": HIGHEST_LEVEL + 1}[self.rules.quorum_priorities]
        self.levels = [deque() for _ in range(levels)]
        self.top = -1  # no level above it has a message
        self.dequeue_turn = 0  # of the two buckets of 4.0-4.2: dequeues so far, modulo 3
        self.waiting = Waiting(by_arrival if self.rules.quorum_single_active == "fifo" else by_priority_and_credit)
        self.active_consumer: Subscription | None = None
        self.publishers: dict[str, bool] = {}
        self.roomy, self.limited = True, False  # when the limits were last looked at: at most 80 % in use; there was one
        self.delayed: list[tuple[int, Copy]] = []

    # Messages ------------------------------------------------------------------------------------------------------

    def level(self, content: Content) -> int:
        if len(self.levels) == 1:
            return 0
        if len(self.levels) == 2:
            return 1 if (content.priority or 0) >= HIGH_PRIORITY else 0
        return DEFAULT_LEVEL if content.priority is None else min(content.priority, HIGHEST_LEVEL)

    def size(self, content: Content) -> int:
        if not self.rules.quorum_bytes_with_properties:
            return content.size
        return content.size + content.properties_size()

    def _line(self) -> deque[Copy] | None:
        """The list whose head is the next message, or None when there is none (rules/queues#2.6, rules/queues#2.7)."""
        if self.returns:
            return self.returns
        if len(self.levels) == 2:
            normal, high = self.levels
            if normal and high:
                use_normal = self.dequeue_turn == 2 and normal[0].serial < high[0].serial
                return normal if use_normal else high
        levels, top = self.levels, self.top
        while top >= 0 and not levels[top]:
            top -= 1
        self.top = top
        return levels[top] if top >= 0 else None

    def _take(self, line: deque[Copy]) -> Copy:
        copy = line.popleft()
        if line is not self.returns:
            self.took(1)
        self.count -= 1
        self.bytes -= self.size(copy.content)
        self.last_taken = copy.message
        return copy

    def let_go(self, contents: Sequence[Content]) -> None:
        self.count -= len(contents)
        self.bytes -= sum(map(self.size, contents))
        self.took(len(contents))

    def took(self, count: int) -> None:
        if len(self.levels) == 2:
            self.dequeue_turn = (self.dequeue_turn + count) % 3

    def _append(self, line: deque[Copy], copy: Copy) -> None:
        line.append(copy)
        self.count += 1
        self.bytes += self.size(copy.content)
        if copy.expires_at is not None:
            self.expiring = True

    def _append_to_level(self, level: int, copy: Copy) -> None:
        self._append(self.levels[level], copy)
        if level > self.top:
            self.top = level

    def ready(self) -> Iterator[Copy]:
        if len(self.levels) == 2 and all(self.levels):
            yield from self.returns
            normal, high, turn = deque(self.levels[0]), deque(self.levels[1]), self.dequeue_turn
            while normal or high:
                use_normal = not high or (bool(normal) and turn == 2 and normal[0].serial < high[0].serial)
                yield (normal if use_normal else high).popleft()
                turn = (turn + 1) % 3
            return
        yield from self.returns
        for level in reversed(self.levels):
            yield from level

    def ready_count(self) -> int:
        return self.count

    def held_back(self) -> list[Copy]:
        return [copy for _, copy in self.delayed]

    def expires_at(self, content: Content, now: int) -> int | None:
        at = super().expires_at(content, now)
        return now + 1 if at == now else at  # rules/queues#5.3

    # What is plain -------------------------------------------------------------------------------------------------

    def line(self) -> deque[Copy]:
        level = self._unranked()
        self.top = max(self.top, level)
        return self.levels[level]

    def _unranked(self) -> int:
        """The level of messages without a priority."""
        return DEFAULT_LEVEL if len(self.levels) > 2 else 0

    def is_plain(self) -> bool:
        limits = self.settings
        unlimited = limits.max_length is limits.max_length_bytes is limits.message_ttl is None and not self.limited
        single = limits.single_active_consumer or self.active_consumer is not None
        return unlimited and not (single or self.expiring or self.delayed) and self.count == len(self.levels[self._unranked()])

    def keeps_plainly(self) -> bool:
        return True

    def is_plain_for(self, content: Content) -> bool:
        return content.ttl_ms is None and self.level(content) == self._unranked()

    def knows_publisher(self, channel: Channel[QueueType]) -> bool:
        return self.publishers.get(channel.name) is False and self.name in channel.publishes_to

    def room(self, content: Content) -> int:
        return UNLIMITED if self.is_plain_for(content) else 0

    def join(self, copies: Sequence[Copy]) -> None:
        self.line().extend(copies)
        self.count += len(copies)
        self.bytes += len(copies) * self.size(copies[0].content)

    def takes_back_plainly(self, copy: Copy, now: int) -> bool:
        back = self.returned(copy, "nack")
        # Behind the others it would not be the next, and with two buckets it would take another turn of them.
        if not self._returns_first() and (self.count or len(self.levels) == 2):
            return False
        return not (self._is_once_too_often(back) or self._retry_delay(back, back.failures > copy.failures))

    # Publishing and limits -----------------------------------------------------------------------------------------

    def _counted(self) -> int:
        """At-least-once dead letters count until their targets have them (rules/queues#6.8)."""
        return self.count + len(self.awaiting) + len(self.delayed) + self.burying

    def _over(self, share: float = 1.0) -> bool:
        """More than `share` of a limit is in use."""
        limits = self.settings
        return (limits.max_length is not None and self._counted() > int(limits.max_length * share)) or (
            limits.max_length_bytes is not None
            and self.bytes + self.aside_bytes + self.burying_bytes > int(limits.max_length_bytes * share)
        )

    def refusal(self, content: Content, channel: str | None) -> str | None:
        if channel is None:
            return None
        blocked = self.publishers.get(channel)
        if blocked is None:
            blocked = self.publishers[channel] = self.settings.overflow == "reject-publish" and self._over()
        return "the queue is over its limit until it falls to 80 % of it" if blocked else None

    def publish(self, host: Host, copy: Copy, channel: str | None) -> None:
        if count := self.taken_over(copy.content):
            copy = copy.with_failures(count)
        self._append_to_level(self.level(copy.content), copy)
        self._checkout(host)

    def _enforce_limits(self, host: Host) -> None:
        if not self.limited and self.settings.max_length is self.settings.max_length_bytes is None:
            self.roomy = True
            return
        self._tell_publishers()
        if self.settings.overflow == "reject-publish":
            return
        dropped = []
        while self._over():
            line = self._line()
            if line is None:
                break
            dropped.append(self._take(line))
        if self.rules.quorum_drops_reversed:
            dropped.reverse()
        for copy in dropped:
            host.dead_letter(self, copy, "maxlen")
        if dropped:
            self._expire(host)

    def _tell_publishers(self) -> None:
        """Stop them above the limit; let them go on where room was made just now. Without reject-publish none is told anything,
        and who was stopped stays so (rules/queues#6.5)."""
        limits = self.settings
        limited = limits.max_length is not None or limits.max_length_bytes is not None
        was_roomy, was_limited = self.roomy, self.limited
        self.roomy, self.limited = not limited or not self._over(0.8), limited
        if not limited:
            if was_limited and self.rules.quorum_limit_end_unblocks:
                self.publishers = dict.fromkeys(self.publishers, False)
        elif limits.overflow == "reject-publish":
            if self._over():
                self.publishers = dict.fromkeys(self.publishers, True)
            elif self.roomy and not was_roomy:
                self.publishers = dict.fromkeys(self.publishers, False)

    def awaiting_changed(self, host: Host) -> None:
        if self.settings.dead_letter_strategy == "at-least-once":
            self._tell_publishers()  # it counts towards the limit, at once (rules/queues#6.8)

    def settings_changed(self, host: Host, before: QueueSettings) -> None:
        self._checkout(host)

    # Expiry --------------------------------------------------------------------------------------------------------

    def _expire(self, host: Host) -> None:
        """Remove expired heads; wait for the instant of every head that is left."""
        if not self.expiring:
            if self.delayed:
                host.arm(self, min(at for at, _ in self.delayed))
            return
        line = self._line()
        while line is not None and _expired(line[0], host.now):
            self._bury_expired(host, line)
            line = self._line()
        heads = [line[0]] if line else []
        if self.rules.quorum_priorities == "strict":
            for level in (self.returns, *self.levels):
                while level and _expired(level[0], host.now):
                    self._bury_expired(host, level)
            heads = [level[0] for level in (self.returns, *self.levels) if level]
        instants = [copy.expires_at for copy in heads if copy.expires_at is not None] + [at for at, _ in self.delayed]
        if instants:
            host.arm(self, min(instants))

    def expire_ready(self, host: Host) -> None:
        def over(line: deque[Copy]) -> deque[Copy]:
            return deque(copy._replace(expires_at=host.now) for copy in line)

        self.returns, self.levels = over(self.returns), [over(level) for level in self.levels]
        self.expiring = True
        self._expire(host)

    def _bury_expired(self, host: Host, line: deque[Copy]) -> None:
        overdue = self._overdue(host, line[0])
        host.dead_letter(self, self._take(line), "expired", overdue=overdue)

    def tick(self, host: Host) -> None:
        due = [copy for at, copy in self.delayed if at <= host.now]
        if due:
            self.delayed = [item for item in self.delayed if item[0] > host.now]
            self.aside_bytes -= sum(self.size(copy.content) for copy in due)
            for copy in due:
                self._append(self.returns, copy)
        self._checkout(host)

    # Dispatch ------------------------------------------------------------------------------------------------------

    def _serve(self, subscription: Subscription) -> None:
        """To the end of its service line, if it has credit and is not in it."""
        if subscription.in_service or subscription.credit <= 0 or subscription.cancelled or subscription.quiescing:
            return
        if subscription.channel.stalled:
            return
        if self.settings.single_active_consumer and subscription is not self.active_consumer:
            return
        subscription.in_service = True
        self.turns.setdefault(subscription.priority, deque()).append(subscription)

    def next_consumer(self) -> Subscription | None:
        while self.turns:
            priority = max(self.turns) if len(self.turns) > 1 else next(iter(self.turns))
            line = self.turns[priority]
            subscription = line.popleft()
            subscription.in_service = False
            if not line:
                del self.turns[priority]
            stays = subscription.credit > 0 and not subscription.cancelled and not subscription.quiescing
            if stays and not subscription.channel.stalled:
                subscription.credit -= 1
                if subscription.credit > 0:
                    self._serve(subscription)
                return subscription
        return None

    def credited(self, subscription: Subscription) -> bool:
        subscription.credit += 1
        if subscription.credit > 1:
            return False
        self._serve(subscription)
        return True

    def whose_turn(self) -> tuple[Any, ...]:
        return tuple(sorted((priority, tuple(map(id, line))) for priority, line in self.turns.items()))

    def resume(self, host: Host, channel: Channel[QueueType]) -> None:
        for subscription in self.subscriptions.values():
            if subscription.channel is channel:
                self._serve(subscription)
        self._checkout(host)

    def _checkout(self, host: Host) -> None:
        """Assign messages until none or nobody is left, then send, one batch a consumer (rules/queues#3.3)."""
        again = True
        while again:
            again = False
            assigned: dict[Subscription, list[Copy]] = {}
            while True:
                if self.expiring or self.delayed:
                    self._expire(host)
                line = self._line() if self.turns and self.count else None
                subscription = self.next_consumer() if line is not None else None
                if line is None or subscription is None:
                    break
                assigned.setdefault(subscription, []).append(self._take(line))
            for subscription in sorted(assigned, key=self._order) if len(assigned) > 1 else assigned:
                batch = assigned[subscription]
                for copy in batch:
                    host.deliver(self, subscription, copy)
                if subscription.auto_ack:  # the channel settles what it has sent
                    subscription.credit += len(batch)
                    self._serve(subscription)
                    again = True
        self._enforce_limits(host)

    def _order(self, subscription: Subscription) -> tuple[bytes | int, int]:
        by_tag = self.rules.quorum_consumer_order == "tag"
        return (subscription.tag.encode() if by_tag else 0), subscription.registered

    # Consumers -----------------------------------------------------------------------------------------------------

    def check_consume(self, auto_ack: bool, exclusive: bool, arguments: Table, channel: Channel[QueueType]) -> None:
        super().check_consume(auto_ack, exclusive, arguments, channel)
        if channel.limit:
            raise AmqpError(540, f"{self.where()} does not support global qos")

    def check_delete(self, *, if_unused: bool, if_empty: bool) -> None:
        if if_unused or if_empty:
            flag = "if-unused" if if_unused else "if-empty"
            raise AmqpError(
                540,
                f"cannot delete {self.where()}. queue.delete operations with {flag} flag set are not supported by quorum queues",
            )

    def held_by_get(self) -> bool:
        return self.unacked > 0

    def counts_nacks(self) -> bool:
        return self.rules.quorum_nack_counts

    def consumer_count(self) -> int:
        """Single active consumers that wait are not counted."""
        return len(self.subscriptions) - len(self.waiting)

    def check_get(self, channel: Channel[QueueType]) -> None:
        if self.settings.single_active_consumer:
            raise AmqpError(
                405,
                f"cannot obtain access to locked {self.where()}. basic.get operations are not supported by "
                f"{self.rules.quorum_in_get_text} queues with single active consumer",
            )

    def consume(self, host: Host, subscription: Subscription) -> None:
        self.subscriptions[subscription.channel.name, subscription.tag] = subscription
        self.had_consumers = True
        # A cancelled consumer that still holds messages is the same to the queue when its tag comes back.
        held = sum(
            item.queue is self and item.subscription is not None and item.subscription.tag == subscription.tag
            for item in subscription.channel.unacked.values()
        )
        subscription.credit = (subscription.prefetch or DEFAULT_CREDIT) - held
        if self.settings.single_active_consumer:
            if self.active_consumer is None:
                self.active_consumer = subscription
                host.activated(self, subscription)
            else:
                self.waiting.add(subscription)
                self._preempt(host)
        self._serve(subscription)
        self._checkout(host)

    def _leave(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.channel.name, subscription.tag]
        subscription.cancelled = True
        subscription.credit = 0
        if subscription.in_service:
            line = self.turns[subscription.priority]
            line.remove(subscription)
            subscription.in_service = False
            if not line:
                del self.turns[subscription.priority]
        self.waiting.discard(subscription)

    def _succeed(self, host: Host) -> None:
        """The next single active consumer, when the last has gone or stepped back (rules/queues#3.10)."""
        if not self.settings.single_active_consumer:
            return
        if self.active_consumer is not None and not self.active_consumer.cancelled:
            return
        self.active_consumer = self.waiting.first()
        if self.active_consumer is not None:
            self.waiting.discard(self.active_consumer)
            host.activated(self, self.active_consumer)
            self._serve(self.active_consumer)

    def _preempt(self, host: Host) -> None:
        """4.0+: a waiting consumer of higher priority takes over once the active one holds nothing."""
        if self.active_consumer is None or not self.waiting or self.rules.quorum_single_active == "fifo":
            return
        best, single = self.waiting.first(), self.active_consumer
        if best is None or single is None:
            return
        if best.priority > single.priority:
            single.quiescing = True
        if single.quiescing and not self._holds(single):
            single.quiescing = False
            self.waiting.add(single)
            if single.in_service:
                self.turns[single.priority].remove(single)
                single.in_service = False
                if not self.turns[single.priority]:
                    del self.turns[single.priority]
            self.active_consumer = best
            self.waiting.discard(best)
            host.activated(self, best)
            self._serve(best)

    @staticmethod
    def _holds(subscription: Subscription) -> bool:
        return any(item.subscription is subscription for item in subscription.channel.unacked.values())

    def cancel(self, host: Host, subscription: Subscription) -> None:
        self._leave(subscription)
        self._succeed(host)
        self._checkout(host)

    def remove_consumer(self, subscription: Subscription) -> None:
        self._leave(subscription)

    def channel_down(self, host: Host, channel: Channel[QueueType], deliveries: Sequence[Delivery[QueueType]], why: str) -> None:
        self.publishers.pop(channel.name, None)
        for delivery in sorted(deliveries, key=self._teardown_order):
            self._give_back(host, delivery.copy, channel.name, why, to_returns=True, failed=True)
        self._succeed(host)
        self._checkout(host)

    def take_back(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], by: str) -> None:
        if subscription is not None:
            self._leave(subscription)
        for copy in copies:
            self._give_back(host, copy, by, "acknowledgement timeout", to_returns=True, failed=False)
        self._succeed(host)
        self._checkout(host)

    def _teardown_order(self, delivery: Delivery[QueueType]) -> tuple[object, ...]:
        """By consumer, then by message; a basic.get is a consumer named by its tag (rules/queues#2.12)."""
        owner, tag = delivery.subscription, delivery.tag
        if self.rules.quorum_consumer_order == "tag":
            return (owner.tag if owner else str(tag)).encode(), tag
        return (owner is None, owner.registered if owner else tag, tag)

    # Settling ------------------------------------------------------------------------------------------------------

    def settle(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], how: str, by: str, why: str) -> None:
        if how == REQUEUE:
            self._return(host, subscription, copies, by, why)
        else:
            if how == DISCARD:
                for copy in copies:
                    host.dead_letter(self, self.discarded(copy, why), "rejected", by)
            else:
                assert how == ACK
            self._credit(subscription, len(copies))
        self._preempt(host)
        self._checkout(host)

    def discarded(self, copy: Copy, why: str) -> Copy:
        counts = {"none": False, "quorum": True, "all": why not in NO_FAILURE}[self.rules.dead_letter_counts]
        return copy.with_failures(copy.failures + counts)

    def returned(self, copy: Copy, why: str) -> Copy:
        return copy.returned(failed=self._has_failed(why))

    def _has_failed(self, why: str) -> bool:
        """Whether a delivery that is given back so counts as failed."""
        return self.rules.dead_letter_counts == "all" and why not in NO_FAILURE

    def _credit(self, subscription: Subscription | None, count: int) -> None:
        subscription = self.credit_owner(subscription)
        if subscription is not None:
            subscription.credit += count
            if self.active_consumer is not None and self.waiting:
                self.waiting.ranked_anew(subscription)
            if not subscription.in_service:
                self._serve(subscription)

    def _return(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], by: str, why: str) -> None:
        failed = self._has_failed(why)
        if self._returns_first():
            kept = [self._give_back(host, copy, by, why, to_returns=True, failed=failed) for copy in copies]
            dead = len(copies) - sum(kept)
            self._credit(subscription, len(copies) + dead * (self.rules.quorum_limit_death_credit - 1))
            return
        for copy in copies:  # one command a message: dispatch runs between them
            self._give_back(host, copy, by, why, to_returns=False, failed=failed)
            self._credit(subscription, 1)
            self._checkout(host)

    def _returns_first(self) -> bool:
        """Whether what is given back comes before everything else."""
        return self._limit_set() or self.rules.quorum_returns_first

    def _limit_set(self) -> bool:
        limit = self.settings.delivery_limit
        if limit is None:
            return "x-delivery-limit" in self.arguments  # 3.x: even a value that is no limit (rules/queues#2.10)
        return limit >= 0

    def _give_back(self, host: Host, copy: Copy, by: str, why: str, *, to_returns: bool, failed: bool) -> bool:
        """Put a copy back, unless that is once too often; False when it died of the delivery limit."""
        back = copy.returned(failed=failed)
        if self._is_once_too_often(back):
            host.dead_letter(self, back, "delivery_limit", by)
            return False
        if back.expires_at is not None:
            self._note_return(host, back)
        host.requeued(self, back, by, why)
        delay = self._retry_delay(back, failed)
        if delay:
            self.delayed.append((host.now + delay, back))
            self.aside_bytes += self.size(back.content)
            host.retry_delayed(self, back, host.now + delay)
        elif to_returns:
            self._append(self.returns, back)
        else:
            self._append_to_level(DEFAULT_LEVEL if len(self.levels) > 2 else 0, back)
        return True

    def _is_once_too_often(self, back: Copy) -> bool:
        """Whether a copy that comes back dies of the delivery limit."""
        limit = self.settings.delivery_limit
        counted = back.returns if self.rules.quorum_nack_counts else back.failures
        return limit is not None and limit >= 0 and counted > limit

    def _retry_delay(self, copy: Copy, failed: bool) -> int:
        """4.3+: how long a returned message is held back, in ms (rules/queues#2.11)."""
        limits = self.settings
        shortest = limits.delayed_retry_min or 0
        if shortest <= 0 or not self.rules.quorum_delayed_retry:
            return 0
        if limits.delayed_retry_type not in ("all", "failed" if failed else "returned"):
            return 0
        longest = limits.delayed_retry_max if limits.delayed_retry_max is not None else shortest
        return min(shortest * max(1, copy.failures), longest)

    def get(self, host: Host) -> Copy | None:
        self._expire(host)
        line = self._line()
        if line is None:
            return None
        copy = self._take(line)
        self._checkout(host)
        return copy

    def headers(self, copy: Copy, *, got: bool = False) -> Table:
        headers = copy.content.delivered_headers()
        if "acquired" in self.rules.quorum_count_headers:
            counts = {"x-acquired-count": copy.returns or copy.failures, "x-delivery-count": copy.failures}
            return {**headers, **{key: Typed("long", count) for key, count in counts.items() if count}}
        # 4.0-4.2: what a dead letter brings along is shown until this queue has a count of its own.
        shown = copy.returns or (copy.failures if self.rules.dead_letter_counts == "quorum" else 0)
        if shown or (got and self.rules.quorum_first_get_count):
            return {**headers, "x-delivery-count": Typed("long", shown)}
        return headers

    def taken_over(self, content: Content) -> int:
        return content.delivery_count

    def carried_count(self, copy: Copy) -> int:
        return 0 if self.rules.dead_letter_counts == "none" else copy.failures

    def purge(self, host: Host) -> list[Copy]:
        purged = list(self.ready())
        for line in (self.returns, *self.levels):
            line.clear()
        self.count = self.bytes = self.dequeue_turn = 0
        if self.rules.quorum_delayed_retry:
            purged += [copy for _, copy in self.delayed] + [copy for copy, _ in self.awaiting]
            self.delayed, self.awaiting, self.aside_bytes = [], [], 0
        self._enforce_limits(host)
        return purged

    def restart(self, host: Host, *, clean: bool) -> list[Copy]:
        self.publishers.clear()
        self._expire(host)
        return []  # transient messages are kept too (rules/queues#7.2)

    def _unshare(self, twins: dict[int, Subscription]) -> None:
        self.returns, self.levels = self.returns.copy(), [level.copy() for level in self.levels]
        self.turns = {key: deque(twins[id(item)] for item in line) for key, line in self.turns.items()}
        self.waiting = self.waiting.of_twins(twins)
        self.active_consumer = twins.get(id(self.active_consumer)) if self.active_consumer else None
        self.publishers, self.delayed = self.publishers.copy(), self.delayed.copy()

    def _own_fingerprint(self, prints: Fingerprint, numbers: ConsumerNumbers) -> tuple[Any, ...]:
        return (
            tuple(map(prints.copies, (self.returns, *self.levels))), numbers.lines(self.turns),
            numbers.of(self.active_consumer), tuple(map(numbers.of, self.waiting)),
            tuple((prints.after(at_ms), prints.copy(copy)) for at_ms, copy in self.delayed), self.dequeue_turn,
            tuple(sorted(self.publishers.items())), self.roomy, self.limited,
        )  # fmt: skip


def _expired(copy: Copy, now: int) -> bool:
    return copy.expires_at is not None and copy.expires_at <= now
