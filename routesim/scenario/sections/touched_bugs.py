"""Which known bugs of its version of RabbitMQ a scenario may show."""

from collections.abc import Iterator

from routesim.broker import Broker
from routesim.model import Consumer
from routesim.queues import QueueType
from routesim.versions.known_bugs import (
    DEAD_LETTERS,
    DELAYED_OVER_LIMIT,
    EXCLUSIVE,
    QUORUM,
    SINGLE_BY_PRIORITY,
    KnownBug,
    bugs_of,
)


def bugs_in(version: str, topology: Broker, consumers: list[Consumer]) -> Iterator[KnownBug]:
    """`topology` is what the scenario declares at its top."""
    bugs = bugs_of(version)
    if bugs and topology.broker_settings.kind == "rabbitmq":
        touched = set().union(*(_touched(queue, consumers) for queue in topology.queues.values()))
        yield from (bug for bug in bugs if bug.touches in touched)


def _touched(queue: QueueType, consumers: list[Consumer]) -> Iterator[str]:
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
        priorities = [item.arguments.get("x-priority") for item in consumers if item.queue == queue.name]
        if queue.settings.single_active_consumer and any(priority is not None for priority in priorities):
            yield SINGLE_BY_PRIORITY
