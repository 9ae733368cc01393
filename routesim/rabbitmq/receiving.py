"""Consumers of a real broker, their prefetch, and basic.get."""

from functools import partial
from typing import Any

import pika.spec

from routesim import events, steps
from routesim.broker import ConsumerEnded
from routesim.broker.records import NotPossible
from routesim.model import ChannelPlan
from routesim.queues import Delivery, Subscription
from routesim.rabbitmq.endings import forget_unused
from routesim.rabbitmq.observed import ObservedQueue, RealChannel
from routesim.rabbitmq.real_state import RealState


def open_channel(broker: RealState, step: steps.OpenChannel) -> None:
    if step.channel in broker.channels:
        raise NotPossible(f"channel '{step.channel}' is open already")
    broker.plans[step.channel] = ChannelPlan(step.channel, step.connection, confirms=False)
    broker.channel(step.channel)


def consume(broker: RealState, step: steps.Consume) -> None:
    consumer = step.consumer
    channel = broker.channel(consumer.channel)
    if consumer.prefetch is not None:
        broker.call(channel, "basic_qos", prefetch_count=consumer.prefetch)
    queue = broker.queues.get(consumer.queue) or ObservedQueue(consumer.queue, consumer.queue, {}, owner=None)
    subscription = Subscription(
        consumer.name, consumer.name, channel, broker.numbers, auto_ack=consumer.auto_ack, arguments=consumer.arguments
    )
    if consumer.name in channel.subscriptions:  # the library would refuse; what the broker says is asked for
        again = pika.spec.Basic.Consume(queue=queue.broker_name, consumer_tag=consumer.name, no_ack=consumer.auto_ack)
        channel.pika._impl._send_method(again)
        broker.flush(channel)
        return
    broker.call(
        channel, "basic_consume", queue.broker_name, partial(_delivered, broker, channel, subscription, queue),
        auto_ack=consumer.auto_ack, exclusive=consumer.exclusive, consumer_tag=consumer.name, arguments=consumer.arguments,
    )  # fmt: skip
    channel.subscriptions[consumer.name] = (subscription, queue)
    broker.emit(events.ConsumerStarted(broker.now, consumer.name, queue.name, channel.name))


def cancel(broker: RealState, step: steps.Cancel) -> None:
    channel = broker.channel(step.channel)
    broker.connections.poll()
    broker.call(channel, "basic_cancel", step.consumer)
    found = channel.subscriptions.pop(step.consumer, None)
    if found is not None:
        broker.emit(events.ConsumerCancelled(broker.now, step.consumer, found[1].name, "cancelled"))
        broker.outbox.append(ConsumerEnded(step.consumer, channel.name, False, "cancelled"))
        forget_unused(broker, found[1])


def _delivered(
    broker: RealState,
    channel: RealChannel,
    subscription: Subscription,
    queue: ObservedQueue,
    _: Any,
    method: Any,
    properties: Any,
    body: bytes,
) -> None:
    broker.arrived += 1
    copy = broker.copy_of(queue, method.exchange, method.routing_key, method.redelivered, properties, body)
    broker.handed = delivery = Delivery(method.delivery_tag, queue, subscription, copy, broker.now, subscription.auto_ack)
    if not subscription.auto_ack:
        channel.unacked[delivery.tag] = delivery
    broker.counted["delivered"] += 1
    broker.counted["redelivered"] += copy.redelivered
    broker.counted["acked"] += subscription.auto_ack
    broker.emit(
        events.Delivered(
            broker.now, copy.message, queue.name, copy.serial, subscription.name, channel.name, delivery.tag, copy.redelivered,
            subscription.auto_ack,
        )
    )  # fmt: skip
    broker.outbox.append(delivery)


def get(broker: RealState, step: steps.Get) -> None:
    channel = broker.channel(step.channel)
    queue = broker.queues.get(step.queue) or ObservedQueue(step.queue, step.queue, {}, owner=None)
    method, properties, body = broker.call(channel, "basic_get", queue.broker_name, auto_ack=step.auto_ack)
    if method is None:
        broker.emit(events.Got(broker.now, None, queue.name, None, channel.name, None, None, step.auto_ack))
        return
    copy = broker.copy_of(queue, method.exchange, method.routing_key, method.redelivered, properties, body)
    broker.handed = delivery = Delivery(method.delivery_tag, queue, None, copy, broker.now, step.auto_ack)
    if not step.auto_ack:
        channel.unacked[method.delivery_tag] = delivery
    broker.emit(
        events.Got(
            broker.now, copy.message, queue.name, copy.serial, channel.name, method.delivery_tag, copy.redelivered, step.auto_ack
        )
    )


def qos(broker: RealState, step: steps.Qos) -> None:
    broker.call(broker.channel(step.channel), "basic_qos", prefetch_count=step.prefetch, global_qos=step.whole_channel)
    broker.emit(events.QosSet(broker.now, step.channel, step.prefetch, step.whole_channel))
