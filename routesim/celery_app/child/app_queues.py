"""The queues of an app, as Celery would declare them."""

from __future__ import annotations

import importlib
from typing import Any

from routesim.celery_app.child.plain_values import MADE_UP, plain


def queue_of(queue: Any) -> dict[str, Any]:
    base = importlib.import_module("kombu.transport.base")
    limits = {
        key: getattr(queue, key, None) for key in ("expires", "message_ttl", "max_length", "max_length_bytes", "max_priority")
    }
    arguments = base.to_rabbitmq_queue_arguments(queue.queue_arguments or {}, **limits)
    # One whose name is not made up is a queue that all workers share.
    broadcast = isinstance(queue, importlib.import_module("kombu.common").Broadcast) and MADE_UP.search(queue.name)
    return {
        "name": queue.name,
        "alias": queue.alias,
        "broadcast": bool(broadcast),
        "exchange": exchange_of(queue.exchange),
        "routing_key": queue.routing_key or "",
        "arguments": plain(arguments),
        "binding_arguments": plain(queue.binding_arguments or {}),
        "consumer_arguments": plain(queue.consumer_arguments or {}),
        "durable": bool(queue.durable),
        "exclusive": bool(queue.exclusive),
        "auto_delete": bool(queue.auto_delete),
        "no_ack": bool(queue.no_ack),
        "no_declare": bool(queue.no_declare),
        "bindings": sorted(
            (
                {
                    "exchange": exchange_of(each.exchange),
                    "routing_key": each.routing_key or "",
                    "arguments": plain(each.arguments or {}),
                }
                for each in queue.bindings
                if each.exchange is not None and each.exchange.name  # on the default exchange every queue is bound
            ),
            key=lambda each: (each["exchange"]["name"], each["routing_key"]),
        ),
    }  # fmt: skip


def exchange_of(exchange: Any) -> dict[str, Any]:
    if exchange is None:
        return {
            "name": "",
            "type": "direct",
            "durable": True,
            "auto_delete": False,
            "arguments": {},
            "no_declare": False,
            "delivery_mode": None,
        }
    return {
        "name": exchange.name or "", "type": exchange.type, "durable": bool(exchange.durable),
        "auto_delete": bool(exchange.auto_delete), "arguments": plain(exchange.arguments or {}),
        "no_declare": bool(getattr(exchange, "no_declare", False)),
        "delivery_mode": plain(getattr(exchange, "delivery_mode", None)),
    }  # fmt: skip
