"""Remote control: what a worker process does when a command comes out of its inbox (rules/celery#1.6, rules/celery#2.2)."""

import json
from typing import Any

from routesim.celery.rates import rate_of
from routesim.clients.actions import Actions
from routesim.clients.worker import connecting, executing, messages, mingling, names, scaling, shutdown
from routesim.clients.worker.worker_state import WorkerState
from routesim.model import Message, pool_channel, task_consumer
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Cancel, Consume


def carry_out(state: WorkerState, delivery: Delivery[DeliveringQueue]) -> Actions:
    """A command for everybody or for this worker by name; what is none is passed over, as Celery only logs it."""
    try:
        command = json.loads(delivery.copy.content.body)
    except ValueError:
        return
    if not isinstance(command, dict):
        return
    to = command.get("destination")
    if to and state.plan.name not in to:
        return
    arguments = command.get("arguments")
    method = COMMANDS.get(str(command.get("method"))) or OF_WORKERS.get(str(command.get("method")))
    if method is not None:
        yield from method(state, arguments if isinstance(arguments, dict) else {})
    reply_to = command.get("reply_to")
    if isinstance(reply_to, dict) and state.plan.replies is not None:
        answer = {state.plan.name: _answer(state, str(command.get("method")))}
        channel = pool_channel(state.plan.name)
        state.opened.add(channel)
        headers = {"ticket": command.get("ticket"), "clock": 0}
        key = str(reply_to.get("routing_key", ""))
        yield names.publish(
            state,
            channel,
            Message(
                state.plan.replies, key, json.dumps(answer), headers, None, None, messages.TRANSIENT, False, dict(messages.JSON)
            ),
            f"{state.plan.name}-reply",
        )


def _answer(state: WorkerState, method: str) -> dict[str, Any]:
    if method == "hello":
        return {"revoked": list(state.revoked), "clock": 0}
    return {"ok": "pong" if method == "ping" else "done"}


def _hello(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    """Another worker starts: it tells what it knows to be revoked, and is told."""
    yield from ()
    if arguments.get("from_node") != state.plan.name:
        mingling.merge(state, arguments)


def _revoke(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    """The ids are only remembered: what is held or reserved is let go when its turn comes."""
    ids = arguments.get("task_id")
    for id in ids if isinstance(ids, list) else [ids]:
        state.revoked[str(id)] = None
        if arguments.get("terminate"):
            yield from executing.terminate(state, str(id))


def _rate_limit(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    yield from ()
    task, rate = str(arguments.get("task_name")), arguments.get("rate_limit")
    lifts = rate in (None, 0, "0", "")
    a_second = None if lifts else rate_of(str(rate))
    if task in state.shared.tasks and (lifts or a_second is not None):
        executing.change_rate(state, task, a_second)


def _events(on: bool) -> Any:
    def switch(state: WorkerState, _: dict[str, Any]) -> Actions:
        yield from ()
        state.sends_events = on

    return switch


def _shutdown(state: WorkerState, _: dict[str, Any]) -> Actions:
    yield from shutdown.warm(state)


def _cancel_consumer(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    consumer = task_consumer(state.plan.name, str(arguments.get("queue")))
    if consumer in state.consumers and consumer not in state.cancelled:
        state.cancelled.add(consumer)
        yield Cancel(state.plan.name, consumer)


def _add_consumer(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    queue = str(arguments.get("queue"))
    consumer = task_consumer(state.plan.name, queue)
    if consumer not in state.consumers or consumer in state.cancelled:
        state.cancelled.discard(consumer)
        state.consumers[consumer] = queue
        yield Consume(connecting.task_queue_consumer(state, consumer, queue))


def _nothing(_: WorkerState, __: dict[str, Any]) -> Actions:
    yield from ()


COMMANDS: dict[str, Any] = {
    "revoke": _revoke,
    "rate_limit": _rate_limit,
    "ping": _nothing,
    "shutdown": _shutdown,
    "enable_events": _events(True),
    "disable_events": _events(False),
    "cancel_consumer": _cancel_consumer,
    "add_consumer": _add_consumer,
    "pool_grow": scaling.pool_grow,
    "pool_shrink": scaling.pool_shrink,
    "autoscale": scaling.autoscale,
}
OF_WORKERS: dict[str, Any] = {"hello": _hello}  # what they send each other
