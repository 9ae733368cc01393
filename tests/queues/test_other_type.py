"""Seen on live brokers: a channel keeps the type of a queue that it has read from, also when the queue is there again as another.

When it then reads again it is told 541, or not: that is a known bug of the version, not simulated, and scenarios are told of it.
"""

import pytest
from kits.live import live_session
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ConnectionClosedByBroker

from routesim.rabbitmq import connections
from routesim.rabbitmq.scratch import scratch_vhost

OLD = frozenset({"3.10"})
EVERY = frozenset({"3.10", "4.0", "4.3"})
NONE: frozenset[str] = frozenset()


def _reads(channel: BlockingChannel, how: str) -> None:
    if how == "get":
        channel.basic_get("q", auto_ack=True)
    elif how == "hold":
        channel.basic_get("q")
    elif how == "consume":
        channel.basic_cancel(channel.basic_consume("q", lambda *_: None))


@pytest.mark.parametrize("version", sorted(EVERY))
@pytest.mark.parametrize(
    ("first", "then", "how", "closes"),
    [
        ("classic", "quorum", "get", OLD), ("classic", "quorum", "hold", OLD), ("classic", "quorum", "nothing", NONE),
        ("quorum", "classic", "get", EVERY), ("quorum", "classic", "consume", EVERY), ("quorum", "classic", "nothing", NONE),
        ("classic", "classic", "get", NONE), ("quorum", "quorum", "get", NONE),
    ],
)  # fmt: skip
def test_a_channel_keeps_the_type_of_a_queue_that_it_has_read_from(
    version: str, first: str, then: str, how: str, closes: frozenset[str]
) -> None:
    session = live_session(version)
    with scratch_vhost(session.management) as vhost:
        others, reader = (connections.connect(session.amqp, vhost) for _ in range(2))
        declares, reads = others.channel(), reader.channel()
        declares.confirm_delivery()
        for kind in (first, then):
            declares.queue_delete("q")
            declares.queue_declare("q", durable=True, arguments={"x-queue-type": kind})
            declares.basic_publish("", "q", b"m")
            if kind == then and version in closes:
                with pytest.raises(ConnectionClosedByBroker, match="541"):
                    _reads(reads, "get")
            else:
                _reads(reads, how if kind == first else "get")
        others.close()
        if reader.is_open:
            reader.close()
