"""Native delayed delivery: the delay as bits in the routing key (rules/celery#1.5).

Celery uses it by itself as soon as one queue of an app is a quorum queue; kombu/transport/native_delayed_delivery.py.
"""

from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.values import Value

LEVELS = 28
LONGEST_S = 2**LEVELS - 1
DELIVERY_EXCHANGE = "celery_delayed_delivery"


def level_name(level: int) -> str:
    """The exchange and the queue that hold a message for 2^level seconds."""
    return f"celery_delayed_{level}"


FIRST_EXCHANGE = level_name(LEVELS - 1)


def delayed_key(seconds: int, key: str) -> str:
    """The key with which a message is published to `FIRST_EXCHANGE`: 28 bits, highest first, then its own key."""
    bits = f"{min(seconds, LONGEST_S):0{LEVELS}b}"
    return ".".join([*bits, key])


def own_key(key: str) -> str:
    """The key without the bits of an earlier delay."""
    words = key.split(".", LEVELS)
    return words[LEVELS] if len(words) > LEVELS and set(words[:LEVELS]) <= {"0", "1"} else key


# What a worker declares for it ---------------------------------------------------------------------------------------


class Levels(NamedTuple):
    exchanges: list[Exchange]
    queues: list[Queue]
    bindings: list[Binding]


def levels(queue_type: str = "quorum") -> Levels:
    """For all queues together; `queue_type` is broker_native_delayed_delivery_queue_type."""
    found = Levels([], [], [])
    for level in range(LEVELS - 1, -1, -1):
        name, words = level_name(level), "*." * (LEVELS - 1 - level)
        following = level_name(level - 1) if level else DELIVERY_EXCHANGE
        arguments: dict[str, Value] = {
            "x-queue-type": queue_type, "x-overflow": "reject-publish", "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": following,
        }  # fmt: skip
        if queue_type == "quorum":
            arguments["x-dead-letter-strategy"] = "at-least-once"
        found.exchanges.append(Exchange(name, "topic"))
        found.queues.append(Queue(name, arguments=arguments))
        found.bindings.append(Binding(name, name, "queue", f"{words}1.#"))
        found.bindings.append(Binding(name, following, "exchange", f"{words}0.#"))
    found.exchanges.append(Exchange(DELIVERY_EXCHANGE, "topic"))
    return found


def bindings_of(exchange: str, queue: str, key: str) -> list[Binding]:
    """What ties a task queue on a topic or fanout exchange to the last level: its key with all the bits before it."""
    key = key if key.startswith("#") else f"#.{key}"
    return [Binding(DELIVERY_EXCHANGE, exchange, "exchange", key), Binding(exchange, queue, "queue", key)]
