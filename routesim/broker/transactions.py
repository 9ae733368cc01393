"""tx.select, commit and rollback (rules/queues#4.7): publishes and answers wait on the channel until the commit."""

from routesim import events, steps
from routesim.broker.acknowledging import settle
from routesim.broker.deadletters import drain
from routesim.broker.publishing import enqueue_everywhere
from routesim.broker.state import State
from routesim.queues import ACK, Channel, Delivery, QueueType
from routesim.replies import AmqpError


def tx(broker: State, step: steps.Tx) -> None:
    channel = broker.channel(step.channel)
    if step.do == "select":
        if channel.confirms:
            raise AmqpError(406, "cannot switch from confirm to tx mode")
        if channel.answered is None:
            channel.answered = []
    elif channel.answered is None:
        raise AmqpError(406, "channel is not transactional")
    if broker.listen:
        answers = sum(len(answer.deliveries) for answer in channel.answered)
        publishes = len(broker.uncommitted.get(channel.name, ()))
        broker.listen(events.Transaction(broker.now, step.channel, step.do, publishes, answers))
    if step.do == "commit":
        _commit(broker, channel)
    elif step.do == "rollback":
        abandon(broker, channel)
        channel.answered = []


def _commit(broker: State, channel: Channel[QueueType]) -> None:
    answers, channel.answered = channel.answered or [], []
    all_taken = True
    for pending in broker.uncommitted.pop(channel.name, ()):
        broker.ledger.uncommitted -= 1
        # Routed by name when published, delivered to whatever has that name now.
        queues = tuple((broker.queues[queue.name], path) for queue, path in pending.route.queues if queue.name in broker.queues)
        found = pending.route._replace(queues=queues, why_nowhere=pending.route.why_nowhere or "its queues are gone")
        taken = enqueue_everywhere(broker, channel, pending.id, pending.content, found, mandatory=pending.mandatory)
        all_taken = all_taken and taken
        drain(broker)
    run: list[Delivery[QueueType]] = []
    for index, (how, why, deliveries) in enumerate(answers):
        run.extend(deliveries)
        following = answers[index + 1] if index + 1 < len(answers) else None
        # Equal answers in a row are one operation, sorted by tag; where a nack and a reject count differently they are two.
        counts_alike = how == ACK or broker.rules.quorum_nack_counts
        if following is None or following.how != how or (following.why != why and not counts_alike):
            settle(broker, channel, sorted(run, key=lambda item: item.tag), how, why)
            run = []
            drain(broker)
    if not all_taken:
        raise AmqpError(406, "partial tx completion")


def abandon(broker: State, channel: Channel[QueueType]) -> None:
    """Rollback, or the end of the channel: publishes are gone, answered deliveries are unacked again."""
    if channel.answered is None:
        return
    publishes = broker.uncommitted.pop(channel.name, [])
    broker.ledger.uncommitted -= len(publishes)
    broker.ledger.rolled_back += len(publishes)
    if broker.listen:
        for pending in publishes:
            broker.listen(events.Unpublished(broker.now, pending.id, "rolled back"))
    if channel.answered:
        channel.unacked = {item.tag: item for item in sorted(channel.outstanding(), key=lambda item: item.tag)}
    channel.answered = None
