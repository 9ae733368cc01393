"""A real Celery worker, its frames read on the way, and the simulated one: the same deliveries, answers, limits and retries.

Which of two things that the worker, its child and the broker do at the same moment comes first is no one's promise:
deliveries, answers, limits and retries are each compared in their own order.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kits.celery.notation import carried_out, eta, scenario, send
from kits.celery.notation import signal as told
from kits.live import need_celery

from routesim import versions
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.run.on_rabbitmq.session import BrokerSession

pytest.importorskip("pika", reason="the AMQP client library is not installed")

HERE = Path(__file__).parent
KINDS = ("D", "A", "RJ", "Q", "P")
LATE = {"acks": "late"}


class Case(NamedTuple):
    """A task of real_tasks.py, as the simulator is told of it; `countdowns`: one message each, None: at once."""

    task: str
    simulated: dict[str, Any]
    countdowns: tuple[int | None, ...] = (None,)


REAL_CASES = [
    Case("early", {"takes": "200ms"}, (None, None, None)),
    Case("late", {"takes": "200ms", **LATE}, (None, None, None)),
    Case("early.exception", {"ends": "exception"}),
    Case("late.exception", {"ends": "exception", **LATE}),
    Case("late.on_failure", {"ends": "exception", "on_failure": "reject", **LATE}),
    Case("late.retry", {"ends": "retry", "countdown": "1s", "max_retries": 1, **LATE}),
    Case("early.retry", {"ends": "retry", "countdown": "1s", "max_retries": 1}),
    Case("late.requeue", {"runs": [{"redelivered": False, "ends": "requeue"}], **LATE}),
    Case("late.drop", {"ends": "reject", **LATE}),
    Case("late.child", {"runs": [{"redelivered": False, "ends": "kill_child"}], "on_worker_lost": "requeue", **LATE}),
    Case("early", {"takes": "200ms"}, (1,)),
]


class Worker:
    """A worker in a child process behind a proxy, on a virtual host of its own."""

    def __init__(self, session: BrokerSession, vhost: str) -> None:
        from kits.celery.wire import Wire

        self.session, self.vhost = session, vhost
        self.wire = Wire(session.amqp.host, session.amqp.port)
        user = f"{session.amqp.user}:{session.amqp.password}"
        self.direct = f"amqp://{user}@{session.amqp.host}:{session.amqp.port}/{vhost}"
        through = f"amqp://{user}@127.0.0.1:{self.wire.port}/{vhost}"
        quietly = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "CRITICAL")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "real_tasks", "worker", "-n", "w@test", *quietly], cwd=HERE,
            env={**os.environ, "REAL_BROKER": through}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.settled()
        assert self.wire.consuming, "the worker does not consume"
        from real_tasks import app

        self.app = app
        self.wire.heard.clear()

    def settled(self) -> None:
        """Until it consumes, and has set its limit for the second time."""
        self.wire.quiet(2, 0.5)

    def run(self, case: Case, tokens: int, quiet_s: float = 0.4) -> list[str]:
        self.wire.heard.clear()
        with self.app.connection_for_write(self.direct) as connection:
            for countdown in case.countdowns:
                self.app.tasks[case.task].apply_async(countdown=countdown, connection=connection)
        return list(self.wire.quiet(tokens, quiet_s))

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)


@pytest.fixture(scope="module")
def worker(session: BrokerSession) -> Iterator[Worker]:
    need_celery()
    with scratch_vhost(session.management) as vhost:
        from routesim.rabbitmq import connections

        link = connections.connect(session.amqp, vhost)
        channel = link.channel()
        channel.exchange_declare("dlx", "fanout")
        channel.queue_declare("dead", durable=True)
        channel.queue_bind("dead", "dlx")
        link.close()
        found = Worker(session, vhost)
        try:
            yield found
        finally:
            found.stop()
            found.process.kill()
            found.process.wait()
            found.wire.close()


def simulated(profile: str, case: Case, *more: Any) -> Any:
    steps = [send(f"t{number}", case.task, **(eta(due) if due else {})) for number, due in enumerate(case.countdowns)]
    limits_channel = versions.rules(profile).celery_limits_channel
    return scenario(
        rabbitmq=profile,
        workers={"w": {"queues": "q", "prefetch": 4, "prefetch_of": "channel" if limits_channel else "consumer"}},
        exchanges={"dlx": "fanout"},
        queues={"q": {"arguments": {"x-dead-letter-exchange": "dlx"}}, "dead": {}},
        bindings=[{"source": "dlx", "destination": "dead"}],
        tasks={case.task: case.simulated},
        steps=[*steps, *more],
    )


def by_kind(tokens: list[str]) -> dict[str, list[str]]:
    """Delivery tags counted from the first delivery: a worker's channel goes on counting from test to test."""
    first = next((int(found[1]) for token in tokens if (found := re.match(r"D\((\d+)", token))), 1) - 1
    own = [re.sub(r"^(D|A|RJ)\((\d+)", lambda found: f"{found[1]}({int(found[2]) - first}", token) for token in tokens]
    return {kind: [token for token in own if token.startswith(f"{kind}(")] for kind in KINDS}


def tokens_of(notation: str) -> list[str]:
    return re.findall(r"(?:D|A|RJ|Q|P)\([^)]*\)", notation)


@pytest.mark.parametrize("case", REAL_CASES, ids=lambda case: f"{case.task} {case.countdowns}")
def test_a_real_worker_says_and_hears_the_same(worker: Worker, case: Case) -> None:
    expected = tokens_of(carried_out(simulated(worker.session.profile, case))[0])
    assert by_kind(worker.run(case, len(expected))) == by_kind(expected)


def test_the_window_grows_and_a_warm_shutdown_gives_back_what_is_held(worker: Worker) -> None:
    """Last: the worker ends here."""
    import pika

    case = Case("early", {"takes": "200ms"}, (30, 30, 30, 30, 30, 30))
    notation, result = carried_out(simulated(worker.session.profile, case, told("w", "warm")))
    expected = by_kind(tokens_of(notation))
    heard = by_kind(worker.run(case, 7, 2.5))  # an idle loop turns every two seconds
    steps, limits = expected.pop("Q"), heard.pop("Q")  # a turn of the real event loop tells several changes as one
    assert heard == expected
    assert limits[-1] == steps[-1]
    assert limits == [limit for limit in steps if limit in limits]
    worker.stop()
    channel = pika.BlockingConnection(pika.URLParameters(worker.direct)).channel()
    back = [channel.basic_get("q", auto_ack=True)[0] for _ in case.countdowns]
    # A limit of the channel grows for the consumer that is there; one of consumers only for those that come later.
    grows = versions.rules(worker.session.profile).celery_limits_channel
    assert [copy.redelivered for copy in result.broker.queues["q"].ready()] == [number < 4 or grows for number in range(6)]
    assert [method.redelivered for method in back if method is not None] == [number < 4 or grows for number in range(6)]
    assert channel.basic_get("q")[0] is None
    channel.connection.close()
