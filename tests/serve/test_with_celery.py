"""A real Celery worker on `routesim serve`: results by rpc://, retries, countdowns, revoking, quorum queues with native delayed delivery."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kits.celery.clients import closed
from kits.serving import Served, serving

# kombu leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
APP = """
import os
from celery import Celery
from kombu import Queue

app = Celery("served", broker=os.environ["BROKER"], backend="rpc://")
app.conf.update(broker_connection_retry_on_startup=True, result_expires=60, worker_hijack_root_logger=False)
if os.environ.get("QUORUM"):
    app.conf.update(
        task_queues=[Queue("celery", routing_key="celery", queue_arguments={"x-queue-type": "quorum"})],
        task_default_queue_type="quorum", worker_detect_quorum_queues=True, task_default_exchange_type="topic",
        task_default_exchange="celery",
    )

@app.task
def add(x, y):
    return x + y

@app.task(bind=True, max_retries=3)
def flaky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=1)
    return self.request.retries
"""
LIMIT_S = 30


@pytest.fixture(scope="module", params=["classic", "quorum"])
def celery(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("celery")
    (folder / "served_app.py").write_text(APP)
    with serving("--rabbitmq", "4.0") as server, Worker(server, folder, request.param) as _:
        app = Celery("served", broker=server.url, backend="rpc://", set_as_current=False)
        if request.param == "quorum":
            app.conf.update(task_default_exchange="celery", task_default_exchange_type="topic", task_default_queue_type="quorum")
        yield app
        closed(app)


class Worker:
    def __init__(self, server: Served, folder: Path, kind: str) -> None:
        self.folder = folder
        self.given = {**os.environ, "BROKER": server.url, "PYTHONPATH": str(folder), "QUORUM": "1" if kind == "quorum" else ""}

    def __enter__(self) -> None:
        with (self.folder / "worker.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "served_app", "worker", "-P", "threads", "-c", "2", "-n", "w@here", "-l", "INFO"],
                cwd=self.folder, env=self.given, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        end = time.monotonic() + LIMIT_S
        while "w@here ready" not in (self.folder / "worker.log").read_text():
            assert time.monotonic() < end, (self.folder / "worker.log").read_text()
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_a_result_comes_back(celery: Any) -> None:
    assert celery.send_task("served_app.add", (2, 3)).get(timeout=LIMIT_S) == 5


def test_many_results_come_back(celery: Any) -> None:
    results = [celery.send_task("served_app.add", (number, 1)) for number in range(20)]
    assert [each.get(timeout=LIMIT_S) for each in results] == list(range(1, 21))


def test_a_retry(celery: Any) -> None:
    assert celery.send_task("served_app.flaky").get(timeout=LIMIT_S) == 2


def test_a_countdown(celery: Any) -> None:
    began = time.monotonic()
    assert celery.send_task("served_app.add", (1, 1), countdown=2).get(timeout=LIMIT_S) == 2
    assert time.monotonic() - began > 1.5


def test_a_revoked_task_does_not_run(celery: Any) -> None:
    result = celery.send_task("served_app.add", (1, 1), countdown=3)
    result.revoke()
    time.sleep(0.5)
    assert celery.control.inspect(timeout=2).revoked() == {"w@here": [result.id]}


def test_the_worker_answers(celery: Any) -> None:
    assert celery.control.ping(timeout=2) == [{"w@here": {"ok": "pong"}}]
