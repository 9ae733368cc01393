"""What has happened to messages so far, as far as a property asks for it: part of an explored state."""

from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.explore.hands import AGAIN
from routesim.queues import Copy


class Facts:
    """`done`: how often the work of a message from a queue came to its good end; `gone`: how a message, or a copy of it, was
    lost in the sense of `events.is_lost`, the last time; `unknown`: messages of which the publisher knows that nobody took them
    over; `confirmed`: those of which it was told so. `overtaken`: messages with their queue that were overtaken by one which
    came to it after them, None: nobody asks for order; `disordered`: the first of them whose work was done after all."""

    __slots__ = ("confirmed", "disordered", "done", "gone", "overtaken", "unknown")

    def __init__(self) -> None:
        self.done: dict[tuple[str, str], int] = {}
        self.gone: dict[str, str] = {}
        self.unknown: frozenset[str] = frozenset()
        self.confirmed: frozenset[str] = frozenset()
        self.overtaken: frozenset[tuple[str, str]] | None = None
        self.disordered: tuple[str, str] | None = None

    def copy(self) -> "Facts":
        other = object.__new__(Facts)
        other.done, other.gone = self.done.copy(), self.gone.copy()
        other.unknown, other.confirmed = self.unknown, self.confirmed
        other.overtaken, other.disordered = self.overtaken, self.disordered
        return other

    def work_done(self, message: str, queue: str) -> None:
        key = message.removesuffix(AGAIN), queue
        self.done[key] = min(self.done.get(key, 0) + 1, 2)

    def overtakes(self, copy: Copy, queue: str, others: Iterable[Copy]) -> None:
        """The work of a copy is done, where somebody asks for order. `others`: what came to its queue and is not settled."""
        assert self.overtaken is not None
        own = copy.message.removesuffix(AGAIN), queue
        if own in self.overtaken and self.disordered is None:
            self.disordered = own
        earlier = {(each.message.removesuffix(AGAIN), queue) for each in others if each.serial < copy.serial}
        self.overtaken = (self.overtaken | {key for key in earlier if key not in self.done}) - {own}

    def is_done(self, message: str) -> bool:
        return any(name == message for name, _ in self.done)

    def hear(self, event: Any) -> None:
        """An event of the broker."""
        if type(event) in events.LOST and events.is_lost(event):
            self.gone[event.message.removesuffix(AGAIN)] = how_lost(event)
        elif type(event) is events.Confirmed:
            self.confirmed |= {event.message.removesuffix(AGAIN)}

    def fingerprint(self) -> tuple[Any, ...]:
        return (
            tuple(sorted(self.done.items())), tuple(sorted(self.gone)), tuple(sorted(self.unknown)),
            tuple(sorted(self.confirmed)),
            tuple(sorted(self.overtaken or ())), self.disordered,
        )  # fmt: skip


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
