"""Copies of a broker, and what makes two of them the same situation."""

from typing import Any, TypeVar

from routesim.broker.state import ExchangeState, RememberedRoute, State
from routesim.content import Content
from routesim.exchanges import ExchangeType
from routesim.exchanges.consistent_hash import ConsistentHash
from routesim.exchanges.random import Random
from routesim.exchanges.recent_history import RecentHistory
from routesim.queues import Channel, Classic, Copy, Delivery, QueueType, Quorum, Stream, Subscription
from routesim.values import identity, table_identity

S = TypeVar("S", bound=State)


def clone_into(old: State, new: S) -> S:
    """Make `new`, a fresh broker, the same situation as `old`. Messages and bindings are shared until one side changes."""
    new.now, new.agenda, new.ledger = old.now, old.agenda.clone(), old.ledger.clone()
    new.exchanges = {name: state.clone() for name, state in old.exchanges.items()}
    new.incoming = old.incoming
    new.incoming_shared = old.incoming_shared = True
    new.channels = {name: _channel(channel) for name, channel in old.channels.items()}
    new.queues = {name: queue.clone(new.channels) for name, queue in old.queues.items()}
    twins: dict[int, QueueType] = {id(queue): new.queues[name] for name, queue in old.queues.items()}
    twins[id(old.reply_queue)] = new.reply_queue
    for name, channel in old.channels.items():
        _fill_channel(channel, new.channels[name], twins)
    new.uncommitted = {
        name: [item._replace(route=_with_twins(item.route, twins)) for item in publishes]
        for name, publishes in old.uncommitted.items()
    }
    new.reply_channels, new.policies = old.reply_channels.copy(), old.policies.copy()
    new.connections = {name: names.copy() for name, names in old.connections.items()}
    new.channel_number, new.serial, new.registrations, new.draws = old.channel_number, old.serial, old.registrations, old.draws
    new.requeues_now = {message: places.copy() for message, places in old.requeues_now.items()}
    new.livelock, new.used = old.livelock, old.used.copy()
    return new


def _channel(old: Channel[QueueType]) -> Channel[QueueType]:
    new: Channel[QueueType] = Channel(old.name, old.connection, old.number, confirms=old.confirms, opened_at=old.opened_at)
    new.next_tag, new.prefetch, new.limit, new.volume = old.next_tag, old.prefetch, old.limit, old.volume
    new.last_queue, new.reply_consumer, new.timeout_armed = old.last_queue, old.reply_consumer, old.timeout_armed
    new.late = old.late
    return new


def _fill_channel(old: Channel[QueueType], new: Channel[QueueType], twins: dict[int, QueueType]) -> None:
    """What refers to queues and consumers, once those are there."""

    def delivery(item: Delivery[QueueType]) -> Delivery[QueueType]:
        queue = twins.get(id(item.queue))
        if queue is None:  # deleted: both sides only ignore it
            queue = item.queue
        subscription = item.subscription
        if subscription is not None:
            subscription = queue.subscriptions.get((new.name, subscription.tag), subscription)
        return item._replace(queue=queue, subscription=subscription)

    for tag, (subscription, queue) in old.subscriptions.items():
        twin = twins[id(queue)]
        if (new.name, tag) not in twin.subscriptions:  # a direct reply-to consumer is on its channel alone
            subscription = Subscription(
                subscription.name, tag, new, subscription.registered, auto_ack=True, arguments=subscription.arguments
            )
        new.subscriptions[tag] = (twin.subscriptions.get((new.name, tag), subscription), twin)
    new.unacked = {tag: delivery(item) for tag, item in old.unacked.items()}
    if old.answered is not None:
        new.answered = [item._replace(deliveries=[delivery(each) for each in item.deliveries]) for item in old.answered]


def _with_twins(route: RememberedRoute, twins: dict[int, QueueType]) -> RememberedRoute:
    return route._replace(queues=tuple((twins.get(id(queue), queue), path) for queue, path in route.queues))


# Fingerprints --------------------------------------------------------------------------------------------------------


def fingerprint(broker: State) -> tuple[Any, ...]:
    """Times relative to now, serial numbers and registrations as ranks, no counters of what has been."""
    print_ = _Fingerprint(broker)
    random = any(isinstance(state.matcher, Random) for state in broker.exchanges.values())
    return (
        tuple(sorted((name, print_.exchange(state)) for name, state in broker.exchanges.items())),
        tuple((name, print_.queue(queue)) for name, queue in broker.queues.items()),
        tuple(sorted((name, print_.channel(channel)) for name, channel in broker.channels.items())),
        tuple(sorted((key, str(policy)) for key, policy in broker.policies.items())),
        tuple(sorted((entry.at_ms - broker.now, entry.kind, print_.what(entry.what)) for entry in broker.agenda.heap)),
        broker.draws if random else None,
    )


