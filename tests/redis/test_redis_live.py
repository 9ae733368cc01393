"""The engine does what kombu does on a real Redis: rule by rule, then by chance."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kits.redis_twins import DECLARE, Twins, ack, bind, consume, exchange, publish, queue, reject

from routesim import steps
from routesim.model import Binding

Build = Callable[..., Twins]


@pytest.fixture
def twins(redis_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    made: list[Twins] = []

    def build(*args: Any, **options: Any) -> Twins:
        made.append(Twins(redis_port, monkeypatch, *args, **options))
        return made[-1]

    yield build
    for item in made:
        item.real.end()


def played(pair: Twins, *todo: steps.Step | str) -> Twins:
    for item in todo:
        if isinstance(item, str):
            pair.wait()
        else:
            pair.apply(item)
    return pair


def test_warm_shutdown_gives_back_in_reverse(twins: Build) -> None:
    five = [publish(f"P{number}", "q") for number in range(1, 6)]
    pair = played(twins(), queue("q"), consume("a", "q", 4), *five, steps.Close("a"), consume("b", "q"))
    assert [message for message, _ in pair.model.delivered["b"]] == ["P4", "P3", "P2", "P1", "P5"]


def test_a_rejected_message_goes_to_the_tail(twins: Build) -> None:
    three = [publish(name, "q") for name in "RVW"]
    pair = played(twins(), queue("q"), consume("a", "q", 1), *three, reject("a", "R"), ack("a", "V"), ack("a", "W"))
    assert pair.model.delivered["a"] == [("R", False), ("V", False), ("W", False), ("R", True)]


def test_what_is_overdue_comes_back_in_its_order(twins: Build) -> None:
    four = [publish(f"m{number}", "q") for number in range(4)]
    pair = played(twins(), queue("q"), consume("a", "q", 3), *four, steps.Crash("a"), consume("b", "q", 0), "wait")
    assert [message for message, _ in pair.model.delivered["b"]] == [
        "m3",
        "m3",
        "m0",
        "m1",
        "m2",
    ]  # b waited: it got the newest first


def test_a_crash_gives_nothing_back(twins: Build) -> None:
    pair = played(twins(), queue("q"), consume("a", "q", 4), publish("m", "q"), steps.Crash("a"), consume("b", "q"))
    assert "b" not in pair.model.delivered
    assert pair.model.unacked() == {"m"}


def test_a_slow_worker_is_taken_for_dead(twins: Build) -> None:
    pair = played(twins(), queue("q"), consume("a", "q", 1), consume("b", "q", 1), publish("m", "q"), "wait")
    assert pair.model.delivered == {"a": [("m", False)], "b": [("m", True)]}
    played(pair, ack("a", "m"))
    assert pair.model.unacked() == set()  # a's acknowledgement took the entry that b's delivery had made


@pytest.mark.parametrize("order", ["round_robin", "sorted", "priority"])
def test_priority_beats_the_order_of_queues(twins: Build, order: str) -> None:
    names = {"1": "w", "2": "w"}
    some = [publish(f"{of}{priority}{n}", of, priority=priority) for n in range(2) for priority in (9, 5, 3, 0) for of in "ba"]
    pair = played(
        twins({"w": "w"}, order=order), queue("a"), queue("b"), *some, consume("1", "b", 1, "w"), consume("2", "a", 1, "w")
    )
    for _ in range(len(some)):
        held = next(iter(pair.model.broker.channels["w"].unacked.values())).copy.message
        pair.apply(ack("w", held))
    assert names


@pytest.mark.parametrize("steps_", [(0, 3, 6, 9), (0, 5), (0,), tuple(range(10)), (2, 4)])
def test_priorities_are_rounded_down_to_a_step(twins: Build, steps_: tuple[int, ...]) -> None:
    some = [publish(f"p{priority}", "q", priority=priority) for priority in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]
    played(
        twins(priorities=steps_), queue("q"), *some, publish("none", "q"), publish("high", "q", priority=200), consume("a", "q")
    )


KEYS = ["ship", "ship.", "ship.x", "ship.x.y", "orders", "x.orders", "a.b", "a.x.b", "a..b", "", ".", "A.b", "aab", "a\n"]
PATTERNS = ["ship.#", "#.orders", "a.#.b", "ship.*", "#", "*", "*.*", "a*", "", "ship", "a.+b", "#.#", "*.x.#", "a"]


def test_topics_match_by_a_regular_expression(twins: Build) -> None:
    pair = twins()
    played(pair, exchange("t", "topic"), *[queue(f"q{n}") for n in range(len(PATTERNS))])
    played(pair, *[bind("t", f"q{n}", pattern) for n, pattern in enumerate(PATTERNS)])
    for number, key in enumerate(KEYS):
        pair.apply(publish(f"m{number}", key, "t"))
    reached = {pattern: pair.model.ready(f"q{n}") for n, pattern in enumerate(PATTERNS)}
    assert "m0" not in reached["ship.#"]  # the four that RabbitMQ answers otherwise
    assert "m4" not in reached["#.orders"]
    assert "m6" not in reached["a.#.b"]
    assert "m1" not in reached["ship.*"]


def test_an_undeclared_list_takes_what_is_sent_to_it(twins: Build) -> None:
    pair = played(twins(), publish("m", "nobody"))
    assert pair.real.ready("nobody") == pair.model.ready("nobody") == ["m"]


def test_unbinding_changes_nothing_and_then_deleting_leaves_the_binding(twins: Build) -> None:
    gone = steps.Unbind(DECLARE, Binding("d", "q", routing_key="k"))
    pair = played(twins(), exchange("d", "direct"), queue("q"), bind("d", "q", "k"), gone, publish("m", "k", "d"))
    assert pair.model.ready("q") == ["m"]
    played(pair, steps.DeleteQueue(DECLARE, "q"), publish("m2", "k", "d"))
    assert pair.model.ready("q") == ["m", "m2"]
    played(pair, bind("d", "q", "k"), steps.DeleteQueue(DECLARE, "q"), publish("m3", "k", "d"))
    assert pair.model.ready("q") == []


def test_deleting_an_exchange_deletes_the_empty_queues_bound_to_it(twins: Build) -> None:
    both = [bind("d", "full", "k"), bind("d", "empty", "k2")]
    pair = played(twins(), exchange("d", "direct"), queue("full"), queue("empty"), *both, publish("m", "k", "d"))
    played(pair, steps.DeleteExchange(DECLARE, "d"), exchange("d", "direct"), publish("m2", "k", "d"), publish("m3", "k2", "d"))
    assert (pair.model.ready("full"), pair.model.ready("empty")) == (["m", "m2"], [])


def test_one_tag_for_all_copies_of_a_message(twins: Build) -> None:
    """A requeue brings a message back to every queue that its key leads to; an ack of one copy is one of all."""
    two = [exchange("t", "topic"), queue("A"), queue("B"), bind("t", "A", "#"), bind("t", "B", "#")]
    pair = played(twins(), *two, consume("a", "A", 1), consume("b", "B", 1), publish("m", "x", "t"), reject("a", "m"))
    assert pair.model.ready("B") == ["m"]  # while b still has its own
    played(pair, ack("b", "m"))
    assert pair.model.unacked() == {"m"}


FANOUT = [
    exchange("f", "fanout"),
    queue("q1"),
    queue("q2"),
    queue("q3"),
    bind("f", "q1"),
    bind("f", "q2", "k.*"),
    bind("f", "q3", "k.#"),
]


def test_fanout_reaches_who_is_subscribed_now_and_heeds_the_key(twins: Build) -> None:
    pair = played(twins(), *FANOUT, publish("early", "", "f"))
    played(pair, *[consume(f"c{n}", f"q{n}", auto_ack=True) for n in (1, 2, 3)], consume("twin", "q1", auto_ack=True))
    played(
        pair, publish("plain", "", "f"), publish("keyed", "k.x", "f"), publish("deep", "k.x.y", "f"), publish("other", "j", "f")
    )
    found = {name: [message for message, _ in items] for name, items in pair.model.delivered.items()}
    assert found == {"c1": ["plain"], "twin": ["plain"], "c2": ["keyed", "deep"], "c3": ["keyed", "deep"]}
    played(pair, steps.Crash("c1"), publish("late", "", "f"))


def test_a_fanout_message_that_is_given_back_ends_in_lists_that_nobody_pops(twins: Build) -> None:
    pair = played(twins(), *FANOUT[:2], FANOUT[4], consume("c", "q1"), publish("m", "", "f"), reject("c", "m"))
    assert pair.model.ready("q1") == ["m"]


def test_several_queues_and_channels_of_one_connection(twins: Build) -> None:
    pair = twins({"one": "house", "two": "house"})
    played(pair, queue("q"), queue("r"), consume("a", "q", 1, "one"), consume("b", "r", 2, "two"), consume("c", "q", 0, "one"))
    played(pair, *[publish(f"m{n}", "qr"[n % 2]) for n in range(6)], steps.Close("house"))
    assert pair.model.unacked() == set()


def test_get_takes_by_priority_and_is_noted_as_unacked(twins: Build) -> None:
    pair = played(
        twins(), queue("q"), publish("low", "q", priority=9), publish("high", "q"), steps.Get("g", "q"), steps.Get("g", "q")
    )
    assert pair.model.delivered["g"] == [("high", False), ("low", False)]
    played(pair, steps.Get("g", "q"), reject("g", "low"), ack("g", "high"), steps.Recover("g"))


# By chance -----------------------------------------------------------------------------------------------------------

CONSUMERS = {"a": "q1", "b": "q1", "c": "q2", "d": "q2", "e": "f1"}
TOPOLOGY = [
    exchange("d", "direct"), exchange("t", "topic"), exchange("f", "fanout"), queue("q1"), queue("q2"), queue("f1"),
    bind("d", "q1", "k"), bind("d", "q2", "k"), bind("d", "q2", "j"), bind("t", "q1", "k.*"), bind("t", "q2", "#"),
    bind("f", "f1", ""),
]  # fmt: skip


def drawn(chance: random.Random, pair: Twins, number: int) -> steps.Step | str | None:
    holding = [
        (name, item.copy.message) for name, channel in pair.model.broker.channels.items() for item in channel.unacked.values()
    ]
    deed = chance.choices(
        ["publish", "consume", "ack", "requeue", "reject", "crash", "close", "cancel", "wait", "recover", "purge", "bind"],
        [30, 12, 14, 8, 4, 4, 4, 3, 4, 2, 1, 3],
    )[0]
    name = chance.choice(list(CONSUMERS))
    if deed == "publish":
        source = chance.choice(["", "", "d", "t", "f"])
        key = chance.choice({"": ["q1", "q2"], "d": ["k", "j", "x"], "t": ["k.x", "k", "z.z"], "f": [""]}[source])
        return publish(f"m{number}", key, source, chance.choice([None, None, 0, 4, 9]))
    if deed == "consume":
        return consume(name, CONSUMERS[name], {"e": None, "b": 0}.get(name, 2), auto_ack=name == "e")
    if deed in ("ack", "requeue", "reject") and holding:
        channel, message = chance.choice(holding)
        return ack(channel, message) if deed == "ack" else reject(channel, message, requeue=deed == "requeue")
    if deed == "bind":
        kind = chance.choice([steps.Bind, steps.Unbind])
        return kind(DECLARE, Binding("d", "q1", routing_key="k"))
    others: dict[str, steps.Step | str] = {
        "crash": steps.Crash(name), "close": steps.Close(name), "cancel": steps.Cancel(name, name), "wait": "wait",
        "recover": steps.Recover(name), "purge": steps.Purge(DECLARE, "q1"),
    }  # fmt: skip
    if deed in ("cancel", "recover") and name not in pair.model.broker.channels:
        return None
    if deed == "wait" and len(pair.model.broker.held) > 1 and _several_ask(pair):
        return None  # when several clients ask for several messages at once, even Redis does not always answer alike
    return others.get(deed)


def _several_ask(pair: Twins) -> bool:
    cycles = [name for client in pair.model.broker.clients.values() for name in client.cycle]
    return len(set(cycles)) < len(cycles)


@pytest.mark.parametrize("seed", range(24))
def test_whatever_happens_both_do_the_same(twins: Build, seed: int) -> None:
    chance = random.Random(seed)
    pair = played(twins(), *TOPOLOGY)
    for number in range(60):
        step = drawn(chance, pair, number)
        if step is not None:
            played(pair, step)
