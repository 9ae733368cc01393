"""What a worker makes of a task's message: Celery's message protocol 2 (rules/celery#1.6)."""

import json
from typing import Any

from routesim.celery.epoch import ms_of
from routesim.model import Task
from routesim.queues import DeliveringQueue, Delivery
from routesim.values import raw


class Request:
    """A delivery of a task. `life` is the channel that it came by: on a later one it cannot be acknowledged any more."""

    __slots__ = ("consumer", "delivery", "due_ms", "expires_ms", "id", "life", "retries", "settled", "task")

    def __init__(self, delivery: Delivery[DeliveringQueue], consumer: str, task: Task, life: int) -> None:
        headers = headers_of(delivery)
        self.delivery = delivery
        self.consumer = consumer
        self.task = task
        self.life = life
        self.settled = False
        self.id = task_id(delivery)
        retries = raw(headers.get("retries"))
        self.retries = retries if isinstance(retries, int) else 0
        self.due_ms = _time(headers.get("eta"))
        self.expires_ms = _time(headers.get("expires"))

    @property
    def body(self) -> str | bytes:
        return self.delivery.copy.content.body

    @property
    def root_id(self) -> str:
        return str(self._header("root_id") or self.id)

    @property
    def group(self) -> str | None:
        found = self._header("group")
        return found if isinstance(found, str) else None

    @property
    def group_index(self) -> int:
        found = self._header("group_index")
        return found if isinstance(found, int) else 0

    @property
    def priority(self) -> int | None:
        return self.delivery.copy.content.priority

    @property
    def ignores_result(self) -> bool:
        """What its message says, else what the task says."""
        found = self._header("ignore_result")
        return found if isinstance(found, bool) else self.task.ignore_result

    @property
    def time_limits(self) -> tuple[int | None, int | None]:
        """In ms, hard and soft, of this call alone."""
        given = self._header("timelimit")
        if not isinstance(given, list) or len(given) != 2:
            return None, None
        hard, soft = (round(limit * 1000) if isinstance(limit, (int, float)) else None for limit in map(raw, given))
        return hard, soft

    def _header(self, name: str) -> Any:
        return raw(headers_of(self.delivery).get(name))

    @property
    def reply_to(self) -> str:
        return str(raw(self.delivery.copy.content.properties.get("reply_to")) or "")


def headers_of(delivery: Delivery[DeliveringQueue]) -> dict[str, Any]:
    """The headers as the worker is sent them, `x-death` and `x-delivery-count` included."""
    return delivery.queue.headers(delivery.copy) or {}


def task_name(delivery: Delivery[DeliveringQueue]) -> str | None:
    """The name of the task; None: the message is none of Celery's."""
    name = raw(headers_of(delivery).get("task"))
    return name if isinstance(name, str) else None


def task_id(delivery: Delivery[DeliveringQueue]) -> str:
    found = raw(headers_of(delivery).get("id"))
    return found if isinstance(found, str) else delivery.copy.message


def decodable(delivery: Delivery[DeliveringQueue]) -> bool:
    """Whether the body is what its content type says; Celery acknowledges what it cannot decode."""
    content = delivery.copy.content
    if raw(content.properties.get("content_type")) != "application/json":
        return True
    try:
        json.loads(content.body)
    except ValueError:
        return False
    return True


def _time(value: Any) -> int | None:
    text = raw(value)
    return ms_of(text) if isinstance(text, str) else None