class _Fingerprint:
    def __init__(self, broker: State) -> None:
        self.now = broker.now
        self.uncommitted = broker.uncommitted
        serials = {copy.serial for queue in broker.queues.values() for copy in _copies(queue)}
        serials |= {item.copy.serial for channel in broker.channels.values() for item in channel.unacked.values()}
        self.rank = {serial: rank for rank, serial in enumerate(sorted(serials))}

    def what(self, parts: tuple[Any, ...]) -> str:
        return str(
            tuple(self.content(part) if isinstance(part, Content) else part for part in parts if not isinstance(part, int))
        )

    def copy(self, copy: Copy) -> tuple[Any, ...]:
        expires = None if copy.expires_at is None else copy.expires_at - self.now
        return self.rank[copy.serial], copy.message, expires, copy.returns, copy.failures, self.content(copy.content)

    @staticmethod
    def content(content: Content) -> tuple[Any, ...]:
        tables = tuple(None if table is None else identity(table) for table in (content.headers, content.annotations))
        properties = table_identity(content.properties)
        return (
            content.exchange, content.keys, content.body, content.priority, content.expiration, content.delivery_mode,
            properties, *tables,
        )  # fmt: skip

    @staticmethod
    def exchange(state: ExchangeState) -> tuple[Any, ...]:
        matcher: ExchangeType = state.matcher
        memory: Any = None
        if isinstance(matcher, ConsistentHash):
            memory = tuple(matcher.buckets)
        elif isinstance(matcher, RecentHistory):
            memory = tuple((message, _Fingerprint.content(content)) for message, content in matcher.recent)
        return str(state.declared), tuple(sorted(state.bindings)), state.alternate, memory

    def queue(self, queue: QueueType) -> tuple[Any, ...]:
        order = sorted(queue.subscriptions.values(), key=lambda item: item.registered)
        number = {id(item): index for index, item in enumerate(order)}
        consumers = tuple(
            (item.channel.name, item.tag, item.credit, item.priority, item.auto_ack, item.quiescing, item.offset)
            for item in order
        )
        common = (
            queue.kind, queue.durable, queue.auto_delete, queue.owner, queue.settings, table_identity(queue.arguments),
            queue.had_consumers, consumers, tuple((self.copy(copy), reason) for copy, reason in queue.awaiting),
            None if queue.settings.expires is None else queue.used_at - self.now,
        )  # fmt: skip

        def lines(table: Any) -> tuple[Any, ...]:
            return tuple(sorted((key, tuple(number[id(item)] for item in line)) for key, line in table.items()))

        if isinstance(queue, Classic):
            levels = tuple(tuple(self.copy(copy) for copy in level) for level in queue.levels)
            single = number.get(id(queue.active_consumer)) if queue.active_consumer else None
            exclusive = number.get(id(queue.exclusive_to)) if queue.exclusive_to else None
            own: tuple[Any, ...] = (
                levels,
                lines(queue.active),
                lines(queue.blocked),
                tuple(sorted(queue.suspended)),
                single,
                exclusive,
            )
        elif isinstance(queue, Quorum):
            levels = tuple(tuple(self.copy(copy) for copy in level) for level in (queue.returns, *queue.levels))
            single = number.get(id(queue.active_consumer)) if queue.active_consumer else None
            waiting = tuple(number[id(item)] for item in queue.waiting)
            delayed = tuple((at_ms - self.now, self.copy(copy)) for at_ms, copy in queue.delayed)
            own = (
                levels,
                lines(queue.service),
                single,
                waiting,
                delayed,
                queue.dequeue_turn,
                tuple(sorted(queue.publishers.items())),
            )
        else:
            own = tuple(self.copy(copy) for copy in queue.ready())
        return common, own

    def channel(self, channel: Channel[QueueType]) -> tuple[Any, ...]:
        unacked = tuple(
            (item.queue.name, item.subscription.tag if item.subscription else None, self.copy(item.copy), item.queue.deleted)
            for item in channel.unacked.values()
        )
        transaction = None
        if channel.answered is not None:
            transaction = (len(self.uncommitted.get(channel.name, ())), len(channel.answered))
        return (
            channel.connection, channel.confirms, channel.prefetch, channel.limit, channel.volume if channel.limit else 0,
            channel.reply_consumer, unacked, transaction, tuple(sorted(channel.next_tag - tag for tag in channel.late)),
        )  # fmt: skip


def _copies(queue: QueueType) -> list[Copy]:
    copies = [*queue.ready(), *(copy for copy, _ in queue.awaiting)]
    if isinstance(queue, Quorum):
        copies += [copy for _, copy in queue.delayed]
    if isinstance(queue, Stream):
        copies += [copy for _, copy in queue.log]
    return copies
