"""Random client sessions, said method by method to a real broker and to `routesim serve` of the same version: every answer is equal,
the counts in those to declarations too (rules/queues#1.17).

ROUTESIM_TWINS=2000 tries so many of each version, ROUTESIM_TWINS_FROM=5000 begins with that seed.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from kits.amqp.sessions import DrawnSession
from kits.amqp.twins import Twin, TwinDifference, cleaned, first_difference
from kits.live import URLS, live_session
from kits.serving import serving

from routesim.rabbitmq.http.features import to_permit
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.rabbitmq.url import amqp_address

SESSIONS = int(os.environ.get("ROUTESIM_TWINS", "100"))
FIRST = int(os.environ.get("ROUTESIM_TWINS_FROM", "1"))
AT_ONCE = 20  # sessions of one test
PAUSES_S = (0.002, 0.03)  # for the real broker to come to rest


class Pair(NamedTuple):
    version: str
    vhost: str
    real: int
    served: int


@pytest.fixture(scope="module", params=list(URLS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    session = live_session(request.param)
    permit = to_permit(session.features, session.profile)
    with scratch_vhost(session.management) as vhost:
        file: Path = tmp_path_factory.mktemp("twins") / "twins.yaml"
        permitted = f"broker: {{permit: [{', '.join(permit)}]}}\n" if permit else ""
        file.write_text(f'rabbitmq: "{session.profile}"\nvhost: {vhost}\n{permitted}')
        with serving("--quiet", str(file)) as server:
            yield Pair(request.param, vhost, amqp_address(URLS[request.param]).port, server.port)


@pytest.mark.parametrize("first", range(FIRST, FIRST + SESSIONS, AT_ONCE))
def test_every_answer_is_equal(pair: Pair, first: int) -> None:
    for seed in range(first, min(first + AT_ONCE, FIRST + SESSIONS)):
        found = difference(pair, seed, PAUSES_S[0])
        if found is not None:  # a broker that was too slow is asked again, and given more time
            found = difference(pair, seed, PAUSES_S[1])
        assert found is None, f"seed {seed}, RabbitMQ {pair.version}: {found}"


def difference(pair: Pair, seed: int, pause_s: float) -> TwinDifference | None:
    session = DrawnSession(seed)
    real, served = Twin(pair.real, pair.vhost, 3, pause_s), Twin(pair.served, pair.vhost, 1)
    try:
        return first_difference(session, real, served)
    finally:
        real.end()
        served.end()
        for port in (pair.real, pair.served):
            cleaned(port, pair.vhost, session.queues, session.exchanges)
