"""Nothing is lost silently: after every step of any run each copy of each message is in exactly one place."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim import events, model, steps
from routesim.broker import Broker, RabbitBroker, counts, imbalance
from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES
from routesim.exchanges.topic import matches, words_of
from routesim.model import Binding, Exchange
from routesim.run.folds.situation import Situation
from routesim.versions import NEWEST_PATCH, rules

QUEUES, EXCHANGES, CHANNELS, CONSUMERS = ("q0", "q1", "q2"), ("x0", "x1", ""), ("c0", "c1"), ("w0", "w1")
KEYS = ("q0", "q1", "a.b", "a", "", "b.a.b")
NAMES = (*CHANNELS, *CONSUMERS)
PATTERNS = ("a.*", "#", "a.#.b", "q0", "*", "")


def some(rng: Random, options: dict[str, list[Any]], share: float) -> dict[str, Any]:
    """Each of the options with a chance of `share`, with one of its values."""
    return {name: rng.choice(values) for name, values in options.items() if rng.random() < share}


ARGUMENTS = {
    "x-message-ttl": [0, 5, 50], "x-max-length": [0, 1, 2], "x-max-length-bytes": [0, 4], "x-dead-letter-exchange": ["", "x0", "x1", "gone"],
    "x-overflow": ["drop-head", "reject-publish", "reject-publish-dlx"], "x-max-priority": [0, 1, 3], "x-single-active-consumer": [True],
    "x-expires": [40], "x-delivery-limit": [-1, 0, 1], "x-delayed-retry-type": ["all"], "x-delayed-retry-min": [7],
}  # fmt: skip
ONLY = {
    "x-max-priority": "classic",
    "x-delivery-limit": "quorum",
    "x-delayed-retry-type": "quorum",
    "x-delayed-retry-min": "quorum",
}
POLICIES = [
    {"max-length": 1},
    {"dead-letter-exchange": "x1"},
    {"message-ttl": 5},
    {"alternate-exchange": "x1"},
    {"delivery-limit": 1},
]


def a_queue(rng: Random, name: str, version: str) -> model.Queue:
    kind = rng.choice(["classic", "classic", "quorum", "quorum", "stream"])
    found = some(rng, ARGUMENTS, 0.15) if kind != "stream" else {}
    found = {key: value for key, value in found.items() if ONLY.get(key, kind) == kind}
    if version != "4.3":
        found = {key: value for key, value in found.items() if "retry" not in key}
    if "x-dead-letter-exchange" in found and rng.random() < 0.6:
        found["x-dead-letter-routing-key"] = rng.choice(KEYS)
        if kind == "quorum" and rng.random() < 0.3:
            found |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    classic = kind == "classic"
    return model.Queue(
        name, True, classic and rng.random() < 0.1, classic and rng.random() < 0.1, {"x-queue-type": kind, **found}
    )


def an_exchange(rng: Random, name: str) -> model.Exchange:
    kind = rng.choice(["direct", "fanout", "topic", "topic", "headers", "x-recent-history", "x-delayed-message"])
    found = some(rng, {"alternate-exchange": list(EXCHANGES)}, 0.3)
    if kind == "x-delayed-message":
        found["x-delayed-type"] = "topic"
    return model.Exchange(name, kind, True, rng.random() < 0.1, False, found)


def a_binding(rng: Random) -> Binding:
    if rng.random() < 0.2:
        return Binding(rng.choice(EXCHANGES[:2]), rng.choice(EXCHANGES[:2]), "exchange", rng.choice(PATTERNS))
    return Binding(rng.choice(EXCHANGES[:2]), rng.choice(QUEUES), "queue", rng.choice(PATTERNS))


def a_message(rng: Random) -> model.Message:
    headers = some(rng, {"CC": [["q1"], ["a"]], "BCC": [["q2"]], "x-delay": [3, 30]}, 0.1)
    return model.Message(
        rng.choice(EXCHANGES), rng.choice(KEYS), rng.choice(["", "body"]), headers or None, rng.choice([None, 0, 5, 9]),
        rng.choice([None, None, None, "0", "5", "soon"]), rng.choice([1, 2]), rng.random() < 0.2,
    )  # fmt: skip


def a_consumer(rng: Random) -> model.Consumer:
    return model.Consumer(
        rng.choice(CONSUMERS), rng.choice(QUEUES), rng.choice(NAMES), rng.choice([None, 1, 2, 3]), rng.random() < 0.15, rng.random() < 0.1,
        rng.choice([{}, {}, {"x-priority": 5}]),
    )  # fmt: skip


def a_step(rng: Random, version: str) -> Any:
    """A step, or a number of milliseconds that pass."""
    channel, tag = rng.choice(NAMES), rng.choice([0, 1, 1, 2, 2, 3, 4, 5])
    makers: list[tuple[int, Any]] = [
        (14, lambda: steps.Publish(rng.choice((*CHANNELS, "p")), a_message(rng), "?")),
        (6, lambda: steps.Consume(a_consumer(rng))),
        (4, lambda: steps.Get(channel, rng.choice(QUEUES), rng.random() < 0.2)),
        (3, lambda: steps.Ack(channel, tag, rng.random() < 0.4)),
        (5, lambda: steps.Nack(channel, tag, rng.random() < 0.4, rng.random() < 0.6)),
        (2, lambda: steps.Reject(channel, tag, rng.random() < 0.5)),
        (1, lambda: steps.Recover(channel)),
        (1, lambda: steps.Qos(channel, rng.randrange(3), rng.random() < 0.5)),
        (3, lambda: steps.Tx("c1", rng.choice(["select", "commit", "rollback"]))),
        (1, lambda: steps.Cancel(channel, rng.choice(CONSUMERS))),
        (1, lambda: steps.Crash(channel)),
        (1, lambda: rng.choice([steps.Restart(True), steps.Restart(False), 200_000])),
        (1, lambda: steps.DeclareQueue("d", a_queue(rng, rng.choice(QUEUES), version))),
        (1, lambda: rng.choice([steps.Bind, steps.Unbind])("d", a_binding(rng))),
        (1, lambda: steps.DeleteQueue("d", rng.choice(QUEUES), rng.random() < 0.2, rng.random() < 0.2)),
        (1, lambda: steps.DeleteExchange("d", rng.choice(EXCHANGES[:2]), rng.random() < 0.5)),
        (1, lambda: steps.Purge("d", rng.choice(QUEUES))),
        (1, lambda: steps.SetPolicy(model.Policy("p", rng.choice(["q", "x", "0$"]), rng.choice(POLICIES)))),
        (1, lambda: steps.DeletePolicy("p")),
        (4, lambda: rng.choice([1, 4, 6, 60])),
    ]
    weights = [weight for weight, _ in makers]
    return rng.choices([maker for _, maker in makers], weights)[0]()


def places(events_told: list[Any]) -> dict[int, str]:
    """Where each copy is, by the events alone."""
    where: dict[int, str] = {}
    for event in events_told:
        kind = type(event)
        if kind in (events.Enqueued, events.Requeued):
            where[event.copy] = "ready"
        elif kind in (events.Delivered, events.Got) and event.copy is not None:
            where[event.copy] = "acked" if event.auto_ack else "unacked"
        elif kind is events.Awaiting:
            where[event.copy] = "awaiting"
        elif kind in (events.Acked, events.DeadLettered, events.Dropped, events.Purged, events.Deleted, events.LostAtRestart):
            where[event.copy] = "gone"
    return where


def misplaced(situation: Situation, broker: Broker) -> list[str]:
    """The queues that are not what the events have told."""
    wrong = [] if list(situation.queues) == list(broker.queues) else [f"there are {list(broker.queues)}"]
    for name, queue in broker.queues.items():
        told = situation.queue(name)
        ours = [sorted(told.messages), sorted(told.later), sorted(told.awaiting), sorted(told.leaving)]
        theirs = [
            sorted(copy.serial for copy in copies)
            for copies in (queue.ready(), queue.held_back(), [copy for copy, _ in queue.awaiting], [])
        ]
        ours.append(sorted(item.copy for item in told.unacked.values()))
        theirs.append(
            sorted(item.copy.serial for c in broker.channels.values() for item in c.outstanding() if item.queue is queue)
        )
        if ours != theirs:
            wrong.append(f"{queue.kind} {name}: {ours}, not {theirs}")
    ledger = counts(broker)
    columns = {name: (count, ledger[name]) for name, count in situation.counts.items() if name in ledger}
    return wrong + [f"{name} {ours}, not {theirs}" for name, (ours, theirs) in columns.items() if ours != theirs]


def play(version: str, seed: int, seen: Counter[str]) -> None:
    rng, told = Random(seed), []  # type: ignore[var-annotated]
    plans = {"c1": model.ChannelPlan("c1", "c1", confirms=False)}
    situation = Situation()

    def listen(event: Any) -> None:
        told.append(event)
        situation.hear(event)

    broker = RabbitBroker(
        rules(version), listen=listen, channel_plans=plans, settings=model.BrokerSettings(consumer_timeout=60_000)
    )
    script: list[Any] = [
        *(steps.DeclareQueue("d", a_queue(rng, name, version)) for name in QUEUES),
        *(steps.DeclareExchange("d", an_exchange(rng, name)) for name in EXCHANGES[:2]),
        *(steps.Bind("d", a_binding(rng)) for _ in range(5)),
        *(a_step(rng, version) for _ in range(60)),
    ]
    for number, each in enumerate(script):
        if isinstance(each, int):
            broker.advance(broker.now + each)
        else:
            broker.apply(each._replace(id=f"m{number}") if isinstance(each, steps.Publish) else each)
        broker.outbox.clear()
        assert imbalance(counts(broker)) is None, (seed, number, each)
        for queue in broker.queues.values():
            assert queue.ready_count() == sum(1 for _ in queue.ready()), (seed, number, each)
        if broker.livelock:
            return
        situation.advance(broker.now)
        assert misplaced(situation, broker) == [], (seed, number, each)
    seen.update({name: count for name, count in counts(broker).items() if count})
    if not any(queue.kind == "stream" or queue.held_back() for queue in broker.queues.values()):
        where, found = Counter(places(told).values()), counts(broker)
        gone = {event.copy for event in told if type(event) is events.Deleted}
        assert where["unacked"] == found["unacked"], seed
        assert where["ready"] == found["ready"] or gone, seed


@pytest.mark.parametrize("version", sorted(NEWEST_PATCH))
def test_the_books_balance_after_every_step(version: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(60):
        play(version, seed, seen)
    # A test that never got anywhere would hold too.
    for column in ("routed", "returned", "unroutable", "acked", "dead_lettered", "dropped", "deleted", "redelivered", "unacked"):
        assert seen[column] > 5, column


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(NEWEST_PATCH)), st.integers(1_000, 2**32))
def test_the_books_balance_whatever_the_run(version: str, seed: int) -> None:
    play(version, seed, Counter())


# Exchanges: the index equals the plain rule, also after bindings have gone ---------------------------------------------

words = st.lists(st.sampled_from(["a", "b", "", "cc"]), max_size=4).map(".".join)
patterns = st.lists(st.sampled_from(["a", "b", "", "*", "#", "cc"]), max_size=5).map(".".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(patterns, max_size=25), st.lists(st.integers(0, 24), max_size=20), st.lists(words, min_size=1, max_size=3))
def test_the_topic_index_is_the_plain_rule(bound: list[str], unbound: list[int], keys: list[str]) -> None:
    exchange = EXCHANGE_TYPES["topic"](Exchange("x", "topic"), rules("3.10"))
    there = [Binding("x", f"q{number}", "queue", pattern) for number, pattern in enumerate(bound)]
    for binding in there:
        exchange.add(binding)
    for index in unbound:
        if index < len(there):
            exchange.remove(there.pop(index))
    content = Content("x", keys[0], tuple(keys), None, "")
    wanted = [binding for binding in there if any(matches(words_of(binding.routing_key), words_of(key)) for key in keys)]
    found = list(exchange.route("m", content, lambda count: 0))
    assert sorted(map(str, found)) == sorted(map(str, wanted))
    assert [exchange.why(binding, "m", content).match for binding in there] == [binding in wanted for binding in there]
    assert sorted(map(str, exchange.clone().route("m", content, lambda count: 0))) == sorted(map(str, wanted))
