"""Tasks as a monitor such as Flower lists them, by its columns."""

from collections.abc import Mapping
from itertools import chain

from routesim.celery.fates import OVER
from routesim.durations import duration_text
from routesim.report.summary.summary import together
from routesim.report.summary.task_sections import TONES, became
from routesim.run.folds.monitoring import Monitor, TaskView, ran_ms
from routesim.run.tasks.fates import Fate
from routesim.run.tasks.monitored import Pending
from routesim.tables import NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import visible

MAX_ROWS = 40
BECAME = "what became of it"
COLUMNS = ("name", "state", "queue", "worker", "received", "started", "runtime", "runs", "retries", "exception", BECAME)
ALWAYS = frozenset(COLUMNS) - {"queue", "retries", "exception", BECAME}  # the others only where there is something in them
RIGHT = frozenset({"received", "started", "runtime", "runs", "retries"})
Cells = tuple[Cell, ...]


def tasks_section(
    monitor: Monitor, pending: list[Pending], at_ms: int, fates: Mapping[str, Fate] | None
) -> Section:  # fmt: skip
    """Neighbours of whom the same is to be said share a row. `fates` None: a listener's view, which is told neither queues nor
    what became of tasks whose worker is gone."""
    groups: list[tuple[list[str], Cells]] = []
    left_out = 0
    received = ((task.id, _task(monitor, task, at_ms, fates)) for task in monitor.tasks.values())
    waiting = ((item.task, _pending(item)) for item in pending)
    for id, cells in chain(received, waiting):
        if groups and not left_out and groups[-1][1] == cells:
            groups[-1][0].append(id)
        elif len(groups) < MAX_ROWS:
            groups.append(([id], cells))
        else:
            left_out += 1
    kept = [
        place for place, name in enumerate(COLUMNS)
        if name in ALWAYS or any(cells[place].text not in ("", "0") for _, cells in groups)
    ]  # fmt: skip
    rows = [(Cell(together(ids)), *(cells[place] for place in kept)) for ids, cells in groups]
    if left_out:
        rows.append((Cell(f"… {left_out} more"), Cell("--format json has them all", QUIET), *[Cell("")] * (len(kept) - 1)))
    return Section("Tasks", ("task", *(COLUMNS[place] for place in kept)), rows, RIGHT)


def _task(monitor: Monitor, task: TaskView, at_ms: int, fates: Mapping[str, Fate] | None) -> Cells:
    run, record = task.run, task.record
    ran = ""
    if run is not None:
        ran = duration_text(ran_ms(run, at_ms)) + (" …" if run.ended_ms is None else "")
    fate = fates.get(task.id) if fates is not None else None
    told, tone = became(fate) if fate is not None and fate.name not in OVER else ("", QUIET)
    return (
        Cell(visible(record["name"])), Cell(task.state, TONES.get(task.state, PLAIN)),
        Cell("" if fates is None else visible(monitor.records.facts[task.id].queue)), Cell(visible(task.worker)),
        Cell("" if task.received_ms is None else duration_text(task.received_ms)),
        Cell("" if run is None else duration_text(run.began_ms)),
        Cell(ran), Cell(str(record["runs"]), PLAIN if record["runs"] == 1 else NOTICE),
        Cell(str(record["retries"]), NOTICE if record["retries"] else QUIET), Cell(visible(task.why)), Cell(visible(told), tone),
    )  # fmt: skip


def _pending(item: Pending) -> Cells:
    return (
        Cell(visible(item.name)), Cell("PENDING", NOTICE), Cell(visible(item.queue)), *[Cell("")] * 7,
        Cell(f"waits in {visible(item.queue)}", NOTICE),
    )  # fmt: skip
