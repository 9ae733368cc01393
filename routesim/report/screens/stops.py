"""Where one can stop in a recorded run: before each step, and before each event that a trace shows.

A position is how many events have happened. What a trace does not show belongs to the event before it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from routesim.events import StepStarted
from routesim.report.trace.rows import Row


class Stops:
    """`events` and `steps` are positions in ascending order; the first and the last are the ends of the run. `starts` are
    those at which a step is about to begin. After the last of them `steps` has each instant at which more happens: most of what
    befalls a message does so then."""

    def __init__(self, events: Sequence[Any], rows: Sequence[Row | None]) -> None:
        self.shown = [index for index, row in enumerate(rows) if row is not None]
        self.starts = [index for index, event in enumerate(events) if type(event) is StepStarted]
        before = self.starts[0] if self.starts else 0
        first = before if all(row is None for row in rows[:before]) else 0
        found, begun = {first, len(events)}, True  # the first row of a step comes with its beginning
        for index in range(first, len(events)):
            if type(events[index]) is StepStarted:
                found.add(index)
                begun = True
            elif rows[index] is not None:
                if not begun:
                    found.add(index)
                begun = False
        self.events = sorted(found)
        last = self.starts[-1] if self.starts else first
        later = [at for at in self.events if at > last + 1 and at < len(events) and events[at].at_ms > events[at - 1].at_ms]
        self.steps = sorted({first, len(events), *self.starts, *later})

    @property
    def first(self) -> int:
        return self.events[0]

    @property
    def last(self) -> int:
        return self.events[-1]

    def after(self, at: int, stops: Sequence[int]) -> int:
        """The next of the stops; the last one stays."""
        return stops[min(bisect_right(stops, at), len(stops) - 1)]

    def before(self, at: int, stops: Sequence[int]) -> int:
        """The stop before; the first one stays."""
        return stops[max(bisect_left(stops, at) - 1, 0)]

    def since(self, at: int) -> int:
        """Since how many events it looks as at that position: those after them are shown by no trace."""
        before = [stops[place - 1] + 1 for stops in (self.shown, self.starts) if (place := bisect_left(stops, at))]
        return at if at in (*self.starts, self.first) else max(before, default=at)

    def step_at(self, at: int) -> int:
        """How many steps have begun there."""
        return bisect_left(self.starts, at)

    def begin_of_step(self, at: int) -> int:
        """Where the step that is being carried out there, or just has been, began."""
        begun = self.step_at(at)
        return self.starts[begun - 1] if begun else self.first
