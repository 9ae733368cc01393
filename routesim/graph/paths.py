"""The edges of a graph that an event goes along."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from routesim import events
from routesim.graph.model import ALTERNATE, BINDING, CONSUMER, CONSUMES, DEAD_LETTER, EXCHANGE, QUEUE, Key
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.run.folds.fold import Fold

EdgeKey: TypeAlias = tuple[Key, Key, str]  # from, to, kind
DEFAULT_KEY = Key(EXCHANGE, "(default exchange)")


class EventEdges(Fold):
    """`edges`: those that the last event went along.

    Not every edge that it names is in a drawing: the last hop of a dead letter by name is drawn in one of two ways.
    """

    def __init__(self) -> None:
        self.edges: list[EdgeKey] = []
        self.sources: dict[str, Key] = {}  # message -> the queue that it left last as a dead letter

    def hear(self, event: Any) -> None:
        self.edges = []
        super().hear(event)

    def _enqueued(self, event: events.Enqueued) -> None:
        queue = Key(QUEUE, event.queue)
        if event.path:
            self.edges = list(along(event.path))
        elif event.cause == "published":
            self.edges = [(DEFAULT_KEY, queue, BINDING)]
        elif event.cause == "dead-lettered" and event.message in self.sources:
            self.edges = [(self.sources[event.message], queue, DEAD_LETTER)]

    def _dead_lettered(self, event: events.DeadLettered) -> None:
        source = self.sources[event.message] = Key(QUEUE, event.queue)
        exchange = DEFAULT_KEY if event.exchange == DEFAULT_EXCHANGE else Key(EXCHANGE, event.exchange)
        self.edges = [(source, exchange, DEAD_LETTER)]

    def _delivered(self, event: events.Delivered) -> None:
        self.edges = [(Key(QUEUE, event.queue), Key(CONSUMER, event.consumer), CONSUMES)]

    hears = {events.Enqueued: _enqueued, events.DeadLettered: _dead_lettered, events.Delivered: _delivered}


def along(path: Iterable[Any]) -> Iterable[EdgeKey]:
    """The hops of a message through exchanges to a queue."""
    for hop in path:
        if isinstance(hop, Binding):
            yield Key(EXCHANGE, hop.source), Key(hop.destination_type, hop.destination), BINDING
        else:
            yield Key(EXCHANGE, hop.source), Key(EXCHANGE, hop.destination), ALTERNATE
