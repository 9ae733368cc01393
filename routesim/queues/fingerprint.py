"""What makes the copies in two brokers the same situation: times relative to now, serial numbers as ranks."""

from collections.abc import Iterable, Mapping
from typing import Any

from routesim.queues.consumers import Copy, Subscription


class Fingerprint:
    """Taken of one broker at one instant; `serials` are those of all copies in it, in queues and unacked."""

    def __init__(self, now: int, serials: Iterable[int]) -> None:
        self.now = now
        self.rank = {serial: rank for rank, serial in enumerate(sorted(serials))}

    def after(self, at_ms: int | None) -> int | None:
        """How long until an instant; None: there is none."""
        return None if at_ms is None else at_ms - self.now

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
