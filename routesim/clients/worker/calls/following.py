"""What follows a run: callbacks, the next step of a chain, errbacks, and the body of a chord (rules/celery#6)."""

from routesim import events
from routesim.celery.canvas.follows import Follows, follows_of
from routesim.celery.canvas.signatures import Canvas, Group, Options, Signature, id_of
from routesim.celery.sending import Parent
from routesim.clients.worker.calls.calling import Sending, call, calls, sender
from routesim.clients.worker.calls.chords import CountedChord, Part
from routesim.clients.worker.requests import Request, headers_of
from routesim.clients.worker.worker_state import WorkerState
from routesim.queues import DeliveringQueue, Delivery
from routesim.values import raw


def succeeded(state: WorkerState, request: Request, follows: Follows) -> Sending:
    """Callbacks, then the next step of the chain, with the result of this one."""
    result, more = (request.task.returns,), _of_parent(state, request)
    groups = [each for each in follows.callbacks if isinstance(each, Group)]
    others: list[Canvas] = [each for each in follows.callbacks if not isinstance(each, Group)]
    if len(others) > 1 or (groups and others):
        others = [Group(tuple(others))]
    for callback in (*groups, *others):
        why = yield from call(state, request, callback, result, more, "link")
        if why:
            return why
    if follows.chain:
        *rest, following = follows.chain
        return (yield from call(state, request, following, result, {**more, "chain": rest}, "link"))
    return ""


def _of_parent(state: WorkerState, request: Request) -> Options:
    more: Options = {"parent_id": request.id, "root_id": request.root_id}
    if sender(state).settings["task_inherit_parent_priority"]:
        more["priority"] = request.priority
    return more


# Chords and failures -------------------------------------------------------------------------------------------------


def returned(state: WorkerState, request: Request, follows: Follows, how: str) -> Sending:
    """A task has ended in this state: the chord that it is a member of may be complete with it."""
    return (yield from _part(state, request, follows.chord, request.group, request.id, request.group_index, how))


def _part(state: WorkerState, request: Request, body: Canvas | None, group: str | None, id: str, index: int, how: str) -> Sending:
    if body is None or group is None:
        return ""
    part = Part(index, how, request.task.returns if how == "SUCCESS" else None)
    chord = state.shared.chords.returned(group, id, part, _name_of(body))
    if chord is None:
        return ""
    if chord.failed:
        return (yield from _chord_failed(state, request, body, chord))
    return (yield from call(state, request, body, (chord.results(),), {}, "link"))


def _name_of(body: Canvas) -> str:
    return body.task if isinstance(body, Signature) else f"a {type(body).__name__.lower()}"


def _chord_failed(state: WorkerState, request: Request, body: Canvas, chord: CountedChord) -> Sending:
    """The body never runs; it counts as failed, and what was linked to its failure is called."""
    bodies = [each for each in body.tasks if isinstance(each, Signature)] if isinstance(body, Group) else [body]
    for each in bodies:
        id = id_of(each) or chord.group
        yield from _errbacks(state, request, each.options.get("link_error", []), id, Parent(id, id, None))
    return (yield from chain_failed(state, request, body.options.get("chain", [])))


def failed(state: WorkerState, request: Request, follows: Follows) -> Sending:
    """A task has failed: its part of a chord, those of what was to follow it, and its errbacks."""
    yield from returned(state, request, follows, "FAILURE")
    yield from chain_failed(state, request, follows.chain)
    return (yield from _errbacks(state, request, follows.errbacks, request.id, Parent(request.id, request.root_id, None)))


def chain_failed(state: WorkerState, request: Request, chain: list[Canvas]) -> Sending:
    """Steps that will never run: the last one of a member of a chord returns to it all the same."""
    waiting = list(chain)
    while waiting:
        step = waiting.pop(0)
        if "chord" in step.options:
            options = step.options
            yield from _part(
                state, request, options["chord"], options.get("group_id"), id_of(step) or "", options.get("group_index", 0),
                "FAILURE",
            )  # fmt: skip
        body = getattr(step, "body", None)
        if body is not None:
            waiting.append(body)
    return ""


def _errbacks(state: WorkerState, request: Request, errbacks: list[Canvas], id: str, parent: Parent) -> Sending:
    """Those that take the failure itself are called here and now; the others are sent, with the id of the task."""
    sent = []
    for each in errbacks:
        task = state.task(each.task) if isinstance(each, Signature) else None
        if task is not None and task.errback == "called":
            yield events.ErrbackCalled(state.now, id, task.name, state.plan.name)
            yield from calls(state, request, task.calls)
        else:
            sent.append(each)
    if not sent:
        return ""
    more: Options = {"parent_id": parent.id, "root_id": parent.root_id}
    return (yield from call(state, request, Group(tuple(sent)), (id,), more, "errback", parent))


# Nothing returns -----------------------------------------------------------------------------------------------------


def revoked(state: WorkerState, request: Request) -> Sending:
    """It will not run: a chord is told so, its errbacks are not."""
    return (yield from returned(state, request, follows_of(request.body), "REVOKED"))


def vanished(state: WorkerState, delivery: Delivery[DeliveringQueue], why: str) -> None:
    """Nobody will ever say how this one ended. Where it is a member of a chord, the body never runs."""
    headers = headers_of(delivery)
    group, id = raw(headers.get("group")), raw(headers.get("id"))
    follows = follows_of(delivery.copy.content.body)
    if follows.chord is not None and isinstance(group, str):
        state.shared.chords.lose(group, str(id), why, _name_of(follows.chord))
    for step in follows.chain:
        if "chord" in step.options:
            group = step.options.get("group_id")
            state.shared.chords.lose(str(group), id_of(step) or "", why, _name_of(step.options["chord"]))
