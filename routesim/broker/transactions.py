"""tx.select, commit and rollback (rules/queues#4.7): publishes and answers wait on the channel until the commit."""

from routesim import events, steps
from routesim.broker.acknowledging import settle
from routesim.broker.deadletters import drain
from routesim.broker.publishing import enqueue_everywhere
from routesim.broker.records import PendingPublish, RememberedRoute
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
    publishes = broker.uncommitted.get(channel.name, [])
    if _answers_first(broker, channel, publishes):
        _answer(broker, channel)
    all_taken = True
    for index, pending in enumerate(publishes):
        try:
            _check_queues(broker, pending)
        except AmqpError:
            del publishes[:index]  # the others are rolled back with the connection
            raise
        broker.ledger.uncommitted -= 1
        found, whole = _route_at_commit(broker, pending)
        # From 3.13 on it has been routed at the publish, whatever has become of its queues.
        mandatory = pending.mandatory and (broker.rules.tx_queue_gone == "carried out" or not pending.route.queues)
        taken = enqueue_everywhere(broker, channel, pending.id, pending.content, found, mandatory=mandatory)
        all_taken = all_taken and taken and whole
        drain(broker)
    broker.uncommitted.pop(channel.name, None)
    _answer(broker, channel)
    if not all_taken:
        raise AmqpError(406, "partial tx completion")


def _answers_first(broker: State, channel: Channel[QueueType], publishes: list[PendingPublish]) -> bool:
    """Publishes to a quorum queue run at a low priority: the answers of the same commit may be applied before them
    (rules/queues#3.13)."""
    if broker.races is None or not channel.answered:
        return False
    if not any(queue.replicated for pending in publishes for queue, _ in pending.route.queues):
        return False
    return broker.races.rotation(["its publishes", "its answers"], f"the commit of {channel.name} applies {{}}") != [0, 1]


def _answer(broker: State, channel: Channel[QueueType]) -> None:
    answers, channel.answered = channel.answered or [], []
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


def _check_queues(broker: State, pending: PendingPublish) -> None:
    """From 4.3 on nothing of a publish is delivered, and the connection ends, where one of its queues is no more."""
    if broker.rules.tx_queue_gone == "506":
        for queue, _ in pending.route.queues:
            if queue.name not in broker.queues:
                resource = f'{{resource,<<"{broker.vhost}">>,queue,<<"{queue.name}">>}}'
                raise AmqpError(506, f"failed to deliver message: {{not_found,{resource}}}")


def _route_at_commit(broker: State, pending: PendingPublish) -> tuple[RememberedRoute, bool]:
    """What is left of the route, and whether no classic queue of it is gone. A queue is found by its name; but from 3.13 on a
    classic one must be the very queue that was there at the publish."""
    queues, whole = [], True
    for meant, path in pending.route.queues:
        found = broker.queues.get(meant.name)
        if found is not meant and not meant.replicated and broker.rules.tx_queue_gone != "carried out":
            whole = False
        elif found is not None:
            queues.append((found, path))
    why = pending.route.why_nowhere or "its queues are gone"
    return pending.route._replace(queues=tuple(queues), why_nowhere=why), whole


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
        channel.hold(channel.outstanding())
    channel.answered = None
