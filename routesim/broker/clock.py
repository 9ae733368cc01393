"""The broker's agenda: what is to happen when, as data. Time is an integer of virtual milliseconds."""

import heapq
from collections.abc import Callable
from typing import Any

from routesim.named_tuples import NamedTuple

# What an entry may be about, and whether it keeps a run going that waits for nothing else.
TICK = "tick"  # a queue looks at its expiring heads
LEASE = "lease"  # x-expires
OVERDUE = "overdue"  # acknowledgement timeout
DELAYED = "delayed"  # a message leaves a delayed exchange
PEXPIRE = "pexpire"  # in Redis: x-expires of lists
SWEEP = "sweep"  # in Redis: a client looks for what is overdue in the unacked set
RETRY = "retry"  # an at-least-once dead letter is tried again
KEEPS_ALIVE = {TICK: True, LEASE: False, OVERDUE: False, DELAYED: True, PEXPIRE: False, SWEEP: False, RETRY: False}

TIMEOUT_TICK_MS = 60_000  # how often a channel looks for overdue acknowledgements (rules/queues#5.10)


class AgendaEntry(NamedTuple):
    """Sorted by instant, then by the order in which entries were made."""

    at_ms: int
    seq: int
    kind: str
    what: tuple[Any, ...]


class Agenda:
    """A heap of entries. `lively` counts those that keep a run alive."""

    __slots__ = ("heap", "lively", "seq")

    def __init__(self) -> None:
        self.heap: list[AgendaEntry] = []
        self.lively = 0
        self.seq = 0

    def add(self, at_ms: int, kind: str, *what: Any) -> None:
        self.seq += 1
        self.lively += KEEPS_ALIVE[kind]
        heapq.heappush(self.heap, AgendaEntry(at_ms, self.seq, kind, what))

    def due(self) -> int | None:
        """The instant of the next entry."""
        return self.heap[0].at_ms if self.heap else None

    def pop(self) -> AgendaEntry:
        entry = heapq.heappop(self.heap)
        self.lively -= KEEPS_ALIVE[entry.kind]
        return entry

    def forget(self, over: Callable[[AgendaEntry], bool]) -> None:
        """Those entries go."""
        gone = [entry for entry in self.heap if over(entry)]
        if gone:
            self.lively -= sum(KEEPS_ALIVE[entry.kind] for entry in gone)
            self.heap = [entry for entry in self.heap if not over(entry)]
            heapq.heapify(self.heap)

    def clone(self) -> "Agenda":
        other = Agenda()
        other.heap, other.lively, other.seq = self.heap.copy(), self.lively, self.seq
        return other
