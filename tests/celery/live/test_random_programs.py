"""Random small Celery programs do on a real broker, with real workers, what the scenario imported from their app does.

ROUTESIM_PROGRAMS=200 tries so many for each broker, ROUTESIM_PROGRAMS_SEED other ones.
"""

import contextlib
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from routesim.run.on_rabbitmq.session import BrokerSession

pytest.importorskip("pika", reason="the AMQP client library is not installed")
pytest.importorskip("redis", reason="the client library of Redis is not installed")

COUNT = int(os.environ.get("ROUTESIM_PROGRAMS", "16"))
FEW = max(2, COUNT // 8)
OTHERS = ("5.5", "5.6")
SEED = int(os.environ.get("ROUTESIM_PROGRAMS_SEED", "3"))


@pytest.fixture(autouse=True, scope="module")
def celery_is_there() -> None:
    from kits.live import need_celery

    need_celery()


@functools.cache
def drawn_programs(*, redis: bool) -> list[object]:
    from kits.celery.programs.comparing import programs

    return list(programs(SEED, COUNT, redis=redis))


@pytest.mark.parametrize("number", range(COUNT))
def test_a_program_does_the_same_on_rabbitmq(number: int) -> None:
    from kits.live import live_session

    _agree(number, live_session("4.3"), None)


@pytest.mark.parametrize("number", range(COUNT))
def test_a_program_does_the_same_on_redis(number: int, redis_port: int) -> None:
    _agree(number, None, f"redis://127.0.0.1:{redis_port}/0")


@pytest.fixture(scope="module", params=OTHERS)
def other_celery(request: pytest.FixtureRequest) -> Path:
    """Another Celery, installed once for all processes."""
    version: str = request.param
    where = Path(tempfile.gettempdir(), f"routesim-celery-{version}-python{sys.version_info[0]}.{sys.version_info[1]}")
    if not where.exists():
        with tempfile.TemporaryDirectory(dir=where.parent) as folder:
            wanted = [f"celery=={version}.*", "kombu[redis]"]
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *wanted]
            if subprocess.run(command, capture_output=True, check=False, timeout=300).returncode:
                pytest.skip(f"pip cannot install Celery {version}")
            with contextlib.suppress(OSError):  # another process was faster
                Path(folder).rename(where)
                Path(folder).mkdir()
    return where


@pytest.mark.parametrize("number", range(FEW))
def test_a_program_does_the_same_with_another_celery(other_celery: Path, number: int) -> None:
    """On 4.0: where transient queues that are not exclusive are refused, none before 5.7 starts."""
    from kits.live import live_session

    _agree(number, live_session("4.0"), None, other_celery)


@pytest.mark.parametrize("number", range(FEW))
def test_a_program_does_the_same_with_another_celery_on_redis(other_celery: Path, number: int, redis_port: int) -> None:
    _agree(number, None, f"redis://127.0.0.1:{redis_port}/0", other_celery)


def _agree(number: int, session: BrokerSession | None, redis_url: str | None, celery: Path | None = None) -> None:
    from kits.celery.programs.comparing import compared

    program = drawn_programs(redis=session is None)[number]
    found = compared(program, session, redis_url, celery)  # type: ignore[arg-type]
    assert found.real == found.simulated.seen, found.simulated.text
