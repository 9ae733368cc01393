"""Which known bugs of its version of RabbitMQ a scenario may show."""

from collections.abc import Iterable, Iterator

from routesim.broker import Broker
from routesim.model import Consumer
from routesim.queues import QueueType
from routesim.steps import DeclareQueue, DeleteQueue, Step
from routesim.values import raw
from routesim.versions.known_bugs import (
    DEAD_LETTERS,
    DELAYED_OVER_LIMIT,
    EXCLUSIVE,
    OTHER_TYPE,
    QUORUM,
    SINGLE_BY_PRIORITY,
    KnownBug,
    bugs_of,
)


def bugs_in(version: str, topology: Broker, consumers: list[Consumer], steps: Iterable[Step]) -> Iterator[KnownBug]:
    """`topology` is what the scenario declares at its top; `steps` are all that it asks for, those declarations too."""
    bugs = bugs_of(version)
    if bugs and topology.broker_settings.kind == "rabbitmq":
        by_priority = {item.queue for item in consumers if item.arguments.get("x-priority") is not None}
        touched = set().union(*(_touched(queue, by_priority) for queue in topology.queues.values()))
        if declared_as_another_type(steps):
            touched.add(OTHER_TYPE)
        yield from (bug for bug in bugs if bug.touches in touched)


def declared_as_another_type(steps: Iterable[Step]) -> bool:
    """Whether some queue is deleted by a step and declared as more than one type."""
    every = list(steps)
    deleted = {step.queue for step in every if isinstance(step, DeleteQueue)}
    types: dict[str, set[object]] = {}
    for step in every if deleted else ():
        if isinstance(step, DeclareQueue) and step.queue.name in deleted:
            types.setdefault(step.queue.name, set()).add(raw(step.queue.arguments.get("x-queue-type", "classic")))
    return any(len(found) > 1 for found in types.values())


def _touched(queue: QueueType, by_priority: set[str]) -> Iterator[str]:
    """`by_priority`: queues of which a consumer has a priority."""
    if queue.settings.dead_letter_exchange is not None:
        yield DEAD_LETTERS
    if queue.owner is not None:
        yield EXCLUSIVE
    if queue.kind == "quorum":
        yield QUORUM
        settings = queue.settings
        limited = settings.max_length is not None or settings.max_length_bytes is not None
        if settings.delayed_retry_type != "disabled" and limited and settings.overflow == "drop-head":
            yield DELAYED_OVER_LIMIT
        if queue.settings.single_active_consumer and queue.name in by_priority:
            yield SINGLE_BY_PRIORITY
