"""Channels and connections: consumers on them, prefetch, their end, and a restart, which ends them all (rules/queues#3.1,
rules/queues#3.6, rules/queues#3.7, rules/queues#2.13)."""

from itertools import count

from routesim import events, steps
from routesim.broker.acknowledging import release
from routesim.broker.records import ChannelEnded, ConsumerEnded, NotPossible
from routesim.broker.state import State
from routesim.broker.topology import named, remove_exchange, remove_queue, stripped
from routesim.broker.transactions import abandon
from routesim.model import REPLY_TO, ChannelPlan, Consumer
from routesim.queues import Channel, Copy, Delivery, QueueType, Subscription
from routesim.replies import CLOSED_BY_CLIENT, REPLY_SUCCESS, AmqpError
from routesim.values import is_integer, raw

TAG_IN_USE = "attempt to reuse consumer tag"


def consume(broker: State, step: steps.Consume) -> None:
    consumer = step.consumer
    channel = broker.channel(consumer.channel)
    if consumer.prefetch is not None:
        set_prefetch(broker, channel, consumer.prefetch)
    if consumer.queue == REPLY_TO:
        _consume_replies(broker, consumer, channel)
        return
    name = named(channel, consumer.queue)
    tag = consumer.tag or consumer.name
    if tag in channel.subscriptions:
        raise AmqpError(530, f"{TAG_IN_USE} '{tag}'")
    queue = broker.accessible(broker.queue(stripped(name)), channel.connection)
    queue.check_consume(consumer.auto_ack, consumer.exclusive, consumer.arguments, channel)
    subscription = _subscription(broker, consumer, channel)
    channel.subscriptions[tag] = (subscription, queue)
    if broker.listen:
        broker.listen(events.ConsumerStarted(broker.now, consumer.name, queue.name, channel.name))
    queue.consume(broker, subscription)


def _subscription(broker: State, consumer: Consumer, channel: Channel[QueueType]) -> Subscription:
    broker.registrations += 1
    priority = consumer.arguments.get("x-priority", 0)
    return Subscription(
        consumer.name, consumer.tag or consumer.name, channel, broker.registrations, prefetch=channel.prefetch,
        priority=raw(priority) if is_integer(priority) else 0, auto_ack=consumer.auto_ack,
        exclusive=consumer.exclusive, arguments=consumer.arguments,
    )  # fmt: skip


def _consume_replies(broker: State, consumer: Consumer, channel: Channel[QueueType]) -> None:
    """Direct reply-to (rules/routing#U21)."""
    tag = consumer.tag or consumer.name
    if tag in channel.subscriptions and tag != channel.reply_consumer:
        raise AmqpError(530, f"{TAG_IN_USE} '{tag}'")
    if not consumer.auto_ack:
        raise AmqpError(406, "reply consumer cannot acknowledge")
    if channel.reply_consumer is not None:
        raise AmqpError(406, "reply consumer already set")
    subscription = _subscription(broker, consumer, channel)
    channel.subscriptions[tag] = (subscription, broker.reply_queue)
    channel.reply_consumer = tag
    if not channel.reply_address:
        lives = (f"{REPLY_TO}.{channel.name}.{number}" for number in count(1))  # of channels that had this name
        channel.reply_address = next(address for address in lives if address not in broker.reply_channels)
    broker.reply_channels[channel.reply_address] = channel.name
    if broker.listen:
        broker.listen(events.ConsumerStarted(broker.now, consumer.name, REPLY_TO, channel.name))


def cancel(broker: State, step: steps.Cancel) -> None:
    """Cancelling an unknown consumer is no error (rules/queues#S22)."""
    channel = broker.channel(step.channel)
    found = channel.subscriptions.pop(step.consumer, None)
    if found is None:
        return
    subscription, queue = found
    if broker.listen:
        broker.listen(events.ConsumerCancelled(broker.now, subscription.name, queue.name, "cancelled"))
    broker.outbox.append(ConsumerEnded(subscription.name, channel.name, False, "cancelled", subscription.tag))
    if queue is broker.reply_queue:
        channel.reply_consumer = None
        return
    last = len(queue.subscriptions) == 1
    queue.cancel(broker, subscription)
    if last and queue.auto_delete:
        remove_queue(broker, queue, "auto-delete: its last consumer is gone")
    elif last:
        _start_lease(broker, queue)


