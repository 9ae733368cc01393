"""What a monitor shows of worker processes, by the events of a run: who is at what over time, what became of each task.

A fold, like `situation`: each event costs the same, however many tasks there are. A task keeps one small record, and so
does each of its runs; a worker has one point for each instant at which its load changed.
"""

import heapq
from collections import Counter
from collections.abc import Mapping
from typing import Any

from routesim import events
from routesim.celery.states import COUNTED, STATES
from routesim.clients.worker.executing import NEVER_RECEIVED
from routesim.model import Task, TaskWorker
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import TimedFold
from routesim.run.folds.task_records import TaskRecords

# How a run ended: the state of its task in small letters, or one of these.
IGNORED = "ignored"
LOST = "lost"  # with its worker
CANCELLED = "cancelled"  # when its worker lost the connection
RUNNING = "running"
BEGINS = {events.TaskReceived, events.TaskStarted}
ONLY_RECORDED = TaskRecords.hears.keys() - STATES.keys() - {events.TaskIgnored, events.TaskLost}
OVER = (
    (events.having("task") & events.having("worker")) - BEGINS - {events.TaskUnsettled, events.TaskInterrupted, events.TaskLost}
)
DONE = tuple(name for kind, name in COUNTED.items() if kind not in BEGINS)
NUMBERS = ("active", "reserved", "held", "prefetch", "processed", *DONE)


class Load(NamedTuple):
    """What a worker is at from an instant on: `active` runs, `reserved` wait for a child or a token, `held` for their time."""

    at_ms: int
    active: int
    reserved: int
    held: int


class TaskRun:
    """One run of a task's body in child `child` (from 1, the lowest that is free). `ends`: how it ended, or running."""

    __slots__ = ("began_ms", "child", "ended_ms", "ends", "name", "task", "worker")

    def __init__(self, task: str, name: str, worker: str, child: int, began_ms: int) -> None:
        self.task = task
        self.name = name
        self.worker = worker
        self.child = child
        self.began_ms = began_ms
        self.ended_ms: int | None = None
        self.ends = RUNNING


class TaskView:
    """A task as its events tell it. `record`: its name, state and counts, as `TaskRecords` keeps them; `received_ms` is the first
    time; `worker`, `run` and `why` are the latest."""

    __slots__ = ("id", "received_ms", "record", "run", "why", "worker")

    def __init__(self, id: str, record: dict[str, Any]) -> None:
        self.id = id
        self.record = record
        self.worker = ""
        self.why = ""
        self.received_ms: int | None = None
        self.run: TaskRun | None = None

    @property
    def state(self) -> str:
        state: str = self.record["state"]
        return state


class WorkerView:
    """A worker process. `loads`: one point for each instant at which one of the three numbers changed."""

    def __init__(self, plan: TaskWorker, counts: Counter[str]) -> None:
        self.plan = plan
        self.online = False
        self.why = ""
        self.prefetch = plan.prefetch
        self.counts = counts
        self.reserved: Counter[str] = Counter()
        self.waiting = 0  # how many `reserved` are
        self.held: dict[int, str] = {}
        self.children: dict[int, TaskRun] = {}
        self.loads: list[Load] = []

    def load(self, at_ms: int) -> Load:
        return Load(at_ms, len(self.children), self.waiting, len(self.held))

    def numbers(self) -> dict[str, int]:
        """What a monitor's table of workers shows, by `NUMBERS`; `processed` are the tasks received, as Flower calls it."""
        now = (len(self.children), self.waiting, len(self.held), self.prefetch, self.counts["received"])
        return dict(zip(NUMBERS, (*now, *(self.counts[name] for name in DONE)), strict=True))

    def reserve(self, task: str) -> None:
        self.reserved[task] += 1
        self.waiting += 1

    def unreserve(self, task: str) -> None:
        """Take it out of what waits; nothing happens when it does not wait."""
        if self.reserved[task]:
            self.reserved[task] -= 1
            self.waiting -= 1
        if not self.reserved[task]:
            del self.reserved[task]

    def forget_waiting(self) -> None:
        self.reserved.clear()
        self.waiting = 0
        self.held.clear()

    def free_child(self) -> int:
        return next(number for number in range(1, len(self.children) + 2) if number not in self.children)


