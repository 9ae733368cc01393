"""What `explore` finds happens on a real RabbitMQ too, where its failures can be carried out there."""

from pathlib import Path

import pytest
from kits.live import agreed
from kits.paths import SCENARIOS

from routesim.explore import bounds_of, explored
from routesim.explore.retold import Retold
from routesim.run.session import BrokerSession
from routesim.scenario import load

NAMES = [
    "auto-ack", "auto-delete", "done-twice", "failover", "full-parking", "no-confirms", "outbox", "slow-worker", "stream-offset",
]  # fmt: skip
FILES = [SCENARIOS / "explore" / f"{name}.yaml" for name in NAMES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_real_broker_repeats_it(session: BrokerSession, path: Path) -> None:
    scenario = load(str(path), rabbitmq=session.profile)
    bounds = bounds_of(scenario)
    broken = [item for item in explored(scenario, bounds, cures=False).explored.broken if item.example is not None]
    assert broken or path.stem == "full-parking"  # which was refused, or kept, in older versions
    for item in broken:
        assert item.example is not None
        agreed(session, Retold(scenario, bounds, item.name, item.example).text)
