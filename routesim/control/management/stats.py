"""How often something was published, delivered and answered, as `message_stats` has it: counted from what is heard."""

from collections.abc import Callable
from typing import Any

from routesim import events
from routesim.control.hub import Heard

VHOST, QUEUE, EXCHANGE, CHANNEL = "vhost", "queue", "exchange", "channel"
Key = tuple[str, str, str]  # virtual host, kind, name
Counts = dict[str, int]
# What is said together: of what nothing has happened yet, nothing is said.
DELIVERED = ("ack", "deliver", "deliver_get", "deliver_no_ack", "get", "get_empty", "get_no_ack", "redeliver")
PUBLISHED: dict[str, tuple[str, ...]] = {
    VHOST: ("confirm", "drop_unroutable", "publish", "return_unroutable"),
    CHANNEL: ("confirm", "drop_unroutable", "publish", "return_unroutable"),
    QUEUE: ("publish",),
    EXCHANGE: ("publish_in", "publish_out"),
}


class Stats:
    """Hears every event of the virtual hosts that are listened to."""

    def __init__(self) -> None:
        self.counts: dict[Key, Counts] = {}
        self.consumers: dict[tuple[str, str], str] = {}  # virtual host and consumer -> channel
        self.published = ("", "", "")  # what was published last: message, exchange, channel
        self.uncommitted: dict[tuple[str, str], list[tuple[str, str, str]]] = {}  # the same, by virtual host and channel
        self.committing: dict[str, str] = {}  # messages of the transaction that was committed last -> exchange

    def of(self, vhost: str, kind: str, name: str = "") -> Counts | None:
        """What is known; None: nothing has happened."""
        counts = self.counts.get((vhost, kind, name))
        if not counts:
            return None
        groups = [PUBLISHED[kind], *((DELIVERED,) if kind != EXCHANGE else ())]
        said = [group for group in groups if any(each in counts for each in group)]
        return {each: counts.get(each, 0) for group in said for each in group}

    def overall(self) -> Counts:
        """Of all virtual hosts together."""
        total: Counts = {}
        for vhost, kind, name in list(self.counts):
            for each, count in (self.of(vhost, kind, name) or {}).items() if kind == VHOST else ():
                total[each] = total.get(each, 0) + count
        return total

    def forget(self, vhost: str) -> None:
        self.counts = {key: counts for key, counts in self.counts.items() if key[0] != vhost}
        self.consumers = {key: channel for key, channel in self.consumers.items() if key[0] != vhost}

    def hear(self, heard: Heard) -> None:
        do = HEARS.get(type(heard.event))
        if do is not None:
            do(self, heard.vhost, heard.event)

    def count(self, vhost: str, what: str, **where: str | None) -> None:
        """Once more, for the virtual host and for each that is named."""
        for kind, name in ((VHOST, ""), *where.items()):
            if name is not None:
                counts = self.counts.setdefault((vhost, kind, name), {})
                counts[what] = counts.get(what, 0) + 1

    def _on(self, vhost: str, consumer: str) -> str | None:
        return self.consumers.get((vhost, consumer))


def _published(stats: Stats, vhost: str, event: events.Published) -> None:
    stats.published = (event.message, event.exchange, event.channel)
    _count_published(stats, vhost, event.exchange, event.channel, 1)


def _count_published(stats: Stats, vhost: str, exchange: str, channel: str, change: int) -> None:
    for key, what in (
        ((vhost, VHOST, ""), "publish"), ((vhost, CHANNEL, channel), "publish"), ((vhost, EXCHANGE, exchange), "publish_in"),
    ):  # fmt: skip
        counts = stats.counts.setdefault(key, {})
        counts[what] = counts.get(what, 0) + change
        if not counts[what]:
            del counts[what]


def _uncommitted(stats: Stats, vhost: str, event: events.Uncommitted) -> None:
    """It counts when its transaction is committed."""
    _, exchange, channel = stats.published
    _count_published(stats, vhost, exchange, channel, -1)
    stats.uncommitted.setdefault((vhost, channel), []).append(stats.published)


def _transaction(stats: Stats, vhost: str, event: events.Transaction) -> None:
    pending = stats.uncommitted.pop((vhost, event.channel), [])
    if event.do == "commit":
        for _, exchange, channel in pending:
            _count_published(stats, vhost, exchange, channel, 1)
        stats.committing = {message: exchange for message, exchange, _ in pending}


def _enqueued(stats: Stats, vhost: str, event: events.Enqueued) -> None:
    if event.cause != "published":
        return
    message, exchange, _ = stats.published
    if event.message != message:
        exchange = stats.committing.get(event.message, "")
    for kind, name, what in ((QUEUE, event.queue, "publish"), (EXCHANGE, exchange, "publish_out")):
        counts = stats.counts.setdefault((vhost, kind, name), {})
        counts[what] = counts.get(what, 0) + 1


def _confirmed(stats: Stats, vhost: str, event: events.Confirmed) -> None:
    message, _, channel = stats.published
    if event.answer == "ack":
        stats.count(vhost, "confirm", channel=channel if event.message == message else None)


def _unroutable(stats: Stats, vhost: str, event: events.Unroutable) -> None:
    stats.count(vhost, "return_unroutable" if event.returned else "drop_unroutable", channel=event.channel)


def _delivered(stats: Stats, vhost: str, event: events.Delivered) -> None:
    _handed(stats, vhost, event, "deliver_no_ack" if event.auto_ack else "deliver")


def _got(stats: Stats, vhost: str, event: events.Got) -> None:
    if event.message is None:
        stats.count(vhost, "get_empty", queue=event.queue, channel=event.channel)
    else:
        _handed(stats, vhost, event, "get_no_ack" if event.auto_ack else "get")


def _handed(stats: Stats, vhost: str, event: events.Delivered | events.Got, how: str) -> None:
    for what in (how, "deliver_get", *(("redeliver",) if event.redelivered else ())):
        stats.count(vhost, what, queue=event.queue, channel=event.channel)


def _acked(stats: Stats, vhost: str, event: events.Acked) -> None:
    stats.count(vhost, "ack", queue=event.queue, channel=stats._on(vhost, event.by) or event.by)


def _consuming(stats: Stats, vhost: str, event: events.ConsumerStarted) -> None:
    stats.consumers[vhost, event.consumer] = event.channel


def _cancelled(stats: Stats, vhost: str, event: events.ConsumerCancelled) -> None:
    stats.consumers.pop((vhost, event.consumer), None)


def _gone(kind: str, field: str) -> Callable[[Stats, str, Any], None]:
    def forget(stats: Stats, vhost: str, event: Any) -> None:
        names = getattr(event, field)
        for name in (names,) if isinstance(names, str) else names:
            stats.counts.pop((vhost, kind, name), None)

    return forget


HEARS: dict[type, Callable[[Stats, str, Any], None]] = {
    events.Published: _published,
    events.Uncommitted: _uncommitted,
    events.Transaction: _transaction,
    events.Enqueued: _enqueued,
    events.Confirmed: _confirmed,
    events.Unroutable: _unroutable,
    events.Delivered: _delivered,
    events.Got: _got,
    events.Acked: _acked,
    events.ConsumerStarted: _consuming,
    events.ConsumerCancelled: _cancelled,
    events.QueueDeleted: _gone(QUEUE, "queue"),
    events.ExchangeDeleted: _gone(EXCHANGE, "exchange"),
    events.ChannelClosed: _gone(CHANNEL, "channel"),
    events.ConnectionClosed: _gone(CHANNEL, "channels"),
    events.ConnectionLost: _gone(CHANNEL, "channels"),
}
