"""What is left in a real broker's queues at the end: emptied by basic.get; by a consumer where basic.get is refused; a stream
read from its first message."""

from contextlib import suppress
from typing import Any

from routesim.queues import Copy, Delivery
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.engine import RealBroker
from routesim.rabbitmq.looking import look_at, look_channel
from routesim.rabbitmq.observed import ObservedQueue
from routesim.values import raw

SINGLE = "x-single-active-consumer"
PREFETCH = 10_000
QUIET_S = 0.05


def count_ready(broker: RealBroker, names: set[str]) -> None:
    """How much is ready in some queues, in the middle of a run: nothing is taken out."""
    for name in names & broker.queues.keys():
        queue = broker.queues[name]
        with suppress(ClosedByBroker):
            seen = look_at(broker, queue)
            if seen is None:
                del broker.queues[name]
            else:
                queue.count = seen[0]


def take_contents(broker: RealBroker) -> None:
    """Fills every queue's `content`, and forgets the queues that are gone. After it the run is over."""
    _stop_single_active_consumers(broker)
    for name, queue in list(broker.queues.items()):
        queue.count = None
        channel = look_channel(broker, queue)
        try:
            answer = broker.connections.do(channel.queue_declare, queue.broker_name, passive=True)
            if queue.keeps_log:
                queue.content += _read(broker, queue, channel, {"x-stream-offset": "first"})
            elif _refuses_get(queue):
                queue.content += _read(broker, queue, channel, {}) if answer.method.message_count else []
            else:
                queue.content += _drain(broker, queue, channel)
        except ClosedByBroker as refused:
            if refused.code == 404:
                del broker.queues[name]
    for line in broker.channels.values():
        for item in line.outstanding():
            item.queue.unacked += 1


def _drain(broker: RealBroker, queue: ObservedQueue, channel: Any) -> list[Copy]:
    found: list[Copy] = []
    while True:
        method, properties, body = broker.connections.do(channel.basic_get, queue.broker_name)
        if method is None:
            return found
        found.append(broker.copy_of(queue, method.exchange, method.routing_key, method.redelivered, properties, body))


def _read(broker: RealBroker, queue: ObservedQueue, channel: Any, arguments: dict[str, Any]) -> list[Copy]:
    """By a consumer; what a queue gives away is not given back."""
    found: list[Copy] = []

    def deliver(_: Any, method: Any, properties: Any, body: bytes) -> None:
        redelivered = method.redelivered and not queue.keeps_log
        found.append(broker.copy_of(queue, method.exchange, method.routing_key, redelivered, properties, body))
        broker.arrived += 1
        if queue.keeps_log:
            channel.basic_ack(method.delivery_tag)

    broker.connections.do(channel.basic_qos, prefetch_count=PREFETCH)
    broker.connections.do(channel.basic_consume, queue.broker_name, deliver, arguments=arguments)
    seen = -1
    while seen != len(found):
        seen = len(found)
        broker.connections.poll(QUIET_S)
        broker.settle()
    return found


def _refuses_get(queue: ObservedQueue) -> bool:
    """A quorum queue with a single active consumer gives nothing to basic.get (rules/queues#3.8)."""
    return queue.arguments.get(SINGLE) is True and not queue.type.shares_single_active and not queue.keeps_log


def _stop_single_active_consumers(broker: RealBroker) -> None:
    """Those that wait go first, and those that were active at last, so that no successor is served.

    Should one be served nevertheless, then what the broker sends it was ready, and comes before what is read afterwards.
    """
    consuming = [
        (bool(_held_by(line, tag)), raw(subscription.arguments.get("x-priority", 0)), -subscription.registered, line, tag)
        for line in broker.channels.values()
        for tag, (subscription, queue) in line.subscriptions.items()
        if _refuses_get(queue)
    ]
    broker.outbox.clear()
    for *_, line, tag in sorted(consuming, key=lambda item: item[:3]):
        with suppress(ClosedByBroker):
            broker.connections.do(line.pika.basic_cancel, tag)
    if consuming:
        broker.settle()
    for item in broker.outbox:
        if isinstance(item, Delivery) and isinstance(item.queue, ObservedQueue):
            item.queue.content.append(item.copy)
            for line in broker.channels.values():
                if line.unacked.get(item.tag) is item:
                    del line.unacked[item.tag]
    broker.outbox.clear()


def _held_by(line: Any, tag: str) -> list[int]:
    return [item.tag for item in line.unacked.values() if item.subscription is not None and item.subscription.tag == tag]
