"""What consumers of a real broker answer: which deliveries that settles, the clients note for themselves."""

from routesim import events, steps
from routesim.broker.acknowledging import meant_tag
from routesim.queues import Delivery, TxAnswer
from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.observed import ObservedQueue, RealChannel
from routesim.rabbitmq.real_state import RealState


def answer(broker: RealState, step: steps.Ack | steps.Nack | steps.Reject) -> None:
    channel = broker.channel(step.channel)
    tag, multiple = meant_tag(channel, step.delivery_tag, step.message), getattr(step, "multiple", False)
    if isinstance(step, steps.Ack):
        broker.call(channel, "basic_ack", tag, multiple)
    elif isinstance(step, steps.Nack):
        broker.call(channel, "basic_nack", tag, multiple, step.requeue)
    else:
        broker.call(channel, "basic_reject", tag, step.requeue)
    broker.flush(channel)
    meant = [each for each in channel.unacked if each == tag or (multiple and (tag == 0 or each <= tag))]
    settled = [channel.unacked.pop(each) for each in meant]
    if channel.answered is not None:
        channel.answered.append(TxAnswer("", "", settled))  # what a rollback gives back
    for item in settled:
        by = item.subscription.name if item.subscription else channel.name
        where = (broker.now, item.copy.message, item.queue.name, item.copy.serial, by)
        if isinstance(step, steps.Ack):
            broker.counted["acked"] += 1
            broker.emit(events.Acked(*where, item.tag))
        elif step.requeue:
            broker.emit(events.Requeued(*where, "nack" if isinstance(step, steps.Nack) else "reject"))
        else:
            broker.emit(events.Rejected(*where, item.tag))


def recover(broker: RealState, step: steps.Recover) -> None:
    channel = broker.channel(step.channel)
    held = list(channel.unacked.values())
    channel.unacked = {}
    try:
        broker.call(channel, "basic_recover", requeue=step.requeue)
    except ClosedByBroker:
        channel.unacked = {item.tag: item for item in held}
        raise
    given_back(broker, channel, held, "recover")


def given_back(broker: RealState, channel: RealChannel, held: list[Delivery[ObservedQueue]], why: str) -> None:
    for item in held:
        by = item.subscription.name if item.subscription else channel.name
        broker.emit(events.Requeued(broker.now, item.copy.message, item.queue.name, item.copy.serial, by, why))
