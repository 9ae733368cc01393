"""Native delayed delivery: a countdown as 28 levels of queues, one a bit (celery.md 1.5).

Celery uses it by itself as soon as one declared queue is a quorum queue; kombu/transport/native_delayed_delivery.py.
"""

import re
from typing import NamedTuple

from routesim.model import Binding, Exchange, Queue

LEVELS = 28
DELIVERY = "celery_delayed_delivery"
FIRST = f"celery_delayed_{LEVELS - 1}"
LONGEST_S = 2**LEVELS - 1
PREFIX = re.compile(rf"^(?:[01]\.){{{LEVELS}}}")


class Delays(NamedTuple):
    exchanges: list[Exchange]
    queues: list[Queue]
    bindings: list[Binding]


def name(level: int) -> str:
    """Of the exchange and of the queue that holds a message for 2^level seconds."""
    return f"celery_delayed_{level}"


def delayed_key(countdown: int, routing_key: str) -> str:
    """The key to publish with to `FIRST`: the bits of the whole seconds, then the key. Raises `ValueError` below 1."""
    if countdown < 1:
        raise ValueError("countdown must be a positive number")
    if not routing_key:
        raise ValueError("routing_key must be non-empty")
    return ".".join(f"{countdown:0{LEVELS}b}") + "." + PREFIX.sub("", routing_key, count=1)


def levels(queue_type: str = "quorum") -> Delays:
    """What a worker declares for all queues together; `queue_type` is broker_native_delayed_delivery_queue_type."""
    found = Delays([], [], [])
    for level in range(LEVELS - 1, -1, -1):
        words = "*." * (LEVELS - 1 - level)
        following = name(level - 1) if level else DELIVERY
        arguments = {
            "x-queue-type": queue_type, "x-overflow": "reject-publish", "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": following,
        }  # fmt: skip
        if queue_type == "quorum":
            arguments["x-dead-letter-strategy"] = "at-least-once"
        found.exchanges.append(Exchange(name(level), "topic"))
        found.queues.append(Queue(name(level), arguments=dict(arguments)))
        found.bindings.append(Binding(name(level), name(level), "queue", f"{words}1.#"))
        found.bindings.append(Binding(name(level), following, "exchange", f"{words}0.#"))
    found.exchanges.append(Exchange(DELIVERY, "topic"))
    return found


def bound_key(routing_key: str) -> str:
    """The key by which a delayed message finds an exchange, and there its queue, with the bits still before it."""
    return routing_key if routing_key.startswith("#") else f"#.{routing_key}"


def bindings_of(exchange: str, queue: str, routing_key: str) -> list[Binding]:
    """What ties a task queue on a topic or fanout exchange to the last level."""
    key = bound_key(routing_key)
    return [Binding(DELIVERY, exchange, "exchange", key), Binding(exchange, queue, "queue", key)]
