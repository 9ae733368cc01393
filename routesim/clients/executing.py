"""Tasks in a worker process: from the delivery over the ETA, the rate limit and the pool to the answer (rules/celery#2.1,
rules/celery#2.2)."""

from math import ceil
from typing import TYPE_CHECKING

from routesim import events
from routesim.clients import connecting, messages
from routesim.clients.actions import Actions, After, Soon, TaskJob
from routesim.clients.limits import RateLimit
from routesim.clients.outcomes import RunContext, TaskCourse, course, lost
from routesim.clients.requests import Request, decodable, task_id, task_name
from routesim.events import Event
from routesim.model import Task, pool_channel
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Ack, Reject

if TYPE_CHECKING:
    from routesim.clients.process import Process

NO_TASK, UNKNOWN_TASK, UNDECODABLE = "no task's message", "unknown task", "its body cannot be decoded"
NEVER_RECEIVED = frozenset({NO_TASK, UNKNOWN_TASK, UNDECODABLE})  # why a message is turned away before it counts as received


def receive(process: "Process", delivery: Delivery[DeliveringQueue], consumer: str) -> Actions:
    name = task_name(delivery)
    task = _task(process, name)
    worker = process.plan.name
    if task is None or name is None:
        why = NO_TASK if name is None else UNKNOWN_TASK
        yield from _reject_tag(process, delivery, requeue=False)
        yield events.TaskRejected(process.now, task_id(delivery), name or "", worker, False, why)
        return
    if not decodable(delivery):
        yield Ack(worker, delivery.tag)
        yield events.TaskRejected(process.now, task_id(delivery), name, worker, False, UNDECODABLE)
        return
    request = Request(delivery, consumer, task, process.life)
    why_not = _why_revoked(process, request)
    if why_not:
        yield from _revoke(process, request, why_not)
        return
    due = request.due_ms if request.due_ms is not None and request.due_ms > process.now + process.slack_ms else None
    yield from process.tell(
        events.TaskReceived(
            process.now, request.id, name, worker, request.retries, delivery.copy.redelivered, due,
        ),
    )  # fmt: skip
    if due is not None:
        number = process.number()
        process.held[number] = request
        process.prefetch.increment()
        yield from process.update_prefetch()
        yield After(due - process.now, ("due", number))
    else:
        yield from _reserve(process, request)


def _task(process: "Process", name: str | None) -> Task | None:
    """None for one that it does not know: nothing is registered under that name."""
    known = process.plan.tasks
    return process.shared.tasks.get(name) if name is not None and (known is None or name in known) else None


def due(process: "Process", number: int) -> Actions:
    request = process.held.pop(number)
    process.prefetch.decrement()
    yield from process.update_prefetch()
    yield from _reserve(process, request)


def _reserve(process: "Process", request: Request) -> Actions:
    """To the pool, or, where the task has a rate limit, first to wait for a token."""
    rate = process.rates.get(request.task.name, request.task.rate_limit)
    if rate is None:
        process.reserved.append(request)
        return
    limit = process.limits.setdefault(request.task.name, RateLimit(rate))
    limit.waiting.append(request)
    yield from take_tokens(process, limit)


def take_tokens(process: "Process", limit: RateLimit) -> Actions:
    while (request := limit.take(process.now)) is not None:
        process.reserved.append(request)
    if limit.waiting and not limit.timer:
        limit.timer = True
        number = process.number()
        process.buckets[number] = limit
        yield After(max(1, ceil(limit.next_ms - process.now)), ("token", number))


def begin(process: "Process") -> Actions:
    """As many as there are children free, in the order in which they were reserved."""
    while process.reserved and process.alive and not process.stopping and len(process.running) < process.plan.concurrency:
        request = process.reserved.popleft()
        why_not = _why_revoked(process, request)
        if why_not:
            yield from _revoke(process, request, why_not)
            continue
        number, run = process.number(), process.shared.count_run(request.id)
        moment = RunContext(run, process.plan.name, process.now, process.shared.seed, process.shared.started)
        job = process.running[number] = TaskJob(request, course(request, moment))
        if request.task.acks == "early":
            yield from _acknowledge(process, request)
        yield from process.tell(events.TaskStarted(process.now, request.id, request.task.name, process.plan.name, run))
        if job.course.takes:
            yield After(job.course.takes, ("end", number))
        else:
            yield from end(process, number)


# Ends of runs ------------------------------------------------------------------------------------------------------


def end(process: "Process", number: int) -> Actions:
    """The body is over: what its child publishes goes out first, on the child's own connection."""
    job = process.running[number]
    if job.course.ends == "kill_worker":
        yield from connecting.die(process, "killed")
        return
    if messages.delay_refused(process, job.request, job.course):
        why = "ValueError: a native delay takes a second at least"
        job = process.running[number] = TaskJob(job.request, job.course._replace(ends="exception", why=why))
    sent = list(messages.sent_by_child(process, job.request, job.course))
    for each in sent:
        process.opened.add(pool_channel(process.plan.name))
        yield each
    if sent:
        yield Soon(("done", number))
    else:
        yield from done(process, number)


