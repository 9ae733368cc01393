"""How a run of a task goes: which rule fits, when it ends and in what."""

from typing import Any

from routesim.broker import uniform
from routesim.carried import fits
from routesim.celery.pools import POOLS, PREFORK, TaskPool
from routesim.clients.worker.requests import Request, headers_of
from routesim.comparisons import holds
from routesim.model import Reply, Run
from routesim.named_tuples import NamedTuple

KILL_WORKER = "kill_worker"
LOST = "WorkerLostError"
MOST_DOUBLINGS = 40  # beyond which any delay is longer than the longest


class TaskCourse(NamedTuple):
    """One run from its start: after `takes` ms it ends in `ends`; `why` for what is an exception. `uncut`: a time limit ends it,
    and this is how it would go on from there."""

    takes: int
    ends: str
    countdown: int
    publish: tuple[Reply, ...]
    why: str = ""
    calls: tuple[Any, ...] = ()
    uncut: "TaskCourse | None" = None


class RunContext(NamedTuple):
    """What a run's rules may ask for: the n-th run of the task id, the worker, the time; `chance` is drawn for the
    `number`-th run of all."""

    run: int
    worker: str
    now: int
    seed: int = 0
    number: int = 0
    pool: TaskPool = POOLS[PREFORK]


def course(request: Request, moment: RunContext) -> TaskCourse:
    """How this run goes: the task's first rule that fits, cut short by its time limits, retries used up counted as failure."""
    task = request.task
    rule = next((item for item in task.runs if _fits(item, request, moment)), Run())
    takes = task.takes if rule.takes is None else rule.takes
    ends = task.ends if rule.ends is None else rule.ends
    countdown = _delay(request, moment) if rule.countdown is None else rule.countdown
    publish = task.publish if rule.publish is None else rule.publish
    calls = task.calls if rule.calls is None else rule.calls
    if ends == "retry" and _used_up(request):
        planned = TaskCourse(takes, "exception", countdown, publish, "MaxRetriesExceededError", calls)
    elif ends == "kill_child":
        planned = lost(request, TaskCourse(takes, ends, countdown, publish))
    else:
        planned = TaskCourse(takes, ends, countdown, publish, "", calls)
    limit, cut = _limit(request, moment.pool)
    if limit is None or takes <= limit:
        return planned
    why = f"{'Soft' if cut == 'exception' else ''}TimeLimitExceeded"
    return TaskCourse(limit, cut, countdown, (), why, (), planned._replace(takes=takes - limit))


def lost(request: Request, planned: TaskCourse) -> TaskCourse:
    """The child is killed: nothing of the body's end happens. The process may send the task anew, acknowledged or not, after
    the task's own countdown: what a run would have asked for died with it."""
    task = request.task
    retries = task.on_worker_lost == "retry" and not _used_up(request)
    ends = "retry" if retries else "kill_child"
    return planned._replace(ends=ends, countdown=task.countdown, publish=(), calls=(), why=LOST)


def _delay(request: Request, moment: RunContext) -> int:
    """celery/utils/time.py:get_exponential_backoff_interval; the seed decides instead of chance."""
    task = request.task
    if task.backoff is None:
        return task.countdown
    doubled = task.backoff << request.retries if request.retries < MOST_DOUBLINGS else task.backoff_max
    longest = min(task.backoff_max, doubled)
    return int(uniform(moment.seed, moment.number, 1) * (longest // 1000 + 1)) * 1000 if task.jitter else longest


def _used_up(request: Request) -> bool:
    return request.task.max_retries is not None and request.retries >= request.task.max_retries


def never_ends(request: Request) -> bool:
    """Whether each run of the task, by what is said of it, ends in a retry, and nothing puts an end to its retries."""
    task = request.task
    if task.max_retries is not None or request.expires_ms is not None or task.ends != "retry":
        return False
    limits = (task.time_limit, task.soft_time_limit, *request.time_limits)
    return all(rule.ends in (None, "retry") for rule in task.runs) and not (task.runs and any(limits))


def _limit(request: Request, pool: TaskPool) -> tuple[int | None, str]:
    """The time limit that strikes first, and what it ends in; None: the pool has none. What the call says goes before what the
    task says (celery/worker/request.py: execute_using_pool)."""
    called = request.time_limits
    hard = called[0] or request.task.time_limit if pool.hard else None
    soft = called[1] or request.task.soft_time_limit if pool.soft else None
    if soft is not None and (hard is None or soft < hard):
        return soft, "exception"
    return hard, "time_limit"


def _fits(rule: Run, request: Request, moment: RunContext) -> bool:
    if rule.retries is not None and not holds(request.retries, rule.retries):
        return False
    if rule.redelivered is not None and rule.redelivered != request.delivery.copy.redelivered:
        return False
    if rule.run is not None and not holds(moment.run, rule.run):
        return False
    if rule.id is not None and rule.id != request.id:
        return False
    if rule.worker is not None and rule.worker != moment.worker:
        return False
    if rule.before is not None and moment.now >= rule.before:
        return False
    if rule.carries is not None and not fits(rule.carries, headers_of(request.delivery)):
        return False
    return rule.chance is None or uniform(moment.seed, moment.number, 0) < rule.chance
