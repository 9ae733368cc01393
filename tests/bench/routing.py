"""Topic routing from 10 bindings to a million: the matcher alone, and the engine's walk with its remembered routes."""

import gc
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pairs import Each, paired
from peers import KOMBU, installed, kombu_routes
from rows import Goal, Row, at_least, at_most, duration, missing
from scale import Scale
from vocabulary import Vocabulary, vocabulary

from routesim.broker import Broker, RabbitBroker
from routesim.broker.routing import route
from routesim.content import Content
from routesim.model import DECLARE_CHANNEL, Binding, Exchange, Queue
from routesim.steps import Bind, DeclareExchange, DeclareQueue
from routesim.versions import NEWEST, rules

TITLE = "Topic routing"
TO_DICT, TO_KOMBU = "the time of a dict hit", "as fast as kombu"


class Measured(NamedTuple):
    """One size: what routes, and what it is compared with."""

    vocabulary: Vocabulary
    broker: Broker

    def matcher(self, keys: Sequence[str]) -> Each:
        """The bindings of one exchange that match."""
        exchange, draw = self.broker.exchanges["x"].matcher, self.broker.draw
        return Each(lambda content: exchange.route("m", content, draw), keys, published)

    def walk(self, keys: Sequence[str]) -> Each:
        """The queues that a published message goes to, as the engine asks for them."""
        broker = self.broker
        return Each(lambda content: route(broker, "x", "m", content), keys, published)

    def floor(self, keys: Sequence[str]) -> Each:
        """One look-up in a dict of so many binding keys."""
        return Each(dict(self.vocabulary.bindings).get, keys)


def published(key: str) -> Content:
    return Content("x", key, (key,), None, "")


def built(size: int, *, many_hashes: bool) -> Measured:
    found = vocabulary(size, many_hashes=many_hashes)
    broker = RabbitBroker(rules(NEWEST))
    broker.apply(DeclareExchange(DECLARE_CHANNEL, Exchange("x", "topic")))
    for queue in found.queues:
        broker.apply(DeclareQueue(DECLARE_CHANNEL, Queue(queue)))
    for pattern, queue in found.bindings:
        assert broker.apply(Bind(DECLARE_CHANNEL, Binding("x", queue, "queue", pattern))) is None
    gc.collect()
    gc.freeze()  # a million bindings would be looked through again and again
    return Measured(found, broker)


def measure(scale: Scale) -> Iterator[Row]:
    if not installed(KOMBU):
        yield missing("kombu's topic exchange", KOMBU)
    for many_hashes in (False, True):
        small = None
        for size in scale.hash_sizes if many_hashes else scale.sizes:
            found = built(size, many_hashes=many_hashes)
            yield from _one_size(found, size, scale, many_hashes=many_hashes)
            if size == scale.small:
                small = found
            if size == scale.large and small is not None:
                yield from _growth(found, small, scale, many_hashes=many_hashes)
    gc.unfreeze()


def _one_size(found: Measured, size: int, scale: Scale, *, many_hashes: bool) -> Iterator[Row]:
    name = f"{size:,} bindings{', 30 % with #' if many_hashes else ''}"
    distinct, zipf = found.vocabulary.distinct, found.vocabulary.zipf

    def to_dict(what: str, work: Each, keys: Sequence[str], goal: Goal | None) -> Row:
        pair = paired(work, found.floor(keys), scale)
        judged = size == scale.small and not many_hashes
        return Row(f"{name}, {what}", duration(pair.first_s), pair.cost, TO_DICT, goal if judged else None)

    yield to_dict("distinct keys, matcher", found.matcher(distinct), distinct, at_most("G5", 20))
    yield to_dict("distinct keys, walk", found.walk(distinct), distinct, None)
    yield to_dict("Zipf keys, walk", found.walk(zipf), zipf, at_most("G5", 8))
    if size in scale.peer_sizes and not many_hashes:
        peer = kombu_routes(found.vocabulary, distinct)
        if peer is not None:
            bound = 100 if size == scale.small else 800
            pair = paired(found.matcher(distinct), peer, scale)
            yield Row(f"{name}, distinct keys, matcher", duration(pair.first_s), pair.speed, TO_KOMBU, at_least("G4", bound))


def _growth(large: Measured, small: Measured, scale: Scale, *, many_hashes: bool) -> Iterator[Row]:
    name = f"{scale.large:,} bindings{', 30 % with #' if many_hashes else ''}"
    to = f"the time of {scale.small:,}"
    goal = None if many_hashes else at_most("G4", 4)
    keys = (large.vocabulary.distinct, small.vocabulary.distinct)
    matcher = paired(large.matcher(keys[0]), small.matcher(keys[1]), scale)
    yield Row(f"{name}, distinct keys, matcher", duration(matcher.first_s), matcher.cost, to, goal)
    walk = paired(large.walk(keys[0]), small.walk(keys[1]), scale)
    yield Row(f"{name}, distinct keys, walk", duration(walk.first_s), walk.cost, to)
    zipf = paired(large.walk(large.vocabulary.zipf), small.walk(small.vocabulary.zipf), scale)
    yield Row(f"{name}, Zipf keys, walk", duration(zipf.first_s), zipf.cost, to)