def done(process: "Process", number: int) -> Actions:
    """The process hears how a run ended: it settles the message where that is still to do, and tells."""
    request, course = process.running.pop(number)
    task, at = request.task, (process.now, request.id, request.task.name, process.plan.name)
    late = task.acks == "late"
    ends = course.ends
    if ends in ("reject", "requeue"):
        yield from _done_by_reject(process, request, at, requeue=ends == "requeue")
    elif late and _goes_back(process, task, ends):
        if ends == "time_limit":  # a failure that is told, and run again all the same
            yield from process.tell(events.TaskFailed(*at, course.why))
        yield from _reject(process, request, requeue=True)
        yield from process.tell(events.TaskRejected(*at, True, course.why))
    elif late and ends == "exception" and task.on_failure == "reject":
        yield from _reject(process, request, requeue=False)
        yield from process.tell(events.TaskRejected(*at, False, course.why or "exception"))
        yield from process.tell(events.TaskFailed(*at, course.why or "exception"))
    else:
        if late:
            yield from _acknowledge(process, request)
        yield from process.tell(_ending(at, ends, course, process.now))
    if process.stopping and not process.running and process.alive:
        yield from connecting.leave(process, process.stopping)


def _done_by_reject(process: "Process", request: Request, at: tuple[int, str, str, str], *, requeue: bool) -> Actions:
    """The body raised Reject, which means nothing to a broker that has the acknowledgement already. Without requeueing
    it is a failure as well, since it will never run again."""
    late = request.task.acks == "late"
    if not requeue:
        yield from process.tell(events.TaskFailed(*at, "Reject" if late else "Reject, but the message is acknowledged already"))
    elif not late:
        yield from process.tell(events.TaskIgnored(*at))
    if late:
        yield from _reject(process, request, requeue=requeue)
        yield from process.tell(events.TaskRejected(*at, requeue, "Reject"))


def _goes_back(process: "Process", task: Task, ends: str) -> bool:
    return (ends == "kill_child" and task.on_worker_lost == "requeue") or (ends == "time_limit" and task.on_timeout == "requeue")


# Settling ----------------------------------------------------------------------------------------------------------


def _acknowledge(process: "Process", request: Request) -> Actions:
    if _cannot_settle(process, request):
        yield _unsettled(process, request)
        return
    yield from process.restore_prefetch()
    request.settled = True
    yield Ack(process.plan.name, request.delivery.tag)


def _reject(process: "Process", request: Request, *, requeue: bool) -> Actions:
    if _cannot_settle(process, request):
        yield _unsettled(process, request)
        return
    yield from process.restore_prefetch()
    request.settled = True
    yield from _reject_tag(process, request.delivery, requeue=requeue)


def _reject_tag(process: "Process", delivery: Delivery[DeliveringQueue], *, requeue: bool) -> Actions:
    yield Reject(process.plan.name, delivery.tag, requeue)


def _cannot_settle(process: "Process", request: Request) -> bool:
    return request.life != process.life or not process.connected


def _unsettled(process: "Process", request: Request) -> Event:
    return events.TaskUnsettled(process.now, request.id, request.task.name, process.plan.name)


def _why_revoked(process: "Process", request: Request) -> str:
    if request.expires_ms is not None and process.now > request.expires_ms:
        return "expired"
    return "revoked" if request.id in process.revoked else ""


def _revoke(process: "Process", request: Request, why: str) -> Actions:
    yield from _acknowledge(process, request)
    yield from process.tell(events.TaskRevoked(process.now, request.id, request.task.name, process.plan.name, why))


def change_rate(process: "Process", task: str, rate: float | None) -> None:
    """From now on. Every task begins with a token again; what waits goes on waiting at the rate that it came under."""
    process.rates[task] = rate
    process.limits.clear()


def terminate(process: "Process", id: str) -> Actions:
    """revoke(terminate=True): the child that is at it is killed."""
    for number, job in list(process.running.items()):
        if job.request.id == id:
            del process.running[number]
            process.dropped = True
            if job.request.task.acks == "late":
                yield from _acknowledge(process, job.request)
            yield from process.tell(events.TaskRevoked(process.now, id, job.request.task.name, process.plan.name, "terminated"))
    yield from begin(process)


def lose_children(process: "Process") -> Actions:
    for number, job in list(process.running.items()):
        process.running[number] = TaskJob(job.request, lost(job.request, job.course))
        process.dropped = True
        yield from end(process, number)
    yield from begin(process)


def _ending(at: tuple[int, str, str, str], ends: str, course: TaskCourse, now: int) -> Event:
    if ends == "success":
        return events.TaskSucceeded(*at)
    if ends == "retry":
        return events.TaskRetried(*at, now + course.countdown)
    if ends == "ignore":
        return events.TaskIgnored(*at)
    return events.TaskFailed(*at, course.why or "exception")
