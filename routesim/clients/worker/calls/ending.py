"""What a run's end sends, before the process hears of it: by the child that ran it, or for one that died by the process itself
(celery/app/trace.py, celery/backends/base.py)."""

from collections.abc import Generator

from routesim.celery.canvas.follows import follows_of
from routesim.clients.actions import Action, StepRefusal
from routesim.clients.worker import messages
from routesim.clients.worker.calls import calling, following
from routesim.clients.worker.outcomes import TaskCourse
from routesim.clients.worker.requests import Request
from routesim.clients.worker.worker_state import WorkerState

# Returns the course that it took, for what raises is an exception, and the message in which it was sent anew.
Ending = Generator[Action, StepRefusal | None, tuple[TaskCourse, str]]


def sends(state: WorkerState, request: Request, course: TaskCourse) -> Ending:
    """What the body calls, then what becomes of the run: the retry; or what follows, the result, and its part of a chord."""
    yield from messages.sent_by_body(state, request, course)
    why = yield from calling.calls(state, request, course.calls)
    course = _raised(course, why)
    if course.ends == "retry":
        retry = messages.retry(state, request, course)
        yield retry
        yield from messages.results(state, request, "RETRY", course.why or "retry")
        return course, retry.id
    if course.ends == "success":
        follows = follows_of(request.body)
        course = _raised(course, (yield from following.succeeded(state, request, follows)))
    if course.ends == "success":
        yield from messages.results(state, request, "SUCCESS")
        course = _raised(course, (yield from following.returned(state, request, follows, "SUCCESS")))
    elif messages.is_recorded(request, course):
        yield from messages.results(state, request, "FAILURE", course.why or course.ends)
        yield from following.failed(state, request, follows_of(request.body))
    elif course.ends == "ignore" or (course.ends == "requeue" and request.task.acks == "early"):
        following.vanished(state, request.delivery, course.ends)
    return course, ""


def _raised(course: TaskCourse, why: str) -> TaskCourse:
    return course._replace(ends="exception", why=why) if why else course
