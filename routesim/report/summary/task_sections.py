"""Worker processes and tasks at the end of a run, as sections of rows."""

from collections.abc import Iterable, Mapping
from typing import Any

from routesim.celery.fates import FAILED, GONE, IGNORED, LOST, REJECTED, REVOKED, SUCCEEDED, UNACKED, WAITING
from routesim.celery.states import COUNTED
from routesim.run import Result
from routesim.run.tasks.fates import Fate, Unconsumed, fates_of, unconsumed
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import visible

MAX_TASKS = 40
MAX_IDS = 8
NOW = ("active", "reserved", "held")
COUNTS = (*COUNTED.values(), "lost")
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
            **{count: result.tasks.workers[name][count] for count in COUNTS},
            **{field: ask(process) for field, ask in ASKED.items()},
        }
        for name, process in result.processes.by_name.items()
    }


def workers(result: Result) -> Section:
    """Columns that are zero for all of them are left out."""
    if result.tasks is None:
        return NONE
    facts = worker_facts(result)
    kept = [name for name in (*COUNTS, *NOW) if name in ("received", "active") or any(fact[name] for fact in facts.values())]
    rows = []
    for worker, fact in facts.items():
        online = Cell("online", GOOD) if fact["online"] else Cell("offline", BAD)
        rows.append((Cell(visible(worker)), online, *(Cell(str(fact[name]), PLAIN if fact[name] else QUIET) for name in kept)))
    return Section("Workers", ("worker", "", *kept), rows, frozenset(kept))


def tasks(result: Result) -> Section:
    """Neighbours of whom the same is to be said share a row. What became of them is a column where states do not say it all."""
    if result.tasks is None:
        return NONE
    fates = fates_of(result)
    groups: list[tuple[list[str], tuple[Any, ...]]] = []
    for task, found in result.tasks.of.items():
        fate = (found["name"], found["state"], found["runs"], found["retries"], *became(fates[task]))
        if groups and groups[-1][1] == fate:
            groups[-1][0].append(task)
        else:
            groups.append(([task], fate))
    told = any(fate[4] for _, fate in groups)
    rows = []
    for ids, (name, state, runs, retries, text, tone) in groups[:MAX_TASKS]:
        shown = (
            ", ".join(visible(item) for item in ids[:2])
            if len(ids) < 3
            else f"{visible(ids[0])} … {visible(ids[-1])} ({len(ids)})"
        )
        rows.append((
            Cell(shown), Cell(visible(name)), Cell(state, TONES.get(state, PLAIN)),
            Cell(str(runs), PLAIN if runs == 1 else NOTICE), Cell(str(retries), NOTICE if retries else QUIET),
            *([Cell(visible(text), tone)] if told else []),
        ))  # fmt: skip
    if len(groups) > MAX_TASKS:
        more = Cell(f"{len(groups) - MAX_TASKS} more; --format json has them all", QUIET)
        rows.append((Cell("…"), more, *[Cell("")] * (4 if told else 3)))
    columns = ("task", "name", "state", "runs", "retries", *(["what became of it"] if told else []))
    return Section("Tasks", columns, rows, frozenset({"runs", "retries"}))


def became(fate: Fate) -> tuple[str, str]:
    """What its state does not say, and its tone."""
    if fate.name in (SUCCEEDED, IGNORED):
        return ("ignored" if fate.name == IGNORED else ""), QUIET
    if fate.name in (FAILED, REVOKED, REJECTED):
        return fate.why if fate.why != fate.name else "", PLAIN
    if fate.name == LOST:
        return f"LOST with {fate.where}: {fate.why}", BAD
    if fate.name == GONE:
        return f"gone: {fate.why}", BAD
    if fate.name in (WAITING, UNACKED):
        return f"{'waits' if fate.name == WAITING else fate.name} in {fate.where}{f', {fate.why}' if fate.why else ''}", NOTICE
    return f"{fate.name} by {fate.where}", NOTICE


def undone(result: Result) -> Section:
    """What nobody does: tasks that are lost, and queues of which no worker consumes though tasks wait there."""
    fates = fates_of(result)
    return undone_section(fates, unconsumed(result, fates))


def nobodys(result: Result) -> list[Unconsumed]:
    """The queues in which tasks wait that no worker consumes, where the run remembers its tasks."""
    if result.tasks is None or not result.scenario.workers:
        return []
    return unconsumed(result, fates_of(result))


def idle_text(found: list[Unconsumed]) -> str:
    """The same in few words: `1 task waits in mail, which no worker consumes`."""
    count = sum(len(item.tasks) for item in found)
    queues = ", ".join(visible(item.queue) for item in found)
    return f"{count} task{'s wait' if count > 1 else ' waits'} in {queues}, which no worker consumes"


def undone_section(fates: Mapping[str, Fate], nobodys: Iterable[Unconsumed]) -> Section:
    """The same of fates that are known."""
    lost = [task for task, fate in fates.items() if fate.name == LOST]
    rows = [(Cell(text, BAD),) for text in _lost_rows(lost, fates)]
    rows += [(Cell(visible(unconsumed_text(item)), NOTICE),) for item in nobodys]
    return Section("Left undone", (), rows)


def _lost_rows(lost: list[str], fates: Mapping[str, Fate]) -> list[str]:
    by_end: dict[tuple[str, str], list[str]] = {}
    for task in lost:
        by_end.setdefault((fates[task].where, fates[task].why), []).append(task)
    return [
        f"{some(tasks)} {'is' if len(tasks) == 1 else 'are'} lost: acknowledged and not done when {visible(worker)} ended "
        f"({visible(why)}); nothing will run {'it' if len(tasks) == 1 else 'them'} again"
        for (worker, why), tasks in by_end.items()
    ]


def unconsumed_text(item: Unconsumed) -> str:
    count = len(item.tasks)
    wait = f"{count} task{'s wait' if count > 1 else ' waits'} there: {some(item.tasks)}"
    if item.workers:
        return f"queue {item.queue}: {', '.join(item.workers)} {'are' if len(item.workers) > 1 else 'is'} not consuming; {wait}"
    return f"no worker consumes queue {item.queue}: {wait}"


def some(ids: list[str]) -> str:
    shown = ", ".join(visible(item) for item in ids[:MAX_IDS])
    return shown + (f" … {len(ids) - MAX_IDS} more" if len(ids) > MAX_IDS else "")
