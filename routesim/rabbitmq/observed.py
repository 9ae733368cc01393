"""A real broker's queues and channels as its clients know them."""

from collections.abc import Iterator
from typing import Any

from routesim.queues import QUEUE_TYPES, Channel, Copy, QueueType
from routesim.values import Table, raw


class ObservedQueue:
    """A queue from outside. `content` is what was found in it when it was last looked at; `count` what the broker said is
    ready, None: as much as was found; `unacked` what was held of it at the end."""

    def __init__(
        self, name: str, broker_name: str, arguments: Table, *, owner: str | None, auto_delete: bool = False,
        durable: bool = True,
    ) -> None:  # fmt: skip
        self.name = name
        self.broker_name = broker_name
        self.arguments = arguments
        self.owner = owner
        self.auto_delete = auto_delete
        self.durable = durable
        self.kind = str(raw(arguments.get("x-queue-type", "classic")))
        self.type = QUEUE_TYPES.get(self.kind, QueueType)
        self.keeps_log = self.type.keeps_log
        self.content: list[Copy] = []
        self.count: int | None = None
        self.unacked = 0

    def without_owner(self) -> "ObservedQueue":
        """The same queue, for whoever is not the connection that it belongs to."""
        return ObservedQueue(self.name, self.broker_name, self.arguments, owner=None)

    def ready(self) -> Iterator[Copy]:
        return iter(self.content)

    def ready_count(self) -> int:
        return len(self.content) if self.count is None else self.count

    def headers(self, copy: Copy, *, got: bool = False) -> Table:
        """As the broker sent them: nothing is added here."""
        return copy.content.delivered_headers()


class RealChannel(Channel[ObservedQueue]):
    """An open channel of the client library with what it has been sent and has not answered yet."""

    __slots__ = ("pending", "pika")

    def __init__(self, name: str, connection: str, number: int, pika: Any, *, confirms: bool) -> None:
        super().__init__(name, connection, number, confirms=confirms, opened_at=0)
        self.pika = pika
        self.pending: list[str] = []  # published in the open transaction
