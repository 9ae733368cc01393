"""Random small Celery programs do on a real broker, with real workers, what the scenario imported from their app does.

ROUTESIM_PROGRAMS=200 tries so many for each broker, ROUTESIM_PROGRAMS_SEED other ones.
"""

import functools
import importlib.metadata
import os
import sys

import pytest

from routesim.run.session import BrokerSession

pytest.importorskip("pika", reason="the AMQP client library is not installed")
pytest.importorskip("redis", reason="the client library of Redis is not installed")

COUNT = int(os.environ.get("ROUTESIM_PROGRAMS", "16"))
SEED = int(os.environ.get("ROUTESIM_PROGRAMS_SEED", "3"))


@pytest.fixture(autouse=True, scope="module")
def celery_is_there() -> None:
    try:
        importlib.metadata.version("celery")
    except importlib.metadata.PackageNotFoundError:
        if os.environ.get("ROUTESIM_REQUIRE_BROKER"):
            pytest.fail("Celery is required: pip install celery")
        pytest.skip("Celery is not installed")
    if not sys.platform.startswith("linux"):
        pytest.skip("workers are killed with their process groups, as on Linux")


@functools.cache
def drawn_programs(*, redis: bool) -> list[object]:
    from kits.programs.comparing import programs

    return list(programs(SEED, COUNT, redis=redis))


@pytest.mark.parametrize("number", range(COUNT))
def test_a_program_does_the_same_on_rabbitmq(number: int) -> None:
    from kits.live import live_session

    _agree(number, live_session("4.3"), None)


@pytest.mark.parametrize("number", range(COUNT))
def test_a_program_does_the_same_on_redis(number: int, redis_port: int) -> None:
    _agree(number, None, f"redis://127.0.0.1:{redis_port}/0")


def _agree(number: int, session: BrokerSession | None, redis_url: str | None) -> None:
    from kits.programs.comparing import compared

    program = drawn_programs(redis=session is None)[number]
    found = compared(program, session, redis_url)  # type: ignore[arg-type]
    assert found.real == found.simulated.seen, found.simulated.text
