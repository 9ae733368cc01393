"""A fold over the events of a run: it hears them one by one, in their order, and remembers what it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

from routesim.events import Event

Listener = Callable[[Event], None]
# Which events a fold hears, and the function of its class for each. A table of the class, not of bound methods: a fold that is
# copied and dropped often would else have to wait for the garbage collector.
Hears = Mapping[type, Callable[[Any, Any], None]]


class Fold:
    """Hears the events of one run from the first on, those that `hears` names. One for which every event matters has a
    `hear` of its own."""

    hears: Hears = {}

    def hear(self, event: Any) -> None:
        """The next event."""
        do = self.hears.get(type(event))
        if do is not None:
            do(self, event)


class TimedFold(Fold):
    """A fold in which something falls due without an event: before each event, whatever is due by then happens."""

    at_ms = 0  # the virtual time of the last event, or as far as `advance` was called

    def hear(self, event: Any) -> None:
        if event.at_ms > self.at_ms:
            self.advance(event.at_ms)
        do = self.hears.get(type(event))
        if do is not None:
            do(self, event)

    def advance(self, to_ms: int) -> None:
        """Let time pass up to `to_ms`."""
        raise NotImplementedError


def fan_out(listener: Listener | None, folds: Sequence[Fold]) -> Listener | None:
    """One listener for `listener`, which hears every event first, and all folds; None when there is none of either, so that no
    event is built at all."""
    if not folds:
        return listener
    table: dict[type, tuple[Callable[[Any], None], ...]] = {}
    each: list[Callable[[Any], None]] = [] if listener is None else [listener]
    for fold in folds:
        if type(fold).hear is not Fold.hear:
            each.append(fold.hear)
            continue
        for kind, do in fold.hears.items():
            table[kind] = (*table.get(kind, ()), MethodType(do, fold))

    def hear(event: Event) -> None:
        for do in each:
            do(event)
        for do in table.get(type(event), ()):
            do(event)

    return hear
