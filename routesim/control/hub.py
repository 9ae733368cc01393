"""What happens at a server, for whoever wants to hear it: since a mark, and as it happens."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakSet

from routesim.named_tuples import NamedTuple
from routesim.serve.vhosts import Vhost

KEPT = 10_000


class Heard(NamedTuple):
    """An event of a virtual host; `mark`: its number, from 1."""

    mark: int
    vhost: str
    event: Any


Hears = Callable[[Heard], None]


class Hub:
    """The last events are kept. `mark`: the number of the newest."""

    def __init__(self, keep: int = KEPT) -> None:
        self.kept: deque[Heard] = deque(maxlen=keep)
        self.mark = 0
        self.hearers: set[Hears] = set()
        self.attached: WeakSet[Vhost] = WeakSet()  # another of the same name is another

    def attach(self, vhost: Vhost) -> None:
        """Hear what happens there from now on, beside whoever does so already."""
        if vhost in self.attached:
            return
        self.attached.add(vhost)
        before, name = vhost.broker.listen, vhost.name

        def hear(event: Any) -> None:
            if before:
                before(event)
            self.mark = mark = self.mark + 1
            heard = Heard(mark, name, event)
            self.kept.append(heard)
            for each in tuple(self.hearers):
                each(heard)

        vhost.broker.listen = hear

    def since(self, mark: int) -> Iterator[Heard]:
        """The events after that one, of those that are kept."""
        if not self.kept:
            return
        skipped = max(0, mark - self.kept[0].mark + 1)
        for index in range(skipped, len(self.kept)):
            yield self.kept[index]

    def forgotten_since(self, mark: int) -> int:
        """How many events after that one are not kept any more."""
        return max(0, (self.kept[0].mark if self.kept else self.mark + 1) - mark - 1)
