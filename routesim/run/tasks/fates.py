"""Which fate each task of a run has at this moment: one of `celery.fates`, by its events, by what processes are at, and by
what stands in queues."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from routesim.celery import fates
from routesim.durations import seconds
from routesim.named_tuples import NamedTuple
from routesim.narration import sentence_of
from routesim.run.result import Result
from routesim.values import raw

if TYPE_CHECKING:  # few scenarios have worker processes, and every command is to start at once
    from routesim.clients.worker.worker_state import WorkerState
    from routesim.run.folds.task_records import TaskFacts, TaskRecords
    from routesim.run.processes import Processes


class Fate(NamedTuple):
    """`name`: one of `fates.FATES`. `where`: the queue, exchange or worker that has it, or had it last; `why`: the reason of a
    bad end, or what ended its message, as part of a sentence."""

    name: str
    where: str = ""
    why: str = ""


def fates_of(result: Result) -> dict[str, Fate]:
    """Of every task that was sent, in that order; nothing where the run has no worker processes, or keeps no record of tasks."""
    if result.tasks is None or result.processes is None:
        return {}
    return task_fates(result.tasks, result.processes, result.broker)


def task_fates(records: "TaskRecords", processes: "Processes", broker: Any) -> dict[str, Fate]:
    """`broker`: an engine, embedded or real."""
    at_work = dict(_at_work(processes))
    there = _there(records, broker)
    return {task: _fate(task, facts, records, at_work, there) for task, facts in records.facts.items()}


def lost_tasks(result: Result) -> list[str]:
    """The ids of those that are lost."""
    return [task for task, fate in fates_of(result).items() if fate.name == fates.LOST]


class Unconsumed(NamedTuple):
    """Tasks that wait in a queue of which nobody consumes at this moment. `workers`: those that would, if they were there."""

    queue: str
    tasks: list[str]
    workers: list[str]


def unconsumed(result: Result, found: dict[str, Fate]) -> list[Unconsumed]:
    """By what the embedded engine knows; `found` are the fates of the tasks. A queue out of which messages go on by themselves
    needs no consumer."""
    if result.processes is None or result.real is not None:
        return []
    waiting: dict[str, list[str]] = {}
    for task, fate in found.items():
        if fate.name == fates.WAITING and fate.where in result.broker.queues:
            waiting.setdefault(fate.where, []).append(task)
    rows = []
    for name, tasks in waiting.items():
        queue = result.broker.queues[name]
        goes_on = queue.settings.message_ttl is not None and queue.settings.dead_letter_exchange is not None
        if not queue.subscriptions and not goes_on:
            workers = [worker for worker, state in result.processes.by_name.items() if name in state.consumers.values()]
            rows.append(Unconsumed(name, tasks, workers))
    return rows


def _fate(
    task: str, facts: "TaskFacts", records: "TaskRecords", at_work: dict[str, Fate], there: dict[str, Fate]
) -> Fate:  # fmt: skip
    if facts.outcome:
        return Fate(facts.outcome, facts.worker, facts.error if facts.outcome != fates.SUCCEEDED else "")
    found = at_work.get(task) or there.get(task)
    if found is not None:
        return found
    if facts.succeeded:  # another delivery of it went wrong later
        return Fate(fates.SUCCEEDED, facts.worker)
    if facts.lost is not None:
        return Fate(fates.LOST, facts.lost.worker, facts.lost.why)
    gone = records.gone.get(task)
    if gone is None and records.of[task]["runs"]:
        return Fate(fates.UNREPORTED, facts.worker)
    return Fate(fates.GONE, getattr(gone, "queue", ""), sentence_of(gone) or "" if gone else "taken by a client that ran no task")


def _at_work(processes: "Processes") -> Iterator[tuple[str, Fate]]:
    """What living processes have; of an id that several have, the most of it."""
    states = [state for state in processes.by_name.values() if state.alive]
    for state in states:
        yield from ((request.id, Fate(fates.SCHEDULED, state.plan.name)) for request in state.held.values())
    for state in states:
        yield from ((request.id, Fate(fates.RESERVED, state.plan.name)) for request in waiting_requests(state))
    for state in states:
        yield from ((job.request.id, Fate(fates.RUNNING, state.plan.name)) for job in state.running.values())


def waiting_requests(state: "WorkerState") -> Iterator[Any]:
    """What waits for a child or for a token."""
    yield from state.reserved
    limits = {id(limit): limit for limit in (*state.limits.values(), *state.buckets.values())}
    for limit in limits.values():
        yield from limit.waiting


def _there(records: "TaskRecords", broker: Any) -> dict[str, Fate]:
    """Where messages of tasks stand: what is ready counts more than what a client has."""
    found: dict[str, Fate] = {}
    for event in records.delayed.values():
        if event.until_ms > broker.now:
            found[records.task_of(event.message)] = Fate(
                fates.WAITING, event.exchange, f"delayed until {seconds(event.until_ms)} s"
            )
    queues = [queue for queue in broker.queues.values() if not queue.keeps_log]
    for queue in queues:
        for message, consumer, channel, *_ in broker.unacked_of(queue):
            found[records.task_of(message)] = Fate(fates.UNACKED, queue.name, f"with {consumer or channel}")
    for queue in queues:
        for copy in (
            *queue.ready(),
            *getattr(queue, "held_back", tuple)(),
            *(copy for copy, _ in getattr(queue, "awaiting", ())),
        ):
            found[_task_of(records, copy)] = Fate(fates.WAITING, queue.name)
    return found


def _task_of(records: "TaskRecords", copy: Any) -> str:
    id = raw((copy.content.headers or {}).get("id"))
    return id if isinstance(id, str) else records.task_of(copy.message)
