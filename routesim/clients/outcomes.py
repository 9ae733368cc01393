"""How a run of a task goes: which rule fits, when it ends and in what."""

from typing import NamedTuple

from routesim.broker import uniform
from routesim.carried import fits
from routesim.clients.requests import Request, headers_of
from routesim.comparisons import holds
from routesim.model import Reply, Run, Task

KILL_WORKER = "kill_worker"


class TaskCourse(NamedTuple):
    """One run from its start: after `takes` ms it ends in `ends`; `why` for what is an exception."""

    takes: int
    ends: str
    countdown: int
    publish: tuple[Reply, ...]
    why: str = ""


class RunContext(NamedTuple):
    """What a run's rules may ask for: the n-th run of the task id, the worker, the time; `chance` is drawn for the
    `number`-th run of all."""

    run: int
    worker: str
    now: int
    seed: int = 0
    number: int = 0


def course(request: Request, moment: RunContext) -> TaskCourse:
    """How this run goes: the task's first rule that fits, cut short by its time limits, retries used up counted as failure."""
    task = request.task
    rule = next((item for item in task.runs if _fits(item, request, moment)), Run())
    takes = task.takes if rule.takes is None else rule.takes
    ends = task.ends if rule.ends is None else rule.ends
    countdown = task.countdown if rule.countdown is None else rule.countdown
    publish = task.publish if rule.publish is None else rule.publish
    limit, cut = _limit(task)
    if limit is not None and takes > limit:
        return TaskCourse(limit, cut, countdown, (), f"{'Soft' if cut == 'exception' else ''}TimeLimitExceeded")
    if ends == "retry" and _used_up(request):
        return TaskCourse(takes, "exception", countdown, publish, "MaxRetriesExceededError")
    planned = TaskCourse(takes, ends, countdown, publish)
    return lost(request, planned) if ends == "kill_child" else planned


def lost(request: Request, planned: TaskCourse) -> TaskCourse:
    """The child is killed: nothing of the body's end happens. The process may send the task anew, acknowledged or not, after
    the task's own countdown: what a run would have asked for died with it."""
    task = request.task
    retries = task.on_worker_lost == "retry" and not _used_up(request)
    ends = "retry" if retries else "kill_child"
    return planned._replace(ends=ends, countdown=task.countdown, publish=(), why="WorkerLostError")


def _used_up(request: Request) -> bool:
    return request.task.max_retries is not None and request.retries >= request.task.max_retries


def _limit(task: Task) -> tuple[int | None, str]:
    """The time limit that strikes first, and what it ends in."""
    hard, soft = task.time_limit, task.soft_time_limit
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
