"""Celery's messages: tasks (protocol 2), commands, and the event task-sent, as a caller publishes them (rules/celery#1.6)."""

import json
from typing import Any

from routesim.celery.epoch import iso
from routesim.named_tuples import NamedTuple

JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
Publish = dict[str, Any]  # the fields of a step `publish`


class Embedded(NamedTuple):
    """What is to follow a task, as signatures in the form in which they travel; None: nothing of that kind."""

    callbacks: list[Any] | None = None
    errbacks: list[Any] | None = None
    chain: list[Any] | None = None
    chord: Any = None


NOTHING_FOLLOWS = Embedded()


class Call(NamedTuple):
    """What a caller says of one task. Times are instants of virtual time in ms; `caller` is who sends it. `root_id` None: it is
    the first of all."""

    task: str
    id: str
    caller: str
    reply_to: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    eta_ms: int | None = None
    expires_ms: int | None = None
    time_limit_s: float | None = None
    soft_time_limit_s: float | None = None
    ignore_result: bool = False
    root_id: str | None = None
    parent_id: str | None = None
    group: str | None = None
    group_index: int | None = None
    follows: Embedded = NOTHING_FOLLOWS


def task_headers(call: Call) -> dict[str, Any]:
    """In the order of celery/app/amqp.py:as_task_v2. The two `repr` are Python's own: Celery shortens what is very long."""
    return {
        "lang": "py",
        "task": call.task,
        "id": call.id,
        "shadow": None,
        "eta": None if call.eta_ms is None else iso(call.eta_ms),
        "expires": None if call.expires_ms is None else iso(call.expires_ms),
        "group": call.group,
        "group_index": call.group_index,
        "retries": 0,
        "timelimit": [call.time_limit_s, call.soft_time_limit_s],
        "root_id": call.root_id or call.id,
        "parent_id": call.parent_id,
        "argsrepr": repr(call.args),
        "kwargsrepr": repr(call.kwargs),
        "origin": f"gen1@{call.caller}",
        "ignore_result": call.ignore_result,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }


def task_body(call: Call) -> str:
    return _json([list(call.args), call.kwargs, call.follows._asdict()])


def task(call: Call, exchange: str, routing_key: str, *, priority: int | None, delivery_mode: int, sent_ms: int) -> Publish:
    """A task's publish at the instant `sent_ms`. What has expired by then expires at once (AMQP's expiration 0)."""
    fields: Publish = {
        "exchange": exchange,
        "routing_key": routing_key,
        "id": call.id,
        "body": task_body(call),
        "headers": task_headers(call),
        **JSON,
        "delivery_mode": delivery_mode,
        "correlation_id": call.id,
        "reply_to": call.reply_to,
    }
    if priority is not None:
        fields["priority"] = priority
    if call.expires_ms is not None:
        fields["expiration"] = str(max(0, call.expires_ms - sent_ms))
    return fields


def sent_id(task: str) -> str:
    """Of the event that tells that a task is sent."""
    return f"{task}-sent"


def task_sent(call: Call, event_exchange: str, *, queue: str | None, exchange: str, routing_key: str, sent_ms: int) -> Publish:
    """The event by which alone a monitor learns exchange, key and queue of a task (task_send_sent_event)."""
    headers = task_headers(call)
    event = {
        "type": "task-sent", "uuid": call.id, "root_id": headers["root_id"], "parent_id": call.parent_id, "name": call.task,
        "args": headers["argsrepr"], "kwargs": headers["kwargsrepr"], "retries": 0, "eta": headers["eta"],
        "expires": headers["expires"], "queue": queue, "exchange": exchange, "routing_key": routing_key,
        "hostname": headers["origin"], "timestamp": sent_ms / 1000,
    }  # fmt: skip
    return {
        "exchange": event_exchange, "routing_key": "task.sent", "id": sent_id(call.id), "body": _json(event),
        "headers": {"hostname": headers["origin"]}, **JSON, "delivery_mode": 1, "priority": 0,
    }  # fmt: skip


class Command(NamedTuple):
    """A remote control command; `to`: these workers alone. `reply_oid`: who waits for answers, on that routing key."""

    method: str
    arguments: dict[str, Any]
    to: tuple[str, ...] = ()
    reply_oid: str | None = None


def command(what: Command, id: str, control_exchange: str, *, clock: int, sent_ms: int) -> Publish:
    """A broadcast to the inboxes of all workers (kombu/pidbox.py). It says when it expires, which nobody enforces."""
    body: dict[str, Any] = {
        "method": what.method, "arguments": what.arguments, "destination": list(what.to) or None, "pattern": None,
        "matcher": None,
    }  # fmt: skip
    if what.reply_oid is not None:
        body["ticket"] = id
        body["reply_to"] = {"exchange": f"reply.{control_exchange}", "routing_key": what.reply_oid}
    return {
        "exchange": control_exchange, "id": id, "body": _json(body), "headers": {"clock": clock, "expires": sent_ms / 1000 + 1},
        **JSON, "delivery_mode": 2, "priority": 0,
    }  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
