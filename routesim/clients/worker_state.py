"""The state of a worker process, as data: what the phases above it (`messages` to `process`) read and change."""

from collections import deque
from typing import NamedTuple

from routesim.clients.limits import PrefetchCount, RateLimit
from routesim.clients.outcomes import TaskCourse
from routesim.clients.requests import Request
from routesim.model import Task, TaskWorker, control_channel, gossip_channel, task_consumer


class TaskJob(NamedTuple):
    request: Request
    course: TaskCourse


class Shared:
    """What all processes of a run have in common: the tasks, the seed, how often names were published, and runs of tasks,
    each id's and all together."""

    def __init__(self, tasks: dict[str, Task], seed: int, published: dict[str, int]) -> None:
        self.tasks = tasks
        self.seed = seed
        self.published = published
        self.runs: dict[str, int] = {}
        self.started = 0

    def count_run(self, task: str) -> int:
        """The n-th run of this task id begins: n."""
        self.started += 1
        run = self.runs[task] = self.runs.get(task, 0) + 1
        return run


class WorkerState:
    """Of one process: `reserved` wait for a child, `held` for their time, `running` are with a child, each by its number;
    `limits` keep those that wait for a token, each task's by its name; `buckets` are those for which a token is to come, older
    ones that a command has replaced among them. `life` counts the connections that it has had.

    `slack_ms`: so much before its time a task is due: a real clock is never exact.
    """

    def __init__(self, plan: TaskWorker, shared: Shared, slack_ms: int) -> None:
        self.plan = plan
        self.shared = shared
        self.slack_ms = slack_ms
        self.consumers = {task_consumer(plan.name, queue): queue for queue in plan.queues}
        self.control_consumer = task_consumer(plan.name, plan.control) if plan.control is not None else None
        self.gossip_consumer = task_consumer(plan.name, plan.gossip) if plan.gossip is not None else None
        self.alive = False
        self.connected = False
        self.stopping = ""
        self.life = 0
        self.attempts = 0
        self.reduced = False
        self.prefetch = PrefetchCount(plan.prefetch, plan.eta_limit)
        self.reserved: deque[Request] = deque()
        self.held: dict[int, Request] = {}
        self.running: dict[int, TaskJob] = {}
        self.limits: dict[str, RateLimit] = {}
        self.buckets: dict[int, RateLimit] = {}
        self.rates: dict[str, float | None] = {}  # as commands have changed them
        self.revoked: set[str] = set()
        self.cancelled: set[str] = set()  # consumers, by a command
        self.sends_events = plan.sends_events
        self.opened: set[str] = set()  # connections beside the main one
        self.numbers = 0
        self.now = 0
        self.dropped = False  # a timer is due no more

    def channels(self) -> tuple[str, ...]:
        """Those by which deliveries come."""
        return self.plan.name, control_channel(self.plan.name), gossip_channel(self.plan.name)

    def prefetch_per_child(self) -> int:
        """The prefetch multiplier."""
        return max(1, self.plan.prefetch // self.plan.concurrency)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers
