"""What is expected of the runs of a task: where each was, when it began, when it ended."""

from typing import TYPE_CHECKING, Any

from routesim.comparisons import holds
from routesim.durations import duration_text
from routesim.run.expecting.checked import Checked, shown_value
from routesim.scenario import Expectation

if TYPE_CHECKING:
    from routesim.run.folds.task_records import TaskRecords

RUNS: dict[str, Any] = {
    "worker": lambda run: run.worker,
    "started_at": lambda run: run.started_ms,
    "ended_at": lambda run: run.ended_ms,
}


def is_of_runs(expectation: Expectation) -> bool:
    return expectation.path[0] == "tasks" and expectation.path[2] in RUNS


def of_runs(expectation: Expectation, tasks: "TaskRecords", step: int | None) -> Checked:
    """`asked`: of all runs in order; else of the last one."""
    path, wanted = expectation.path, expectation.wanted
    ran = [item for run in tasks.runs.get(path[1], ()) if (item := RUNS[path[2]](run)) is not None]
    timed = path[2] != "worker"
    if expectation.asked:
        ok, said = tuple(ran) == wanted, shown_value([_shown(item) for item in wanted])
        actual: Any = [_shown(item) for item in ran]
    else:
        ok = bool(ran) and (holds(ran[-1], wanted) if timed else (ran[-1],) == wanted)
        operator, value = (wanted[0], wanted[1]) if timed else ("==", wanted[0])
        said = f"{'' if operator == '==' else f'{operator} '}{_shown(value)}"
        actual = _shown(ran[-1]) if ran else None
    return Checked(expectation.line, f"{'.'.join(path)} is {said}", ok, actual, expectation, step)


def _shown(item: Any) -> str:
    return item if isinstance(item, str) else duration_text(item)
