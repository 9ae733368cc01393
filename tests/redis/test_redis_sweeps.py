"""The timers that look for what is overdue: those instants at which nothing can be are passed over, and nobody notices."""

import random
from typing import Any

import pytest

from routesim import steps
from routesim.model import BrokerSettings, Consumer, Message, Queue
from routesim.redis.broker import RedisBroker
from routesim.versions import rules

DAY_MS = 86_400_000
SETTINGS = BrokerSettings(kind="redis", visibility_timeout=700, restore_every=100)


class EverySweep(RedisBroker):
    """The plain rule: each timer goes off each time."""

    def _next_sweep(self, connection: str, began_ms: int) -> int | None:
        return self.now + self.restore_every - (self.now - began_ms) % self.restore_every


class Counting(RedisBroker):
    fired = 0

    def _fire(self, entry: Any) -> None:
        self.fired += 1
        super()._fire(entry)


def begun(kind: type[RedisBroker], settings: BrokerSettings) -> tuple[Any, list[Any]]:
    heard: list[Any] = []
    broker = kind(rules("4.3"), settings=settings, listen=heard.append)
    for name in ("q", "r"):
        broker.apply(steps.DeclareQueue("client", Queue(name)))
    return broker, heard


def some_steps(seed: int) -> list[Any]:
    """Steps, and times to wait."""
    draw = random.Random(seed)
    found: list[Any] = []
    for number in range(40):
        name = draw.choice("abc")
        kind = draw.randrange(8)
        if kind == 0:
            found.append(steps.Consume(Consumer(name, draw.choice("qr"), name, prefetch=2)))
        elif kind == 1:
            found.append(steps.Cancel(name, name))
        elif kind in (2, 3):
            found.append(steps.Publish("client", Message("", draw.choice("qr")), f"m{number}"))
        elif kind == 4:
            found.append(steps.Ack(name, multiple=True))
        elif kind == 5:
            found.append(draw.choice([steps.Crash, steps.Close])(name))
        else:
            found.append(draw.choice([30, 100, 250, 700, 1_500]))
    return [*found, 5_000]


@pytest.mark.parametrize("seed", range(60))
def test_what_happens_is_the_same_as_if_each_timer_went_off_each_time(seed: int) -> None:
    (broker, heard), (plain, expected) = begun(RedisBroker, SETTINGS), begun(EverySweep, SETTINGS)
    for step in some_steps(seed):
        for each in (broker, plain):
            if isinstance(step, int):
                each.advance(each.now + step)
            else:
                each.apply(step)
        assert broker.sweepers.keys() == plain.sweepers.keys()
        assert (broker.idle(), broker.copy().fingerprint() == broker.fingerprint()) == (plain.idle(), True)
    assert heard == expected


def test_time_alone_costs_nothing() -> None:
    """A consumer with nothing to do for a thousand days, and then something."""
    broker, _ = begun(Counting, BrokerSettings(kind="redis"))
    broker.apply(steps.Consume(Consumer("a", "q", "a")))
    broker.advance(1_000 * DAY_MS)
    assert broker.fired == 0
    broker.apply(steps.Publish("client", Message("", "q"), "m"))
    broker.advance(broker.now + 3_599_999)
    assert broker.fired == 0, "its visibility timeout is an hour"
    broker.advance(broker.now + 100_000)
    assert broker.fired == 1
    assert broker.ledger.redelivered == 1
