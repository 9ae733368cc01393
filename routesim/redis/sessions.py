"""Consumers, channels and connections, and the end of them: in good order, by loss, and with the server."""

from collections import deque

from routesim import events, steps
from routesim.broker.records import ChannelEnded, ConsumerEnded, NotPossible
from routesim.model import Consumer
from routesim.queues import Channel, Copy, QueueType, Subscription
from routesim.redis import settling, topology
from routesim.redis.lists import RedisList
from routesim.redis.popping import fill, subscribe
from routesim.redis.state import Client, RedisState
from routesim.replies import CLOSED_BY_CLIENT, REPLY_SUCCESS
from routesim.steps import Step


def consume(broker: RedisState, step: steps.Consume) -> None:
    consumer = step.consumer
    client = broker.client(consumer.channel)
    channel = client.channel
    if consumer.prefetch is not None:
        client.limit = consumer.prefetch
    if consumer.name in channel.subscriptions:
        return
    _warn_of_consumer(broker, consumer)
    queue = broker.list_of(consumer.queue)
    broker.registrations += 1
    subscription = Subscription(
        consumer.name, consumer.name, channel, broker.registrations, auto_ack=consumer.auto_ack, arguments=consumer.arguments
    )
    channel.subscriptions[consumer.name] = (subscription, queue)
    queue.subscriptions[channel.name, consumer.name] = subscription
    if broker.listen:
        broker.listen(events.ConsumerStarted(broker.now, consumer.name, queue.name, channel.name))
    if queue.fanout is not None:
        client.heard[queue.fanout[0]] = queue.name
        subscribe(broker, client, queue.fanout)
    _begin_cycle(client)
    if channel.connection not in broker.sweepers:
        broker.start_sweeping(channel.connection)
        client.waiting = False  # it looks for what is overdue before it asks for the first time
        settling.sweep(broker)
    client.waiting = False
    fill(broker, client)


def _warn_of_consumer(broker: RedisState, consumer: Consumer) -> None:
    if consumer.exclusive:
        broker.warn_once("Redis has no exclusive consumers: `exclusive` is ignored")
    if "x-priority" in consumer.arguments:
        broker.warn_once("Redis has no consumer priorities: x-priority is ignored")


def _begin_cycle(client: Client) -> None:
    """Whenever a consumer begins or ends, the queues stand in the order of consuming again; fanout queues have no list."""
    queues = (queue for _, queue in client.channel.subscriptions.values())
    names = dict.fromkeys(queue.name for queue in queues if isinstance(queue, RedisList) and queue.fanout is None)
    client.cycle = list(names)


def cancel(broker: RedisState, step: steps.Cancel) -> None:
    client = broker.client(step.channel)
    found = client.channel.subscriptions.pop(step.consumer, None)
    if found is None:
        return
    _end_consumer(broker, client, found[0], found[1], "cancelled", channel_lost=False)
    if not broker.is_consuming(client.channel.connection):
        broker.sweepers_planned = False
        broker.wake_sweepers()
    client.waiting = False
    fill(broker, client)


def _end_consumer(
    broker: RedisState, client: Client, subscription: Subscription, queue: object, why: str, *, channel_lost: bool
) -> None:
    assert isinstance(queue, RedisList)
    subscription.cancelled = True
    queue.subscriptions.pop((client.channel.name, subscription.tag), None)
    if queue.fanout is not None:
        client.heard.pop(queue.fanout[0], None)
        client.subscribed -= {queue.fanout}
    _begin_cycle(client)
    if broker.listen:
        broker.listen(events.ConsumerCancelled(broker.now, subscription.name, queue.name, why))
    broker.outbox.append(ConsumerEnded(subscription.name, client.channel.name, channel_lost, why))


def qos(broker: RedisState, step: steps.Qos) -> None:
    """Always for the whole channel, whatever `global` says."""
    client = broker.client(step.channel)
    if broker.listen:
        broker.listen(events.QosSet(broker.now, step.channel, step.prefetch, True))
    client.limit = step.prefetch
    fill(broker, client)


def fetch(broker: RedisState, step: steps.Fetch) -> None:
    """A BRPOP that is blocked is not taken back."""
    client = broker.client(step.channel)
    client.allowance = step.messages
    if step.messages != 0:
        fill(broker, client)


def tx(broker: RedisState, step: steps.Tx) -> None:
    raise NotPossible("kombu's Redis transport has no transactions")


def only_in_amqp(broker: RedisState, step: Step) -> None:
    raise NotPossible("kombu's Redis transport has no channels to open, to close or to stop, no confirms, and nothing to ask of")


