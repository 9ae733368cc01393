"""tx.select, commit and rollback (rules/queues#4.7): publishes and answers wait on the channel until the commit."""

from routesim import events, steps
from routesim.broker.acknowledging import settle
from routesim.broker.deadletters import drain
from routesim.broker.publishing import PendingPublish, enqueue_everywhere
from routesim.broker.state import State
from routesim.queues import REQUEUE, Channel, Delivery
from routesim.replies import AmqpError


class OpenTransaction:
    """`settled`: (how, by which method, deliveries) in the order in which they were answered."""

    __slots__ = ("publishes", "settled")

    def __init__(self) -> None:
        self.publishes: list[PendingPublish] = []
        self.settled: list[tuple[str, str, list[Delivery]]] = []


def tx(broker: State, step: steps.Tx) -> None:
    channel = broker.channel(step.channel)
    if step.do == "select":
        if channel.confirms:
            raise AmqpError(406, "cannot switch from confirm to tx mode")
        if channel.transaction is None:
            channel.transaction = OpenTransaction()
    elif channel.transaction is None:
        raise AmqpError(406, "channel is not transactional")
    if broker.listen:
        transaction = channel.transaction
        assert isinstance(transaction, OpenTransaction)
        answers = sum(len(deliveries) for _, _, deliveries in transaction.settled)
        broker.listen(events.Transaction(broker.now, step.channel, step.do, len(transaction.publishes), answers))
    if step.do == "commit":
        _commit(broker, channel)
    elif step.do == "rollback":
        abandon(broker, channel)
        channel.transaction = OpenTransaction()


def _commit(broker: State, channel: Channel) -> None:
    transaction = channel.transaction
    assert isinstance(transaction, OpenTransaction)
    channel.transaction = OpenTransaction()
    all_taken = True
    for pending in transaction.publishes:
        broker.ledger.uncommitted -= 1
        # Routed by name when published, delivered to whatever has that name now.
        queues = tuple((broker.queues[queue.name], path) for queue, path in pending.route.queues if queue.name in broker.queues)
        found = pending.route._replace(queues=queues, why_nowhere=pending.route.why_nowhere or "its queues are gone")
        taken = enqueue_everywhere(broker, channel, pending.id, pending.content, found, mandatory=pending.mandatory)
        all_taken = all_taken and taken
        drain(broker)
    run: list[Delivery] = []
    for index, (how, why, deliveries) in enumerate(transaction.settled):
        run.extend(deliveries)
        following = transaction.settled[index + 1] if index + 1 < len(transaction.settled) else None
        # Answers of one kind in a row are one operation, sorted by tag; where a nack and a reject that requeue count
        # differently they are two.
        counts_alike = how != REQUEUE or broker.rules.quorum_nack_counts
        if following is None or following[0] != how or (following[1] != why and not counts_alike):
            settle(broker, channel, sorted(run, key=lambda item: item.tag), how, why)
            run = []
            drain(broker)
    if not all_taken:
        raise AmqpError(406, "partial tx completion")


def abandon(broker: State, channel: Channel) -> None:
    """Rollback, or the end of the channel: publishes are gone, answered deliveries are unacked again."""
    transaction = channel.transaction
    if not isinstance(transaction, OpenTransaction):
        return
    count = len(transaction.publishes)
    broker.ledger.uncommitted -= count
    broker.ledger.rolled_back += count
    if broker.listen:
        for pending in transaction.publishes:
            broker.listen(events.Unpublished(broker.now, pending.id, "rolled back"))
    answered = [item for _, _, deliveries in transaction.settled for item in deliveries]
    if answered:
        merged = sorted([*channel.unacked.values(), *answered], key=lambda item: item.tag)
        channel.unacked = {item.tag: item for item in merged}
    channel.transaction = None
