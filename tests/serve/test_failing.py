"""Failures on order: each of the table, as real clients of a server see it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pika.exceptions
import pytest

import routesim
from routesim.failure_kinds import FAILURES
from routesim.testing.served_broker import ServedBroker

TOPOLOGY = """
rabbitmq: "4.0"
exchanges: {dead: {type: fanout}}
queues:
  work: {arguments: {x-dead-letter-exchange: dead}}
  limited: {arguments: {x-queue-type: quorum, x-dead-letter-exchange: dead}}
  late: {}
bindings: [{source: dead, destination: late}]
"""
PERSISTENT = pika.BasicProperties(delivery_mode=2)


@pytest.fixture
def broker(tmp_path: Any) -> Iterator[ServedBroker]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    with routesim.serving(file, clock="manual") as served:
        yield served


@contextlib.contextmanager
def connected(broker: ServedBroker, name: str = "app") -> Iterator[Any]:
    parameters = pika.URLParameters(broker.url)
    parameters.client_properties = {"connection_name": name}
    parameters.blocked_connection_timeout = 20
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection
    finally:
        with contextlib.suppress(pika.exceptions.AMQPError):
            if connection.is_open:
                connection.close()


def going_on(connection: Any, act: Callable[[], object] = lambda: None) -> None:
    act()
    for _ in range(10):
        connection.process_data_events(0.1)


def filled(connection: Any, count: int, queue: str = "work") -> Any:
    channel = connection.channel()
    channel.confirm_delivery()
    for _ in range(count):
        channel.basic_publish("", queue, b"x", PERSISTENT)
    return channel


def crash(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 3)
        channel.basic_consume("work", lambda *_: None)
        connection.process_data_events(0.1)
        assert broker.queues["work"] == (0, 3, 1)
        assert broker.fail("crash", "app") == ["app"]
        assert broker.queues["work"] == (3, 0, 0)
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            connection.process_data_events(1)


def close(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        broker.fail("close", "app", code=501, text="so it was ordered")
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as told:
            connection.process_data_events(1)
    assert (told.value.reply_code, told.value.reply_text) == (501, "FRAME_ERROR - so it was ordered")


def close_channel(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 1)
        channel.basic_get("work")
        broker.fail("close_channel", "app#1")
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            channel.queue_declare("work", passive=True)
        assert broker.queues["work"] == (1, 0, 0)
        assert connection.channel().basic_get("work")[0].redelivered


def unread(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        got: list[bytes] = []
        channel = connection.channel()
        channel.basic_consume("work", lambda _c, _m, _p, body: got.append(body), auto_ack=True)
        broker.fail("unread", "app")
        with connected(broker, "other") as other:
            filled(other, 2)
        connection.process_data_events(0.1)
        assert got == []
        broker.fail("unread", "app", ends=True)
        connection.process_data_events(0.3)
        assert got == [b"x", b"x"]


def _restarted(broker: ServedBroker, failure: str, *, redelivered: bool) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 1)
        channel.queue_declare("passing", exclusive=True)
        broker.fail(failure)
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            connection.process_data_events(1)
    assert "passing" not in broker.queues
    with connected(broker) as connection:
        method, _, _ = connection.channel().basic_get("work", auto_ack=True)
        assert method.redelivered == redelivered


def restart(broker: ServedBroker) -> None:
    _restarted(broker, "restart", redelivered=False)


def kill(broker: ServedBroker) -> None:
    _restarted(broker, "kill", redelivered=True)


def cancel(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = connection.channel()
        told: list[Any] = []
        channel.add_on_cancel_callback(told.append)
        tag = channel.basic_consume("work", lambda *_: None)
        assert broker.fail("cancel", f"app/{tag}") == [f"app/{tag}"]
        connection.process_data_events(0.3)
        assert [frame.method.consumer_tag for frame in told] == [tag]
        assert broker.queues["work"].consumers == 0


def delete_queue(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = connection.channel()
        told: list[Any] = []
        channel.add_on_cancel_callback(told.append)
        channel.queue_declare("mine", exclusive=True)
        channel.basic_consume("mine", lambda *_: None)
        broker.fail("delete_queue", "mine")
        connection.process_data_events(0.3)
        assert (len(told), "mine" in broker.queues) == (1, False)


def expire(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        for queue in ("work", "limited"):
            filled(connection, 2, queue)
            broker.fail("expire", queue)
            assert broker.queues[queue].ready == 0
        method, properties, _ = connection.channel().basic_get("late", auto_ack=True)
        assert properties.headers["x-death"][0]["reason"] == "expired"
        assert method.message_count == 3


def full(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 2)
        broker.fail("full", "work")
        with pytest.raises(pika.exceptions.NackError):
            channel.basic_publish("", "work", b"x")
        broker.fail("full", "work", ends=True)
        channel.basic_publish("", "work", b"x")
        assert broker.queues["work"].ready == 3
        broker.fail("full", "work", overflow="drop-head")
        channel.basic_publish("", "work", b"y")
        assert (broker.queues["work"].ready, broker.queues["late"].ready) == (3, 1)


def nack_confirms(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 1)
        broker.fail("nack_confirms", "app")
        with pytest.raises(pika.exceptions.NackError):
            channel.basic_publish("", "work", b"x")
        broker.fail("nack_confirms", "app", ends=True)
        channel.basic_publish("", "work", b"x")
        assert broker.queues["work"].ready == 3


def _meanwhile(act: Callable[[], object]) -> threading.Timer:
    """In a moment, while this thread waits for what it brings."""
    timer = threading.Timer(0.2, act)
    timer.start()
    return timer


def delay_confirms(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 1)
        broker.fail("delay_confirms", "app", by="5s")
        timer = _meanwhile(lambda: broker.advance("4999ms"))
        later = threading.Timer(0.5, lambda: broker.advance("1ms"))
        later.start()
        begin = time.monotonic()
        channel.basic_publish("", "work", b"x")
        assert time.monotonic() - begin > 0.4  # not before the whole five seconds of the broker were over
        timer.join()
        later.join()


def swallow_confirms(broker: ServedBroker) -> None:
    """Later confirms speak for themselves alone."""
    with connected(broker) as connection:
        channel = filled(connection, 1)
        broker.fail("swallow_confirms", "app")
        ended = _meanwhile(lambda: broker.fail("crash", "app"))
        with pytest.raises(pika.exceptions.AMQPError):
            channel.basic_publish("", "work", b"x")
        ended.join()
    assert broker.queues["work"].ready == 2


def stop_reading(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = connection.channel()
        broker.fail("stop_reading", "app")
        channel.basic_publish("", "work", b"x")
        time.sleep(0.1)
        assert broker.queues["work"].ready == 0
        broker.fail("stop_reading", "app", ends=True)
        assert channel.queue_declare("work", passive=True).method.message_count == 1


def blocked(broker: ServedBroker) -> None:
    with connected(broker) as connection, connected(broker, "reader") as reader:
        told: list[str] = []
        connection.add_on_connection_blocked_callback(lambda _, frame: told.append(frame.method.reason))
        connection.add_on_connection_unblocked_callback(lambda *_: told.append("over"))
        channel = connection.channel()
        broker.fail("blocked")
        connection.process_data_events(0.1)
        assert told == []  # who does not publish is left alone
        channel.basic_publish("", "work", b"x")
        connection.process_data_events(0.2)
        assert (told, broker.queues["work"].ready) == (["low on memory"], 0)
        reader.channel().queue_declare("work", passive=True)
        broker.fail("blocked", ends=True)
        connection.process_data_events(0.2)
        assert told == ["low on memory", "over"]
        assert channel.queue_declare("work", passive=True).method.message_count == 1


def refuse(broker: ServedBroker) -> None:
    broker.fail("refuse")
    with pytest.raises(pika.exceptions.AMQPConnectionError), connected(broker):
        pass
    broker.fail("refuse", ends=True)
    with connected(broker):
        pass


def slow(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = connection.channel()
        broker.fail("slow", "app", by="2s")
        channel.basic_publish("", "work", b"x")
        time.sleep(0.1)
        assert broker.queues["work"].ready == 0
        broker.advance("2s")
        assert broker.queues["work"].ready == 1
        ended = _meanwhile(lambda: broker.advance("4s"))
        assert channel.queue_declare("work", passive=True).method.message_count == 1
        ended.join()
        broker.fail("slow", "app", ends=True)
        channel.queue_declare("work", passive=True)


CASES = [
    crash, close, close_channel, unread, restart, kill, cancel, delete_queue, expire, full, nack_confirms, delay_confirms,
    swallow_confirms, stop_reading, blocked, refuse, slow,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_failure_befalls_real_clients(broker: ServedBroker, case: Callable[[ServedBroker], None]) -> None:
    case(broker)
    assert f"{case.__name__}: " in broker.trace()


def test_every_failure_of_the_table_is_tried() -> None:
    assert [case.__name__ for case in CASES] == list(FAILURES)


def test_a_connection_is_lost_with_its_second_ack(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 5)
        got: list[int] = []

        def take(_channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
            got.append(method.delivery_tag)
            channel.basic_ack(method.delivery_tag)

        broker.fail("crash", "app", at_ack=2)
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume("work", take)
        with pytest.raises(pika.exceptions.AMQPError):
            going_on(connection)
        assert got == [1, 2]
    assert broker.queues["work"] == (4, 0, 0)


def test_a_connection_is_lost_after_its_third_delivery(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = filled(connection, 5)
        broker.fail("crash", "app", after=3)
        for tag in (1, 2):
            assert channel.basic_get("work")[0].delivery_tag == tag  # what is fetched is no delivery
        with pytest.raises(pika.exceptions.AMQPError):
            going_on(connection, lambda: channel.basic_consume("work", lambda *_: None))
    assert broker.queues["work"] == (5, 0, 0)


def test_what_was_swallowed_is_not_confirmed_by_a_later_multiple(broker: ServedBroker) -> None:
    with connected(broker) as connection:
        channel = connection.channel()
        heard: list[tuple[int, bool]] = []
        raw = channel._impl
        raw.confirm_delivery(lambda frame: heard.append((frame.method.delivery_tag, frame.method.multiple)))
        connection.process_data_events(0.2)
        heard.clear()
        raw.basic_publish("", "work", b"1")
        connection.process_data_events(0.1)
        broker.fail("swallow_confirms", "app")
        raw.basic_publish("", "work", b"2")
        connection.process_data_events(0.1)
        broker.fail("swallow_confirms", "app", ends=True)
        for body in (b"3", b"4", b"5"):
            raw.basic_publish("", "work", body)
        connection.process_data_events(0.2)
        assert heard == [(1, False), (3, False), (4, False), (5, False)]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (("quake", None, {}), r"no failure is called 'quake'; there are crash, "),
        (("crash", None, {}), r"crash befalls a connection: which one\?"),
        (("crash", "nobody", {}), r"no connection is called 'nobody'; there are app"),
        (("crash", "app", {"by": "5s"}), r"crash takes after, at_ack, not 'by'"),
        (("crash", "app", {"after": 0}), r"'after' is a number of deliveries from 1 on, not 0"),
        (("slow", "app", {}), r"slow needs 'by'"),
        (("kill", "app", {}), r"kill befalls the broker, and takes no name"),
        (("crash", "app", {"ends": True}), r"crash does not last"),
        (("expire", "nowhere", {}), r"no queue is called 'nowhere'; there are "),
    ],
)
def test_what_cannot_be_ordered_is_told_and_does_nothing(
    broker: ServedBroker, order: tuple[str, str | None, dict[str, Any]], told: str
) -> None:
    failure, target, options = order
    with connected(broker) as connection:
        with pytest.raises((LookupError, ValueError), match=told):
            broker.fail(failure, target, **options)
        connection.channel()
        assert "FAILURE" not in broker.trace()
