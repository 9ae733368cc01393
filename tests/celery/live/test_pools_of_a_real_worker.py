"""Real Celery workers of every pool that needs nothing else, told to end; what comes back is what the simulator says.

What is compared is what is left in the queue when the worker is gone, for in between the order is no one's promise.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kits.celery.notation import scenario, send, wait
from kits.celery.notation import signal as told
from kits.live import live_session, need_celery

from routesim.rabbitmq.scratch import scratch_vhost
from routesim.run import Runner

pika = pytest.importorskip("pika", reason="the AMQP client library is not installed")

HERE = Path(__file__).parent
SIGNALS = {"warm": signal.SIGTERM, "cold": signal.SIGQUIT}
TAKES_S = {"short": 2.5, "long": 6, "r1": 0.5, "r2": 0.5, "r3": 0.5}


class Ending(NamedTuple):
    """At 1 s the first signal, each second another one."""

    pool: str
    acks: str
    signals: tuple[str, ...]
    soft_s: int = 0


ENDINGS = [
    Ending("prefork", "late", ("warm",)),
    Ending("prefork", "late", ("cold",)),
    Ending("prefork", "early", ("cold",)),
    Ending("prefork", "late", ("cold",), 3),
    Ending("prefork", "early", ("cold",), 3),
    Ending("prefork", "late", ("cold", "cold"), 4),
    Ending("prefork", "late", ("warm", "cold"), 3),
    Ending("threads", "late", ("cold",)),
    Ending("threads", "late", ("cold",), 4),
    Ending("solo", "late", ("warm",)),
]


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, str]]:
    """The URL of a virtual host, and the rules of its broker."""
    need_celery()
    session = live_session("4.0")
    with scratch_vhost(session.management) as vhost:
        address = session.amqp
        yield f"amqp://{address.user}:{address.password}@{address.host}:{address.port}/{vhost}", session.profile


def really_left(url: str, ending: Ending, log: Path) -> list[str]:
    """The ids that are in the queue when the worker has gone."""
    conf = {"worker_soft_shutdown_timeout": ending.soft_s, "worker_prefetch_multiplier": 4, "result_backend": None}
    with open(log, "wb") as out:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "real_pools", "worker", "-n", "w@test", "-P", ending.pool, "-c", "2", "-l", "INFO",
             "--without-gossip", "--without-mingle", "--without-heartbeat"], cwd=HERE, stdout=out, stderr=out,
            env={**os.environ, "REAL_BROKER": url, "REAL_CONF": json.dumps(conf)},
        )  # fmt: skip
    try:
        _until(lambda: b" ready." in log.read_bytes(), "the worker is not ready", log)
        _call(url, ending.acks)
        _until(lambda: b"[short] received" in log.read_bytes(), "no task came", log)
        for each in ending.signals:
            time.sleep(1)
            worker.send_signal(SIGNALS[each])
        worker.wait(30)
    finally:
        worker.kill()
        worker.wait()
    return _drained(url)


def _until(done: Any, why: str, log: Path) -> None:
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until, f"{why}:\n{log.read_text(errors='replace')}"
        time.sleep(0.05)


def _call(url: str, task: str) -> None:
    sys.path.insert(0, str(HERE))
    try:
        from real_pools import app
    finally:
        sys.path.remove(str(HERE))
    with app.connection_for_write(url) as connection:
        for id, seconds in TAKES_S.items():
            app.tasks[task].apply_async((seconds,), task_id=id, connection=connection)


def _drained(url: str) -> list[str]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel, found = connection.channel(), []
    while True:
        method, properties, _ = channel.basic_get("q", auto_ack=True)
        if method is None:
            break
        found.append(properties.correlation_id)
    connection.close()
    return sorted(found)


def simulated_left(profile: str, ending: Ending) -> list[str]:
    tasks = {id: {"takes": f"{int(seconds * 1000)}ms", "acks": ending.acks} for id, seconds in TAKES_S.items()}
    steps = [step for each in ending.signals for step in (wait("1s"), told("w", each))]
    worker = {"queues": "q", "prefetch": 8, "concurrency": 2, "pool": ending.pool, "soft_shutdown": f"{ending.soft_s}s"}
    what = scenario(
        rabbitmq=profile, workers={"w": {**worker, "prefetch_of": "consumer"}}, tasks=tasks,
        steps=[*(send(id, id) for id in TAKES_S), *steps, wait("30s")],
    )  # fmt: skip
    result = Runner(what).run()
    assert result.processes is not None
    assert not result.processes.by_name["w"].alive
    return sorted(copy.message for copy in result.broker.queues["q"].ready())


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda each: f"{each.pool} {each.acks} {'+'.join(each.signals)} {each.soft_s}s")
def test_what_comes_back_is_what_a_real_worker_gives_back(broker: tuple[str, str], ending: Ending, tmp_path: Path) -> None:
    url, profile = broker
    assert really_left(url, ending, tmp_path / "log") == simulated_left(profile, ending)
