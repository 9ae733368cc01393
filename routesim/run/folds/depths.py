"""How full each queue was over the virtual time of a run, for plots."""

from collections.abc import Iterator
from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import Fold
from routesim.run.folds.situation import Situation


class Depth(NamedTuple):
    """How many messages of a queue are ready and unacked from an instant on."""

    at_ms: int
    ready: int
    unacked: int


class Depths(Fold):
    """How full each queue was over the virtual time, for plots: one point an instant at which that changed.

    `of`: by the name of each queue that ever was its points, which begin with its declaration; a queue that is deleted ends with
    a point of zeros. `situation` is the one after the last event heard.
    """

    def __init__(self) -> None:
        self.situation = Situation()
        self.of: dict[str, list[Depth]] = {}

    def hear(self, event: Any) -> None:
        self.advance(event.at_ms)
        self.situation.hear(event)
        super().hear(event)

    def advance(self, to_ms: int) -> None:
        """Let time pass up to `to_ms`."""
        releases = self.situation.releases
        while releases and releases[0][0] <= to_ms:
            at_ms, _, name = releases[0]
            self.situation.advance(at_ms)
            self._note(name)
        self.situation.advance(to_ms)

    def points(self) -> Iterator[tuple[str, list[Depth]]]:
        """Every queue that ever was, with its points, in the order of the declarations."""
        yield from self.of.items()

    def _note_all(self, event: Any) -> None:
        for name in self.of:
            self._note(name)

    def _note(self, name: str) -> None:
        queue = self.situation.queues.get(name)
        points = self.of.get(name)
        if points is None:
            if queue is None:
                return
            points = self.of[name] = []
        point = Depth(self.situation.at_ms, len(queue.messages) if queue else 0, len(queue.unacked) if queue else 0)
        if points and points[-1].at_ms == point.at_ms:
            points.pop()
        if not points or points[-1][1:] != point[1:]:
            points.append(point)

    hears = {
        **dict.fromkeys(events.having("queue"), lambda self, event: self._note(event.queue)),
        **dict.fromkeys(events.CUTS_OFF, _note_all),
    }
