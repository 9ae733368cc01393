"""A fold over the events of a run: it hears them one by one, in their order, and remembers what it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

from routesim.events import Event
from routesim.run.batches import Batch, BatchListener, BatchRows, Columns, Numbered, Prepared, replayed

Listener = Callable[[Event], None]
# Which events a fold hears, and the function of its class for each. A table of the class, not of bound methods: a fold that is
# copied and dropped often would else have to wait for the garbage collector.
Hears = Mapping[type, Callable[[Any, Any], None]]


class Fold:
    """Hears the events of one run from the first on, those that `hears` names. One for which every event matters has a
    `hear` of its own. `live`: it looks at the broker when it hears of an event, so it has to hear of each as it happens."""

    hears: Hears = {}
    live = False

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


class ManyFold(Fold):
    """A fold that can be told of many rounds at once, in less time than it takes to make their events."""

    def hear_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """As if it heard one event of theirs after the other (`BatchListener.emit_rounds`)."""
        raise NotImplementedError

    def hear_replayed(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """The same, one event after the other."""
        for event in replayed(times, parts, frozenset(self.hears)):
            self.hear(event)


def fan_out(listener: Listener | None, folds: Sequence[Fold]) -> Listener | None:
    """One listener for `listener`, which hears every event first, and all folds; None when there is none of either, so that no
    event is built at all. It can be prepared for batches where `listener` can, or is None, and no fold is `live`."""
    if not folds:
        return listener
    if any(fold.live for fold in folds) or not (listener is None or isinstance(listener, BatchListener)):
        return _hear([] if listener is None else [listener], folds)
    return Audience(listener, folds)


def _hear(each: list[Callable[[Any], None]], folds: Sequence[Fold]) -> Callable[[Any], None]:
    """Tells all of `each`, and then the folds."""
    table: dict[type, tuple[Callable[[Any], None], ...]] = {}
    each = each.copy()
    for fold in folds:
        if type(fold).hear is not Fold.hear:
            each.append(fold.hear)
            continue
        for kind, do in fold.hears.items():
            table[kind] = (*table.get(kind, ()), MethodType(do, fold))

    def hear(event: Any) -> None:
        for do in each:
            do(event)
        for do in table.get(type(event), ()):
            do(event)

    return hear


class Audience(BatchListener):
    """A listener, or none, and folds."""

    def __init__(self, listener: BatchListener | None, folds: Sequence[Fold]) -> None:
        self.listener = listener
        self.few = self.few if listener is None else listener.few
        self.hear = _hear([] if listener is None else [listener], folds)
        self.tell = _hear([], folds)
        self.many = [fold for fold in folds if isinstance(fold, ManyFold)]
        self.others = [fold for fold in folds if not isinstance(fold, ManyFold)]
        self.tell_others = _hear([], self.others)
        every = any(type(fold).hear is not Fold.hear for fold in self.others)
        self.heard = None if every else frozenset(kind for fold in self.others for kind in fold.hears)

    def __call__(self, event: Any) -> None:
        self.hear(event)

    def prepare(self, batch: Sequence[Any]) -> Prepared:
        tell = self.tell
        if self.listener is None:
            rows = BatchRows(("",), (), (), Batch(batch))

            def emit(*values: Any) -> None:
                for event in rows.batch.fill(*values):
                    tell(event)

            return Prepared(emit, rows)
        first, rows = self.listener.prepare(batch)

        def emit_too(*values: Any) -> None:
            first(*values)
            for event in rows.batch.fill(*values):
                tell(event)

        return Prepared(emit_too, rows)

    def emit_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        if self.listener is not None:
            self.listener.emit_rounds(times, parts)
        if self.many:  # one text for all who remember it
            parts = [
                (rows, {name: list(column) if type(column) is Numbered else column for name, column in columns.items()})
                for rows, columns in parts
            ]
        for fold in self.many:
            fold.hear_rounds(times, parts)
        for event in replayed(times, parts, self.heard) if self.others else ():
            self.tell_others(event)
