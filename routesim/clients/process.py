"""A worker process at work, as Celery's: deliveries, commands and time in, what it does out (celery.md 2.2).

It knows no engine. Each method is a generator of what the process does: steps for a broker (the generator is sent the
refusal, or None), events, and what it plans: `After` some time, or `Soon`, on the next turn of its event loop, when
everything that is under way at this instant has arrived.
"""

from collections import deque
from collections.abc import Generator
from math import ceil
from typing import Any, NamedTuple, Protocol, TypeAlias

from routesim import events
from routesim.broker import ConsumerEnded
from routesim.clients import messages
from routesim.clients.limits import PrefetchCount, RateLimit
from routesim.clients.outcomes import Course, Moment, course, lost
from routesim.clients.requests import Request, decodable, task_id, task_name
from routesim.events import Event
from routesim.model import Consumer, Message, Task, TaskWorker, control_channel, gossip_channel, pool_channel, task_consumer
from routesim.queues import Delivery
from routesim.steps import Ack, Cancel, Close, Consume, Crash, Publish, Qos, Reject, Step

RECONNECT_MS = 1_000  # between two attempts to get what the broker refused
MOST_ATTEMPTS = 100  # Celery's broker_connection_max_retries
NO_TASK, UNKNOWN_TASK, UNDECODABLE = "no task's message", "unknown task", "its body cannot be decoded"
NEVER_RECEIVED = frozenset({NO_TASK, UNKNOWN_TASK, UNDECODABLE})  # why a message is turned away before it counts as received
What: TypeAlias = tuple[Any, ...]


class Refusal(Protocol):
    """What a broker of either kind answers to a step that it refuses."""

    @property
    def text(self) -> str: ...

    @property
    def closes_connection(self) -> bool: ...


class After(NamedTuple):
    """`Process.fire(what)` is to be called so many ms later, unless it is expected no more by then."""

    ms: int
    what: What


class Soon(NamedTuple):
    """`Process.fire(what)` is to be called at this instant, after everything that is under way."""

    what: What


Doing: TypeAlias = Step | Event | After | Soon
Doings: TypeAlias = Generator[Doing, Refusal | None, None]


class Job(NamedTuple):
    request: Request
    course: Course


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


