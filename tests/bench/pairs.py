"""Two kinds of work against each other in short alternate slices of one process.

A machine's speed moves by a factor of two within seconds, and hits both sides of a pair alike: the median of the ratios
taken pair by pair is steady to a few percent where the figures themselves are not.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from scale import Scale

try:
    import resource
except ImportError:  # Windows has no such module, and whole processes are not measured there
    resource = None  # type: ignore[assignment]

Work = Callable[[int], object]  # does so many units of work
LEAST_UNITS = 100  # fewer must fill their slice, or what is done once before the first is all that was measured


class Each:
    """Work that asks about one item after the other, over and over. The items are made anew before the clock runs: the hash
    of a text that comes from outside is not known yet."""

    def __init__(self, ask: Callable[[Any], object], keys: Sequence[str], make: Callable[[str], Any] = str) -> None:
        self.ask = ask
        self.keys = keys
        self.make = make
        self.position = 0
        self.ready: list[Any] = []

    def prepare(self, units: int) -> None:
        keys = [*self.keys[self.position :], *self.keys[: self.position]][:units]
        self.position = (self.position + units) % len(self.keys)
        self.ready = [self.make(f"{key} "[:-1]) for key in keys]

    def __call__(self, units: int) -> None:
        ask = self.ask
        for item in self.ready:
            ask(item)


class LongRuns:
    """Work of which so many units at least are done at a time: what a run does once, before it goes by itself, is to be a small
    part of it."""

    def __init__(self, work: Work, least: int) -> None:
        self.work = work
        self.least = least

    def __call__(self, units: int) -> None:
        self.work(units)


def repeated(work: Callable[[], object]) -> Work:
    def run(units: int) -> None:
        for _ in range(units):
            work()

    return run


class Ratio(NamedTuple):
    """The median of the ratios of all pairs, and the quartiles between which half of them are. `refused`: why it does not hold."""

    middle: float
    low: float
    high: float
    refused: str = ""

    @classmethod
    def of(cls, ratios: Sequence[float], refused: str = "") -> "Ratio":
        if len(ratios) < 2:
            return cls(*ratios, *ratios, *ratios, refused)
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return cls(middle, low, high, refused)

    def times(self, factor: float) -> "Ratio":
        return Ratio(self.middle * factor, self.low * factor, self.high * factor, self.refused)

    def inverse(self) -> "Ratio":
        return Ratio(1 / self.middle, 1 / self.high, 1 / self.low, self.refused)


class Paired(NamedTuple):
    """Seconds a unit of both sides, and how many times as fast as the second the first one is."""

    first_s: float
    second_s: float
    speed: Ratio

    @property
    def cost(self) -> Ratio:
        """How many times the time of the second the first one takes."""
        return self.speed.inverse()


def paired(first: Work, second: Work, scale: Scale) -> Paired:
    """The median of many pairs; of fewer where one unit of work is longer than a slice, to keep within the budget."""
    left, right = _units(first, scale.slice_s), _units(second, scale.slice_s)
    seconds = [(_unit_s(first, left), _unit_s(second, right))]
    pair_s = left * seconds[0][0] + right * seconds[0][1]
    pairs = scale.pairs if pair_s < 4 * scale.slice_s else max(scale.least_pairs, min(scale.pairs, int(scale.budget_s / pair_s)))
    seconds += [(_unit_s(first, left), _unit_s(second, right)) for _ in range(pairs - 1)]
    medians = statistics.median(one for one, _ in seconds), statistics.median(other for _, other in seconds)
    refused = ""
    for work, units, unit_s in ((first, left, medians[0]), (second, right, medians[1])):
        if units < min(LEAST_UNITS, _most(work)) and units * unit_s < scale.slice_s / 3:
            refused = f"{units} units do not fill a slice, their number was found while the machine stalled: measure again"
    return Paired(*medians, Ratio.of([other / one for one, other in seconds], refused))


def processor_s() -> float:
    """What this process and those that it has started, and that have ended, have had of the processor: who else wants it counts
    for nothing."""
    own = time.process_time()
    if resource is None:
        return own
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime


def _most(work: Work) -> int:
    """Units that it can do at a time."""
    if getattr(work, "whole", False):
        return 1
    return len(work.keys) if isinstance(work, Each) else sys.maxsize


def _unit_s(work: Work, units: int) -> float:
    if isinstance(work, Each):
        work.prepare(units)
    begin = processor_s()
    work(units)
    return (processor_s() - begin) / units


def _units(work: Work, slice_s: float) -> int:
    """How many units fill a slice; of whole processes one is enough. Each number is tried twice and the shorter time counts: the
    first time warms up whatever can be warmed up, and a machine that stalls makes a few units look like many."""
    units, most = work.least if isinstance(work, LongRuns) else 1, _most(work)
    if most == 1:
        return 1
    while True:
        took = min(_unit_s(work, units), _unit_s(work, units)) * units
        if took >= slice_s * 0.6 or units == most:
            return units
        # What is done once, before the first unit, can be most of the time: come nearer in steps.
        units = min(most, max(units * 2, min(units * 16, round(units * slice_s / took))))
