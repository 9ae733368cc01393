"""What a broker keeps of its bindings: what makes two of them the same, and in which order they go."""

import copy
import pickle

from routesim import events
from routesim.broker import RabbitBroker
from routesim.broker.records import binding_key
from routesim.model import Binding, Exchange, Queue
from routesim.steps import Bind, DeclareExchange, DeclareQueue, DeleteQueue, Unbind
from routesim.values import NO_ARGUMENTS
from routesim.versions import NEWEST, rules


def broker_with(*exchanges: str) -> RabbitBroker:
    broker = RabbitBroker(rules(NEWEST))
    for name in exchanges:
        broker.apply(DeclareExchange("c", Exchange(name, "topic")))
    for name in ("q", "r"):
        broker.apply(DeclareQueue("c", Queue(name)))
    return broker


def test_a_binding_without_arguments_is_the_same_however_that_is_written() -> None:
    broker = broker_with("x")
    for arguments in (NO_ARGUMENTS, {}, copy.deepcopy(NO_ARGUMENTS), {"n": 1}, {"n": True}, {"n": 1}):
        broker.apply(Bind("c", Binding("x", "q", "queue", "k", arguments)))
    assert [item.arguments for item in broker.exchanges["x"].bindings.values()] == [{}, {"n": 1}, {"n": True}]
    broker.apply(Unbind("c", Binding("x", "q", "queue", "k", {})))
    assert [item.arguments for item in broker.incoming.to("queue", "q")] == [{"n": 1}, {"n": True}]


def test_there_are_no_arguments_only_once() -> None:
    binding = Binding("x", "q")
    elsewhere = pickle.loads(pickle.dumps(binding))
    assert elsewhere.arguments is copy.copy(binding).arguments is NO_ARGUMENTS == {}
    assert binding_key(elsewhere) == binding_key(binding) == binding_key(Binding("x", "q", arguments={}))
    assert hash(binding_key(Binding("x", "q", arguments={}))) == hash(binding)


def test_the_bindings_of_a_queue_go_in_the_order_in_which_they_were_made() -> None:
    broker = broker_with("x", "y")
    made = [Binding(source, "q", "queue", key) for key in ("c", "a", "b") for source in ("y", "x")]
    for binding in made:
        broker.apply(Bind("c", binding))
    twin = broker.copy()
    told: list[Binding] = []
    twin.listen = lambda event: told.append(event.binding) if isinstance(event, events.Unbound) else None
    twin.apply(Unbind("c", made[2]))
    twin.apply(Bind("c", made[2]))
    twin.apply(DeleteQueue("c", "q"))
    assert told == [made[2], *made[:2], *made[3:], made[2]]
    assert broker.incoming.to("queue", "q") == made
    assert twin.incoming.to("queue", "q") == []


def test_equal_bindings_look_equal_in_whatever_order_they_were_made() -> None:
    prints = []
    for turn in (1, -1):
        broker = broker_with("x")
        for arguments in ({}, {"n": 1}, {"n": 2})[::turn]:
            broker.apply(Bind("c", Binding("x", "q", "queue", "k", arguments)))
        prints.append(broker.fingerprint())
    assert prints[0] == prints[1]
