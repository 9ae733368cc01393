"""Looking at a real broker's queues from a connection that the scenario knows nothing of; nothing is taken out."""

import time
from collections.abc import Iterable
from typing import Any

from routesim.rabbitmq.connections import ClosedByBroker
from routesim.rabbitmq.observed import ObservedQueue
from routesim.rabbitmq.real_state import RealState

LOOK = "(look)"
MARK = "(routesim: declared)"
PROJECTIONS = "4.0.0"
PATIENCE_S, PAUSE_S = 2.0, 0.002
NOT_FOUND = 404


def look_at(broker: RealState, queue: ObservedQueue) -> tuple[int, int] | None:
    """How many messages are ready and how many consumers there are; None: the queue is gone. Raises `ClosedByBroker`."""
    channel = look_channel(broker, queue)
    try:
        answer = broker.connections.do(channel.queue_declare, queue.broker_name, passive=True)
    except ClosedByBroker as refused:
        if refused.code == NOT_FOUND:
            return None
        raise
    broker.connections.do(channel.close)
    return answer.method.message_count, answer.method.consumer_count


def look_channel(broker: RealState, queue: ObservedQueue) -> Any:
    """A channel of its own, on the connection that may use the queue."""
    return broker.connections.do(broker.connections.connection(queue.owner or LOOK).channel)


def wait_until_declared(broker: RealState) -> None:
    """Until every channel routes by what has been declared. From 4.0 on the tables that channels look into may follow a moment
    after the answer (Khepri's projections), but they come before the answer to whatever is declared next."""
    if not broker.rules.is_at_least(PROJECTIONS):
        return
    channel = broker.connections.do(broker.connections.connection(LOOK).channel)
    broker.connections.do(channel.exchange_declare, MARK, auto_delete=True)
    broker.connections.do(channel.exchange_delete, MARK)
    broker.connections.do(channel.close)


def wait_until_let_go(broker: RealState, connection: str, queues: Iterable[ObservedQueue]) -> None:
    """Until the broker has noticed everywhere that a connection is gone: its exclusive queues too, and its consumers."""
    until = time.monotonic() + PATIENCE_S
    for queue in queues:
        others = sum(
            other is queue
            for channel in broker.channels.values()
            if channel.connection != connection
            for _, other in channel.subscriptions.values()
        )
        while time.monotonic() < until and _is_held(broker, connection, queue, others):
            broker.connections.poll(PAUSE_S)


def _is_held(broker: RealState, connection: str, queue: ObservedQueue, others: int) -> bool:
    try:
        seen = look_at(broker, queue if queue.owner != connection else queue.without_owner())
    except ClosedByBroker:  # 405: still its owner's
        return True
    return seen is not None and (queue.owner == connection or seen[1] > others)