class Process:
    """State: `reserved` wait for a child, `held` for their time, `running` are with a child, each by its number; `limits`
    keep those that wait for a token, each task's by its name; `buckets` are those for which a token is to come, older ones
    that a command has replaced among them. `life` counts the connections that it has had."""

    def __init__(self, plan: TaskWorker, shared: Shared) -> None:
        self.plan = plan
        self.shared = shared
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
        self.running: dict[int, Job] = {}
        self.limits: dict[str, RateLimit] = {}
        self.buckets: dict[int, RateLimit] = {}
        self.rates: dict[str, float | None] = {}  # as commands have changed them
        self.revoked: set[str] = set()
        self.cancelled: set[str] = set()  # consumers, by a command
        self.sends_events = plan.sends_events
        self.opened: set[str] = set()  # connections beside the main one
        self.numbers = 0
        self.now = 0
        self.slack_ms = 0  # so much before its time a task is due: a real clock is never exact
        self.dropped = False  # something that was planned is expected no more

    def channels(self) -> tuple[str, ...]:
        """Those by which deliveries come."""
        return self.plan.name, control_channel(self.plan.name), gossip_channel(self.plan.name)

    # What it is told ---------------------------------------------------------------------------------------------------

    def signal(self, do: str, now: int) -> Doings:
        """start, warm (TERM), cold (QUIT), kill (SIGKILL), disconnect or kill_child."""
        self.now = now
        if do == "start":
            if not self.alive:
                yield from self._start("started")
        elif not self.alive:
            return
        elif do == "warm":
            yield from self.shut_down()
        elif do == "cold":
            yield from self._cancel_consumers()
            self.running.clear()
            yield from self._leave("cold shutdown")
        elif do == "kill":
            yield from self._die("killed")
        elif do == "disconnect":
            yield from self._disconnect()
        else:
            yield from self._lose_children()

    def receive(self, delivery: Delivery, now: int) -> Doings:
        """A message has arrived."""
        self.now = now
        consumer = delivery.subscription.name if delivery.subscription else ""
        if not self.connected:
            return
        if consumer == self.control_consumer:
            from routesim.clients.commands import carry_out  # few workers are sent commands

            yield from carry_out(self, delivery)
            return
        if consumer == self.gossip_consumer:
            return
        yield from self._receive_task(delivery, consumer)
        yield from self._begin()

    def ended(self, told: ConsumerEnded, now: int) -> Doings:
        """The broker, or the connection's end, has taken a consumer away."""
        self.now = now
        if not self.connected or self.stopping or told.consumer in self.cancelled:
            return
        if told.why == "channel closed":
            yield from self._die("unrecoverable error: the broker closed its channel")
        elif told.channel_lost:
            yield from self._lose_connection()
            yield Soon(("reconnect",))
        else:  # basic.cancel from the broker: it drops its connection and declares everything anew
            yield from self._disconnect()

    def fire(self, what: What, now: int) -> Doings:
        """The time of something planned has come."""
        self.now = now
        kind = what[0]
        if kind == "end":
            yield from self._end(what[1])
        elif kind == "done":
            yield from self._done(what[1])
        elif kind == "due":
            yield from self._due(what[1])
        elif kind == "token":
            bucket = self.buckets.pop(what[1])
            bucket.timer = False
            yield from self._take_tokens(bucket)
        elif kind == "heartbeat":
            yield from self._heartbeat()
        elif kind == "restart":
            yield from self._start("started again")
        else:
            yield from self._connect("reconnected")
        yield from self._begin()

    def expects(self, what: What) -> bool:
        """Whether something planned still means anything."""
        kind = what[0]
        if kind in ("end", "done"):
            return what[1] in self.running
        if kind == "due":
            return what[1] in self.held
        if kind == "token":
            return what[1] in self.buckets
        if kind == "heartbeat":
            return self.connected and what[1] == self.life
        if kind == "restart":
            return not self.alive
        return self.alive and not self.connected

    # Its connection ----------------------------------------------------------------------------------------------------

    def _start(self, why: str) -> Doings:
        self.alive = True
        self.stopping, self.reduced, self.attempts = "", False, 0
        self.prefetch = PrefetchCount(self.plan.prefetch, self.plan.eta_limit)
        self.revoked, self.rates, self.cancelled = set(), {}, set()
        self.consumers = {task_consumer(self.plan.name, queue): queue for queue in self.plan.queues}
        self.sends_events = self.plan.sends_events
        yield from self._connect(why)

    def _connect(self, why: str) -> Doings:
        """basic.qos, then everything that it declares, then its consumers in order."""
        plan = self.plan
        self.life += 1
        self.connected = True
        for step in (self._qos(self.prefetch.value), *plan.declares, *self._consumes()):
            refused = yield step
            if refused is not None:
                yield from self._refused(refused)
                return
        self.attempts = 0
        yield events.WorkerOnline(self.now, plan.name, why)
        yield from messages.worker_event(self, "online")
        if plan.heartbeat is not None and plan.events is not None:
            yield After(plan.heartbeat, ("heartbeat", self.life))

    def _consumes(self) -> list[Step]:
        name = self.plan.name
        steps: list[Step] = []
        if self.control_consumer is not None and self.plan.control is not None:
            channel = control_channel(name)
            steps.append(Consume(Consumer(self.control_consumer, self.plan.control, channel, auto_ack=True)))
        if self.gossip_consumer is not None and self.plan.gossip is not None:
            steps.append(Consume(Consumer(self.gossip_consumer, self.plan.gossip, gossip_channel(name), auto_ack=True)))
        own = {consumer: queue for consumer, queue in self.consumers.items() if consumer not in self.cancelled}
        return steps + [Consume(Consumer(consumer, queue, name)) for consumer, queue in own.items()]

    def _refused(self, refused: Refusal) -> Doings:
        """The broker does not give it what it asks for: another connection helps only where this one was closed."""
        self.attempts += 1
        if not refused.closes_connection or self.attempts > MOST_ATTEMPTS:
            yield from self._die(f"unrecoverable error: {refused.text}")
            return
        yield from self._lose_connection()
        yield After(RECONNECT_MS, ("reconnect",))

    def _disconnect(self) -> Doings:
        yield from self._lose_connection()
        yield Crash(self.plan.name)
        yield Soon(("reconnect",))

    def _lose_connection(self) -> Doings:
        """What waits can never be acknowledged and is forgotten; what runs goes on, unless it is to be cancelled."""
        self.connected = False
        self._forget_waiting()
        plan = self.plan
        if plan.cancels_on_loss:
            for number, job in list(self.running.items()):
                if job.request.task.acks == "late":
                    del self.running[number]
                    yield from self._tell(
                        events.TaskRevoked(self.now, job.request.id, job.request.task.name, plan.name, "cancelled")
                    )
        if plan.reduces_prefetch and plan.prefetch and plan.prefetch_of == "channel":
            each = self._each()
            self.prefetch = PrefetchCount(max(each, plan.prefetch - len(self.running) * each), plan.eta_limit)
            self.reduced = self.prefetch.value != plan.prefetch
        else:
            self.prefetch = PrefetchCount(plan.prefetch, plan.eta_limit)

    def _forget_waiting(self) -> None:
        self.reserved.clear()
        self.held.clear()
        self.limits.clear()
        self.buckets.clear()
        self.dropped = True

    def _each(self) -> int:
        """The prefetch multiplier."""
        return max(1, self.plan.prefetch // self.plan.concurrency)

    # Its end -----------------------------------------------------------------------------------------------------------

    def shut_down(self) -> Doings:
        """Warm: no more deliveries; what runs is finished and acknowledged before the channel is closed."""
        yield from self._cancel_consumers()
        self.stopping = "warm shutdown"
        if not self.running:
            yield from self._leave(self.stopping)

    def _cancel_consumers(self) -> Doings:
        self.stopping = self.stopping or "shutdown"
        for consumer in self.consumers:
            if consumer not in self.cancelled:
                yield Cancel(self.plan.name, consumer)

    def _leave(self, why: str) -> Doings:
        """It takes leave of the broker in good order."""
        self.alive = self.connected = False
        self._forget_waiting()
        yield from messages.worker_event(self, "offline")
        for connection in (self.plan.name, *sorted(self.opened)):
            yield Close(connection)
        self.opened.clear()
        yield events.WorkerOffline(self.now, self.plan.name, why)

    def _die(self, why: str) -> Doings:
        """All its connections are gone at once, and its children with it."""
        self.alive = self.connected = False
        self._forget_waiting()
        self.running.clear()
        for connection in (self.plan.name, *sorted(self.opened)):
            yield Crash(connection)
        self.opened.clear()
        yield events.WorkerOffline(self.now, self.plan.name, why)
        if self.plan.restart is not None:
            yield After(self.plan.restart, ("restart",))

    def _lose_children(self) -> Doings:
        for number, job in list(self.running.items()):
            self.running[number] = Job(job.request, lost(job.request, job.course))
            self.dropped = True
            yield from self._end(number)
        yield from self._begin()

    # Requests ----------------------------------------------------------------------------------------------------------

    def _receive_task(self, delivery: Delivery, consumer: str) -> Doings:
        name = task_name(delivery)
        task = self.shared.tasks.get(name) if name is not None else None
        worker = self.plan.name
        if task is None or name is None:
            why = NO_TASK if name is None else UNKNOWN_TASK
            yield from self._reject_tag(delivery, requeue=False)
            yield events.TaskRejected(self.now, task_id(delivery), name or "", worker, False, why)
            return
        if not decodable(delivery):
            yield Ack(worker, delivery.tag)
            yield events.TaskRejected(self.now, task_id(delivery), name, worker, False, UNDECODABLE)
            return
        request = Request(delivery, consumer, task, self.life)
        why_not = self._why_revoked(request)
        if why_not:
            yield from self._revoke(request, why_not)
            return
        due = request.due_ms if request.due_ms is not None and request.due_ms > self.now + self.slack_ms else None
        yield from self._tell(
            events.TaskReceived(
                self.now, request.id, name, worker, request.retries, delivery.copy.redelivered, due,
            ),
        )  # fmt: skip
        if due is not None:
            number = self._number()
            self.held[number] = request
            self.prefetch.increment()
            yield from self._update_prefetch()
            yield After(due - self.now, ("due", number))
        else:
            yield from self._reserve(request)

    def _due(self, number: int) -> Doings:
        request = self.held.pop(number)
        self.prefetch.decrement()
        yield from self._update_prefetch()
        yield from self._reserve(request)

    def _reserve(self, request: Request) -> Doings:
        """To the pool, or, where the task has a rate limit, first to wait for a token."""
        rate = self.rates.get(request.task.name, request.task.rate_limit)
        if rate is None:
            self.reserved.append(request)
            return
        limit = self.limits.setdefault(request.task.name, RateLimit(rate))
        limit.waiting.append(request)
        yield from self._take_tokens(limit)

    def _take_tokens(self, limit: RateLimit) -> Doings:
        while (request := limit.take(self.now)) is not None:
            self.reserved.append(request)
        if limit.waiting and not limit.timer:
            limit.timer = True
            number = self._number()
            self.buckets[number] = limit
            yield After(max(1, ceil(limit.next_ms - self.now)), ("token", number))

    def _begin(self) -> Doings:
        """As many as there are children free, in the order in which they were reserved."""
        while self.reserved and self.alive and not self.stopping and len(self.running) < self.plan.concurrency:
            request = self.reserved.popleft()
            why_not = self._why_revoked(request)
            if why_not:
                yield from self._revoke(request, why_not)
                continue
            number, run = self._number(), self.shared.count_run(request.id)
            moment = Moment(run, self.plan.name, self.now, self.shared.seed, self.shared.started)
            job = self.running[number] = Job(request, course(request, moment))
            if request.task.acks == "early":
                yield from self._acknowledge(request)
            yield from self._tell(events.TaskStarted(self.now, request.id, request.task.name, self.plan.name, run))
            if job.course.takes:
                yield After(job.course.takes, ("end", number))
            else:
                yield from self._end(number)

    # Ends of runs ------------------------------------------------------------------------------------------------------

    def _end(self, number: int) -> Doings:
        """The body is over: what its child publishes goes out first, on the child's own connection."""
        job = self.running[number]
        if job.course.ends == "kill_worker":
            yield from self._die("killed")
            return
        if messages.delay_refused(self, job.request, job.course):
            why = "ValueError: a native delay takes a second at least"
            job = self.running[number] = Job(job.request, job.course._replace(ends="exception", why=why))
        sent = list(messages.sent_by_child(self, job.request, job.course))
        for each in sent:
            self.opened.add(pool_channel(self.plan.name))
            yield each
        if sent:
            yield Soon(("done", number))
        else:
            yield from self._done(number)

    def _done(self, number: int) -> Doings:
        """The process hears how a run ended: it settles the message where that is still to do, and tells."""
        request, course = self.running.pop(number)
        task, at = request.task, (self.now, request.id, request.task.name, self.plan.name)
        late = task.acks == "late"
        ends = course.ends
        if ends in ("reject", "requeue"):
            yield from self._done_by_reject(request, at, requeue=ends == "requeue")
        elif late and self._goes_back(task, ends):
            if ends == "time_limit":  # a failure that is told, and run again all the same
                yield from self._tell(events.TaskFailed(*at, course.why))
            yield from self._reject(request, requeue=True)
            yield from self._tell(events.TaskRejected(*at, True, course.why))
        elif late and ends == "exception" and task.on_failure == "reject":
            yield from self._reject(request, requeue=False)
            yield from self._tell(events.TaskRejected(*at, False, course.why or "exception"))
            yield from self._tell(events.TaskFailed(*at, course.why or "exception"))
        else:
            if late:
                yield from self._acknowledge(request)
            yield from self._tell(_ending(at, ends, course, self.now))
        if self.stopping and not self.running and self.alive:
            yield from self._leave(self.stopping)

    def _done_by_reject(self, request: Request, at: tuple[int, str, str, str], *, requeue: bool) -> Doings:
        """The body raised Reject, which means nothing to a broker that has the acknowledgement already. Without requeueing
        it is a failure as well, since it will never run again."""
        late = request.task.acks == "late"
        if not requeue:
            yield from self._tell(events.TaskFailed(*at, "Reject" if late else "Reject, but the message is acknowledged already"))
        elif not late:
            yield from self._tell(events.TaskIgnored(*at))
        if late:
            yield from self._reject(request, requeue=requeue)
            yield from self._tell(events.TaskRejected(*at, requeue, "Reject"))

    def _goes_back(self, task: Task, ends: str) -> bool:
        return (ends == "kill_child" and task.on_worker_lost == "requeue") or (
            ends == "time_limit" and task.on_timeout == "requeue"
        )

    # Settling ----------------------------------------------------------------------------------------------------------

    def _acknowledge(self, request: Request) -> Doings:
        if self._cannot_settle(request):
            yield self._unsettled(request)
            return
        yield from self._restore_prefetch()
        request.settled = True
        yield Ack(self.plan.name, request.delivery.tag)

    def _reject(self, request: Request, *, requeue: bool) -> Doings:
        if self._cannot_settle(request):
            yield self._unsettled(request)
            return
        yield from self._restore_prefetch()
        request.settled = True
        yield from self._reject_tag(request.delivery, requeue=requeue)

    def _reject_tag(self, delivery: Delivery, *, requeue: bool) -> Doings:
        yield Reject(self.plan.name, delivery.tag, requeue)

    def _cannot_settle(self, request: Request) -> bool:
        return request.life != self.life or not self.connected

    def _unsettled(self, request: Request) -> Event:
        return events.TaskUnsettled(self.now, request.id, request.task.name, self.plan.name)

    def _why_revoked(self, request: Request) -> str:
        if request.expires_ms is not None and self.now > request.expires_ms:
            return "expired"
        return "revoked" if request.id in self.revoked else ""

    def _revoke(self, request: Request, why: str) -> Doings:
        yield from self._acknowledge(request)
        yield from self._tell(events.TaskRevoked(self.now, request.id, request.task.name, self.plan.name, why))

    def change_rate(self, task: str, rate: float | None) -> None:
        """From now on. Every task begins with a token again; what waits goes on waiting at the rate that it came under."""
        self.rates[task] = rate
        self.limits.clear()

    def terminate(self, id: str) -> Doings:
        """revoke(terminate=True): the child that is at it is killed."""
        for number, job in list(self.running.items()):
            if job.request.id == id:
                del self.running[number]
                self.dropped = True
                if job.request.task.acks == "late":
                    yield from self._acknowledge(job.request)
                yield from self._tell(events.TaskRevoked(self.now, id, job.request.task.name, self.plan.name, "terminated"))
        yield from self._begin()

    # Prefetch ----------------------------------------------------------------------------------------------------------

    def _qos(self, value: int) -> Qos:
        return Qos(self.plan.name, value, self.plan.prefetch_of == "channel")

    def _update_prefetch(self) -> Doings:
        value = self.prefetch.untold()
        if value is not None and self.connected:
            yield self._qos(value)

    def _restore_prefetch(self) -> Doings:
        """After a reconnection each message of the new channel that is settled gives back a part of the limit (celery.md 2.1).
        What was running at the loss gives nothing back: it cannot be settled."""
        if not self.reduced or not self.connected:
            return
        self.prefetch.value = min(self.plan.prefetch, self.prefetch.value + self._each())
        self.reduced = self.prefetch.value != self.plan.prefetch
        yield from self._update_prefetch()

    # Telling -----------------------------------------------------------------------------------------------------------

    def _tell(self, event: Event) -> Doings:
        yield event
        yield from messages.task_event(self, event)

    def _heartbeat(self) -> Doings:
        yield from messages.worker_event(self, "heartbeat")
        if self.plan.heartbeat is not None:
            yield After(self.plan.heartbeat, ("heartbeat", self.life))

    def publish(self, channel: str, message: Message, base: str) -> Publish:
        """The step that sends a message of the process's own, named after `base`."""
        number = self.shared.published[base] = self.shared.published.get(base, 0) + 1
        return Publish(channel, message, f"{base}-{number}")

    def _number(self) -> int:
        self.numbers += 1
        return self.numbers


def _ending(at: tuple[int, str, str, str], ends: str, course: Course, now: int) -> Event:
    if ends == "success":
        return events.TaskSucceeded(*at)
    if ends == "retry":
        return events.TaskRetried(*at, now + course.countdown)
    if ends == "ignore":
        return events.TaskIgnored(*at)
    return events.TaskFailed(*at, course.why or "exception")
