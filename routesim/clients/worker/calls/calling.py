"""What a worker calls by its app: made by the same code as a caller's call (`celery.canvas`, `celery.sending`)."""

from collections.abc import Callable, Generator, Iterator
from typing import Any

from routesim.celery import inboxes
from routesim.celery.canvas.calling import ChordSize, TaskCall, called
from routesim.celery.canvas.freezing import numbered
from routesim.celery.canvas.signatures import Canvas, Options
from routesim.celery.queues import QueueNotFound
from routesim.celery.sending import Parent, Sender, SentTask, declared_for, send, sender_of
from routesim.clients.actions import Action, StepRefusal
from routesim.clients.worker.names import named, of_task
from routesim.clients.worker.requests import Request
from routesim.clients.worker.worker_state import WorkerState
from routesim.model import Binding, Exchange, Message, Queue, Task, pool_channel
from routesim.steps import Bind, DeclareExchange, DeclareQueue, Publish

Sending = Generator[Action, StepRefusal | None, str]  # returns why it could not be sent; "": it was
STEPS: dict[type, Callable[[str, Any], Any]] = {Exchange: DeclareExchange, Queue: DeclareQueue, Binding: Bind}
PROPERTIES = ("content_type", "content_encoding", "correlation_id", "reply_to")


def calls(state: WorkerState, request: Request, canvases: tuple[Canvas, ...]) -> Sending:
    """What a body calls, one after the other, up to the first call that raises."""
    for canvas in canvases:
        why = yield from call(state, request, canvas, (), {}, "sub")
        if why:
            return why
    return ""


def call(
    state: WorkerState, request: Request, canvas: Canvas, args: tuple[Any, ...], more: Options, what: str,
    parent: Parent | None = None,
) -> Sending:  # fmt: skip
    """`canvas.apply_async(args, **more)` in the process that runs, or ran, the request."""
    mine, oid = sender(state), f"{state.plan.name}.oid"
    group = _counted(state, request.id, "group")
    whole = numbered(canvas, lambda _: next(_counted(state, request.id, what)), group.__next__)
    for each in called(whole, args, more, oid, group.__next__):
        if isinstance(each, ChordSize):
            state.shared.chords.expect(each.group, each.size)
        elif isinstance(each, TaskCall):
            id = str(each.options.get("task_id") or next(_counted(state, request.id, what)))
            origin = parent or Parent(request.id, request.root_id, request.priority)
            try:
                sent = send(mine, each, id, by=state.plan.name, reply_to=oid, now=state.now, parent=origin)
            except QueueNotFound as problem:
                return f"QueueNotFound: {problem}"
            except ValueError as problem:
                return f"ValueError: {problem}"
            why = yield from _publish(state, sent)
            if why:
                return why
    return ""


def _counted(state: WorkerState, id: str, what: str) -> Iterator[str]:
    """Names after the task, counted on through the whole run."""
    base = of_task(id, what)
    while True:
        number = state.shared.published[base] = state.shared.published.get(base, 0) + 1
        yield f"{base}-{number}"


def sender(state: WorkerState) -> Sender:
    if state.sender is None:
        tasks = {name: _options(task) for name, task in state.shared.tasks.items() if state.task(name) is not None}
        state.sender = sender_of(state.plan.app or {}, tasks)
    return state.sender


def _options(task: Task) -> Options:
    limits = {name: ms / 1000 for name, ms in (("time_limit", task.time_limit), ("soft_time_limit", task.soft_time_limit)) if ms}
    whole = {name: int(limit) if limit == int(limit) else limit for name, limit in limits.items()}
    return {**task.options, **whole, "ignore_result": task.ignore_result}


def _publish(state: WorkerState, sent: SentTask) -> Sending:
    """Declares what the connection of the pool has not declared by now, and publishes."""
    channel = pool_channel(state.plan.name)
    state.opened.add(channel)
    queue = sent.declares
    if queue is not None and queue.name not in state.declared:
        for what in declared_for(queue):
            refused = yield STEPS[type(what)](channel, what)
            if refused is not None:
                return refused.text
        state.declared.add(queue.name)
    settings = sender(state).settings
    if state.pool.declares and settings.sends_results and not sent.ignore_result:
        yield DeclareQueue(channel, inboxes.results(settings, f"{state.plan.name}.oid"))
    yield _step(state, channel, sent.publish)
    if sent.event is not None:
        yield _step(state, channel, sent.event)
    return ""


def _step(state: WorkerState, channel: str, fields: dict[str, Any]) -> Publish:
    properties = {key: fields[key] for key in PROPERTIES if key in fields}
    message = Message(
        fields["exchange"], fields["routing_key"], fields["body"], fields["headers"], fields.get("priority"),
        fields.get("expiration"), fields["delivery_mode"], False, properties,
    )  # fmt: skip
    state.sends += 1
    return Publish(channel, message, named(state, fields["id"]))
