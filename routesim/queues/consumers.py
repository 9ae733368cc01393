"""Channels as queues see them, the consumers on them, and what has been delivered and not yet settled."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from routesim.content import Content
from routesim.named_tuples import NamedTuple
from routesim.values import Table

UNLIMITED = 1 << 60


class Copy(NamedTuple):
    """One message in one queue. What comes back to its queue is a new value with the same `serial`.

    `serial` orders the copies of a run. `returns` counts how often it came back to this queue, `failures` its deliveries
    that failed, those that a dead letter brought along included (rules/routing#D22). `expires_at` is an instant in ms,
    None: never.
    """

    serial: int
    message: str
    content: Content
    expires_at: int | None = None
    returns: int = 0
    failures: int = 0

    @property
    def redelivered(self) -> bool:
        return self.returns > 0 or self.failures > 0

    def with_failures(self, failures: int) -> "Copy":
        return Copy(self.serial, self.message, self.content, self.expires_at, self.returns, failures)

    def returned(self, *, failed: bool = True) -> "Copy":
        """The copy as it comes back to its queue."""
        return Copy(self.serial, self.message, self.content, self.expires_at, self.returns + 1, self.failures + failed)


class DeliveringQueue(Protocol):
    """What whoever gets deliveries may ask of the queue that they come from, whatever the engine."""

    name: str

    @property
    def keeps_log(self) -> bool:
        """Whether a copy stays in the queue when its delivery is settled."""

    def headers(self, copy: Copy, *, got: bool = False) -> Table:
        """The headers with which the queue delivers the copy."""


# The queue as its engine knows it.
Q = TypeVar("Q")
Q_co = TypeVar("Q_co", covariant=True)


class Subscription:
    """A consumer as its queue keeps it. `credit`: how many more it may be sent; `registered` orders subscriptions; `timed_out`:
    the broker has cancelled it, for an acknowledgement that came too late."""

    __slots__ = (
        "arguments", "auto_ack", "cancelled", "channel", "credit", "exclusive", "in_service", "name", "offset", "prefetch",
        "priority", "quiescing", "registered", "tag", "timed_out",
    )  # fmt: skip

    def __init__(
        self, name: str, tag: str, channel: "Channel[Any]", registered: int, *, prefetch: int = 0, priority: int = 0,
        auto_ack: bool = False, exclusive: bool = False, arguments: Table | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.tag = tag
        self.channel = channel
        self.registered = registered
        self.prefetch = prefetch
        self.priority = priority
        self.auto_ack = auto_ack
        self.exclusive = exclusive
        self.arguments = arguments or {}
        self.credit = UNLIMITED
        self.cancelled = False
        self.in_service = False
        self.quiescing = False
        self.timed_out = False
        self.offset = 0

    def clone(self, channel: "Channel[Any]") -> "Subscription":
        other = Subscription(
            self.name, self.tag, channel, self.registered, prefetch=self.prefetch, priority=self.priority,
            auto_ack=self.auto_ack, exclusive=self.exclusive, arguments=self.arguments,
        )  # fmt: skip
        other.credit, other.cancelled, other.in_service = self.credit, self.cancelled, self.in_service
        other.quiescing, other.timed_out, other.offset = self.quiescing, self.timed_out, self.offset
        return other


class Delivery(NamedTuple, Generic[Q_co]):
    """What a channel has been sent. `subscription` None: by basic.get."""

    tag: int
    queue: Q_co
    subscription: Subscription | None
    copy: Copy
    at_ms: int
    auto_ack: bool


class TxAnswer(NamedTuple, Generic[Q_co]):
    """Deliveries that were settled alike inside a transaction. `how`: ack, requeue or discard; `why`: by which method."""

    how: str
    why: str
    deliveries: list[Delivery[Q_co]]


class Channel(Generic[Q]):
    """An open channel. `limit` and `volume` are its global prefetch and what counts against it (rules/queues#3.7).

    `late`: tags that a queue took back for their overdue acknowledgement; settling them does nothing (rules/queues#5.10).
    `answered`: what has been settled in the transaction that is open, in this order; None: there is none.
    """

    __slots__ = (
        "_indexed", "_tags_of", "answered", "confirms", "connection", "last_queue", "late", "limit", "name", "next_tag", "number",
        "opened_at", "prefetch", "publishes_to", "reply_address", "reply_consumer", "stalled", "subscriptions", "timeout_armed",
        "unacked", "volume",
    )  # fmt: skip

    def __init__(self, name: str, connection: str, number: int, *, confirms: bool, opened_at: int) -> None:
        self.name = name
        self.connection = connection
        self.number = number
        self.confirms = confirms
        self.opened_at = opened_at
        self.next_tag = 1
        self.unacked: dict[int, Delivery[Q]] = {}
        self.late: frozenset[int] = frozenset()
        self.subscriptions: dict[str, tuple[Subscription, Q]] = {}
        self.prefetch = 0
        self.publishes_to: set[str] = set()  # queues that keep something about who publishes to them
        self.limit = 0
        self.volume = 0
        self.last_queue: str | None = None
        self.reply_consumer: str | None = None
        self.reply_address = ""  # of its direct reply-to consumer, once it has had one
        self.answered: list[TxAnswer[Q]] | None = None
        self.timeout_armed = False
        self.stalled = False  # the client does not read
        self._tags_of: dict[str, list[int]] = {}  # by message, ascending, some settled since; filled when it is asked for
        self._indexed = 0  # the tag up to which it is

    def newest_tag(self, message: str) -> int | None:
        """Of the newest delivery of the message that is not settled yet."""
        self._index()
        tags = self._tags_of.get(message, [])
        while tags and tags[-1] not in self.unacked:
            tags.pop()
        return tags[-1] if tags else None

    def take_all_of(self, message: str) -> "list[Delivery[Q]]":
        """All deliveries of the message that are not settled yet, which are it now."""
        self._index()
        return [self.unacked.pop(tag) for tag in self._tags_of.pop(message, ()) if tag in self.unacked]

    def _index(self) -> None:
        unacked, fresh = self.unacked, []
        for tag in reversed(unacked):
            if tag <= self._indexed:
                break
            fresh.append(tag)
        for tag in reversed(fresh):
            self._tags_of.setdefault(unacked[tag].copy.message, []).append(tag)
        if fresh:
            self._indexed = fresh[0]

    def hold(self, deliveries: "Iterable[Delivery[Q]]") -> None:
        """These are unacked now, some of them again: what was found settled of the index by message need not be so."""
        self.unacked = {item.tag: item for item in sorted(deliveries, key=lambda item: item.tag)}
        self._tags_of, self._indexed = {}, 0

    def outstanding(self) -> Iterator[Delivery[Q]]:
        """What is not settled yet, with what has been answered in a transaction that is still open."""
        yield from self.unacked.values()
        for answer in self.answered or ():
            yield from answer.deliveries

    def is_plain(self) -> bool:
        """Whether a settled delivery just leaves it: no global limit, no transaction, nothing overdue, and the client reads."""
        return not self.limit and self.answered is None and not self.late and not self.stalled

    def at_limit(self) -> bool:
        return self.stalled or (self.limit != 0 and self.volume >= self.limit)


def unacked_of(channels: Iterable[Channel[Q]], queue: object) -> list[tuple[str, str | None, str, int, bool]]:
    """What the channels hold of a queue: message, consumer (None: basic.get), channel, tag, redelivered."""
    return [
        (
            item.copy.message, item.subscription.name if item.subscription else None, channel.name, item.tag,
            item.copy.redelivered,
        )
        for channel in channels
        for item in channel.unacked.values()
        if item.queue is queue
    ]  # fmt: skip
