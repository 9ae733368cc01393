"""Remote control: what a worker process does when a command comes out of its inbox (rules/celery#1.6, rules/celery#2.2)."""

import json
from typing import TYPE_CHECKING, Any

from routesim.celery.rates import rate_of
from routesim.clients import connecting, executing, messages
from routesim.model import Consumer, Message, pool_channel, task_consumer
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Cancel, Consume

if TYPE_CHECKING:
    from routesim.clients.actions import Actions
    from routesim.clients.process import Process


def carry_out(process: "Process", delivery: Delivery[DeliveringQueue]) -> "Actions":
    """A command for everybody or for this worker by name; what is none is passed over, as Celery only logs it."""
    try:
        told = json.loads(delivery.copy.content.body)
    except ValueError:
        return
    if not isinstance(told, dict):
        return
    to = told.get("destination")
    if to and process.plan.name not in to:
        return
    arguments = told.get("arguments")
    command = COMMANDS.get(str(told.get("method")))
    if command is not None:
        yield from command(process, arguments if isinstance(arguments, dict) else {})
    reply_to = told.get("reply_to")
    if isinstance(reply_to, dict) and process.plan.replies is not None:
        answer = {process.plan.name: {"ok": "pong" if told.get("method") == "ping" else "done"}}
        channel = pool_channel(process.plan.name)
        process.opened.add(channel)
        headers = {"ticket": told.get("ticket"), "clock": 0}
        key = str(reply_to.get("routing_key", ""))
        yield process.publish(
            channel,
            Message(
                process.plan.replies, key, json.dumps(answer), headers, None, None, messages.TRANSIENT, False, dict(messages.JSON)
            ),
            f"{process.plan.name}-reply",
        )


def _revoke(process: "Process", arguments: dict[str, Any]) -> "Actions":
    """The ids are only remembered: what is held or reserved is let go when its turn comes."""
    ids = arguments.get("task_id")
    for id in ids if isinstance(ids, list) else [ids]:
        process.revoked.add(str(id))
        if arguments.get("terminate"):
            yield from executing.terminate(process, str(id))


def _rate_limit(process: "Process", arguments: dict[str, Any]) -> "Actions":
    yield from ()
    task, rate = str(arguments.get("task_name")), arguments.get("rate_limit")
    lifts = rate in (None, 0, "0", "")
    a_second = None if lifts else rate_of(str(rate))
    if task in process.shared.tasks and (lifts or a_second is not None):
        executing.change_rate(process, task, a_second)


def _events(on: bool) -> Any:
    def switch(process: "Process", _: dict[str, Any]) -> "Actions":
        yield from ()
        process.sends_events = on

    return switch


def _shutdown(process: "Process", _: dict[str, Any]) -> "Actions":
    yield from connecting.shut_down(process)


def _cancel_consumer(process: "Process", arguments: dict[str, Any]) -> "Actions":
    consumer = task_consumer(process.plan.name, str(arguments.get("queue")))
    if consumer in process.consumers and consumer not in process.cancelled:
        process.cancelled.add(consumer)
        yield Cancel(process.plan.name, consumer)


def _add_consumer(process: "Process", arguments: dict[str, Any]) -> "Actions":
    queue = str(arguments.get("queue"))
    consumer = task_consumer(process.plan.name, queue)
    if consumer not in process.consumers or consumer in process.cancelled:
        process.cancelled.discard(consumer)
        process.consumers[consumer] = queue
        yield Consume(Consumer(consumer, queue, process.plan.name))


def _nothing(_: "Process", __: dict[str, Any]) -> "Actions":
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
}
