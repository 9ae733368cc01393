"""What a queue held over time."""

from typing import Any

from routesim.durations import seconds
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.tables import Cell, Section

MAX_TIMES = 24


class Contents(NamedTuple):
    """How many messages of a queue are ready, unacked, and kept back as dead letters, from an instant on."""

    at_ms: int
    ready: int
    unacked: int
    kept_back: int

    def as_data(self) -> dict[str, int]:
        """`kept_back` only where there is any: most queues never keep a dead letter back."""
        return {name: value for name, value in self._asdict().items() if value or name != "kept_back"}


def _contents_of(queue: QueueType | None, at_ms: int) -> Contents:
    return Contents(at_ms, queue.ready_count(), queue.unacked, len(queue.awaiting)) if queue else Contents(at_ms, 0, 0, 0)


def contents_over_time(scenario: Scenario, name: str) -> list[Contents]:
    """What is in the queue after each instant at which that changed."""
    times: list[Contents] = []
    runner = Runner(scenario, lambda event: note(event), keep=False)

    def note(event: Any) -> None:
        state = _contents_of(runner.broker.queues.get(name), event.at_ms)
        if times and times[-1][0] == event.at_ms:
            times[-1] = state
        elif not times or times[-1][1:] != state[1:]:
            times.append(state)

    result = runner.run()
    final = _contents_of(result.broker.queues.get(name), result.broker.now)
    if not times or times[-1] != final:
        times.append(final)
    return times


def contents_section(times: list[Contents]) -> Section:
    highest = max((sum(item[1:]) for item in times), default=0)
    if not highest:
        return Section("", (), [])
    shown = (
        times if len(times) <= MAX_TIMES else [times[index * (len(times) - 1) // (MAX_TIMES - 1)] for index in range(MAX_TIMES)]
    )
    rows = []
    keeps = any(item.kept_back for item in times)
    for at_ms, *numbers in shown:
        scale = min(1.0, 40 / highest)
        bar = "".join(sign * round(number * scale) for sign, number in zip("█·░", numbers, strict=True))
        rows.append(
            (Cell(f"{seconds(at_ms)}"), *(Cell(str(number)) for number in (numbers if keeps else numbers[:2])), Cell(bar))
        )
    columns = ("ready", "unacked", "kept back") if keeps else ("ready", "unacked")
    title = f"Over time (█ ready, · unacked{', ░ kept back' if keeps else ''})"
    return Section(title, ("time s", *columns, ""), rows, frozenset({"time s", *columns}))
