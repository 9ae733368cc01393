"""What the next instants of the fast way depend on, looked at between two of them."""

from typing import Any

from routesim.broker import RabbitBroker
from routesim.broker.ledger import Ledger
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.named_tuples import NamedTuple
from routesim.run.agenda import NextPublish, RunAgenda
from routesim.run.express.plain import Plain

MOST_PLANNED, MOST_IN_HAND = 500, 500  # to look at more would take too long


class Look(NamedTuple):
    """All that the next instants depend on, and how far everything has been counted.

    `entries` of the agenda by their numbers, `consumers` and `queues`: relative to the instant and to the numbers given out so
    far, so that they are the same whenever the same is to come. `counts` (of what waits in a queue), `waiting` (in a
    consumer's hands) and `credits` matter only while they are small; `planned` and `jobs` are how many there have been.
    """

    now: int
    serial: int
    planned: int
    ledger: Ledger
    entries: dict[int, tuple[Any, ...]]
    consumers: dict[ScriptedConsumer, tuple[Any, ...]]
    queues: dict[int, tuple[Any, ...]]
    counts: dict[int, int]
    unacked: dict[int, int]
    waiting: dict[ScriptedConsumer, int]
    credits: dict[ScriptedConsumer, int]
    jobs: dict[ScriptedConsumer, int]


def look(broker: RabbitBroker, agenda: RunAgenda, plain: Plain) -> Look | None:
    """None: there is too much to look at, or something that is not plain."""
    now = broker.now
    if len(agenda.heap) > MOST_PLANNED:
        return None
    consumers: dict[ScriptedConsumer, tuple[Any, ...]] = {}
    waiting: dict[ScriptedConsumer, int] = {}
    credits: dict[ScriptedConsumer, int] = {}
    jobs: dict[ScriptedConsumer, int] = {}
    queues = [queue for queue in plain.queues.values() if queue is not None]
    for acking in (each for queue in queues for each in queue.consumers.values()):
        state = acking.state
        consumers[state] = tuple([state.job_number - number for number in state.jobs])
        waiting[state], credits[state], jobs[state] = len(state.waiting), acking.subscription.credit, state.job_number
    if sum(map(len, consumers.values())) > MOST_IN_HAND:
        return None
    return Look(
        now, broker.serial, agenda.number, broker.ledger.clone(),
        {item[2]: (item[0] - now, item[1], item[2] - agenda.number, *_entry(item[3], now)) for item in agenda.heap},
        consumers, {id(item.queue): item.queue.whose_turn() for item in queues},
        {id(item.queue): item.queue.count for item in queues},
        {id(item.queue): item.queue.unacked for item in queues}, waiting, credits, jobs,
    )  # fmt: skip


def _entry(entry: Any, now: int) -> tuple[Any, ...]:
    if type(entry) is NextPublish:
        return id(entry.action), entry.at_ms - now
    if type(entry) is ConsumerJob:
        return id(entry.consumer), entry.number - entry.consumer.job_number
    return (id(entry),)
