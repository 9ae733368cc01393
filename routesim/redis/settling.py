"""Acknowledging, giving back, and the visibility timeout. Redis knows tags of messages, not of deliveries."""

from collections.abc import Iterable
from itertools import takewhile

from routesim import events, steps
from routesim.broker.acknowledging import meant_tag
from routesim.broker.records import NotPossible
from routesim.queues import Copy, Delivery, QueueType
from routesim.redis.lists import RedisList
from routesim.redis.popping import fill, hold, push
from routesim.redis.state import Client, Flight, RedisState, UnackedEntry

OVERDUE = "visibility timeout"


def get(broker: RedisState, step: steps.Get) -> None:
    """RPOP, list after list. Of a queue that nobody knows too: there is nothing in it."""
    channel = broker.channel(step.channel)
    queue: RedisList | None = broker.queues.get(step.queue)
    copy = None if queue is None else queue.get(broker)
    if queue is None or copy is None:
        if broker.listen:
            broker.listen(events.Got(broker.now, None, step.queue, None, channel.name, None, None, step.auto_ack))
        return
    tag = channel.next_tag
    channel.next_tag = tag + 1
    broker.ledger.delivered += 1
    broker.ledger.redelivered += copy.redelivered
    if broker.listen:
        broker.listen(
            events.Got(broker.now, copy.message, queue.name, copy.serial, channel.name, tag, copy.redelivered, step.auto_ack)
        )
    if step.auto_ack:
        broker.ledger.acked += 1
        return
    channel.unacked[tag] = Delivery(tag, queue, None, copy, broker.now, False)
    queue.unacked += 1
    hold(broker, Flight(queue.name, copy, channel.name, channel.name, channel.number, tag))


# Answers -------------------------------------------------------------------------------------------------------------


def ack(broker: RedisState, step: steps.Ack) -> None:
    _once(broker, step.multiple)
    client = broker.client(step.channel)
    delivery = _meant(broker, client, step.delivery_tag, step.message)
    if delivery is not None:
        _finish(broker, client, delivery, None)
        fill(broker, client)


def nack(broker: RedisState, step: steps.Nack) -> None:
    _once(broker, step.multiple)
    _reject(broker, step.channel, step.delivery_tag, step.message, step.requeue, "nack")


def reject(broker: RedisState, step: steps.Reject) -> None:
    _reject(broker, step.channel, step.delivery_tag, step.message, step.requeue, "reject")


def _reject(broker: RedisState, name: str, tag: int, message: str | None, requeue: bool, why: str) -> None:
    client = broker.client(name)
    delivery = _meant(broker, client, tag, message)
    if delivery is None:
        return
    if requeue:
        if not restore(broker, delivery.copy.message, head=False, by=_holder(client, delivery), why=why):
            _too_late(broker, client, delivery)
    else:
        _finish(broker, client, delivery, "rejected")
    fill(broker, client)


def _once(broker: RedisState, multiple: bool) -> None:
    if multiple:
        broker.warn_once("Redis has no answers for several deliveries at once: `multiple` is ignored")


def _meant(broker: RedisState, client: Client, tag: int, message: str | None) -> Delivery[QueueType] | None:
    """Takes the delivery out of what the client counts. An unknown tag is no error: nothing happens."""
    unacked = client.channel.unacked
    tag = meant_tag(client.channel, tag, message)
    found = unacked.pop(tag, None) or client.settled.pop(tag, None)
    if found is None:
        broker.warn_once(f"Redis knows no wrong tags: the answer to {tag} on channel '{client.channel.name}' does nothing")
        return None
    # kombu counts messages: with this one go all deliveries of it to this channel.
    for other in client.channel.take_all_of(found.copy.message):
        client.settled[other.tag] = other
    return found


def _holder(client: Client, delivery: Delivery[QueueType]) -> str:
    return delivery.subscription.name if delivery.subscription is not None else client.channel.name


def _finish(broker: RedisState, client: Client, delivery: Delivery[QueueType], dropped: str | None) -> None:
    """ZREM and HDEL: the message's entry goes, whoever made it. `dropped`: why this is a rejection."""
    copy, by = delivery.copy, _holder(client, delivery)
    entry = broker.held.pop(copy.message, None)
    mine = None
    for flight in entry.flights if entry is not None else ():
        broker.list_of(flight.queue).unacked -= 1
        if mine is None and flight.copy.serial == copy.serial:
            mine = flight
            if dropped is None:
                broker.ledger.acked += 1
            else:
                _told_settled(broker, client, delivery, rejected=True)
                broker.drop(broker.list_of(flight.queue), copy, dropped, "Redis has no dead-letter exchange", by)
        else:
            broker.ledger.acked += 1
            broker.freed.add(flight.copy.serial)
    broker.requeues_now.pop(copy.message, None)
    if mine is not None and dropped is None:
        _told_settled(broker, client, delivery)
    elif mine is None and copy.serial in broker.freed:
        broker.freed.discard(copy.serial)
        _told_settled(broker, client, delivery)
    elif mine is None:
        _too_late(broker, client, delivery)