def end_by_broker(broker: State, subscription: Subscription, queue: QueueType, why: str) -> None:
    """basic.cancel from the broker to the client; the queue has yet to let the consumer go."""
    subscription.channel.subscriptions.pop(subscription.tag, None)
    if broker.listen:
        broker.listen(events.ConsumerCancelled(broker.now, subscription.name, queue.name, why))
    broker.outbox.append(ConsumerEnded(subscription.name, subscription.channel.name, False, why, subscription.tag))


def _start_lease(broker: State, queue: QueueType) -> None:
    queue.used_at = broker.now
    broker.watch_lease(queue)


def qos(broker: State, step: steps.Qos) -> None:
    channel = broker.channel(step.channel)
    if broker.listen:
        broker.listen(events.QosSet(broker.now, step.channel, step.prefetch, step.whole_channel))
    if not step.whole_channel or broker.rules.global_qos_denied:
        set_prefetch(broker, channel, step.prefetch)
        return
    was_at_limit = channel.at_limit()
    if step.prefetch and not channel.limit:
        channel.volume = len(channel.unacked)  # those of basic.get too, and these never leave (rules/queues#3.7)
    channel.limit = step.prefetch
    if was_at_limit and not channel.at_limit():
        release(broker, channel)


def set_prefetch(broker: State, channel: Channel[QueueType], prefetch: int) -> None:
    """basic.qos(global=false): for consumers to come; switches a limit of the whole channel off (rules/queues#S6)."""
    channel.prefetch = prefetch
    if channel.limit:
        channel.limit = 0
        release(broker, channel)


def open_channel(broker: State, step: steps.OpenChannel) -> None:
    if step.channel in broker.channels:
        raise NotPossible(f"channel '{step.channel}' is open already")
    broker.open(ChannelPlan(step.channel, step.connection, confirms=False))


def end_channel(broker: State, step: steps.CloseChannel) -> None:
    channel = broker.channel(step.channel)
    if step.code != REPLY_SUCCESS:
        broker.close_refused(step.channel, AmqpError(step.code, step.text))
        return
    if broker.listen:
        broker.listen(events.ChannelClosed(broker.now, step.channel, step.code, step.text))
    close_channel(broker, channel, CLOSED_BY_CLIENT)


def flow(broker: State, step: steps.Flow) -> None:
    channel = broker.channel(step.channel)
    channel.stalled = not step.active
    if step.active and not channel.at_limit():
        release(broker, channel)


def select_confirms(broker: State, step: steps.SelectConfirms) -> None:
    channel = broker.channel(step.channel)
    if channel.answered is not None:
        raise AmqpError(406, "cannot switch from tx to confirm mode")
    channel.confirms = True


def close_channel(broker: State, channel: Channel[QueueType], why: str, refused: AmqpError | None = None) -> None:
    """The channel ends: its transaction is undone, its consumers go, what it held returns to its queues."""
    del broker.channels[channel.name]
    names = broker.connections[channel.connection]
    names.remove(channel.name)
    if not names:
        del broker.connections[channel.connection]
    abandon(broker, channel)
    held: dict[QueueType, list[Delivery[QueueType]]] = {}
    for delivery in channel.unacked.values():
        held.setdefault(delivery.queue, []).append(delivery)
    channel.unacked = {}
    consuming: dict[QueueType, list[Subscription]] = {}
    for subscription, queue in channel.subscriptions.values():
        consuming.setdefault(queue, []).append(subscription)
        if broker.listen:
            broker.listen(events.ConsumerCancelled(broker.now, subscription.name, queue.name, why))
        broker.outbox.append(ConsumerEnded(subscription.name, channel.name, True, why, subscription.tag))
    broker.outbox.append(ChannelEnded(channel.name, why, refused))
    channel.subscriptions = {}
    known = {broker.queues[name] for name in channel.publishes_to if name in broker.queues}
    known |= {queue for queue in consuming if queue.knows_publishers}
    touched = {queue for queue in consuming.keys() | held.keys() | known if broker.queues.get(queue.name) is queue}
    # RabbitMQ leaves the order of the queues open; here it is the order of their declaration (rules/queues#3.13).
    ending = sorted(touched, key=_declared)
    if len(ending) > 1 and broker.races is not None:
        found = broker.races.order([queue.name for queue in ending], f"the end of {channel.name} comes to {{}}")
        ending = [ending[index] for index in found]
    for queue in ending:
        deliveries = held.get(queue, [])
        if not queue.keeps_log:
            queue.unacked -= len(deliveries)
        gone = [item for item in consuming.get(queue, ()) if not item.cancelled]
        for subscription in gone:
            queue.remove_consumer(subscription)
        if gone and not queue.subscriptions:
            if queue.auto_delete:
                remove_queue(broker, queue, "auto-delete: its last consumer is gone", [item.copy for item in deliveries])
                continue
            _start_lease(broker, queue)
        if gone or deliveries or queue in known:
            queue.channel_down(broker, channel, deliveries, why)


