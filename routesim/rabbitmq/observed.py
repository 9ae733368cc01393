"""A real broker's queues and channels as its clients know them."""

from collections.abc import Iterator
from typing import Any

from routesim.queues import Channel, Copy, QueueType
from routesim.values import Table, raw
from routesim.versions import Rules


class ObservedQueue(QueueType):
    """A queue from outside. Its content is what was found in it when it was last looked at."""

    def __init__(
        self, name: str, broker_name: str, arguments: Table, rules: Rules, *, owner: str | None, auto_delete: bool = False
    ) -> None:
        super().__init__(name, broker_name, arguments, owner=owner, rules=rules, auto_delete=auto_delete)
        self.kind = str(raw(arguments.get("x-queue-type", "classic")))  # type: ignore[misc]
        self.takes_settled = self.kind != "stream"  # type: ignore[misc]
        self.content: list[Copy] = []
        self.count: int | None = None

    def ready(self) -> Iterator[Copy]:
        return iter(self.content)

    def ready_count(self) -> int:
        return len(self.content) if self.count is None else self.count


class RealChannel(Channel[ObservedQueue]):
    """An open channel of the client library with what it has been sent and has not answered yet."""

    __slots__ = ("pending", "pika")

    def __init__(self, name: str, connection: str, number: int, pika: Any, *, confirms: bool) -> None:
        super().__init__(name, connection, number, confirms=confirms, opened_at=0)
        self.pika = pika
        self.pending: list[str] = []  # published in the open transaction
