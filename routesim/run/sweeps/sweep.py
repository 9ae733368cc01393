"""One scenario under many seeds: how often it holds, how its runs end, how long messages wait, what varies.

Sums of runs: a `Sweep` of some seeds is merged with that of the seeds that follow. What is kept does not grow with their
number.
"""

from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.broker import counts
from routesim.run.budget import BUDGET_EVENTS
from routesim.run.folds.fold import Fold
from routesim.run.result import Result
from routesim.run.runner import Runner
from routesim.run.sweeps.histogram import Histogram
from routesim.run.verdicts import unexpected_losses
from routesim.scenario import Scenario

FIRST_SEEDS = 5
MAX_ERRORS = 100


class Tally:
    """How often something was so, and the first seeds with it; for an expectation, how often and where it was not."""

    __slots__ = ("runs", "seeds", "times")

    def __init__(self) -> None:
        self.runs = 0  # runs in which it came up
        self.times = 0  # those in which it was so, or failed
        self.seeds: list[int] = []

    def note(self, seed: int, so: bool = True) -> None:
        self.runs += 1
        if so:
            self.times += 1
            if len(self.seeds) < FIRST_SEEDS:
                self.seeds.append(seed)

    def merge(self, later: "Tally") -> None:
        self.runs += later.runs
        self.times += later.times
        self.seeds = (self.seeds + later.seeds)[:FIRST_SEEDS]


class Waits(Fold):
    """Hears how long each copy of a message was in a queue before its first delivery (or basic.get)."""

    def __init__(self) -> None:
        self.of: dict[str, Histogram] = {}
        self.entered: dict[int, int] = {}  # copy -> when
        self.copies: dict[str, int] = {}
        self.delivered: dict[str, int] = {}

    def _enqueued(self, event: events.Enqueued) -> None:
        self.entered[event.copy] = event.at_ms
        self.copies[event.queue] = self.copies.get(event.queue, 0) + 1

    def _delivered(self, event: events.Delivered) -> None:
        self.delivered[event.consumer] = self.delivered.get(event.consumer, 0) + 1
        self._left(event)

    def _left(self, event: events.Delivered | events.Got) -> None:
        if event.copy is not None and (since := self.entered.pop(event.copy, None)) is not None:
            found = self.of.get(event.queue)
            if found is None:
                found = self.of[event.queue] = Histogram()
            found.add(event.at_ms - since)

    def _gone(self, event: Any) -> None:
        self.entered.pop(event.copy, None)

    hears = {
        events.Enqueued: _enqueued,
        events.Delivered: _delivered,
        events.Got: _left,
        **dict.fromkeys(events.REMOVED, _gone),
    }


class Sweep:
    """The sum of the runs of some seeds. `drawn`: in some run something was drawn from the seed."""

    def __init__(self) -> None:
        self.runs = 0
        self.failed = Tally()
        self.losing = Tally()  # with losses that nothing expected
        self.drawn = False
        self.expectations: dict[tuple[int, str, int], Tally] = {}  # line, text, which of its kind -> where it failed
        self.ended: dict[str, Tally] = {}
        self.errors: dict[tuple[int | None, str, bool], Tally] = {}  # code, text, expected -> runs
        self.more_errors = 0  # of kinds that are not told apart any more
        self.waits: dict[str, Histogram] = {}
        self.copies: dict[str, int] = {}
        self.deliveries: dict[str, Histogram] = {}
        self.counts: dict[str, Histogram] = {}

    @property
    def ok(self) -> bool:
        return self.failed.times == 0

    def note(self, seed: int, result: Result, heard: Waits, *, drawn: bool) -> None:
        """Add one run."""
        self.runs += 1
        self.drawn = self.drawn or drawn
        self.failed.note(seed, not result.ok)
        self.losing.note(seed, unexpected_losses(result).total > 0)
        seen: dict[tuple[int, str], int] = {}
        for item in result.expectations:
            number = seen[item.line, item.text] = seen.get((item.line, item.text), -1) + 1
            self.expectations.setdefault((item.line, item.text, number), Tally()).note(seed, not item.ok)
        self.ended.setdefault(result.ended, Tally()).note(seed)
        for kind in dict.fromkeys((error.code, error.text, error.expected) for error in result.errors):
            if kind in self.errors or len(self.errors) < MAX_ERRORS:
                self.errors.setdefault(kind, Tally()).note(seed)
            else:
                self.more_errors += 1
        _add_all(self.waits, heard.of)
        for queue, copies in heard.copies.items():
            self.copies[queue] = self.copies.get(queue, 0) + copies
        for consumer in dict.fromkeys((*result.scenario.consumers, *heard.delivered)):
            self.deliveries.setdefault(consumer, Histogram()).add(heard.delivered.get(consumer, 0))
        lost = {"task_lost": result.broker.ledger.task_lost} if result.scenario.workers else {}
        for name, value in {**counts(result.broker), **lost, "clock_ms": result.broker.now}.items():
            self.counts.setdefault(name, Histogram()).add(value)

    def merge(self, later: "Sweep") -> None:
        """Add the runs of seeds that all come after those here."""
        self.runs += later.runs
        self.drawn = self.drawn or later.drawn
        self.failed.merge(later.failed)
        self.losing.merge(later.losing)
        for key, tally in later.expectations.items():
            self.expectations.setdefault(key, Tally()).merge(tally)
        for name, tally in later.ended.items():
            self.ended.setdefault(name, Tally()).merge(tally)
        for kind, tally in later.errors.items():
            if kind in self.errors or len(self.errors) < MAX_ERRORS:
                self.errors.setdefault(kind, Tally()).merge(tally)
            else:
                self.more_errors += tally.times
        self.more_errors += later.more_errors
        _add_all(self.waits, later.waits)
        for queue, copies in later.copies.items():
            self.copies[queue] = self.copies.get(queue, 0) + copies
        _add_all(self.deliveries, later.deliveries)
        _add_all(self.counts, later.counts)

    def never_delivered(self, queue: str) -> int:
        """Copies that left the queue otherwise, or were still there when their run ended."""
        found = self.waits.get(queue)
        return self.copies[queue] - (found.total if found else 0)

    def varies(self) -> bool:
        """Whether any two runs differ in anything that is counted here."""
        return (
            len(self.ended) > 1
            or any(0 < tally.times < self.runs for tally in (*self.expectations.values(), *self.errors.values()))
            or any(found.least != found.greatest for found in (*self.counts.values(), *self.deliveries.values()))
        )


def sweep(scenario: Scenario, seeds: Iterable[int], *, until: str | int | None = None, max_events: int = BUDGET_EVENTS) -> Sweep:
    """Run the scenario once a seed."""
    found = Sweep()
    for seed in seeds:
        heard = Waits()
        runner = Runner(scenario, heard.hear, seed=seed, until=until, max_events=max_events, keep=False)
        result = runner.run()
        drawn = (
            runner.broker.draws
            + runner.broker.names_drawn
            + sum(consumer.chances for consumer in runner.consumers.by_name.values())
        )
        found.note(seed, result, heard, drawn=drawn > 0)
    return found


def _add_all(to: dict[str, Histogram], more: dict[str, Histogram]) -> None:
    for name, histogram in more.items():
        to.setdefault(name, Histogram()).merge(histogram)
