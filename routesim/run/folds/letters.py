"""What clients are handed, as they see it: every delivery and every basic.get with its headers at that moment."""

from typing import Any

from routesim import events
from routesim.broker.protocols import Engine
from routesim.model import REPLY_TO
from routesim.queues import Copy
from routesim.run.folds.fold import Fold
from routesim.values import plain

DEATH_FIELDS = ("queue", "reason", "count", "exchange", "routing-keys")
TASK_TIMES = ("eta", "expires")  # what a worker writes into these comes from its own clock
COUNTS = {"x-delivery-count": "x_delivery_count", "x-acquired-count": "x_acquired_count"}


class Letters(Fold):
    """`broker` is set before the run begins."""

    broker: Engine
    live = True

    def __init__(self) -> None:
        self.delivered: dict[str, list[dict[str, Any]]] = {}
        self.got: list[dict[str, Any]] = []

    def _delivered(self, event: events.Delivered) -> None:
        row = {"delivery_tag": event.delivery_tag, **self._handed(got=False), "redelivered": event.redelivered}
        self.delivered.setdefault(event.consumer, []).append(row)

    def _got(self, event: events.Got) -> None:
        if event.message is None:
            self.got.append({"queue": event.queue, "message": None})
            return
        row = {"queue": event.queue, "delivery_tag": event.delivery_tag, **self._handed(got=True)}
        self.got.append({**row, "redelivered": event.redelivered})

    def _handed(self, *, got: bool) -> dict[str, Any]:
        delivery = self.broker.handed
        assert delivery is not None
        return letter(delivery.queue, delivery.copy, got=got)

    hears = {events.Delivered: _delivered, events.Got: _got}


def letter(queue: Any, copy: Copy, *, got: bool) -> dict[str, Any]:
    """All that a client sees of a message, but for the times in x-death and of a task; `got`: by basic.get, not by a consumer."""
    content = copy.content
    row = seen(queue, copy, got=got)
    headers = dict(queue.headers(copy, got=got))
    row |= {COUNTS[name]: plain(headers.pop(name)) for name in COUNTS if name in headers}
    rest = {name: plain(value) for name, value in headers.items() if name not in ("x-death", "CC")}
    if "task" in rest:
        rest |= {name: "a time" for name in TASK_TIMES if rest.get(name)}
    if rest:
        row["headers"] = rest
    others = {name: plain(value) for name, value in content.properties.items()}
    if isinstance(others.get("reply_to"), str):
        others["reply_to"] = address(others["reply_to"])
    row["routing_key"] = address(row["routing_key"])
    row["properties"] = {**others, "delivery_mode": content.delivery_mode}
    if content.priority is not None:
        row["properties"]["priority"] = content.priority
    return row


def address(key: str) -> str:
    """The address of a direct reply without what the broker drew for it."""
    return REPLY_TO if key.startswith(f"{REPLY_TO}.") else key


def seen(queue: Any, copy: Copy, *, got: bool = True) -> dict[str, Any]:
    """What recorded runs hold of a message."""
    headers, content = queue.headers(copy, got=got), copy.content
    row: dict[str, Any] = {
        "message": copy.message,
        "redelivered": copy.redelivered and not queue.keeps_log,
        "exchange": content.exchange,
        "routing_key": content.routing_key,
    }
    if "x-death" in headers:
        row["x_death"] = [{field: plain(death[field]) for field in DEATH_FIELDS} for death in headers["x-death"]]
    if "CC" in headers:
        row["CC"] = plain(headers["CC"])
    if "x-delivery-count" in headers:
        row["x_delivery_count"] = plain(headers["x-delivery-count"])
    if content.expiration is not None:
        row["expiration"] = content.expiration
    return row
