"""Copies of a broker, and what makes two of them the same situation."""

from collections.abc import Iterable
from typing import Any

from routesim.broker.broker import Broker
from routesim.broker.clock import TIMEOUT_TICK_MS
from routesim.broker.records import RememberedRoute
from routesim.content import Content
from routesim.queues import Channel, Delivery, QueueType, Subscription
from routesim.queues.fingerprint import Fingerprint


def clone_into(old: Broker, new: Broker, twins: dict[int, QueueType]) -> dict[int, QueueType]:
    """Make `new`, a fresh broker, the same situation as `old`. Messages and bindings are shared until one side changes.

    `twins` are queues of `new` by the identity of those that they stand for; returned with all others.
    """
    new.now, new.agenda, new.ledger = old.now, old.agenda.clone(), old.ledger.clone()
    new.exchanges = {name: state.clone() for name, state in old.exchanges.items()}
    new.incoming = old.incoming
    new.incoming_shared = old.incoming_shared = True
    new.channels = {name: _channel(channel) for name, channel in old.channels.items()}
    new.queues = {name: queue.clone(new.channels) for name, queue in old.queues.items()}
    twins |= {id(queue): new.queues[name] for name, queue in old.queues.items()}
    for name, channel in old.channels.items():
        _fill_channel(channel, new.channels[name], twins)
    new.policies = old.policies.clone()
    new.connections = {name: names.copy() for name, names in old.connections.items()}
    new.channel_number, new.serial, new.registrations, new.draws = old.channel_number, old.serial, old.registrations, old.draws
    new.names_drawn, new.queues_declared = old.names_drawn, old.queues_declared
    new.owners = {name: owned.copy() for name, owned in old.owners.items()}
    new.requeues_now = {message: places.copy() for message, places in old.requeues_now.items()}
    new.livelock, new.used = old.livelock, old.used.copy()
    return twins


def _channel(old: Channel[QueueType]) -> Channel[QueueType]:
    new: Channel[QueueType] = Channel(old.name, old.connection, old.number, confirms=old.confirms, opened_at=old.opened_at)
    new.next_tag, new.prefetch, new.limit, new.volume = old.next_tag, old.prefetch, old.limit, old.volume
    new.last_queue, new.reply_consumer, new.timeout_armed = old.last_queue, old.reply_consumer, old.timeout_armed
    new.publishes_to = old.publishes_to.copy()
    new.late, new.stalled, new.reply_address = old.late, old.stalled, old.reply_address
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
        return Delivery(item.tag, queue, subscription, item.copy, item.at_ms, item.auto_ack)

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


def with_twins(route: RememberedRoute, twins: dict[int, QueueType]) -> RememberedRoute:
    return route._replace(queues=tuple((twins.get(id(queue), queue), path) for queue, path in route.queues))


# Parts ---------------------------------------------------------------------------------------------------------------


def known_queues(channel: Channel[QueueType], queues: dict[str, QueueType]) -> set[str]:
    """Which of these queues a channel consumes from or holds deliveries of."""
    found = {queue.name for _, queue in channel.subscriptions.values()}
    found.update(item.queue.name for item in channel.outstanding() if not item.queue.deleted)
    return {name for name in found if name in queues}


def cloned_parts(
    queues: dict[str, QueueType], channels: dict[str, Channel[QueueType]], reply_queue: QueueType
) -> tuple[dict[str, QueueType], dict[str, Channel[QueueType]]]:
    """Copies of queues with the channels that know them."""
    new_channels = {name: _channel(channel) for name, channel in channels.items()}
    new_queues = {name: queue.clone(new_channels) for name, queue in queues.items()}
    twins = {id(queue): new_queues[name] for name, queue in queues.items()}
    twins[id(reply_queue)] = reply_queue
    for name, channel in channels.items():
        _fill_channel(channel, new_channels[name], twins)
    return new_queues, new_channels


# Fingerprints --------------------------------------------------------------------------------------------------------


