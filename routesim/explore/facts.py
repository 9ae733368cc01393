"""What has happened to messages so far, as far as a property asks for it: part of an explored state."""

from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.explore.hands import AGAIN
from routesim.explore.remembered import WhatHasBeen
from routesim.named_tuples import NamedTuple
from routesim.queues import Copy


class Overtaking(NamedTuple):
    """`overtaken`: messages with their queue that were overtaken by one which came to it after them; `late`: the first of them
    whose work was done after all."""

    overtaken: frozenset[tuple[str, str]] = frozenset()
    late: tuple[str, str] | None = None


def _print(order: Overtaking | None) -> tuple[Any, ...]:
    return () if order is None else (tuple(sorted(order.overtaken)), order.late)


class Facts:
    """`done`: how often the work of a message from a queue came to its good end; `gone`: how a message, or a copy of it, was
    lost in the sense of `events.is_lost`, the last time; `unknown`: messages of which the publisher knows that nobody took them
    over; `confirmed`: those of which it was told so. `order`: what was overtaken in its queue, `order_by_key`: in it by one with
    the same routing key; None: nobody asks for it. `remembered`: what expectations and rules ask for."""

    __slots__ = ("confirmed", "done", "gone", "look", "order", "order_by_key", "remembered", "unknown")

    def __init__(self) -> None:
        self.done: dict[tuple[str, str], int] = {}
        self.gone: dict[str, str] = {}
        self.unknown: frozenset[str] = frozenset()
        self.confirmed: frozenset[str] = frozenset()
        self.order: Overtaking | None = None
        self.order_by_key: Overtaking | None = None
        self.remembered: WhatHasBeen | None = None
        self.look: tuple[Any, ...] | None = None  # worked out once, until a move begins

    def copy(self) -> "Facts":
        other = object.__new__(Facts)
        other.done, other.gone = self.done.copy(), self.gone.copy()
        other.unknown, other.confirmed = self.unknown, self.confirmed
        other.order, other.order_by_key = self.order, self.order_by_key
        other.remembered = None if self.remembered is None else self.remembered.copy()
        other.look = None
        return other

    def with_those(self, others: "Facts") -> "Facts":
        """What has happened since, too, where nobody asks for order or for what is remembered."""
        if not (others.done or others.gone or others.unknown or others.confirmed):
            return self
        found = self.copy()
        for key, times in others.done.items():
            found.done[key] = min(found.done.get(key, 0) + times, 2)
        found.gone.update(others.gone)
        found.unknown |= others.unknown
        found.confirmed |= others.confirmed
        return found

    def work_done(self, message: str, queue: str) -> None:
        key = message.removesuffix(AGAIN), queue
        self.done[key] = min(self.done.get(key, 0) + 1, 2)

    @property
    def asks_for_order(self) -> bool:
        return self.order is not None or self.order_by_key is not None

    def overtakes(self, copy: Copy, queue: str, others: Iterable[Copy]) -> None:
        """The work of a copy is done, where somebody asks for order. `others`: what came to its queue and is not settled."""
        before = [each for each in others if each.serial < copy.serial]
        if self.order is not None:
            self.order = self._after(self.order, copy, queue, before)
        if self.order_by_key is not None:
            key = copy.content.routing_key
            same = [each for each in before if each.content.routing_key == key]
            self.order_by_key = self._after(self.order_by_key, copy, queue, same)

    def _after(self, order: Overtaking, copy: Copy, queue: str, before: Iterable[Copy]) -> Overtaking:
        own = copy.message.removesuffix(AGAIN), queue
        late = order.late or (own if own in order.overtaken else None)
        earlier = {(each.message.removesuffix(AGAIN), queue) for each in before}
        return Overtaking((order.overtaken | {each for each in earlier if each not in self.done}) - {own}, late)

    def is_done(self, message: str) -> bool:
        return any(name == message for name, _ in self.done)

    def hear(self, event: Any) -> None:
        """An event of the broker."""
        if type(event) in events.LOST and events.is_lost(event):
            self.gone[event.message.removesuffix(AGAIN)] = how_lost(event)
        elif type(event) is events.Confirmed:
            self.confirmed |= {event.message.removesuffix(AGAIN)}

    def fingerprint(self, now: int) -> tuple[Any, ...]:
        if self.look is None:
            self.look = (
                tuple(sorted(self.done.items())), tuple(sorted(self.gone)), tuple(sorted(self.unknown)),
                tuple(sorted(self.confirmed)), _print(self.order), _print(self.order_by_key),
            )  # fmt: skip
        return self.look if self.remembered is None else (self.look, self.remembered.fingerprint(now))


def how_lost(event: Any) -> str:
    """In a few words."""
    if isinstance(event, events.Unroutable):
        return f"no queue takes it: {event.why}" if getattr(event, "why", "") else "no queue takes it"
    if isinstance(event, events.Dropped):
        return f"{event.queue} drops it ({event.reason}): {event.why}"
    if isinstance(event, events.LostAtRestart):
        return f"{event.queue} has lost it with the restart"
    if isinstance(event, events.Deleted):
        return f"it is deleted with {event.queue}"
    if isinstance(event, events.LostByConsumer):
        return f"{event.consumer}, which was at it, had acknowledged it when it was sent"
    return type(event).__name__
