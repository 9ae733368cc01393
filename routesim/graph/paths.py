"""The edges of a graph that an event goes along."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from routesim import events
from routesim.graph.model import ALTERNATE, BINDING, CONSUMER, CONSUMES, DEAD_LETTER, EXCHANGE, QUEUE, Key
from routesim.model import DEFAULT_EXCHANGE, Binding

EdgeKey: TypeAlias = tuple[Key, Key, str]  # from, to, kind
DEFAULT_KEY = Key(EXCHANGE, "(default exchange)")


class EventEdges:
    """Events in their order to the edges that each goes along; remembers which queue a dead letter has come from.

    Not every edge that it names is in a drawing: the last hop of a dead letter by name is drawn in one of two ways.
    """

    def __init__(self) -> None:
        self.buried: dict[str, Key] = {}

    def of(self, event: Any) -> list[EdgeKey]:
        kind = type(event)
        if kind is events.Enqueued:
            return self._enqueued(event)
        if kind is events.DeadLettered:
            source = self.buried[event.message] = Key(QUEUE, event.queue)
            if event.exchange == DEFAULT_EXCHANGE:
                return [(source, DEFAULT_KEY, DEAD_LETTER)]
            return [(source, Key(EXCHANGE, event.exchange), DEAD_LETTER)]
        if kind is events.Delivered:
            return [(Key(QUEUE, event.queue), Key(CONSUMER, event.consumer), CONSUMES)]
        return []

    def _enqueued(self, event: events.Enqueued) -> list[EdgeKey]:
        queue = Key(QUEUE, event.queue)
        if event.path:
            return list(along(event.path))
        if event.cause == "published":
            return [(DEFAULT_KEY, queue, BINDING)]
        if event.cause == "dead-lettered" and event.message in self.buried:
            return [(self.buried[event.message], queue, DEAD_LETTER)]
        return []


def along(path: Iterable[Any]) -> Iterable[EdgeKey]:
    """The hops of a message through exchanges to a queue."""
    for hop in path:
        if isinstance(hop, Binding):
            yield Key(EXCHANGE, hop.source), Key(hop.destination_type, hop.destination), BINDING
        else:
            yield Key(EXCHANGE, hop.source), Key(EXCHANGE, hop.destination), ALTERNATE
