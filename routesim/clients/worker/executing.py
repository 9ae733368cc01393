"""Tasks in a worker process: from the delivery over the ETA, the rate limit and the pool to the answer (rules/celery#2.1,
rules/celery#2.2)."""

from heapq import heappop, heappush
from math import ceil

from routesim import events
from routesim.clients.actions import Actions, After, AfterBatch, Soon
from routesim.clients.worker import connecting, messages, scaling, settling
from routesim.clients.worker.calls import ending, following
from routesim.clients.worker.limits import RateLimit
from routesim.clients.worker.messages import emit
from routesim.clients.worker.outcomes import LOST, RunContext, TaskCourse, course, lost
from routesim.clients.worker.prefetching import update_prefetch
from routesim.clients.worker.requests import Request, decodable, task_id, task_name
from routesim.clients.worker.timers import HeartbeatsMissed, JobEnds, JobReported, PastTaskDue, TaskDue, TokenReady
from routesim.clients.worker.worker_state import TaskJob, WorkerState
from routesim.events import Event
from routesim.model import Task
from routesim.queues import DeliveringQueue, Delivery

NO_TASK, UNKNOWN_TASK, UNDECODABLE = "no task's message", "unknown task", "its body cannot be decoded"
FAILURES = (
    "exception",
    "kill_child",
)  # what acks_on_failure is about: the death of a child too (celery/worker/request.py, on_failure)
NEVER_RECEIVED = frozenset({NO_TASK, UNKNOWN_TASK, UNDECODABLE})  # why a message is turned away before it counts as received


def receive(state: WorkerState, delivery: Delivery[DeliveringQueue], consumer: str) -> Actions:
    name = task_name(delivery)
    task = _task(state, name)
    worker = state.plan.name
    if task is None or name is None:
        why = NO_TASK if name is None else UNKNOWN_TASK
        yield from settling.reject_tag(state, delivery, requeue=False)
        following.vanished(state, delivery, why)
        if name is not None:
            yield from messages.unknown_result(state, delivery, name)
        yield events.TaskRejected(state.now, task_id(delivery), name or "", worker, False, why)
        return
    if not decodable(delivery):
        yield from settling.ack_tag(state, delivery)
        yield events.TaskRejected(state.now, task_id(delivery), name, worker, False, UNDECODABLE)
        return
    request = Request(delivery, consumer, task, state.life)
    why_not = _why_revoked(state, request)
    if why_not:
        yield from _revoke(state, request, why_not)
        return
    due = request.due_ms if request.due_ms is not None and request.due_ms > state.now + state.slack_ms else None
    yield from emit(state,
        events.TaskReceived(
            state.now, request.id, name, worker, request.retries, delivery.copy.redelivered, due, delivery.copy.message,
            delivery.queue.name, delivery.copy.serial,
        ),
    )  # fmt: skip
    if request.due_ms is None or (due is None and state.shared.on_redis):
        yield from _reserve(state, request)
        if state.autoscale is not None and _rate(state, request) is None:
            yield from scaling.received(state)
        return
    # An ETA that is past goes by way of the timer too (celery/worker/strategy.py): what has come with it is before it. From
    # Redis messages come one by one, and the timer goes off between two of them.
    number = state.number()
    state.held[number] = request
    state.prefetch.increment()
    if due is None:
        heappush(state.past, (request.due_ms, number))
        yield AfterBatch(PastTaskDue())
    else:
        yield from update_prefetch(state)
        yield After(due - state.now, TaskDue(number))


def _task(state: WorkerState, name: str | None) -> Task | None:
    """None for one that it does not know: nothing is registered under that name."""
    return state.task(name) if name is not None else None


def past_due(state: WorkerState) -> Actions:
    """The entries of Celery's timer are in the order of their ETA, not of their coming."""
    _, number = heappop(state.past)
    if number in state.held:
        yield from due(state, number)


def due(state: WorkerState, number: int) -> Actions:
    request = state.held.pop(number)
    state.prefetch.decrement()
    yield from update_prefetch(state)
    yield from _reserve(state, request)


def _rate(state: WorkerState, request: Request) -> float | None:
    return state.rates.get(request.task.name, request.task.rate_limit)