def _told_settled(broker: RedisState, client: Client, delivery: Delivery[QueueType], *, rejected: bool = False) -> None:
    if broker.listen:
        settled = events.Rejected if rejected else events.Acked
        copy = delivery.copy
        broker.listen(
            settled(broker.now, copy.message, delivery.queue.name, copy.serial, _holder(client, delivery), delivery.tag)
        )


def _too_late(broker: RedisState, client: Client, delivery: Delivery[QueueType]) -> None:
    broker.warn(f"{_holder(client, delivery)} answers for {delivery.copy.message}, which is no longer unacked: nothing happens")


# Restoring -----------------------------------------------------------------------------------------------------------


def restore(broker: RedisState, message: str, *, head: bool, by: str = "", why: str) -> bool:
    """Take a message out of the unacked set and publish it again: to whatever its exchange and key lead to now.

    So a message that went to two queues comes back to both, even when only one copy was given back.
    """
    entry = broker.held.pop(message, None)
    if entry is None:
        return False
    left = list(entry.flights)
    pushed: list[tuple[RedisList, Copy]] = []
    for name in _targets(broker, entry):
        queue = broker.list_of(name)
        flight = next((item for item in left if item.queue == name), None)
        if flight is None:
            pushed.append((queue, _another(broker, queue, message, entry)))
            continue
        left.remove(flight)
        queue.unacked -= 1
        copy = flight.copy.returned()
        broker.requeued(queue, copy, by or flight.by, why)
        pushed.append((queue, copy))
    for flight in left:
        queue = broker.list_of(flight.queue)
        queue.unacked -= 1
        again = any(item is queue for item, _ in pushed)
        reason = "both copies had one entry, and it came back once" if again else "its binding is gone"
        broker.drop(queue, flight.copy, "unroutable", reason, flight.by)
    for queue, copy in pushed:
        push(broker, queue, copy, head=head)
    return True


def _targets(broker: RedisState, entry: UnackedEntry) -> list[str]:
    """The queues that kombu looks up for it; of a fanout exchange all that are bound, though nobody pops from those."""
    content = entry.content
    if not content.exchange:
        return [content.routing_key]
    state = broker.exchanges.get(content.exchange)
    if state is None:
        return []
    fanout = state.declared.type == "fanout"
    found = state.bindings.values() if fanout else state.matcher.route("", content, broker.draw)
    return list(dict.fromkeys(binding.destination for binding in found))


def _another(broker: RedisState, queue: RedisList, message: str, entry: UnackedEntry) -> Copy:
    broker.serial += 1
    broker.ledger.replayed += 1
    if broker.listen:
        broker.listen(events.Enqueued(broker.now, message, queue.name, broker.serial, "restored", ()))
    broker.came_back(message, queue.name)
    return Copy(broker.serial, message, entry.content, None, 1)


def give_back(broker: RedisState, held: Iterable[Delivery[QueueType]], why: str) -> None:
    """All that a channel held, one after the other to the head: the last one delivered is the next to be popped."""
    for message in dict.fromkeys(item.copy.message for item in held):
        restore(broker, message, head=True, why=why)


def recover(broker: RedisState, step: steps.Recover) -> None:
    if not step.requeue:
        raise NotPossible("kombu's Redis transport does not support recover(requeue=false)")
    client = broker.client(step.channel)
    held, client.channel.unacked = client.channel.unacked, {}
    client.settled |= held
    give_back(broker, held.values(), "recover")
    fill(broker, client)


def sweep(broker: RedisState) -> None:
    """Whatever has been unacked for the visibility timeout comes back, whether its consumer is dead or only slow.

    The newest first, each to the head: in the end they stand in their old order. With a limit, the newest alone.
    """
    oldest_first = ((entry.at_ms, entry.order, message) for message, entry in broker.held.items())
    overdue = takewhile(lambda entry: broker.now - entry[0] >= broker.visibility_timeout, oldest_first)
    for _, _, message in sorted(overdue, reverse=True)[: broker.restore_limit]:
        restore(broker, message, head=True, why=OVERDUE)
