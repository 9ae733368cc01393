"""What a run's clients have planned: one heap of (instant, rank, number, entry), as in SimPy.

At one instant entries come by their rank, those of a rank in the order in which they were made. What a broker itself has to
do (`broker/clock.py`) is part of that broker's state, and comes first: `VirtualClock` merges the two.
"""

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.named_tuples import NamedTuple
from routesim.scenario import PublishMany

if TYPE_CHECKING:
    from routesim.clients.worker.timers import Timer
    from routesim.clients.worker.worker_state import WorkerState


class WorkerTimer(NamedTuple):
    """A timer of a worker process; `keeps_going` False: heartbeats would go on for ever."""

    state: "WorkerState"
    timer: "Timer"
    keeps_going: bool

    def is_due_still(self) -> bool:
        return self.timer.is_due_still(self.state)


class ConsumerReturns(NamedTuple):
    """A consumer consumes again, some time after it has crashed."""

    consumer: ScriptedConsumer


class NextPublish(NamedTuple):
    """The publish with that number, from 0, of a step that does not publish all at once; due at `at_ms`."""

    action: PublishMany
    number: int
    at_ms: int


Entry: TypeAlias = ConsumerJob | WorkerTimer | ConsumerReturns | NextPublish
RANKS: dict[type, int] = {ConsumerJob: 0, WorkerTimer: 1, ConsumerReturns: 2, NextPublish: 3}


class RunAgenda:
    """`heap` is sorted as heapq has it; `number` counts the entries ever made, `heartbeats` those that are on it.

    `steps_publishing`: steps of which a publish is still to come, or is coming just now.
    """

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, int, Entry]] = []
        self.number = 0
        self.heartbeats = 0
        self.steps_publishing = 0
        self.untidy = False  # since the heap was tidied a consumer has lost what it had in hand

    def schedule(self, at_ms: int, entry: Entry) -> None:
        self.number += 1
        kind = type(entry)
        if kind is WorkerTimer:
            self.heartbeats += not entry.keeps_going  # type: ignore[union-attr]
        heapq.heappush(self.heap, (at_ms, RANKS[kind], self.number, entry))

    def due_ms(self) -> int | None:
        """The instant of the next entry; None: nothing is planned."""
        self.tidy()
        return self.heap[0][0] if self.heap else None

    def pop(self) -> Entry:
        entry = heapq.heappop(self.heap)[3]
        if type(entry) is WorkerTimer:
            self.heartbeats -= not entry.keeps_going
        return entry

    def keeps_going(self) -> bool:
        """Whether anything is planned, heartbeats aside."""
        self.tidy()
        return len(self.heap) > self.heartbeats

    def jobs_lost(self) -> None:
        """A consumer has lost its jobs. They are taken off the heap when it is looked at next: those of many at once."""
        self.untidy = True

    def tidy(self) -> None:
        """To be called before `heap` is looked at."""
        if self.untidy:
            self.untidy = False
            self.forget(lambda entry: type(entry) is ConsumerJob and not entry.is_due_still())

    def forget(self, gone: Callable[[Entry], bool]) -> None:
        """What will not happen any more must not keep the run going."""
        kept = [item for item in self.heap if not gone(item[3])]
        if len(kept) < len(self.heap):
            heapq.heapify(kept)
            self.heap[:] = kept
            self.heartbeats = sum(isinstance(item[3], WorkerTimer) and not item[3].keeps_going for item in kept)