class Monitor(TimedFold):
    """What every worker is at, and what has become of every task. `tasks`: what the scenario says of tasks.

    `workers` by name, `tasks` by id, `runs` in the order of their beginnings.

    A task that is held for its time goes to the reserved ones when that has come: of this no event tells, the time does.
    One thing cannot be told by events: an id that is revoked in between, delivered to the same worker a second time while
    its first delivery still waits there, counts as no longer reserved when the second one is discarded.
    """

    def __init__(self, workers: Mapping[str, TaskWorker], tasks: Mapping[str, Task]) -> None:
        self.plans = tasks
        self.records = TaskRecords(workers)
        self.workers = {name: WorkerView(plan, self.records.workers[name]) for name, plan in workers.items()}
        self.tasks: dict[str, TaskView] = {}
        self.runs: list[TaskRun] = []
        self.due: list[tuple[int, int, str]] = []  # a heap: (instant, number, worker)
        self.number = 0

    def advance(self, to_ms: int) -> None:
        """Let time pass up to `to_ms`: held tasks whose time has come are reserved."""
        while self.due and self.due[0][0] <= to_ms:
            at_ms, number, name = heapq.heappop(self.due)
            worker = self.workers[name]
            task = worker.held.pop(number, None)
            if task is not None:
                worker.reserve(task)
                self._note(worker, at_ms)
        self.at_ms = max(self.at_ms, to_ms)

    # Tasks -------------------------------------------------------------------------------------------------------------

    def _view(self, event: Any) -> TaskView:
        task = self.tasks.get(event.task)
        if task is None:
            task = self.tasks[event.task] = TaskView(event.task, self.records.of[event.task])
        task.worker = event.worker
        return task

    def _received(self, event: events.TaskReceived) -> None:
        self.records.hear(event)
        task, worker = self._view(event), self.workers[event.worker]
        if task.received_ms is None:
            task.received_ms = event.at_ms
        if event.due_ms is None:
            worker.reserve(event.task)
        else:
            self.number += 1
            worker.held[self.number] = event.task
            heapq.heappush(self.due, (event.due_ms, self.number, event.worker))
        self._note(worker, event.at_ms)

    def _started(self, event: events.TaskStarted) -> None:
        self.records.hear(event)
        task, worker = self._view(event), self.workers[event.worker]
        worker.unreserve(event.task)
        child = worker.free_child()
        task.run = worker.children[child] = TaskRun(event.task, event.name, event.worker, child, event.at_ms)
        self.runs.append(task.run)
        self._note(worker, event.at_ms)

    def _over(self, event: Any) -> None:
        """A run has ended, or what waited will not run, or a message was turned away on its arrival."""
        kind, worker = type(event), self.workers[event.worker]
        self.records.hear(event)
        self._view(event).why = getattr(event, "why", "")
        child = next((number for number, run in worker.children.items() if run.task == event.task), None)
        if kind is events.TaskRejected and event.why in NEVER_RECEIVED:
            pass
        elif kind is events.TaskRevoked and event.why in ("revoked", "expired"):
            worker.unreserve(event.task)
        elif child is not None:
            self._end(worker, child, STATES[kind].lower() if kind in STATES else IGNORED)
        self._note(worker, event.at_ms)

    def _lost(self, event: events.TaskInterrupted | events.TaskLost) -> None:
        """A run ends with its child or its worker, or what waited is gone with it."""
        self.records.hear(event)
        worker = self.workers[event.worker]
        child = next((number for number, run in worker.children.items() if run.task == event.task), None)
        if child is not None:
            self._end(worker, child, LOST)
            self._note(worker, event.at_ms)

    def _end(self, worker: WorkerView, child: int, ends: str) -> None:
        run = worker.children.pop(child)
        run.ended_ms, run.ends = self.at_ms, ends

    # Workers -----------------------------------------------------------------------------------------------------------

    def _online(self, event: events.WorkerOnline) -> None:
        worker = self.workers[event.worker]
        worker.online, worker.why = True, event.why

    def _qos(self, event: events.QosSet) -> None:
        if event.channel in self.workers:
            self.workers[event.channel].prefetch = event.prefetch

    def _restarted(self, event: events.Restarted) -> None:
        for name in self.workers:
            self._connection_gone(name)

    def _offline(self, event: events.WorkerOffline) -> None:
        worker = self.workers[event.worker]
        worker.online, worker.why = False, event.why
        worker.forget_waiting()
        for child in list(worker.children):
            self._end(worker, child, LOST)
        self._note(worker, event.at_ms)

    def _connection_gone(self, name: str) -> None:
        """What waits is forgotten; what runs goes on, late acknowledgements perhaps not (rules/celery#2.1)."""
        worker = self.workers.get(name)
        if worker is None or not worker.online:
            return
        worker.online, worker.why = False, "connection lost"
        worker.forget_waiting()
        if worker.plan.cancels_on_loss:
            for child, run in list(worker.children.items()):
                if run.name in self.plans and self.plans[run.name].acks == "late":
                    self._end(worker, child, CANCELLED)
        self._note(worker, self.at_ms)

    def _note(self, worker: WorkerView, at_ms: int) -> None:
        points = worker.loads
        load = worker.load(at_ms)
        if points and points[-1].at_ms == at_ms:
            points.pop()
        if load[1:] != (points[-1][1:] if points else (0, 0, 0)):
            points.append(load)

    hears = {
        events.TaskReceived: _received,
        events.TaskStarted: _started,
        **dict.fromkeys(OVER, _over),
        events.TaskInterrupted: _lost,
        events.TaskLost: _lost,
        **dict.fromkeys(ONLY_RECORDED, lambda self, event: self.records.hear(event)),
        events.WorkerOnline: _online,
        events.WorkerOffline: _offline,
        events.QosSet: _qos,
        events.ConnectionLost: lambda self, event: self._connection_gone(event.connection),
        events.ConnectionClosed: lambda self, event: self._connection_gone(event.connection),
        events.Restarted: _restarted,
    }


def ran_ms(run: TaskRun, now_ms: int) -> int:
    """How long it has been running."""
    return (now_ms if run.ended_ms is None else run.ended_ms) - run.began_ms
