"""Other in-memory brokers for Python, at the same work. None where they are not installed: `pip install '.[bench]'`.

None of them has a clock or a trace; kombu's memory transport is a yardstick for speed, no oracle of RabbitMQ's rules.
"""

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from pairs import Each
from vocabulary import Vocabulary
from workload import BODY, KEYS, PATTERNS

BATCH = 1000
KOMBU, FASTSTREAM = "kombu", "faststream"


@cache
def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def kombu_messages(batch: int = BATCH) -> Callable[[int], None] | None:
    """Its channel API, the fastest way through it: messages are published in batches, then drained and acknowledged."""
    if not installed(KOMBU):
        return None
    from kombu import Connection, Exchange, Queue

    connection = Connection("memory://")
    channel = connection.channel()
    exchange = Exchange("x", type="topic")
    for number, pattern in enumerate(PATTERNS):
        Queue(f"q{number}", exchange, routing_key=pattern)(channel).declare()
    channel.basic_qos(0, batch, False)
    body, seen = BODY.encode(), 0

    def on_message(message: Any) -> None:
        nonlocal seen
        seen += 1
        channel.basic_ack(message.delivery_tag)

    for number in range(len(PATTERNS)):
        channel.basic_consume(f"q{number}", False, on_message, f"c{number}")

    def run(messages: int) -> None:
        nonlocal seen
        while messages > 0:
            now = min(messages, batch)
            for index in range(now):
                message = channel.prepare_message(body, 0, "application/json", "binary", {}, {})
                channel.basic_publish(message, "x", KEYS[index % len(KEYS)])
            seen = 0
            while seen < now:
                connection.drain_events(timeout=5)
            messages -= now

    return run


def kombu_routes(vocabulary: Vocabulary, keys: Sequence[str]) -> Each | None:
    """Its topic exchange alone: a list of compiled regular expressions."""
    if not installed(KOMBU):
        return None
    from kombu.transport.virtual.exchange import TopicExchange

    exchange = TopicExchange(None)
    table = [exchange.prepare_bind(queue, "x", pattern, None) for pattern, queue in vocabulary.bindings]
    return Each(lambda key: exchange.lookup(table, "x", key, None), keys)


def faststream_messages() -> Callable[[int], None] | None:
    """FastStream's TestRabbitBroker: publish, route, handler. Its acks do nothing; it keeps every call that it saw."""
    if not installed(FASTSTREAM):
        return None
    from faststream import AckPolicy
    from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue, TestRabbitBroker

    broker = RabbitBroker(logger=None, log_level=logging.CRITICAL)
    exchange = RabbitExchange("x", type=ExchangeType.TOPIC)
    seen = 0

    def subscribe(number: int, pattern: str) -> None:
        @broker.subscriber(RabbitQueue(f"q{number}", routing_key=pattern), exchange, ack_policy=AckPolicy.MANUAL)
        async def handle(body: Any) -> None:
            nonlocal seen
            seen += 1

    for number, pattern in enumerate(PATTERNS):
        subscribe(number, pattern)
    loop = asyncio.new_event_loop()
    testing = loop.run_until_complete(TestRabbitBroker(broker).__aenter__())
    body = BODY.encode()

    async def publish(messages: int) -> None:
        for index in range(messages):
            await testing.publish(body, KEYS[index % len(KEYS)], exchange)

    def run(messages: int) -> None:
        nonlocal seen
        seen = 0
        loop.run_until_complete(publish(messages))
        assert seen == messages

    return run