def fingerprint(broker: Broker) -> tuple[Any, ...]:
    """Times relative to now, serial numbers and registrations as ranks, no counters of what has been; but names that the broker
    draws are in messages, so that how many it has drawn matters."""
    parts, _ = print_of_parts(broker.queues, broker.channels, broker)
    return (exchanges_print(broker), tuple(broker.queues), parts, *rest_of_print(broker))


def exchanges_print(broker: Broker) -> tuple[Any, ...]:
    exchanges = broker.exchanges
    looks = tuple([(name, exchanges[name].fingerprint()) for name in sorted(exchanges)])
    return looks, broker.draws if any(state.matcher.by_chance for state in exchanges.values()) else None


def rest_of_print(broker: Broker) -> tuple[Any, ...]:
    """What is in no queue, channel or exchange."""
    due = tuple([(entry.at_ms - broker.now, entry.kind, _due(entry.what)) for entry in sorted(broker.agenda.heap)])
    return due, broker.names_drawn


def print_of_parts(
    queues: dict[str, QueueType], channels: dict[str, Channel[QueueType]], broker: Broker
) -> tuple[tuple[Any, ...], bool]:
    """What queues of a broker with the channels that know them look like, and whether that depends on the instant."""
    prints = Fingerprint(broker.now)
    held: dict[QueueType, list[int]] = {}
    for channel in channels.values():
        for item in channel.outstanding():
            held.setdefault(item.queue, []).append(item.copy.serial)
    looks = []
    for name, queue in queues.items():
        prints.ranks(queue, [copy.serial for copy in queue.copies()] + held.pop(queue, []))
        prints.look_at(queue)
        looks.append((name, queue.fingerprint(prints)))
    for queue, serials in held.items():
        prints.ranks(queue, serials)
    found = (
        tuple(sorted(looks)),
        tuple(
            sorted(
                [
                    (name, _channel_print(channel, prints, timed=broker.every_channel_times_out))
                    for name, channel in channels.items()
                ]
            )
        ),
        _ends_in_order(queues, channels, broker.connections),
    )
    return found, prints.timed


def _ends_in_order(
    queues: dict[str, QueueType], channels: dict[str, Channel[QueueType]], connections: dict[str, list[str]]
) -> tuple[str, ...]:
    """The channels in the order in which they end and give back what they hold, when all end; where that order can be seen: what
    comes back does not go to its old place, or dies of it and is dead-lettered."""
    if len(channels) < 2 or all(
        queue.returns_to_place and queue.settings.dead_letter_exchange is None for queue in queues.values()
    ):
        return ()
    return tuple([name for names in connections.values() for name in names if name in channels])


def _due(parts: tuple[Any, ...]) -> str:
    """What an entry of the agenda is about, without the numbers that only tell it from others."""
    return str(tuple(part.fingerprint() if isinstance(part, Content) else part for part in parts if not isinstance(part, int)))


def _channel_print(channel: Channel[QueueType], prints: Fingerprint, *, timed: bool) -> tuple[Any, ...]:
    """`timed`: it looks now and then, in the rhythm of its own life, for what was not acknowledged in time."""

    def held(deliveries: Iterable[Delivery[QueueType]]) -> tuple[Any, ...]:
        found: list[tuple[Any, ...]] = []
        for item in deliveries:
            queue, tag = item.queue, item.subscription.tag if item.subscription else None
            at_ms = prints.after(item.at_ms) if timed or queue.times_out_each else None
            prints.look_at(queue)
            found.append((queue.name, tag, prints.copy(item.copy, counted=queue.counts_returns), queue.deleted, at_ms))
        return tuple(found)

    answers = None
    if channel.answered is not None:
        answers = tuple((answer.how, answer.why, held(answer.deliveries)) for answer in channel.answered)
    return (
        channel.connection, channel.confirms, channel.prefetch, channel.limit, channel.volume if channel.limit else 0,
        channel.reply_consumer, channel.reply_address, held(channel.unacked.values()), answers,
        tuple(sorted(channel.next_tag - tag for tag in channel.late)),
        (prints.after(channel.opened_at) or 0) % TIMEOUT_TICK_MS if timed else 0,
    )  # fmt: skip