def _reserve(state: WorkerState, request: Request) -> Actions:
    """To the pool, or, where the task has a rate limit, first to wait for a token."""
    rate = _rate(state, request)
    if rate is None:
        state.reserved.append(request)
        return
    limit = state.limits.setdefault(request.task.name, RateLimit(rate))
    limit.waiting.append(request)
    yield from take_tokens(state, limit)


def token_ready(state: WorkerState, number: int) -> Actions:
    limit = state.buckets.pop(number)
    limit.timer = False
    yield from take_tokens(state, limit)


def take_tokens(state: WorkerState, limit: RateLimit) -> Actions:
    while (request := limit.take(state.now)) is not None:
        state.reserved.append(request)
    if limit.waiting and not limit.timer:
        limit.timer = True
        number = state.number()
        state.buckets[number] = limit
        yield After(max(1, ceil(limit.next_ms - state.now)), TokenReady(number))


def begin(state: WorkerState) -> Actions:
    """As many as there are children free, in the order in which they were reserved."""
    while state.reserved and state.may_begin():
        request = state.reserved.popleft()
        why_not = "" if state.pool.queues else _why_revoked(state, request)
        if why_not:
            yield from _revoke(state, request, why_not)
            continue
        if state.plan.deduplicates and _is_known_to_have_succeeded(state, request):
            yield from settling.acknowledge(state, request)
            yield from emit(state, events.TaskSucceeded(state.now, request.id, request.task.name, state.plan.name))
            continue
        number, run = state.number(), state.shared.count_run(request.id)
        moment = RunContext(run, state.plan.name, state.now, state.shared.seed, state.shared.started, state.pool)
        job = state.running[number] = TaskJob(request, course(request, moment))
        if request.task.acks == "early":
            yield from settling.acknowledge(state, request)
        yield from emit(state, events.TaskStarted(state.now, request.id, request.task.name, state.plan.name, run))
        if job.course.takes:
            yield After(job.course.takes, JobEnds(number))
            yield from _stands(state)
        elif state.pool.still or (state.shared.on_redis and not state.pool.process):
            yield from end(state, number)
        else:
            yield Soon(JobEnds(number))  # what is on its way comes first (rules/celery#2.2-17)


def _is_known_to_have_succeeded(state: WorkerState, request: Request) -> bool:
    """worker_deduplicate_successful_tasks (rules/celery#2.1)."""
    late = request.task.acks == "late" and not request.task.ignore_result
    return late and request.delivery.copy.redelivered and request.id in state.shared.succeeded


def _stands(state: WorkerState) -> Actions:
    """A solo worker begins to stand still, and sends no heartbeat until it has read all that has come. RabbitMQ looks at every
    heartbeat's time since the connection began, and closes it at the second at which nothing has come (rules/celery#2.2-15)."""
    every = state.plan.broker_heartbeat
    if not every or not state.pool.still or state.shared.on_redis or state.unsent:
        return
    state.stood += 1
    first = state.connected_ms - (state.connected_ms - state.now) // every * every
    yield After(first + 2 * every - state.now, HeartbeatsMissed(state.life, state.stood))


# Ends of runs ------------------------------------------------------------------------------------------------------


def end(state: WorkerState, number: int) -> Actions:
    """The body is over: what its child publishes goes out first, on the child's own connection."""
    job = state.running[number]
    if job.course.uncut is not None and state.stands_still():
        state.running[number] = TaskJob(job.request, job.course.uncut)  # nobody is there to see that its time is up
        yield After(job.course.uncut.takes, JobEnds(number))
        return
    if job.course.ends == "kill_worker" or (job.course.why == LOST and not state.pool.process):
        yield from connecting.die(state, "killed")
        return
    if messages.delay_refused(state, job.request, job.course):
        why = "ValueError: a native delay takes a second at least"
        job = state.running[number] = job._replace(course=job.course._replace(ends="exception", why=why))
    before = state.sends
    course, retry = yield from ending.sends(state, job.request, job.course)
    sent = state.sends != before
    if state.plan.deduplicates and course.ends == "success":
        state.shared.succeeded.add(job.request.id)
    state.running[number] = job._replace(course=course, over=sent, retry=retry)
    if sent:
        yield Soon(JobReported(number))
    else:
        yield from done(state, number)


