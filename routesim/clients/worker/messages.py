"""What a worker process publishes: retries, results, the messages of its tasks' bodies, events (rules/celery#1.6,
rules/celery#2.1)."""

import json
from collections.abc import Iterator
from typing import Any

from routesim.celery.delays import FIRST_EXCHANGE, delayed_key, own_key
from routesim.celery.epoch import iso
from routesim.celery.states import EVENT_TYPES
from routesim.clients.actions import Actions
from routesim.clients.replies import message_of
from routesim.clients.worker.names import of_task, publish
from routesim.clients.worker.outcomes import TaskCourse, never_ends
from routesim.clients.worker.requests import Request, headers_of, task_id
from routesim.clients.worker.worker_state import WorkerState
from routesim.events import Event
from routesim.model import Message, events_channel, pool_channel
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Publish
from routesim.values import raw

DEATH_HEADERS = ("x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason", "x-last-death-exchange",
                 "x-last-death-queue", "x-last-death-reason", "x-delivery-count", "x-acquired-count")  # fmt: skip
JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
TRANSIENT, PERSISTENT = 1, 2
SHORTEST_DELAY_MS = 1_000

# A run's end -------------------------------------------------------------------------------------------------------------


def sent_by_body(state: WorkerState, request: Request, course: TaskCourse) -> Iterator[Publish]:
    """The body's own messages."""
    for reply in course.publish:
        for _ in range(reply.times):
            step = publish(
                state, pool_channel(state.plan.name), message_of(reply, request.delivery, request.retries + 1),
                reply.id or of_task(request.id, "sub"),
            )  # fmt: skip
            state.opened.add(step.channel)
            yield step._replace(message=_as_task(step.message, step.id))


def retry(state: WorkerState, request: Request, course: TaskCourse) -> Publish:
    state.opened.add(pool_channel(state.plan.name))
    if never_ends(request):
        state.shared.endless[request.id] = request.retries + 1
    return publish(state, pool_channel(state.plan.name), _retry(state, request, course), of_task(request.id, "retry"))


def results(state: WorkerState, request: Request, status: str, why: str = "") -> Iterator[Publish]:
    """The message that tells the caller, where there is one (rpc://)."""
    if not request.ignores_result:
        result = request.task.returns if status == "SUCCESS" else why
        yield from _result(state, request.id, request.reply_to, status, result)


def unknown_result(state: WorkerState, delivery: Delivery[DeliveringQueue], name: str) -> Iterator[Publish]:
    """Of a task that the worker does not know, whatever is said about results (celery/worker/consumer/consumer.py:
    on_unknown_task)."""
    reply_to = str(raw(delivery.copy.content.properties.get("reply_to")) or "")
    yield from _result(state, task_id(delivery), reply_to, "FAILURE", f"NotRegistered: {name}")


def is_recorded(request: Request, course: TaskCourse) -> bool:
    """Whether anything is recorded of how it ended: not of a run that is to be repeated without having been told as a failure."""
    if course.ends == "kill_child":
        return request.task.acks == "early" or request.task.on_worker_lost != "requeue"
    return course.ends not in ("ignore", "requeue")


def delay_refused(state: WorkerState, request: Request, course: TaskCourse) -> bool:
    """A retry by native delayed delivery cannot be due in less than a second (rules/celery#2.3-16)."""
    return course.ends == "retry" and _delays(state, request) and 0 < course.countdown < SHORTEST_DELAY_MS


def _as_task(message: Message, id: str) -> Message:
    """A task that a body calls has an id of its own, as every message of this run has."""
    headers = message.headers
    if not headers or "task" not in headers or "id" in headers:
        return message
    return message._replace(
        headers={**headers, "id": id, "root_id": headers.get("root_id", id)},
        properties={**message.properties, "correlation_id": id},
    )


def _retry(state: WorkerState, request: Request, course: TaskCourse) -> Message:
    """The same task, sent anew to where it came from: its headers go with it, those of a broker too (rules/celery#2.1,
    rules/celery#1.5)."""
    content = request.delivery.copy.content
    headers = dict(headers_of(request.delivery))
    if request.task.retry_headers == "clean":
        headers = {name: value for name, value in headers.items() if name not in DEATH_HEADERS}
    headers["id"] = request.id
    headers["retries"] = request.retries + 1
    headers["eta"] = iso(state.now + course.countdown) if course.countdown else None
    exchange, key = content.exchange, content.routing_key
    if _delays(state, request):
        key = own_key(key)
        if course.countdown:
            exchange, key = FIRST_EXCHANGE, delayed_key(course.countdown // 1000, key)
    properties = {name: value for name, value in content.properties.items() if name != "message_id"}
    return Message(
        exchange, key, content.body, headers, content.priority, None, content.delivery_mode, False, properties,
    )  # fmt: skip


def _delays(state: WorkerState, request: Request) -> bool:
    """Whether its retries wait in the broker: native delays are for every exchange but direct ones."""
    return state.plan.delays and request.delivery.copy.content.exchange != ""


def _result(state: WorkerState, id: str, reply_to: str, status: str, result: Any) -> Iterator[Publish]:
    """What `rpc://` sends to the caller's queue, where there is one."""
    if not state.plan.results or not reply_to:
        return
    channel = pool_channel(state.plan.name)
    state.opened.add(channel)
    body = json.dumps({"task_id": id, "status": status, "result": result})
    mode = PERSISTENT if state.plan.persistent_results else TRANSIENT
    message = Message("", reply_to, body, None, None, None, mode, False, {**JSON, "correlation_id": id})
    yield publish(state, channel, message, of_task(id, "result"))


# Events ------------------------------------------------------------------------------------------------------------------


def emit(state: WorkerState, event: Event) -> Actions:
    """An event of a task, and the message that tells it to listeners of `celeryev`; Celery sends up to 24 of them in one."""
    yield event
    kind = EVENT_TYPES.get(type(event))
    if kind is not None and state.sends_events:
        body = {"type": kind, "uuid": event.task, "name": event.name}  # type: ignore[attr-defined]
        yield from _send_event(state, "task.multi", [body])


def worker_event(state: WorkerState, kind: str) -> Actions:
    """worker-online, worker-heartbeat or worker-offline."""
    yield from _send_event(state, f"worker.{kind}", {"type": f"worker-{kind}"})


def _send_event(state: WorkerState, key: str, body: object) -> Actions:
    exchange, name = state.plan.events, state.plan.name
    if exchange is None:
        return
    channel = events_channel(name)
    state.opened.add(channel)
    message = Message(exchange, key, json.dumps(body), {"hostname": name}, None, None, TRANSIENT, False, dict(JSON))
    yield publish(state, channel, message, f"{name}-event")
