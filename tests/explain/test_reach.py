"""Reach is what the routing walk does, for every key: bindings, exchange-to-exchange, alternates, cycles."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim.broker import Broker, RabbitBroker
from routesim.broker.routing import walk
from routesim.content import Content
from routesim.explain.keys.key_sets import classes, exactly, witness
from routesim.explain.keys.reach import decides_by_key, reach
from routesim.model import Binding, Exchange, Queue
from routesim.steps import Bind, DeclareExchange, DeclareQueue
from routesim.versions import rules

EXCHANGES, QUEUES = ("x", "y", "z"), ("p", "q")
KEYS = [".".join(words) for size in range(4) for words in product("abc", repeat=size)]
BINDING = st.builds(
    lambda source, target, key: Binding(source, target[1], target[0], key),
    st.sampled_from(EXCHANGES),
    st.sampled_from([*(("queue", name) for name in QUEUES), *(("exchange", name) for name in EXCHANGES)]),
    st.lists(st.sampled_from(("a", "b", "*", "#")), max_size=3).map(".".join),
)


def broker_of(types: dict[str, str], alternates: dict[str, str], bindings: list[Binding]) -> Broker:
    broker = RabbitBroker(rules())
    for name, kind in types.items():
        arguments = {"alternate-exchange": alternates[name]} if name in alternates else {}
        assert broker.apply(DeclareExchange("c", Exchange(name, kind, arguments=arguments))) is None
    for name in QUEUES:
        broker.apply(DeclareQueue("c", Queue(name)))
    for binding in bindings:
        broker.apply(Bind("c", binding))
    return broker


@given(
    st.fixed_dictionaries(dict.fromkeys(EXCHANGES, st.sampled_from(("topic", "direct", "fanout")))),
    st.dictionaries(st.sampled_from(EXCHANGES), st.sampled_from(EXCHANGES), max_size=1),
    st.lists(BINDING, max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_reach_is_what_the_walk_does(types: dict[str, str], alternates: dict[str, str], bindings: list[Binding]) -> None:
    # Only the publishing exchange has an alternate: with several, which of two ways is walked first can decide.
    broker = broker_of(types, {"x": alternates["x"]} if "x" in alternates else {}, bindings)
    found = reach(broker, "x")
    for key in KEYS:
        route, _ = walk(broker, "x", "m", Content("x", key, (key,), None, ""))
        reached = {queue.name for queue, _ in route.queues}
        assert reached == {name for name, keys in found.items() if witness(keys & exactly(key)) is not None}, key
    for members, key in classes(found).items():
        route, _ = walk(broker, "x", "m", Content("x", key, (key,), None, ""))
        assert {queue.name for queue, _ in route.queues} == members


def test_the_default_exchange_reaches_every_queue_by_its_name() -> None:
    broker = broker_of({}, {}, [])
    assert {name: witness(keys) for name, keys in reach(broker, "").items()} == {"p": "p", "q": "q"}


def test_a_chain_of_exchanges_may_be_longer_than_pythons_stack() -> None:
    chain = [Binding(f"e{number}", f"e{number + 1}", "exchange", "a.#") for number in range(1100)]
    broker = broker_of({f"e{number}": "topic" for number in range(1101)}, {}, [*chain, Binding("e1100", "q", "queue", "#.b")])
    found = reach(broker, "e0")
    assert {name: witness(keys) for name, keys in found.items()} == {"q": "a.b"}


@pytest.mark.parametrize(
    ("kind", "answer"), [("topic", True), ("direct", True), ("fanout", True), ("headers", False), ("x-random", False)]
)
def test_what_decides(kind: str, answer: bool) -> None:
    broker = broker_of({"x": "topic", "y": kind}, {}, [Binding("x", "y", "exchange", "#")])
    assert decides_by_key(broker, "x") is answer
