"""Deliveries as a broker makes them, and requests of them."""

from typing import Any

from routesim.broker import RabbitBroker
from routesim.clients.worker.requests import Request
from routesim.model import Consumer, Message, Queue, Task
from routesim.queues import Delivery
from routesim.steps import Consume, DeclareQueue, Publish
from routesim.versions import rules


def delivered(headers: dict[str, Any] | None = None, body: str = "", **properties: Any) -> Delivery:
    """What a consumer of a classic queue is sent."""
    broker = RabbitBroker(rules("3.10"))
    broker.apply(DeclareQueue("client", Queue("q")))
    broker.apply(Consume(Consumer("w:q", "q", "w")))
    broker.apply(Publish("client", Message("", "q", body, headers, properties=properties), "m1"))
    delivery = broker.outbox.popleft()
    assert isinstance(delivery, Delivery)
    return delivery


def requested(task: Task, **headers: Any) -> Request:
    """The request of a task's message with these headers."""
    return Request(delivered({"task": task.name, "id": "t1", **headers}), "w:q", task, 1)
