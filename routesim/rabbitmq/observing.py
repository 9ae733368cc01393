"""What is left in a real broker's queues at the end: emptied by basic.get, a stream read from its first message."""

from contextlib import suppress
from typing import Any

from routesim.queues import Copy, Delivery
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.engine import RealBroker
from routesim.rabbitmq.observed import ObservedQueue

LOOK = "(look)"
SINGLE = "x-single-active-consumer"
STREAM_PREFETCH = 10_000


def count_ready(broker: RealBroker, names: set[str]) -> None:
    """How much is ready in some queues, in the middle of a run: nothing is taken out."""
    for name in names & broker.queues.keys():
        queue = broker.queues[name]
        connection = queue.owner or LOOK
        channel: Any = broker.connections.do(broker.connections.connection(connection).channel)
        try:
            answer = broker.connections.do(channel.queue_declare, queue.broker_name, passive=True)
            queue.count = answer.method.message_count
            broker.connections.do(channel.close)
        except ClosedByBroker:
            del broker.queues[name]


def take_contents(broker: RealBroker) -> None:
    """Fills every queue's `content`, and forgets the queues that are gone. After it the run is over."""
    _stop_waiting_consumers(broker)
    for line in broker.channels.values():
        for item in line.outstanding():
            item.queue.unacked += 1
    for name, queue in list(broker.queues.items()):
        queue.count = None
        channel: Any = broker.connections.do(broker.connections.connection(queue.owner or LOOK).channel)
        try:
            broker.connections.do(channel.queue_declare, queue.broker_name, passive=True)
            queue.content += _read(broker, queue, channel) if queue.keeps_log else _drain(broker, queue, channel)
        except ClosedByBroker as refused:
            if refused.code == 404:
                del broker.queues[name]


def _drain(broker: RealBroker, queue: ObservedQueue, channel: Any) -> list[Copy]:
    found: list[Copy] = []
    while True:
        method, properties, body = broker.connections.do(channel.basic_get, queue.broker_name)
        if method is None:
            return found
        found.append(broker.copy_of(queue, method.exchange, method.routing_key, method.redelivered, properties, body))


def _read(broker: RealBroker, queue: ObservedQueue, channel: Any) -> list[Copy]:
    found: list[Copy] = []

    def deliver(_: Any, method: Any, properties: Any, body: bytes) -> None:
        found.append(broker.copy_of(queue, method.exchange, method.routing_key, False, properties, body))
        broker.arrived += 1
        channel.basic_ack(method.delivery_tag)

    broker.connections.do(channel.basic_qos, prefetch_count=STREAM_PREFETCH)
    broker.connections.do(channel.basic_consume, queue.broker_name, deliver, arguments={"x-stream-offset": "first"})
    seen = -1
    while seen != len(found):
        seen = len(found)
        broker.connections.poll(0.05)
        broker.settle()
    return found


def _stop_waiting_consumers(broker: RealBroker) -> None:
    """A quorum queue with a single active consumer gives nothing to basic.get; its consumers go, the last one first.

    What the broker sends to the next one meanwhile was ready.
    """
    queues = {
        queue.name
        for queue in broker.queues.values()
        if queue.arguments.get(SINGLE) is True and not queue.type.shares_single_active
    }
    consuming = [
        (line, tag, queue)
        for line in broker.channels.values()
        for tag, (_, queue) in line.subscriptions.items()
        if queue.name in queues
    ]
    broker.outbox.clear()
    for line, tag, _ in reversed(consuming):
        with suppress(ClosedByBroker):
            broker.connections.do(line.pika.basic_cancel, tag)
        broker.settle()
    for item in broker.outbox:
        if isinstance(item, Delivery) and isinstance(item.queue, ObservedQueue):
            item.queue.content.append(item.copy)
            next(line for line in broker.channels.values() if item.tag in line.unacked).unacked.pop(item.tag)
    broker.outbox.clear()
