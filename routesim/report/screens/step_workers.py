"""Worker processes at one position of a recorded run, as a table: who runs which task, and how much waits there."""

from collections.abc import Mapping, Sequence
from typing import Any

from routesim.run.folds.monitoring import Monitor, WorkerView
from routesim.run.folds.situation import Situation
from routesim.scenario import Scenario
from routesim.tables import BAD, NOTICE, PLAIN, QUIET, Cell, Section

NUMBERS = ("active", "reserved", "held", "unacked", "prefetch")  # where there is no room, the last ones are left out first
ALWAYS = frozenset(NUMBERS) - {"held"}
MAX_IDS = 30


class At:
    """What a worker is at: its numbers by `NUMBERS`, the tasks that it runs."""

    def __init__(self, view: WorkerView, unacked: int) -> None:
        self.online, self.why = view.online, view.why
        self.runs = [run.task for _, run in sorted(view.children.items())][:MAX_IDS]
        counts = (len(view.children), view.waiting, len(view.held), unacked, view.prefetch)
        self.numbers = dict(zip(NUMBERS, counts, strict=True))


class WorkersThen:
    """The workers of a scenario at any position. Going on from the last position asked for is cheap, going back begins anew."""

    def __init__(self, scenario: Scenario, happened: Sequence[Any]) -> None:
        self.scenario = scenario
        self.events = [(place, event) for place, event in enumerate(happened) if type(event) in Monitor.hears]
        self._begin()

    def _begin(self) -> None:
        self.monitor = Monitor(self.scenario.workers, self.scenario.tasks)
        self.heard, self.position = 0, 0

    def at(self, position: int, situation: Situation) -> dict[str, At]:
        """By name; `situation` is the one at that position."""
        if position < self.position:
            self._begin()
        self.position = position
        while self.heard < len(self.events) and self.events[self.heard][0] < position:
            self.monitor.hear(self.events[self.heard][1])
            self.heard += 1
        self.monitor.advance(situation.at_ms)
        unacked = dict.fromkeys(self.monitor.workers, 0)
        for queue in situation.queues.values():
            for item in queue.unacked.values():
                if item.channel in unacked:
                    unacked[item.channel] += 1
        return {name: At(view, unacked[name]) for name, view in self.monitor.workers.items()}


def workers_section(before: Mapping[str, At], now: Mapping[str, At], number: Any, shown: Any) -> tuple[Section, set[int]]:
    """The table, and which of its rows are not to be left out. `number(old, new)` is the cell of a count, `shown(text)` the
    text as the terminal can show it."""
    used = [
        name for name in NUMBERS if name in ALWAYS or any(worker.numbers[name] for worker in (*before.values(), *now.values()))
    ]
    rows, moved, busy = [], set(), set()
    for place, (name, worker) in enumerate(now.items()):
        old = before.get(name, worker)
        if (old.numbers, old.runs, old.online) != (worker.numbers, worker.runs, worker.online):
            moved.add(place)
        if worker.runs:
            busy.add(place)
        state = (
            Cell("online", QUIET) if worker.online else Cell("OFFLINE" if worker.why else "not yet", BAD if worker.why else QUIET)
        )
        cells = (number(old.numbers[each], worker.numbers[each]) for each in used)
        runs = " ".join(shown(task) for task in worker.runs)
        rows.append((Cell(shown(name), NOTICE if place in moved else PLAIN), state, *cells, Cell(runs)))
    return Section("", ("worker", "", *used, "runs"), rows, frozenset(used)), moved or busy
