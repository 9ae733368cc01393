"""The ways in which dead letters come back into a queue, found once for all rules that ask."""

from collections.abc import Iterator

from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.topology.publish_paths import PublishPath, dead_letter_exchange
from routesim.content import Content
from routesim.explain.futures import dead_letter_target
from routesim.explain.keys.key_sets import TooManyStates
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType

DEEPEST = 8
MAX_HOPS = 500  # that are followed from one queue
MAX_CIRCLES = 10  # of one queue that are named each
MAX_RETURNS = 50  # returns that a witness makes to reach a delivery limit


class Hop(NamedTuple):
    """A message leaves a queue for a reason."""

    queue: QueueType
    reason: str


class Circle(NamedTuple):
    """A message published by `way` and `key`, the hops that it makes, and whether the cycle rule ends them."""

    way: PublishPath
    key: str
    hops: tuple[Hop, ...]
    cut: bool


def samples(topology: CheckedTopology, queue: str) -> Iterator[tuple[PublishPath, str]]:
    """The ways to the queue, each with a key that has been seen to arrive there."""
    for way in topology.ways.get(queue, ()):
        key = way.sample(topology.work)
        if key is not None and topology.arrives(way, key, queue):
            yield way, key


# Circles ---------------------------------------------------------------------------------------------------------------


def circles(topology: CheckedTopology, too_large: list[str], *, rejecting: bool) -> list[Circle]:
    """The same for every rule that asks; the queues from which there are too many ways to follow are added to `too_large`."""
    known = topology.circles.get(rejecting)
    if known is None:
        large: list[str] = []
        known = topology.circles[rejecting] = (list(_all_circles(topology, large, rejecting=rejecting)), large)
    too_large += known[1]
    return known[0]


def rejecting_circles(topology: CheckedTopology) -> list[Circle]:
    """The ways back into a queue after a rejection, as far as they are followed."""
    return circles(topology, [], rejecting=True)


def _all_circles(topology: CheckedTopology, too_large: list[str], *, rejecting: bool) -> Iterator[Circle]:
    """Every way back into a queue: by itself alone (time, delivery limits), or with rejections.

    The queues from which there are too many ways to follow are added to `too_large`.
    """
    seen: set[tuple[frozenset[str], bool]] = set()
    for queue in topology.broker.queues.values():
        if dead_letter_exchange(queue) is None:
            continue
        left, circles = iter(range(MAX_HOPS)), iter(range(MAX_CIRCLES))
        try:
            for way, key in samples(topology, queue.name):
                for hops, cut in _follow(topology, queue, way.content(key), (), left, rejecting=rejecting):
                    mark = (frozenset(hop.queue.name for hop in hops), cut)
                    if mark in seen:
                        continue
                    if next(circles, None) is None:
                        raise TooManyStates
                    seen.add(mark)
                    yield Circle(way, key, hops, cut)
        except TooManyStates:
            too_large.append(queue.name)


def _reasons(queue: QueueType, *, rejecting: bool) -> Iterator[str]:
    if queue.settings.message_ttl is not None:
        yield "expired"
    elif rejecting:
        yield "rejected"
    limit = queue.settings.delivery_limit
    if not rejecting and limit is not None and 0 <= limit <= MAX_RETURNS:
        yield "delivery_limit"


def _follow(
    topology: CheckedTopology, queue: QueueType, content: Content, path: tuple[Hop, ...], left: Iterator[int], *, rejecting: bool
) -> Iterator[tuple[tuple[Hop, ...], bool]]:
    """The hops back into the first queue, and those that the cycle rule ends. `left` holds an item for each that may be looked
    at; raises `TooManyStates` after that."""
    if len(path) >= DEEPEST or dead_letter_exchange(queue) is None:
        return
    for reason in _reasons(queue, rejecting=rejecting):
        if next(left, None) is None:
            raise TooManyStates
        hops = (*path, Hop(queue, reason))
        found = dead_letter_target(topology.broker, queue, content, reason)
        if found.cut and not found.targets:
            yield hops, True
        for target in found.targets:
            if target is path[0].queue if path else target is queue:
                yield hops, False
            if all(target is not hop.queue for hop in hops) or not rejecting:
                yield from _follow(topology, target, found.content, hops, left, rejecting=rejecting)
