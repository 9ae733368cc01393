"""Seen on RabbitMQ 4.3.6: a queue of which more messages wait for their delayed retry than its limit allows never answers again.

It drops the head for as long as it is too long, and what waits cannot be dropped: one of the broker's processors is busy until the
virtual host goes. So this is tried only where ROUTESIM_HANGS=1 says that the broker may be treated so.
"""

import contextlib
import os
import threading

import pytest
from kits.live import live_session
from pika.exceptions import AMQPError

from routesim.rabbitmq import connections
from routesim.rabbitmq.scratch import scratch_vhost

ANSWERS_S = 5


@pytest.mark.skipif(os.environ.get("ROUTESIM_HANGS") != "1", reason="ROUTESIM_HANGS=1 lets a queue of the broker hang")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a connection to a queue that hangs cannot be closed
@pytest.mark.parametrize(
    ("kind", "limit", "held", "hangs"), [("all", 0, 1, True), ("all", 1, 1, False), ("all", 1, 2, True), ("failed", 0, 1, False)]
)
def test_what_waits_for_its_retry_cannot_be_dropped(kind: str, limit: int, held: int, hangs: bool) -> None:
    session = live_session("4.3")
    arguments = {
        "x-queue-type": "quorum", "x-max-length": limit, "x-delayed-retry-type": kind, "x-delayed-retry-min": 60_000,
        "x-delayed-retry-max": 60_000,
    }  # fmt: skip
    with scratch_vhost(session.management) as vhost:
        connection = connections.connect(session.amqp, vhost)
        channel = connection.channel()
        channel.queue_declare("q", durable=True, arguments=arguments)
        channel.confirm_delivery()
        tags: list[int] = []
        channel.basic_consume("q", lambda _, method, *__: tags.append(method.delivery_tag))
        for _ in range(held):
            channel.basic_publish("", "q", b"m")
        while len(tags) < held:
            connection.process_data_events(0.1)
        channel.basic_nack(0, multiple=True, requeue=True)
        answered = threading.Event()

        def ask() -> None:
            with contextlib.suppress(AMQPError):  # what the broker says when its virtual host goes at last
                connections.connect(session.amqp, vhost).channel().basic_consume("q", lambda *_: None)
                answered.set()

        threading.Thread(target=ask, daemon=True).start()
        assert answered.wait(ANSWERS_S) is not hangs
