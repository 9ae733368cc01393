"""The end of channels and connections of a real broker, by the client and by the broker, and of what goes with them."""

from routesim import events, steps
from routesim.broker import ChannelEnded, ConsumerEnded, StepFailure
from routesim.rabbitmq.answering import given_back
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.looking import wait_until_let_go
from routesim.rabbitmq.observed import ObservedQueue, RealChannel
from routesim.rabbitmq.real_state import RealState
from routesim.replies import CHANNEL_CODES, CLOSED_BY_CLIENT, REPLY_SUCCESS


def crash(broker: RealState, step: steps.Crash) -> None:
    broker.emit(events.ConnectionLost(broker.now, step.connection, _channels_of(broker, step.connection)))
    lost = [channel for channel in broker.channels.values() if channel.connection == step.connection]
    used = [queue for channel in lost for _, queue in channel.subscriptions.values()]
    used += [queue for queue in broker.queues.values() if queue.owner == step.connection and queue not in used]
    broker.connections.drop(step.connection)
    wait_until_let_go(broker, step.connection, used)
    _connection_gone(broker, step.connection, "connection lost")


def close(broker: RealState, step: steps.Close) -> None:
    names = _channels_of(broker, step.connection)
    if names:
        broker.emit(events.ConnectionClosed(broker.now, step.connection, REPLY_SUCCESS, CLOSED_BY_CLIENT, names))
    broker.connections.close(step.connection)
    _connection_gone(broker, step.connection, CLOSED_BY_CLIENT)


def close_channel(broker: RealState, step: steps.CloseChannel) -> None:
    channel = broker.channel(step.channel)
    channel.pika._consumer_infos.clear()  # else the library cancels them first
    channel.pika._impl._consumers.clear()
    broker.call(channel, "close")
    broker.emit(events.ChannelClosed(broker.now, step.channel, REPLY_SUCCESS, CLOSED_BY_CLIENT))
    _channel_gone(broker, channel, CLOSED_BY_CLIENT)


def refused_by_broker(broker: RealState, name: str | None, refused: ClosedByBroker) -> None:
    text = broker.shown_text(refused)
    broker.failures.append(StepFailure(broker.now, refused.code, text))
    channel = broker.channels.get(name) if name is not None else None
    if channel is None:
        return
    if refused.connection or refused.code not in CHANNEL_CODES:
        names = _channels_of(broker, channel.connection)
        broker.emit(events.ConnectionClosed(broker.now, channel.connection, refused.code, text, names))
        broker.connections.forget(channel.connection)
        _connection_gone(broker, channel.connection, "connection closed")
    else:
        broker.emit(events.ChannelClosed(broker.now, channel.name, refused.code, text))
        _channel_gone(broker, channel, "channel closed")


def _channels_of(broker: RealState, connection: str) -> tuple[str, ...]:
    return tuple(channel.name for channel in broker.channels.values() if channel.connection == connection)


def connections_gone(broker: RealState, why: str, *, stay: bool) -> None:
    """Everybody's connection is gone at once. `stay`: so that no auto-delete queue goes with its consumers."""
    lasting = [queue for queue in broker.queues.values() if stay and queue.auto_delete and queue.durable]
    for queue in lasting:
        queue.auto_delete = False
    for connection in dict.fromkeys(channel.connection for channel in broker.channels.values()):
        _connection_gone(broker, connection, why)
    for queue in lasting:
        queue.auto_delete = True


def _connection_gone(broker: RealState, connection: str, why: str) -> None:
    for channel in [item for item in broker.channels.values() if item.connection == connection]:
        _channel_gone(broker, channel, why)
    for queue in [item for item in broker.queues.values() if item.owner == connection]:
        del broker.queues[queue.name]
        broker.emit(events.QueueDeleted(broker.now, queue.name, f"exclusive: its connection {connection} is gone", 0))


def _channel_gone(broker: RealState, channel: RealChannel, why: str) -> None:
    del broker.channels[channel.name]
    for message in channel.pending:
        broker.emit(events.Unpublished(broker.now, message, "rolled back"))
    for subscription, queue in channel.subscriptions.values():
        broker.emit(events.ConsumerCancelled(broker.now, subscription.name, queue.name, why))
        broker.outbox.append(ConsumerEnded(subscription.name, channel.name, True, why))
        forget_unused(broker, queue)
    broker.outbox.append(ChannelEnded(channel.name, why))
    given_back(broker, channel, sorted(channel.outstanding(), key=lambda item: item.tag), why)
    channel.unacked, channel.answered = {}, None


def forget_unused(broker: RealState, queue: ObservedQueue) -> None:
    """A consumer has gone: with the last one goes an auto-delete queue, of which no client is told (rules/queues#1.5)."""
    used = any(other is queue for channel in broker.channels.values() for _, other in channel.subscriptions.values())
    if queue.auto_delete and not used and broker.queues.get(queue.name) is queue:
        del broker.queues[queue.name]
