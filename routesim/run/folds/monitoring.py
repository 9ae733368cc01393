"""What a monitor shows of worker processes, by the events of a run: who is at what over time, what became of each task.

A fold, like `situation`: each event costs the same, however many tasks there are. A task keeps one small record, and so
does each of its runs; a worker has one point for each instant at which its load changed.
"""

import heapq
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from routesim import events
from routesim.celery.states import COUNTED, PENDING, STATES
from routesim.clients.executing import NEVER_RECEIVED
from routesim.model import Task, TaskWorker

ENDS: dict[type, str] = {
    events.TaskSucceeded: "success",
    events.TaskFailed: "failure",
    events.TaskRetried: "retry",
    events.TaskRejected: "rejected",
    events.TaskRevoked: "revoked",
    events.TaskIgnored: "ignored",
}
LOST = "lost"  # with its worker
CANCELLED = "cancelled"  # when its worker lost the connection
RUNNING = "running"
DONE = ("succeeded", "failed", "retried", "rejected", "revoked")
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
    """A task as its events tell it: `received_ms` is the first time, `worker` and `run` are the latest."""

    __slots__ = ("id", "name", "received", "received_ms", "retries", "run", "runs", "state", "why", "worker")

    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name
        self.state = PENDING
        self.worker = ""
        self.why = ""
        self.received_ms: int | None = None
        self.received = 0
        self.runs = 0
        self.retries = 0
        self.run: TaskRun | None = None


class WorkerView:
    """A worker process. `loads`: one point for each instant at which one of the three numbers changed."""

    def __init__(self, plan: TaskWorker) -> None:
        self.plan = plan
        self.online = False
        self.why = ""
        self.prefetch = plan.prefetch
        self.counts: Counter[str] = Counter()
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


class Monitor:
    """Hears the events of one run in their order, from the first on. `tasks`: what the scenario says of tasks.

    - `workers`, `tasks` by name and by id; `runs` in the order of their beginnings;
    - `at_ms`: the virtual time of the last event, or as far as `advance` was called.

    A task that is held for its time goes to the reserved ones when that has come: of this no event tells, the time does.
    One thing cannot be told by events: an id that is revoked in between, delivered to the same worker a second time while
    its first delivery still waits there, counts as no longer reserved when the second one is discarded.
    """

    def __init__(self, workers: Mapping[str, TaskWorker], tasks: Mapping[str, Task]) -> None:
        self.plans = tasks
        self.at_ms = 0
        self.workers = {name: WorkerView(plan) for name, plan in workers.items()}
        self.tasks: dict[str, TaskView] = {}
        self.runs: list[TaskRun] = []
        self.due: list[tuple[int, int, str]] = []  # a heap: (instant, number, worker)
        self.number = 0

    def hear(self, event: Any) -> None:
        """The next event."""
        if event.at_ms > self.at_ms:
            self.advance(event.at_ms)
        kind = type(event)
        if kind in COUNTED or kind is events.TaskIgnored:
            self._task(event, kind)
        elif kind is events.WorkerOnline:
            self.workers[event.worker].online = True
            self.workers[event.worker].why = event.why
        elif kind is events.WorkerOffline:
            self._offline(event)
        elif kind is events.QosSet:
            if event.channel in self.workers:
                self.workers[event.channel].prefetch = event.prefetch
        elif kind is events.ConnectionLost or kind is events.ConnectionClosed:
            self._connection_gone(event.connection)
        elif kind is events.Restarted:
            for name in self.workers:
                self._connection_gone(name)

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

    def _task(self, event: Any, kind: type) -> None:
        worker = self.workers[event.worker]
        task = self.tasks.get(event.task)
        if task is None:
            task = self.tasks[event.task] = TaskView(event.task, event.name)
        task.worker = event.worker
        if kind is not events.TaskIgnored:  # which is recorded nowhere
            task.state = STATES[kind]
            worker.counts[COUNTED[kind]] += 1
        if kind is events.TaskReceived:
            self._received(event, task, worker)
        elif kind is events.TaskStarted:
            self._started(event, task, worker)
        else:
            task.retries += kind is events.TaskRetried
            task.why = getattr(event, "why", "")
            self._over(event, kind, worker)
        self._note(worker, event.at_ms)

    def _received(self, event: events.TaskReceived, task: TaskView, worker: WorkerView) -> None:
        task.received += 1
        if task.received_ms is None:
            task.received_ms = event.at_ms
        if event.due_ms is None:
            worker.reserve(event.task)
            return
        self.number += 1
        worker.held[self.number] = event.task
        heapq.heappush(self.due, (event.due_ms, self.number, event.worker))

    def _started(self, event: events.TaskStarted, task: TaskView, worker: WorkerView) -> None:
        worker.unreserve(event.task)
        child = worker.free_child()
        task.run = worker.children[child] = TaskRun(event.task, event.name, event.worker, child, event.at_ms)
        task.runs += 1
        self.runs.append(task.run)

    def _over(self, event: Any, kind: type, worker: WorkerView) -> None:
        """A run has ended, or what waited will not run, or a message was turned away on its arrival."""
        if kind is events.TaskRejected and event.why in NEVER_RECEIVED:
            return
        if kind is events.TaskRevoked and event.why in ("revoked", "expired"):
            worker.unreserve(event.task)
            return
        child = next((number for number, run in worker.children.items() if run.task == event.task), None)
        if child is not None:
            self._end(worker, child, ENDS[kind])

    def _end(self, worker: WorkerView, child: int, ends: str) -> None:
        run = worker.children.pop(child)
        run.ended_ms, run.ends = self.at_ms, ends

    # Workers -----------------------------------------------------------------------------------------------------------

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


def ran_ms(run: TaskRun, now_ms: int) -> int:
    """How long it has been running."""
    return (now_ms if run.ended_ms is None else run.ended_ms) - run.began_ms
