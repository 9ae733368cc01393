"""Whatever is asked of the engine: nothing is lost silently, nothing is doubled but by the visibility timeout."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from kits.redis_twins import Model, ack, bind, consume, exchange, publish, queue, reject

from routesim import events, steps

NAMES = ["a", "b", "c"]
QUEUES = {"a": "q1", "b": "q1", "c": "q2"}
TOPOLOGY = [
    exchange("d", "direct"), exchange("t", "topic"), exchange("f", "fanout"), queue("q1"), queue("q2", **{"x-expires": 700}),
    queue("f1"), bind("d", "q1", "k"), bind("d", "q2", "k"), bind("t", "q1", "#"), bind("f", "f1"),
]  # fmt: skip
DEEDS = st.tuples(
    st.sampled_from(
        ["publish"] * 6
        + [
            "consume",
            "consume",
            "ack",
            "ack",
            "requeue",
            "reject",
            "crash",
            "close",
            "wait",
            "cancel",
            "recover",
            "get",
            "delete",
            "kill",
        ]
    ),
    st.sampled_from(NAMES),
    st.integers(0, 7),
)


def done(model: Model, deed: str, name: str, number: int, count: int) -> None:
    holding = [
        (channel.name, item.copy.message) for channel in model.broker.channels.values() for item in channel.unacked.values()
    ]
    if deed == "publish":
        source, key = [("", "q1"), ("", "q2"), ("d", "k"), ("d", "x"), ("t", "y"), ("f", ""), ("", "q1"), ("t", "z")][number]
        model.apply(publish(f"m{count}", key, source, number))
    elif deed == "consume":
        model.apply(consume(name, QUEUES[name], number % 3))
    elif deed in ("ack", "requeue", "reject"):
        if holding:
            channel, message = holding[number % len(holding)]
            model.apply(ack(channel, message) if deed == "ack" else reject(channel, message, requeue=deed == "requeue"))
    elif deed == "wait":
        model.wait(number * 200)
    elif deed == "kill":
        if number == 7:
            model.apply(steps.Restart(name == "a"))
    else:
        others: dict[str, Any] = {
            "crash": steps.Crash(name), "close": steps.Close(name), "cancel": steps.Cancel(name, name),
            "recover": steps.Recover(name), "get": steps.Get(name, QUEUES[name]), "delete": steps.DeleteQueue("d", QUEUES[name]),
        }  # fmt: skip
        model.apply(others[deed])


@settings(max_examples=150, deadline=None)
@given(st.lists(DEEDS, max_size=60))
def test_the_ledger_balances_and_a_copy_goes_on_as_the_same(deeds: list[tuple[str, str, int]]) -> None:
    model = Model()
    for step in TOPOLOGY:
        model.apply(step)
    for count, (deed, name, number) in enumerate(deeds):
        before = model.broker.fingerprint()
        assert model.broker.copy().fingerprint() == before
        done(model, deed, name, number, count)
        if deed == "wait" and number % 2:
            twin = model.broker.copy()
            assert twin.fingerprint() == model.broker.fingerprint()


@settings(max_examples=150, deadline=None)
@given(st.lists(DEEDS.filter(lambda deed: deed[0] not in ("delete", "kill", "reject", "wait")), max_size=60))
def test_without_the_timeout_a_copy_is_acknowledged_at_most_once(deeds: list[tuple[str, str, int]]) -> None:
    """Nor is any lost that nobody rejected: each is in its list, in the unacked set, or acknowledged."""
    model = Model(visibility_timeout=10**9)
    for step in [item for item in TOPOLOGY if "x-expires" not in str(item)]:
        model.apply(step)
    for count, (deed, name, number) in enumerate(deeds):
        done(model, deed, name, number, count)
    acked = Counter(event.copy for event in model.events if isinstance(event, events.Acked))
    assert all(times == 1 for times in acked.values())
    dropped = [event for event in model.events if isinstance(event, events.Dropped)]
    # One entry for two copies of a message can bring back only one of them to a queue.
    assert all(event.reason == "unroutable" for event in dropped)


def test_a_copy_of_the_broker_goes_its_own_way() -> None:
    model = Model()
    for step in [*TOPOLOGY, consume("a", "q1", 1), publish("m1", "k", "d"), publish("m2", "q1")]:
        model.apply(step)
    twin = model.broker.copy()
    before = model.broker.fingerprint()
    twin.apply(ack("a", "m1"))
    twin.apply(steps.Crash("a"))
    assert model.broker.fingerprint() == before
    assert twin.fingerprint() != before
