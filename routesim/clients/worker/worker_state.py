"""The state of a worker process, as data: what the phases above it (`messages` to `process`) read and change."""

from collections import deque
from typing import Any

from routesim.celery.pools import POOLS
from routesim.celery.sending import Sender
from routesim.clients.worker.calls.chords import Chords
from routesim.clients.worker.limits import PrefetchCount, RateLimit
from routesim.clients.worker.outcomes import TaskCourse
from routesim.clients.worker.requests import Request
from routesim.model import Task, TaskWorker, control_channel, gossip_channel, mingle_channel, task_consumer
from routesim.named_tuples import NamedTuple
from routesim.queues import DeliveringQueue, Delivery


class TaskJob(NamedTuple):
    """A run of a task. `over`: its body is, and what its child publishes has been sent, the process has not heard of it yet;
    `retry`: the message in which it was sent anew."""

    request: Request
    course: TaskCourse
    over: bool = False
    retry: str = ""


class Shared:
    """What all processes of a run have in common: the tasks, the seed, how often names were published, runs of tasks, each
    id's and all together, and who can hear whom."""

    def __init__(self, tasks: dict[str, Task], seed: int, published: dict[str, int], *, on_redis: bool = False) -> None:
        self.tasks = tasks
        self.seed = seed
        self.published = published
        self.endless: dict[str, int] = {}  # tasks that end in nothing but retries, by their ids: how many so far
        self.named: dict[str, int] = {}  # how often a task's id was sent
        self.chords = Chords()
        self.runs: dict[str, int] = {}
        self.on_redis = on_redis
        self.started = 0
        self.succeeded: set[str] = set()  # as a result backend knows; kept for workers that ask
        self.listeners: dict[str, str | None] = {}  # workers that hear commands now, by which exchange; None: it does not say

    def is_heard(self, worker: str, exchange: str) -> bool:
        """Whether another worker would hear a command of this one."""
        return any(name != worker and by in (None, exchange) for name, by in self.listeners.items())

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
        self.pool = POOLS[plan.pool]
        self.autoscale = plan.autoscale
        self.size = self.first_size()  # how many tasks the pool runs at once
        self.coming = 0  # processes that a command has asked for
        self.full_prefetch = plan.prefetch  # with all its processes
        self.needed_ms: int | None = None  # when autoscale saw work last
        self.connected_ms = 0
        self.stood = 0  # how often it has stood still
        self.shared = shared
        self.slack_ms = slack_ms
        self.consumers = {task_consumer(plan.name, queue): queue for queue in plan.queues}
        self.control_consumer = task_consumer(plan.name, plan.control) if plan.control is not None else None
        self.gossip_consumer = task_consumer(plan.name, plan.gossip) if plan.gossip is not None else None
        self.mingle_consumer = task_consumer(plan.name, plan.mingle.queue) if plan.mingle is not None else None
        self.asked = False
        self.fetching = False  # a message is on its way from Redis, or will be
        self.mingling = ""  # it waits for the answers of the others, and why it has connected
        self.alive = False
        self.connected = False
        self.stopping = ""
        self.life = 0
        self.attempts = 0
        self.refusal = ""  # what the broker said at the last one, if it refused
        self.reduced = False
        self.prefetch = PrefetchCount(plan.prefetch, plan.eta_limit)
        self.reserved: deque[Request] = deque()
        self.held: dict[int, Request] = {}
        self.past: list[tuple[int, int]] = []  # of those held, a heap: ETAs that were past when they came, and the numbers
        self.running: dict[int, TaskJob] = {}
        self.limits: dict[str, RateLimit] = {}
        self.buckets: dict[int, RateLimit] = {}
        self.rates: dict[str, float | None] = {}  # as commands have changed them
        self.revoked: dict[str, None] = {}  # in their order
        self.cancelled: set[str] = set()  # consumers, by a command
        self.sends_events = plan.sends_events
        self.opened: set[str] = set()  # connections beside the main one
        self.sender: Sender | None = None  # its app as one that sends, once it does
        self.declared: set[str] = set()  # queues, by the connection of its pool
        self.sends = 0  # how much it has published
        self.numbers = 0
        self.now = 0
        self.dropped = False  # a timer is due no more
        self.softly = False  # a cold shutdown has begun, and what runs may still end
        self.killed_softly = False  # meanwhile it was told again
        self.told_to_end = 0  # a warm shutdown will begin as soon as the event loop looks; 2: after this message
        self.unread: deque[Delivery[DeliveringQueue]] = deque()  # came while it stood still
        self.overslept: list[Any] = []  # timers that went off meanwhile, in their order
        self.unsent: list[tuple[Request, bool | None]] = []  # settled, which a solo worker tells when it has read all
        self.over: dict[int, None] = {}  # runs that have ended meanwhile, in their order

    def is_online(self) -> bool:
        """Whether it works: connected, and past its questions to the others."""
        return self.connected and not self.mingling

    def stands_still(self) -> bool:
        """It reads nothing, and no timer of its own goes off: a soft shutdown sleeps in the handler of the signal, a solo pool
        runs its task in the process."""
        return self.softly or (self.pool.still and bool(self.running))

    def is_full(self) -> bool:
        """It reads no tasks: one waits for room in the pool, and the process with it."""
        return self.pool.waits and bool(self.reserved)

    def limit(self) -> int:
        """How many tasks its pool runs at once, or can grow to."""
        return self.size if self.autoscale is None else self.autoscale.max

    def may_begin(self) -> bool:
        """Whether a child is free for a task that is reserved. Threads take the next one by themselves, even while the process
        sleeps."""
        if not self.alive or (self.stopping and not (self.softly and self.pool.queues)):
            return False
        return len(self.running) - len(self.over) < self.size

    def channels(self) -> tuple[str, ...]:
        """Those by which deliveries come."""
        name = self.plan.name
        return name, control_channel(name), gossip_channel(name), mingle_channel(name)

    def task(self, name: str) -> Task | None:
        """None for one that it does not know: nothing is registered under that name."""
        known = self.plan.tasks
        return self.shared.tasks.get(name) if known is None or name in known else None

    def prefetch_per_child(self) -> int:
        """The prefetch multiplier."""
        most = self.plan.concurrency if self.plan.autoscale is None else self.plan.autoscale.max
        return max(1, self.plan.prefetch // max(1, most))

    def first_size(self) -> int:
        if self.pool.still:
            return 1
        return self.plan.concurrency if self.plan.autoscale is None else self.plan.autoscale.min

    def number(self) -> int:
        self.numbers += 1
        return self.numbers