# Endings -------------------------------------------------------------------------------------------------------------


def close(broker: RedisState, step: steps.Close) -> None:
    """In good order: what each channel holds is given back, the last channel first."""
    names = tuple(broker.connections.get(step.connection, ()))
    if names and broker.listen:
        broker.listen(events.ConnectionClosed(broker.now, step.connection, REPLY_SUCCESS, CLOSED_BY_CLIENT, names))
    ended = [_end_channel(broker, name, CLOSED_BY_CLIENT) for name in reversed(names)]
    for channel, queues in ended:
        settling.give_back(broker, channel.unacked.values(), CLOSED_BY_CLIENT)
        for queue in queues:
            if queue.fanout is not None and queue.auto_delete and queue.name in broker.queues:
                topology.remove(broker, queue, "auto-delete: its consumer closed the channel")
    _lose_freed(broker, [channel for channel, _ in ended])


def crash(broker: RedisState, step: steps.Crash) -> None:
    names = tuple(broker.connections.get(step.connection, ()))
    if broker.listen:
        broker.listen(events.ConnectionLost(broker.now, step.connection, names))
    _lose(broker, step.connection, "connection lost")


def _lose(broker: RedisState, connection: str, why: str) -> None:
    """Nothing is given back: what was held stays in the unacked set until it is overdue."""
    names = list(broker.connections.get(connection, ()))
    _lose_freed(broker, [_end_channel(broker, name, why)[0] for name in names])


def _end_channel(broker: RedisState, name: str, why: str) -> tuple[Channel[QueueType], list[RedisList]]:
    """Take channel and consumers away, with what waits in its socket; returns the channel and the queues it consumed."""
    client = broker.clients.pop(name, None) or Client(broker.channels[name], 0)
    channel = client.channel
    client.waiting = False
    consumed: list[RedisList] = []
    for subscription, queue in list(channel.subscriptions.values()):
        assert isinstance(queue, RedisList)
        consumed.append(queue)
        _end_consumer(broker, client, subscription, queue, why, channel_lost=True)
        unread = [item for item in queue.in_sockets if item[0] == name]
        queue.in_sockets = deque(item for item in queue.in_sockets if item[0] != name)
        broker.drop_all(queue, [copy for _, copy in unread], "unread", "it was on its way to a subscriber that is gone")
    broker.outbox.append(ChannelEnded(name, why))
    channel.subscriptions = {}
    broker.sweepers_planned = False
    del broker.channels[name]
    names = broker.connections[channel.connection]
    names.remove(name)
    if not names:
        del broker.connections[channel.connection]
        broker.sweepers.pop(channel.connection, None)
        for declarers in broker.declarers.values():
            declarers.discard(channel.connection)
    return channel, consumed


def _lose_freed(broker: RedisState, channels: list[Channel[QueueType]]) -> None:
    """Copies that no entry kept any longer end with the channel that worked on them."""
    for delivery in [item for channel in channels for item in channel.unacked.values()]:
        if delivery.copy.serial in broker.freed:
            broker.freed.discard(delivery.copy.serial)
            by = delivery.subscription.name if delivery.subscription is not None else delivery.queue.name
            broker.lost_by_consumer(by, delivery.copy.message, delivery.queue.name, delivery.copy.serial)


def restart(broker: RedisState, step: steps.Restart) -> None:
    """Redis as it is delivered: a snapshot when it is stopped, none in the minutes before a kill; no append-only file."""
    if broker.listen:
        broker.listen(events.Restarted(broker.now, step.clean))
    for connection in list(broker.connections):
        _lose(broker, connection, "the broker restarted")
    if step.clean:
        return
    flights = [(flight.queue, flight.copy) for entry in broker.held.values() for flight in entry.flights]
    ready = [(queue.name, copy) for queue in broker.queues.values() for copy in queue.ready()]
    broker.held.clear()
    for queue in broker.queues.values():
        queue.purge(broker)
        queue.unacked, queue.fanout = 0, None
    for name, copy in [*ready, *flights]:
        _lost(broker, name, copy)
    for state in list(broker.exchanges.values()):
        for binding in list(state.bindings.values()):
            topology.take_out(broker, binding, "the set of bindings is lost with the server's memory")


def _lost(broker: RedisState, queue: str, copy: Copy) -> None:
    broker.ledger.lost_at_restart += 1
    if broker.listen:
        broker.listen(events.LostAtRestart(broker.now, copy.message, queue, copy.serial))
