"""basic.ack, nack, reject, recover and get (rules/queues#4): which deliveries a tag means, and in what order they settle."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from routesim import events, steps
from routesim.broker.records import NotPossible, QueueAnswer
from routesim.broker.state import State
from routesim.broker.topology import named, stripped
from routesim.queues import ACK, DISCARD, REQUEUE, Channel, Delivery, QueueType, TxAnswer
from routesim.replies import AmqpError


def ack(broker: State, step: steps.Ack) -> None:
    channel = broker.channel(step.channel)
    _settle_or_record(broker, channel, _meant(channel, step.delivery_tag, step.message, step.multiple), ACK, "ack")


def nack(broker: State, step: steps.Nack) -> None:
    channel = broker.channel(step.channel)
    deliveries = _meant(channel, step.delivery_tag, step.message, step.multiple)
    _settle_or_record(broker, channel, deliveries, REQUEUE if step.requeue else DISCARD, "nack")


def reject(broker: State, step: steps.Reject) -> None:
    channel = broker.channel(step.channel)
    deliveries = _meant(channel, step.delivery_tag, step.message, False)
    _settle_or_record(broker, channel, deliveries, REQUEUE if step.requeue else DISCARD, "reject")


def recover(broker: State, step: steps.Recover) -> None:
    if not step.requeue:
        raise AmqpError(540, "requeue=false")
    channel = broker.channel(step.channel)
    deliveries = list(channel.unacked.values())
    channel.unacked = {}
    settle(broker, channel, deliveries, REQUEUE, "recover")


def meant_tag(channel: Channel[Any], tag: int, message: str | None) -> int:
    """The tag that an answer is for, on any engine: that of the newest open delivery of `message`, where one is named.

    Raises `NotPossible` when the channel holds none.
    """
    if message is None:
        return tag
    newest = channel.newest_tag(message)
    if newest is not None:
        return newest
    raise NotPossible(f"channel '{channel.name}' holds no open delivery of {message}")


def _meant(channel: Channel[QueueType], tag: int, message: str | None, multiple: bool) -> list[Delivery[QueueType]]:
    """Takes the deliveries out of the unacked. Raises `AmqpError` (406) for a tag that is not outstanding."""
    unacked = channel.unacked
    if message is not None:
        tag = meant_tag(channel, tag, message)
    if not (multiple and tag == 0) and tag not in unacked and tag not in channel.late:
        raise AmqpError(406, f"unknown delivery tag {tag}")
    if channel.late:
        channel.late -= {each for each in channel.late if (tag == 0 or each <= tag if multiple else each == tag)}
    if not multiple:
        return [unacked.pop(tag)] if tag in unacked else []
    return [unacked.pop(each) for each in (list(unacked) if tag == 0 else _up_to(unacked, tag))]


def _up_to(tags: Iterable[int], last: int) -> list[int]:
    """Of tags that ascend, those that are not above `last`."""
    return list(takewhile(last.__ge__, tags))


def _settle_or_record(
    broker: State, channel: Channel[QueueType], deliveries: list[Delivery[QueueType]], how: str, why: str
) -> None:
    if channel.answered is None:
        settle(broker, channel, deliveries, how, why)
    else:
        channel.answered.append(TxAnswer(how, why, deliveries))


def settle(broker: State, channel: Channel[QueueType], deliveries: Sequence[Delivery[QueueType]], how: str, why: str) -> None:
    """Apply one answer to deliveries that have left the unacked, one group a queue and consumer (rules/queues#4.4)."""
    try:
        for delivery in deliveries:
            delivery.queue.check_answer(how, why)
    except AmqpError:  # the connection goes, and everything returns from there
        channel.hold([*channel.unacked.values(), *deliveries])
        raise
    if len(deliveries) == 1:
        _settle_group(broker, channel, deliveries, how, why)
    else:
        groups: dict[tuple[bytes, bool, object], list[Delivery[QueueType]]] = {}
        for delivery in deliveries:
            by_get = delivery.subscription is None
            owner = delivery.tag if delivery.subscription is None else delivery.subscription.tag.encode()
            groups.setdefault((delivery.queue.broker_name.encode(), not by_get, owner), []).append(delivery)
        for key in sorted(groups):
            _settle_group(broker, channel, groups[key], how, why)
    if channel.limit:
        was_at_limit = channel.at_limit()
        channel.volume = max(0, channel.volume - sum(item.subscription is not None for item in deliveries))
        if was_at_limit and not channel.at_limit():
            release(broker, channel)


def _settle_group(
    broker: State, channel: Channel[QueueType], deliveries: Sequence[Delivery[QueueType]], how: str, why: str
) -> None:
    queue, subscription = deliveries[0].queue, deliveries[0].subscription
    if queue.deleted:
        return
    by = subscription.name if subscription is not None else channel.name
    if queue.keeps_log:
        how = ACK  # whatever the answer is, it gives credit and takes nothing away (rules/queues#8.2)
    else:
        queue.unacked -= len(deliveries)
    if how == ACK and not queue.keeps_log:
        broker.ledger.acked += len(deliveries)
        if broker.requeues_now:  # what is acknowledged goes round no more: nothing is kept for it
            for item in deliveries:
                broker.requeues_now.pop(item.copy.message, None)
    if broker.listen and how != REQUEUE:
        answered = events.Acked if how == ACK else events.Rejected
        for item in deliveries:
            broker.listen(answered(broker.now, item.copy.message, queue.name, item.copy.serial, by, item.tag))
    queue.settle(broker, subscription, [item.copy for item in deliveries], how, by, why)


def release(broker: State, channel: Channel[QueueType]) -> None:
    """The channel fell below its global limit: its queues may send again.

    RabbitMQ begins with any of them, by chance (rules/queues#3.7); here it is the one declared last.
    """
    queues = list(broker.queues.values())[::-1]
    if broker.races is not None:
        consumed = {queue.name for _, queue in channel.subscriptions.values()}
        waiting = [queue for queue in queues if queue.name in consumed and queue.ready_count()]
        if len(waiting) > 1:
            names = [queue.name for queue in waiting]
            found = broker.races.rotation(names, f"{channel.name} is sent more from {{}}")
            queues = [*(waiting[index] for index in found), *(queue for queue in queues if queue not in waiting)]
    for queue in queues:
        queue.resume(broker, channel)


def get(broker: State, step: steps.Get) -> None:
    channel = broker.channel(step.channel)
    queue = broker.accessible(broker.queue(stripped(named(channel, step.queue))), channel.connection)
    queue.check_get(channel)
    queue.used_at = broker.now
    copy = queue.get(broker)
    broker.answer = QueueAnswer(queue.broker_name, queue.ready_count(), queue.consumer_count())
    broker.handed = None
    if copy is None:
        if broker.listen:
            broker.listen(events.Got(broker.now, None, queue.name, None, step.channel, None, None, step.auto_ack))
        return
    tag = channel.next_tag
    channel.next_tag = tag + 1
    broker.ledger.delivered += 1
    broker.ledger.redelivered += copy.redelivered
    broker.handed = delivery = Delivery(tag, queue, None, copy, broker.now, step.auto_ack)
    if not step.auto_ack:
        channel.unacked[tag] = delivery
        queue.unacked += 1
    if broker.listen:
        broker.listen(
            events.Got(broker.now, copy.message, queue.name, copy.serial, step.channel, tag, copy.redelivered, step.auto_ack)
        )
    if step.auto_ack:
        broker.ledger.acked += 1
        return
    if not channel.timeout_armed and (broker.every_channel_times_out or queue.times_out_each):
        broker.watch_acknowledgement(channel)


def overdue(broker: State, name: str, number: int) -> tuple[Channel[QueueType], Delivery[QueueType], int] | None:
    """The oldest delivery of the channel, if its acknowledgement is overdue now; else waits for the next."""
    channel = broker.channels.get(name)
    if channel is None or channel.number != number:
        return None
    channel.timeout_armed = False
    watched = list(channel.unacked.values())
    if broker.rules.acknowledgement_timeout == "channel":
        watched = watched[:1]
    else:
        watched = [item for item in watched if item.queue.times_out_each]
    for item in watched:
        timeout = broker.acknowledgement_timeout(item.queue, item.subscription)
        if broker.now - item.at_ms >= timeout:
            return channel, item, timeout
    if watched:
        broker.watch_acknowledgement(channel)
    return None
