"""Queue types: how messages wait, expire and come back. A new type is a file and a row here."""

from routesim.queues.base import ACK, DISCARD, REQUEUE, Host, QueueType
from routesim.queues.classic import Classic
from routesim.queues.consumers import Channel, Copy, DeliveringQueue, Delivery, Subscription, TxAnswer, unacked_of
from routesim.queues.lined import LinedQueue
from routesim.queues.quorum import Quorum
from routesim.queues.settings import Origin, QueueSettings
from routesim.queues.stream import Stream

QUEUE_TYPES: dict[str, type[QueueType]] = {
    "classic": Classic,
    "quorum": Quorum,
    "stream": Stream,
}

__all__ = [
    "ACK", "TxAnswer", "Channel", "Classic", "Copy", "DISCARD", "DeliveringQueue", "Delivery", "Host", "LinedQueue", "Origin",
    "QUEUE_TYPES", "QueueType", "Quorum", "REQUEUE", "QueueSettings", "Stream", "Subscription", "unacked_of",
]  # fmt: skip
