"""Publishing to a real broker, and transactions."""

import pika.exceptions

from routesim import events, steps
from routesim.broker.publishing import check_short_strings
from routesim.broker.records import NotPossible
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.real_state import RealState
from routesim.rabbitmq.wire import body_of, properties_of

UNKNOWN = -1  # in how many queues a confirmed message is, a broker does not say


def publish(broker: RealState, step: steps.Publish) -> None:
    message, channel = broker.on_the_wire(step.message), broker.channel(step.channel)
    properties = properties_of(message, step.id, broker.pace)
    broker.ids[properties.message_id] = step.id
    broker.counted["published"] += 1
    broker.emit(events.Published(broker.now, step.id, message.exchange, message.routing_key, step.channel))
    try:
        check_short_strings(message)
    except NotPossible as problem:
        broker.counted["failed"] += 1
        broker.emit(events.Unpublished(broker.now, step.id, str(problem)))
        raise
    if channel.answered is not None:
        channel.pending.append(step.id)
        broker.emit(events.Uncommitted(broker.now, step.id, step.channel))
    try:
        broker.call(
            channel, "basic_publish", message.exchange, message.routing_key, body_of(message), properties, message.mandatory
        )
        if not channel.confirms:
            broker.flush(channel)
    except pika.exceptions.UnroutableError:
        broker.returned(step.id, message.exchange, message.routing_key, step.channel)
    except pika.exceptions.NackError:
        broker.counted["refused"] += 1
        broker.emit(events.Confirmed(broker.now, step.id, "nack", UNKNOWN))
        return
    except ClosedByBroker as refused:
        broker.counted["failed"] += 1
        if step.id in channel.pending:
            channel.pending.remove(step.id)
        broker.emit(events.Unpublished(broker.now, step.id, broker.shown_text(refused)))
        raise
    if channel.confirms:
        broker.emit(events.Confirmed(broker.now, step.id, "ack", UNKNOWN))


def select_confirms(broker: RealState, step: steps.SelectConfirms) -> None:
    channel = broker.channel(step.channel)
    if not channel.confirms:
        broker.call(channel, "confirm_delivery")
        channel.confirms = True


def tx(broker: RealState, step: steps.Tx) -> None:
    channel = broker.channel(step.channel)
    broker.call(channel, f"tx_{step.do}")
    answers = sum(len(answer.deliveries) for answer in channel.answered or ())
    broker.emit(events.Transaction(broker.now, step.channel, step.do, len(channel.pending), answers))
    if step.do == "rollback":
        for message in channel.pending:
            broker.emit(events.Unpublished(broker.now, message, "rolled back"))
        channel.unacked = {item.tag: item for item in sorted(channel.outstanding(), key=lambda item: item.tag)}
    channel.pending, channel.answered = [], []