def _declared(queue: QueueType) -> int:
    return queue.declared


def close_connection(broker: State, name: str, why: str, fault_of: str | None = None) -> None:
    """All its channels end, in the order of their opening, but the one to blame first; then its exclusive queues go."""
    names = sorted(broker.connections.get(name, ()), key=lambda each: each != fault_of)
    if len(names) > 1 and broker.races is not None and fault_of is None:
        holding = [each for each in names if broker.channels[each].unacked or broker.channels[each].subscriptions]
        if len(holding) > 1:
            found = broker.races.order(holding, "the channels end in the order {}")
            names = [*(holding[index] for index in found), *(each for each in names if each not in holding)]
    for channel_name in names:
        close_channel(broker, broker.channels[channel_name], why)
    for queue_name in broker.owners.pop(name, {}):
        remove_queue(broker, broker.queues[queue_name], f"exclusive: its connection {name} is gone")


def crash(broker: State, step: steps.Crash) -> None:
    names = tuple(broker.connections.get(step.connection, ()))
    if broker.listen:
        broker.listen(events.ConnectionLost(broker.now, step.connection, names))
    close_connection(broker, step.connection, "connection lost")


def close(broker: State, step: steps.Close) -> None:
    """connection.close: for what it held the same as a loss (rules/queues#2.13)."""
    names = tuple(broker.connections.get(step.connection, ()))
    if names and broker.listen:
        broker.listen(events.ConnectionClosed(broker.now, step.connection, step.code, step.text, names))
    close_connection(
        broker, step.connection, CLOSED_BY_CLIENT if step.code == REPLY_SUCCESS else "connection closed", step.fault_of
    )


# Restarting (rules/queues#7, rules/routing#C8) ----------------------------------------------------------------------


def restart(broker: State, step: steps.Restart) -> None:
    """Everybody's connection ends, and what is not durable goes."""
    if broker.listen:
        broker.listen(events.Restarted(broker.now, step.clean))
    # A broker that is killed leaves auto-delete queues alone; one that stops has ended its connections, from 4.0 on
    # (rules/queues#1.5).
    lasting = [queue for queue in broker.queues.values() if queue.auto_delete and queue.durable]
    ends = step.clean and not broker.rules.auto_delete_outlives_restarts
    ended = [queue for queue in lasting if ends and queue.subscriptions]
    for queue in lasting:
        queue.auto_delete = False
    # Everybody goes at once: nothing that one consumer held is sent to another meanwhile.
    for channel in broker.channels.values():
        for subscription, queue in channel.subscriptions.values():
            if not subscription.cancelled and queue is not broker.reply_queue:
                queue.remove_consumer(subscription)
    for name in list(broker.connections):
        close_connection(broker, name, "the broker restarted")
    for queue in lasting:
        queue.auto_delete = True
        queue.had_consumers = False
    for queue in ended:
        remove_queue(broker, queue, "auto-delete: its last consumer is gone")
    for queue in list(broker.queues.values()):
        if not queue.durable:
            remove_queue(broker, queue, "not durable: gone with the restart", cascade=False)
    if not broker.rules.exchanges_outlive_restarts:
        for name, state in list(broker.exchanges.items()):
            if not state.declared.durable:
                remove_exchange(broker, name, "not durable: gone with the restart", cascade=False)
            else:
                state.unshare()
                state.matcher.restart()
    for queue in broker.queues.values():
        lost = queue.restart(broker, clean=step.clean)
        _lose(broker, queue.name, lost)
        queue.used_at = broker.now
        broker.watch_lease(queue)


def _lose(broker: State, queue: str, lost: list[Copy]) -> None:
    broker.ledger.lost_at_restart += len(lost)
    if broker.listen:
        for copy in lost:
            broker.listen(events.LostAtRestart(broker.now, copy.message, queue, copy.serial))
