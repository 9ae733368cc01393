"""What RabbitMQ leaves open: with `races` each outcome is tried, without it the usual one alone."""

import json
from pathlib import Path

import pytest
from kits.cli import within
from kits.explored import broken_by, explored_text

from routesim.explore import Counterexample, Exploration
from routesim.explore.draws import Draws
from routesim.explore.retelling.retold import Retold
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

# What two channels of one connection held comes back to the end of a quorum queue, in the order in which they end.
CHANNELS = """
queues: {q: {type: quorum}}
channels: {c1: {connection: app}, c2: {connection: app}}
consumers:
  one: {queue: q, channel: c1, prefetch: 1, on_message: hold}
  two: {queue: q, channel: c2, prefetch: 1, on_message: hold}
  last: {queue: q, prefetch: 1, start: false}
steps:
  - publish: {routing_key: q, id: m1}
  - publish: {routing_key: q, id: m2}
  - crash: one
  - consume: last
"""
# Both queues drop what they are given at once, so that it is parked in the order in which they got it.
FANOUT = """
exchanges: {x: fanout}
queues:
  a: {arguments: {x-max-length: 0, x-dead-letter-exchange: "", x-dead-letter-routing-key: parked, x-overflow: drop-head}}
  b: {arguments: {x-max-length: 0, x-dead-letter-exchange: "", x-dead-letter-routing-key: parked, x-overflow: drop-head}}
  parked: {arguments: {x-max-length: 1}}
bindings: [{source: x, destination: a}, {source: x, destination: b}]
steps: [{publish: {exchange: x, id: m}}]
"""
# One limit for the consumers of two queues: which of them goes on when a message is answered is by chance.
LIMIT = """
rabbitmq: "4.2"
queues: {a: , b: }
channels: {c: {prefetch: 1}}
consumers: {wa: {queue: a, channel: c}, wb: {queue: b, channel: c}}
steps:
  - publish: {routing_key: a, id: first}
  - publish: {routing_key: a, id: m1}
  - publish: {routing_key: b, id: m2}
"""
# The channel held messages of two queues, which hear of its end in any order; both have another consumer on one channel.
ENDING = """
queues: {a: , b: }
channels: {c: {}, d: {prefetch: 1}}
consumers:
  xa: {queue: a, channel: c, on_message: hold}
  xb: {queue: b, channel: c, on_message: hold}
  ya: {queue: a, channel: d, start: false}
  yb: {queue: b, channel: d, start: false}
steps:
  - publish: {routing_key: a, id: m1}
  - publish: {routing_key: b, id: m2}
  - consume: ya
  - consume: yb
  - close_channel: c
"""
COMMIT = """
rabbitmq: "4.2"
queues: {q: {type: quorum}}
consumers: {w: {queue: q, prefetch: 1, start: false, on_message: hold}}
steps:
  - publish: {routing_key: q, id: m1}
  - get: {queue: q, channel: t}
  - consume: w
  - tx: {channel: t, do: select}
  - publish: {routing_key: q, id: m2, channel: t}
  - nack: {channel: t, message: m1}
  - tx: {channel: t, do: commit}
"""


def found_with(text: str, *, races: bool, **bounds: object) -> Exploration:
    return explored_text(text, kinds=(), races=races, **bounds)


@pytest.mark.parametrize(
    "text", [CHANNELS, FANOUT, LIMIT, ENDING, COMMIT], ids=["channels", "fanout", "limit", "ending", "commit"]
)
def test_each_outcome_is_tried(text: str) -> None:
    usual, every = (found_with(text, races=races).explored for races in (False, True))
    assert (usual.races, every.races > 0) == (0, True)
    assert every.tried > usual.tried


def order_of(races: bool) -> Counterexample | None:
    return broken_by(found_with(CHANNELS, races=races, properties=("order",)), "order")


def test_a_property_may_hold_only_as_long_as_it_falls_out_as_usual() -> None:
    assert order_of(races=False) is None
    example = order_of(races=True)
    assert example is not None
    assert example.races == ("the channels end in the order c2, then c1",)
    assert any("RabbitMQ leaves it open" in words for words in example.words)


def test_what_no_scenario_can_force_is_marked_and_nothing_is_expected_of_it() -> None:
    found = found_with(CHANNELS, races=True, properties=("order",))
    example = broken_by(found, "order")
    assert example is not None
    text = Retold(found.scenario, found.bounds, "order", example).text
    assert "OPEN: the channels end in the order c2, then c1" in text
    assert "no scenario can force it" in text.replace("\n#", "")
    assert load_source(Source("again.yaml", text), "").expect == ()


def test_every_order_is_drawn_once() -> None:
    seen, todo = [], [()]
    while todo:
        draws = Draws(todo.pop())
        seen.append(tuple(draws.order(["a", "b", "c", "d"], "{}")))
        todo += draws.others()
    assert len(seen) == len(set(seen)) == 24


def test_every_rotation_is_drawn_once() -> None:
    seen, todo = [], [()]
    while todo:
        draws = Draws(todo.pop())
        seen.append(tuple(draws.rotation(["a", "b", "c"], "{}")))
        todo += draws.others()
    assert sorted(seen) == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]


def test_a_scenario_may_ask_for_it() -> None:
    found = explored_text("explore: {races: true}\n" + LIMIT, kinds=())
    assert found.explored.races
    assert not any("--races" in text for text in found.left_out)


def test_a_counterexample_tells_how_chance_fell_out() -> None:
    text = """
exchanges: {x: x-random}
queues: {a: , b: }
bindings: [{source: x, destination: a}, {source: x, destination: b}]
consumers: {w: {queue: b, on_message: [{chance: 0.5, do: ack}, {do: reject}]}}
steps: [{publish: {exchange: x, id: m}}]
"""
    example = broken_by(found_with(text, races=False), "lost")
    assert example is not None
    assert "by chance it comes to b; w: chance 0.5 does not come true" in example.words[0]
    assert example.races == ()


def test_the_answer_says_that_no_scenario_can_force_it(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(CHANNELS, encoding="utf-8")
    asked = ("explore", "two.yaml", "--failures", "0", "--property", "order", "--no-cures")
    shown = {name: within(*asked, "--races", "--format", name, cwd=tmp_path).out for name in ("plain", "html", "json")}
    assert "No scenario can force what RabbitMQ leaves open" in shown["plain"]
    assert "No scenario can force what RabbitMQ leaves open" in shown["html"]
    (found,) = json.loads(shown["json"])["explorations"]
    assert found["races"] > 0
    assert found["properties"][0]["counterexample"]["races"] == ["the channels end in the order c2, then c1"]
    assert "No scenario" not in within(*asked, cwd=tmp_path).out
