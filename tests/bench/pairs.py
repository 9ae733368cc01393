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

Work = Callable[[int], object]  # does so many units of work


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


class Paired(NamedTuple):
    """Seconds a unit of both sides, and how many times as fast as the second the first one is."""

    first_s: float
    second_s: float
    speed: float

    @property
    def cost(self) -> float:
        """How many times the time of the second the first one takes."""
        return 1 / self.speed


def paired(first: Work, second: Work, scale: Scale) -> Paired:
    """The median of many pairs; of fewer where one unit of work is longer than a slice, to keep within the budget."""
    left, right = _units(first, scale.slice_s), _units(second, scale.slice_s)
    seconds = [(_unit_s(first, left), _unit_s(second, right))]
    pair_s = left * seconds[0][0] + right * seconds[0][1]
    pairs = scale.pairs if pair_s < 4 * scale.slice_s else max(scale.least_pairs, min(scale.pairs, int(scale.budget_s / pair_s)))
    seconds += [(_unit_s(first, left), _unit_s(second, right)) for _ in range(pairs - 1)]
    return Paired(
        statistics.median(one for one, _ in seconds),
        statistics.median(other for _, other in seconds),
        statistics.median(other / one for one, other in seconds),
    )


def _unit_s(work: Work, units: int) -> float:
    if isinstance(work, Each):
        work.prepare(units)
    begin = time.perf_counter()
    work(units)
    return (time.perf_counter() - begin) / units


def _units(work: Work, slice_s: float) -> int:
    """How many units fill a slice; of whole processes one is enough. Each number is tried twice: the first time warms up whatever can be warmed up."""
    if getattr(work, "whole", False):
        return 1
    units, most = 1, len(work.keys) if isinstance(work, Each) else sys.maxsize
    while True:
        took = _unit_s(work, units) * units
        if took < slice_s:
            took = _unit_s(work, units) * units
        if took >= slice_s * 0.6 or units == most:
            return units
        # What is done once, before the first unit, can be most of the time: come nearer in steps.
        units = min(most, max(units * 2, min(units * 16, round(units * slice_s / took))))
