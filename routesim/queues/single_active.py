"""Who is next where a queue has a single active consumer (rules/queues#3.10)."""

import heapq
from collections.abc import Callable, Iterator, Mapping

from routesim.queues.consumers import Subscription

Rank = tuple[int, ...]


def by_arrival(subscription: Subscription) -> Rank:
    return ()


def by_priority(subscription: Subscription) -> Rank:
    return (-subscription.priority,)


def by_priority_and_credit(subscription: Subscription) -> Rank:
    return -subscription.priority, -subscription.credit


class Waiting:
    """The consumers that wait to be the single active one: by `rank`, those of one rank by their registration.

    The first is found without a look at the others: `heap` holds (rank, registered, consumer), and what does not wait any more,
    or has another rank by now, is passed over when it is met.
    """

    def __init__(self, rank: Callable[[Subscription], Rank]) -> None:
        self.rank = rank
        self.members: dict[int, Subscription] = {}  # by `registered`, in the order in which they began to wait
        self.heap: list[tuple[Rank, int, Subscription]] = []

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self.members.values())

    def add(self, subscription: Subscription) -> None:
        self.members[subscription.registered] = subscription
        self.ranked_anew(subscription)

    def discard(self, subscription: Subscription) -> None:
        """It does not wait any more, if it did."""
        self.members.pop(subscription.registered, None)

    def ranked_anew(self, subscription: Subscription) -> None:
        """What its rank depends on has changed, if it waits."""
        if subscription.registered in self.members:
            heapq.heappush(self.heap, (self.rank(subscription), subscription.registered, subscription))
            if len(self.heap) > 2 * len(self.members) + 8:
                self.heap = [(self.rank(item), item.registered, item) for item in self]
                heapq.heapify(self.heap)

    def first(self) -> Subscription | None:
        heap = self.heap
        while heap:
            rank, registered, subscription = heap[0]
            if registered in self.members and self.rank(subscription) == rank:
                return subscription
            heapq.heappop(heap)
        return None

    def of_twins(self, twins: Mapping[int, Subscription]) -> "Waiting":
        """The same line of a clone's own consumers, found by the identity of those that they are clones of."""
        other = Waiting(self.rank)
        for item in self:
            other.add(twins[id(item)])
        return other
