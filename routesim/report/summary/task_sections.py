"""Worker processes and tasks at the end of a run, as sections of rows."""

from typing import Any

from routesim.celery.states import COUNTED
from routesim.run import Result
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import visible

MAX_TASKS = 40
NOW = ("active", "reserved", "held")
TONES = {
    "SUCCESS": GOOD,
    "FAILURE": BAD,
    "REJECTED": NOTICE,
    "REVOKED": NOTICE,
    "STARTED": NOTICE,
    "RECEIVED": NOTICE,
    "RETRY": NOTICE,
}


NONE = Section("", (), [])  # where the scenario has no worker processes


def worker_facts(result: Result) -> dict[str, dict[str, Any]]:
    """What each worker has done, and what it is at."""
    from routesim.run.expecting.expectations import NOW as ASKED

    assert result.tasks is not None
    assert result.processes is not None
    return {
        name: {
            **{count: result.tasks.workers[name][count] for count in COUNTED.values()},
            **{field: ask(process) for field, ask in ASKED.items()},
        }
        for name, process in result.processes.by_name.items()
    }


def workers(result: Result) -> Section:
    """Columns that are zero for all of them are left out."""
    if result.tasks is None:
        return NONE
    facts = worker_facts(result)
    kept = [
        name for name in (*COUNTED.values(), *NOW) if name in ("received", "active") or any(fact[name] for fact in facts.values())
    ]
    rows = []
    for worker, fact in facts.items():
        online = Cell("online", GOOD) if fact["online"] else Cell("offline", BAD)
        rows.append((Cell(visible(worker)), online, *(Cell(str(fact[name]), PLAIN if fact[name] else QUIET) for name in kept)))
    return Section("Workers", ("worker", "", *kept), rows, frozenset(kept))


def tasks(result: Result) -> Section:
    """Neighbours of the same name and fate share a row."""
    if result.tasks is None:
        return NONE
    groups: list[tuple[list[str], tuple[Any, ...]]] = []
    for task, found in result.tasks.of.items():
        fate = (found["name"], found["state"], found["runs"], found["retries"])
        if groups and groups[-1][1] == fate:
            groups[-1][0].append(task)
        else:
            groups.append(([task], fate))
    rows = []
    for ids, (name, state, runs, retries) in groups[:MAX_TASKS]:
        shown = (
            ", ".join(visible(item) for item in ids[:2])
            if len(ids) < 3
            else f"{visible(ids[0])} … {visible(ids[-1])} ({len(ids)})"
        )
        tone = TONES.get(state, PLAIN)
        rows.append((
            Cell(shown), Cell(visible(name)), Cell(state, tone), Cell(str(runs), PLAIN if runs == 1 else NOTICE),
            Cell(str(retries), NOTICE if retries else QUIET),
        ))  # fmt: skip
    if len(groups) > MAX_TASKS:
        rows.append(
            (Cell("…"), Cell(f"{len(groups) - MAX_TASKS} more; --format json has them all", QUIET), Cell(""), Cell(""), Cell(""))
        )
    return Section("Tasks", ("task", "name", "state", "runs", "retries"), rows, frozenset({"runs", "retries"}))
