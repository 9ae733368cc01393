"""What a server does by itself at an instant of its time: a failure that is due, something slow that arrives."""

import heapq
from collections.abc import Callable
from itertools import count


class ServerAgenda:
    """Acts at the same instant are carried out in the order in which they were put down."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, Callable[[], None]]] = []
        self.numbers = count()

    def put(self, at_ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self.entries, (at_ms, next(self.numbers), act))

    def due_ms(self) -> int | None:
        return self.entries[0][0] if self.entries else None

    def take(self) -> Callable[[], None]:
        """The next one, which is not there any more then."""
        return heapq.heappop(self.entries)[2]
