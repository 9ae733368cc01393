"""What `explore` finds happens on a real RabbitMQ too, where its failures can be carried out there."""

from pathlib import Path

import pytest
from kits.live import agreed, held
from kits.paths import SCENARIOS

from routesim.explore import bounds_of, explored
from routesim.explore.retelling.retold import Retold
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import load, load_source
from routesim.scenario.yaml.source import Source

NAMES = [
    "auto-ack", "auto-delete", "done-twice", "failover", "full-parking", "last-rung", "no-confirms", "outbox", "poison", "slow-worker",
    "stream-offset",
]  # fmt: skip
FILES = [SCENARIOS / "explore" / f"{name}.yaml" for name in NAMES]
SPEEDS = {"last-rung": 20}  # which waits for more than a minute
# Those of which one run is no matter of chance.
TWINS = [SCENARIOS / "explore" / f"{name}-cured.yaml" for name in NAMES if name not in ("last-rung", "slow-worker")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_real_broker_repeats_it(session: BrokerSession, path: Path) -> None:
    scenario = load(str(path), rabbitmq=session.profile)
    bounds = bounds_of(scenario)
    broken = [item for item in explored(scenario, bounds, cures=False).explored.broken if item.example is not None]
    assert broken or path.stem == "full-parking"  # which was refused, or kept, in older versions
    for item in broken:
        assert item.example is not None
        agreed(session, Retold(scenario, bounds, item.name, item.example).text, speed=SPEEDS.get(path.stem, 1))


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_a_real_broker_plays_the_cured_twin(session: BrokerSession, path: Path) -> None:
    held(session, load(str(path), rabbitmq=session.profile))


HANGS = """
queues: {q: {type: quorum, arguments: {x-consumer-timeout: 2000}}}
consumers: {w: {queue: q, prefetch: 1}, v: {queue: q, prefetch: 1}}
steps: [{publish: {routing_key: q, id: m}}]
explore: {failures: {hang: 1}, properties: [duplicated]}
"""


def test_a_real_broker_loses_patience_with_who_hangs(session: BrokerSession) -> None:
    if session.profile != "4.3":
        pytest.skip("before 4.3 the shortest patience is a minute of the channel's life")
    scenario = load_source(Source("hangs.yaml", HANGS), "")
    bounds = bounds_of(scenario)
    (item,) = explored(scenario, bounds, cures=False).explored.broken
    assert item.example is not None
    assert [move.failure for move in item.example.moves if move.failure] == ["hang"]
    agreed(session, Retold(scenario, bounds, item.name, item.example).text)