def done(state: WorkerState, number: int) -> Actions:
    """The process hears how a run ended: it settles the message where that is still to do, and tells."""
    if state.softly:
        state.over[number] = None
        return
    request, course, _, retry = state.running.pop(number)
    task, at = request.task, (state.now, request.id, request.task.name, state.plan.name)
    late = task.acks == "late"
    ends = course.ends
    if ends in ("reject", "requeue"):
        yield from _done_by_reject(state, request, at, requeue=ends == "requeue")
    elif late and _goes_back(state, task, ends):
        if ends == "time_limit":  # a failure that is told, and run again all the same
            yield from emit(state, events.TaskFailed(*at, course.why))
        yield from settling.reject(state, request, requeue=True)
        yield from emit(state, events.TaskRejected(*at, True, course.why))
    elif late and ends in FAILURES and task.on_failure == "reject":
        yield from settling.reject(state, request, requeue=False)
        yield from emit(state, events.TaskRejected(*at, False, course.why or "exception"))
        yield from emit(state, events.TaskFailed(*at, course.why or "exception"))
    else:
        if late:
            yield from settling.acknowledge(state, request)
        yield from emit(state, _ending(at, course, state.now, retry))
    if state.stopping and not state.running and state.alive:
        yield from connecting.leave(state, state.stopping)


def _done_by_reject(state: WorkerState, request: Request, at: tuple[int, str, str, str], *, requeue: bool) -> Actions:
    """The body raised Reject, which means nothing to a broker that has the acknowledgement already. Without requeueing
    it is a failure as well, since it will never run again, but not before Celery 5.7."""
    late = request.task.acks == "late"
    if not requeue and state.plan.reject_is_failure:
        yield from emit(state, events.TaskFailed(*at, "Reject" if late else "Reject, but the message is acknowledged already"))
    elif not late:
        yield from emit(state, events.TaskIgnored(*at))
    if late:
        yield from settling.reject(state, request, requeue=requeue)
        yield from emit(state, events.TaskRejected(*at, requeue, "Reject"))


def _goes_back(state: WorkerState, task: Task, ends: str) -> bool:
    return (ends == "kill_child" and task.on_worker_lost == "requeue") or (ends == "time_limit" and task.on_timeout == "requeue")


def _why_revoked(state: WorkerState, request: Request) -> str:
    if request.expires_ms is not None and state.now > request.expires_ms:
        return "expired"
    return "revoked" if request.id in state.revoked else ""


def _revoke(state: WorkerState, request: Request, why: str) -> Actions:
    yield from messages.results(state, request, "REVOKED", why)
    yield from following.revoked(state, request)
    yield from settling.acknowledge(state, request)
    yield from emit(state, events.TaskRevoked(state.now, request.id, request.task.name, state.plan.name, why))


def change_rate(state: WorkerState, task: str, rate: float | None) -> None:
    """From now on. Every task begins with a token again; what waits goes on waiting at the rate that it came under."""
    state.rates[task] = rate
    state.limits.clear()


def terminate(state: WorkerState, id: str) -> Actions:
    """revoke(terminate=True): the child that is at it is killed, where the pool can do that."""
    if not state.pool.killed:
        return
    for number, job in list(state.running.items()):
        if job.request.id == id:
            del state.running[number]
            state.dropped = True
            yield from messages.results(state, job.request, "REVOKED", "terminated")
            yield from following.revoked(state, job.request)
            if job.request.task.acks == "late":
                yield from settling.acknowledge(state, job.request)
            yield from emit(state, events.TaskRevoked(state.now, id, job.request.task.name, state.plan.name, "terminated"))
    yield from begin(state)


def kill_runs(state: WorkerState) -> Actions:
    """Cold: what runs is killed, but for what has ended unheard."""
    killed = [number for number in state.running if number not in state.over]
    yield from connecting.lose_runs(state, killed, "cold shutdown")
    state.dropped = True


def lose_children(state: WorkerState) -> Actions:
    for number, job in list(state.running.items()):
        state.running[number] = TaskJob(job.request, lost(job.request, job.course))
        state.dropped = True
        yield from end(state, number)
    yield from begin(state)


def _ending(at: tuple[int, str, str, str], course: TaskCourse, now: int, retry: str) -> Event:
    if course.ends == "success":
        return events.TaskSucceeded(*at)
    if course.ends == "retry":
        return events.TaskRetried(*at, now + course.countdown, retry)
    if course.ends == "ignore":
        return events.TaskIgnored(*at)
    return events.TaskFailed(*at, course.why or "exception")
