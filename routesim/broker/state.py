"""The state of the embedded RabbitMQ, beside that of every engine, and when its timers go off."""

from collections import deque
from typing import Any

from routesim.broker.broker import Broker
from routesim.broker.clock import LEASE, OVERDUE, RETRY, TICK, TIMEOUT_TICK_MS
from routesim.broker.records import NO_EXCHANGE, ExchangeState, PendingDeadLetter, PendingPublish
from routesim.chance import uniform
from routesim.content import Content
from routesim.events import Overdue
from routesim.model import REPLY_TO
from routesim.queues import Channel, Classic, Copy, QueueType, Subscription
from routesim.replies import AmqpError
from routesim.values import Table, is_integer, raw

ACKNOWLEDGEMENT_TIMEOUT_MS = 1_800_000
DEAD_LETTER_RETRY_MS = 180_000
NAME_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class State(Broker):
    """Everything that RabbitMQ knows; its parts are functions on it.

    `ids_are_sent`: every message carries its id as `message_id`, unless it has one of its own, as it has to on a real broker.
    """

    ids_are_sent = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.every_channel_times_out = self.rules.acknowledgement_timeout == "channel"
        self.reply_queue: QueueType = Classic(REPLY_TO, REPLY_TO, {}, rules=self.rules, vhost=self.vhost)
        self.reply_channels: dict[str, str] = {}  # every address that was ever handed out -> channel
        self.uncommitted: dict[str, list[PendingPublish]] = {}  # by channel
        self.pending_dead_letters: deque[PendingDeadLetter] = deque()
        # By what they have in common: a message, what it has become as a dead letter, and its deaths.
        self.deaths: dict[tuple[Any, ...], tuple[Content, Content, list[Table]]] = {}
        self.changes = 0  # grows with all that may let a queue take what it did not take before
        self.resting: dict[str, int] = {}  # queues with dead letters that nothing can take, and when they were tried last

    def close_refused(self, name: str, refused: AmqpError) -> None:
        """Close a channel, or its connection when the code is a hard error."""
        raise NotImplementedError

    def dead_letter(self, queue: QueueType, copy: Copy, reason: str, by: str = "", overdue: Overdue | None = None) -> None:
        if queue.settings.dead_letter_exchange is None:
            if overdue is not None:
                self.overdue(overdue)
            self.drop(queue, copy, reason, NO_EXCHANGE, by)
        else:
            if queue.settings.dead_letter_strategy == "at-least-once":
                queue.bury(copy)
            self.pending_dead_letters.append(PendingDeadLetter(queue, copy, reason, by, True, overdue))

    def dead_letters_on_their_way(self) -> int:
        return sum(item.entered for item in self.pending_dead_letters)

    def arm(self, queue: QueueType, at_ms: int) -> None:
        if queue.armed_at is None or at_ms < queue.armed_at:
            queue.armed_at = at_ms
            self.agenda.add(at_ms, TICK, queue.name)

    def watch_acknowledgement(self, channel: Channel[QueueType]) -> None:
        """Wait for a delivery of the channel to become overdue."""
        at_ms = self.loses_patience_at(channel)
        if at_ms is not None:
            channel.timeout_armed = True
            self.agenda.add(at_ms, OVERDUE, channel.name, channel.number)

    def patience_with(self, queue: QueueType) -> int:
        return self.acknowledgement_timeout(queue) if self.every_channel_times_out or queue.times_out_each else 0

    def loses_patience_at(self, channel: Channel[QueueType]) -> int | None:
        """When the next delivery of the channel is overdue (rules/queues#5.10): until 4.3 the oldest one, at a minute of the
        channel's life; then each delivery of a quorum queue at its own instant. None: none ever is."""
        if not channel.unacked:
            return None
        if self.every_channel_times_out:
            oldest = next(iter(channel.unacked.values()))
            at_ms = oldest.at_ms + self.acknowledgement_timeout(oldest.queue)
            minutes = (at_ms - channel.opened_at) // TIMEOUT_TICK_MS + 1
            return channel.opened_at + minutes * TIMEOUT_TICK_MS
        watched = [item for item in channel.unacked.values() if item.queue.times_out_each]
        return min((item.at_ms + self.acknowledgement_timeout(item.queue, item.subscription) for item in watched), default=None)

    def watch_lease(self, queue: QueueType) -> None:
        """Wait for the lease of x-expires to run out; a queue may look only now and then (rules/queues#5.9)."""
        expires = queue.settings.expires
        if expires is None or queue.subscriptions:
            return
        at_ms = max(queue.used_at + expires, self.now)
        if queue.lease_tick_ms:
            at_ms = (at_ms // queue.lease_tick_ms + 1) * queue.lease_tick_ms
        self.agenda.add(at_ms, LEASE, queue.name)

    def acknowledgement_timeout(self, queue: QueueType, subscription: Subscription | None = None) -> int:
        """In ms, of what the consumer has from the queue. The queue's comes before the node's, and from 4.3 on the consumer's
        before both (rules/queues#5.10)."""
        asked = subscription.arguments.get("x-consumer-timeout") if subscription is not None else None
        if is_integer(asked) and not self.every_channel_times_out:
            return int(raw(asked))
        own, node = queue.settings.consumer_timeout, self.broker_settings.consumer_timeout
        if own is not None:
            return own
        return ACKNOWLEDGEMENT_TIMEOUT_MS if node is None else node

    def consumer_tag(self) -> str:
        """For a consumer that has none of its own."""
        return f"amq.ctag-{self.drawn_name()}"

    def drawn_name(self) -> str:
        """22 letters that nobody else gets."""
        self.names_drawn += 1
        return "".join(NAME_ALPHABET[int(uniform(self.seed, self.names_drawn, index) * 64)] for index in range(22))

    def retry_dead_letter(self, queue: QueueType) -> None:
        self.agenda.add(self.now + DEAD_LETTER_RETRY_MS, RETRY, queue.name, self.changes)

    def changed(self, at_once: int = 1) -> None:
        """Something has happened but a retry. Those that were passed over, since they would have come to nothing, are made
        again at the instants at which they would have been made: the first not before `at_once` milliseconds from now."""
        self.changes += 1
        for name, passed_ms in self.resting.items():
            rounds = max(1, -((passed_ms - self.now - at_once) // DEAD_LETTER_RETRY_MS))
            self.agenda.add(passed_ms + rounds * DEAD_LETTER_RETRY_MS, RETRY, name, -1)
        self.resting.clear()

    def retry_is_vain(self, queue: str, changes: int) -> bool:
        """Whether nothing has happened since these dead letters were tried last; then they rest until something does."""
        if changes != self.changes:
            return False
        self.resting[queue] = self.now
        return True

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
