"""A run with all its events kept, so that one can go to any moment of it, forwards and backwards."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from routesim.broker import Broker
from routesim.run.budget import BUDGET_EVENTS
from routesim.run.folds.situation import Situation
from routesim.run.result import Result
from routesim.run.runner import Runner
from routesim.scenario import Scenario

MAX_EVENTS = 200_000
APART = 1_000  # events between two situations that are kept
REMEMBERED = 6


class Recording:
    """`events` are the first `limit` events of a run; `total` is how many there were.

    Of every so many events the situation is kept: so many more as it is larger, so that all of them together take no more
    room than the events.
    """

    def __init__(self, limit: int = MAX_EVENTS) -> None:
        self.limit = limit
        self.events: list[Any] = []
        self.total = 0
        self._now = Situation()
        self._kept = [(0, Situation())]
        self._next = APART  # after how many events it is asked again how large it is
        self._asked: dict[int, Situation] = {}  # the last ones, since the next is mostly close to them

    def hear(self, event: Any) -> None:
        self.total += 1
        count = len(self.events)
        if count >= self.limit:
            return
        if count >= self._next:
            size = self._now.size()
            since = count - self._kept[-1][0]
            if since >= size:
                self._kept.append((count, self._now.copy()))
                since = 0
            self._next = count + max(APART, size - since, size // 2)  # it may be growing with each event
        self.events.append(event)
        self._now.hear(event)

    def at(self, count: int) -> Situation:
        """The situation after the first `count` events, to be looked at and not changed."""
        known = self._asked.get(count)
        if known is not None:
            return known
        index = bisect_right(self._kept, count, key=lambda item: item[0]) - 1
        near = max((item for item in self._asked.items() if item[0] < count), default=(-1, None), key=lambda item: item[0])
        begin, kept = near if near[0] > self._kept[index][0] else self._kept[index]
        assert kept is not None
        situation = kept.copy()
        for event in self.events[begin:count]:
            situation.hear(event)
        if len(self._asked) >= REMEMBERED:
            del self._asked[next(iter(self._asked))]
        self._asked[count] = situation
        return situation


def record(
    scenario: Scenario, *, seed: int | None = None, until: str | int | None = None, max_events: int = BUDGET_EVENTS,
    limit: int = MAX_EVENTS, tick: Callable[[Broker], None] | None = None,
) -> tuple[Recording, Result]:  # fmt: skip
    """Run the scenario to its end; what comes after `limit` events is not kept, but belongs to the result."""
    recording = Recording(limit)
    runner = Runner(scenario, recording.hear, seed=seed, until=until, max_events=max_events, keep=False, tick=tick)
    return recording, runner.run()
