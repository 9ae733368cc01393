"""What makes the copies in two brokers the same situation: times relative to now, serial numbers as ranks in their queue."""

from collections.abc import Iterable, Mapping
from typing import Any

from routesim.queues.consumers import Copy, Subscription


class Fingerprint:
    """Taken at one instant. `rank`: of each copy of the queue that is looked at, by its serial, among those that are in it or out
    of it; `timed`: whether anything in it depends on the instant."""

    __slots__ = ("_ranks", "now", "rank", "timed")

    def __init__(self, now: int) -> None:
        self.now = now
        self.rank: dict[int, int] = {}
        self._ranks: dict[int, dict[int, int]] = {}  # by the identity of the queue
        self.timed = False

    def ranks(self, queue: object, serials: Iterable[int]) -> None:
        """Of a queue, whose copies have these."""
        self._ranks[id(queue)] = {serial: rank for rank, serial in enumerate(sorted(set(serials)))}

    def look_at(self, queue: object) -> None:
        """Copies are of this queue from now on."""
        self.rank = self._ranks[id(queue)]

    def after(self, at_ms: int | None) -> int | None:
        """How long until an instant; None: there is none."""
        if at_ms is None:
            return None
        self.timed = True
        return at_ms - self.now

    def copy(self, copy: Copy, *, counted: bool = True) -> tuple[Any, ...]:
        """`counted` False: the queue tells only whether it came back, not how often."""
        returns = copy.returns if counted else copy.returns > 0
        return (
            self.rank[copy.serial], copy.message, self.after(copy.expires_at), returns, copy.failures,
            copy.content.fingerprint(),
        )  # fmt: skip

    def copies(self, copies: Iterable[Copy], *, counted: bool = True) -> tuple[Any, ...]:
        return tuple([self.copy(copy, counted=counted) for copy in copies])


class ConsumerNumbers:
    """The consumers of one queue by the order of their registration, the number of which is of no account."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self.order = sorted(subscriptions, key=lambda item: item.registered)
        self.number = {id(item): index for index, item in enumerate(self.order)}

    def of(self, subscription: Subscription | None) -> int | None:
        return None if subscription is None else self.number.get(id(subscription))

    def lines(self, table: Mapping[Any, Iterable[Subscription]]) -> tuple[Any, ...]:
        """Consumers that wait in line, by key."""
        return tuple(sorted((key, tuple(map(self.of, line))) for key, line in table.items()))
