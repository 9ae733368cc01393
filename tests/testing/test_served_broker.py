"""`routesim.serving` and the fixture `routesim_broker`: a RabbitMQ in the test's own process."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest

import routesim

pytest_plugins = ("pytester",)

SHOP = """
rabbitmq: "4.0"
exchanges: {orders: {type: topic}, dead: {type: fanout}}
queues:
  work: {arguments: {x-dead-letter-exchange: dead, x-message-ttl: 86400000}}
  late: {}
bindings:
  - {source: orders, destination: work, routing_key: "order.#"}
  - {source: dead, destination: late}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return file


def sent(url: str, *keys: str, exchange: str = "orders") -> None:
    """Each with its key as its message_id, confirmed."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for key in keys:
            channel.basic_publish(exchange, key, b"x", pika.BasicProperties(message_id=key))


def test_a_day_passes_at_once(shop: Path) -> None:
    with routesim.serving(shop) as broker:
        sent(broker.url, "order.1", "order.2")
        assert broker.queues == {"work": (2, 0, 0), "late": (0, 0, 0)}
        broker.advance("23h")
        assert broker.queues["late"].ready == 0
        broker.advance(timedelta(hours=2))
        assert broker.queues == {"work": (0, 0, 0), "late": (2, 0, 0)}
        assert "expired" in broker.why("order.1")
        assert broker.lost == []


def test_what_was_lost_is_told_with_its_reason(shop: Path) -> None:
    with routesim.serving(shop) as broker:
        sent(broker.url, "bill.1")
        assert [(item.message, "no binding" in item.why or "no queue" in item.why) for item in broker.lost] == [("bill.1", True)]
        assert "bill.1" in broker.trace()
        with pytest.raises(LookupError, match=r"no message 'order\.9' is known"):
            broker.why("order.9")


def test_the_version_is_the_one_that_is_asked_for(shop: Path) -> None:
    for version in ("3.10", "4.1"):
        with (
            routesim.serving(shop, rabbitmq=version) as broker,
            pika.BlockingConnection(pika.URLParameters(broker.url)) as client,
        ):
            assert client._impl.server_properties["version"].startswith(version)


def test_consumers_of_the_file_act_where_it_is_played(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("queues: {q: {}}\nconsumers: {c: {queue: q, takes: 1h}}\n")
    with routesim.serving(file, clock="manual", play=True) as broker:
        sent(broker.url, "q", exchange="")
        assert broker.queues["q"] == (0, 1, 1)
        broker.advance("1h")
        assert broker.queues["q"] == (0, 0, 1)


def test_time_needs_a_unit() -> None:
    with routesim.serving() as broker:
        for wrong in ("5", "", "soon", 5):
            with pytest.raises(ValueError, match="a duration is written"):
                broker.advance(wrong)  # type: ignore[arg-type]


def test_it_ends_with_the_block() -> None:
    with routesim.serving() as broker:
        connection = pika.BlockingConnection(pika.URLParameters(broker.url))
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
        connection.sleep(5)
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(broker.url))


def test_what_is_wrong_with_a_file_is_raised(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("queus: {}\n")
    with pytest.raises(routesim.Invalid), routesim.serving(file):
        pass
    with pytest.raises(ValueError, match="a clock is one of real, manual"), routesim.serving(clock="sundial"):
        pass


# The fixture -----------------------------------------------------------------------------------------------------------

TESTS = """
import pika, pytest

def connect(broker):
    return pika.BlockingConnection(pika.URLParameters(broker.url))

@pytest.fixture
def rabbitmq(routesim_broker):
    return routesim_broker

@pytest.mark.parametrize("number", [1, 2])
def test_each_has_a_vhost_of_its_own(rabbitmq, number):
    with connect(rabbitmq) as connection:
        connection.channel().queue_declare("q", durable=True)
    assert list(rabbitmq.queues) == ["q"]

@pytest.mark.routesim("shop.yaml", clock="manual")
def test_of_a_file(rabbitmq):
    assert set(rabbitmq.queues) == {"work", "late"}

@pytest.mark.routesim("shop.yaml")
def test_fails(rabbitmq):
    with connect(rabbitmq) as connection:
        connection.channel().basic_publish("orders", "bill.7", b"x", pika.BasicProperties(message_id="bill-7"))
        connection.process_data_events(0.2)
    assert rabbitmq.queues["work"].ready == 1

@pytest.mark.routesim("shop.yaml", may_lose=False)
def test_loses(rabbitmq):
    with connect(rabbitmq) as connection:
        connection.channel().basic_publish("orders", "bill.8", b"x", pika.BasicProperties(message_id="bill-8"))
        connection.process_data_events(0.2)

@pytest.mark.routesim(colour="red")
def test_of_a_wrong_mark(rabbitmq):
    pass
"""


@pytest.fixture
def ran(pytester: pytest.Pytester) -> Any:
    pytester.makepyfile(test_shop=TESTS)
    (pytester.path / "shop.yaml").write_text(SHOP)
    return pytester.runpytest_subprocess(
        "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--strict-markers"
    )


def test_a_test_that_fails_shows_what_its_broker_saw(ran: Any) -> None:
    ran.assert_outcomes(passed=4, failed=1, errors=2)  # one that lost a message passes, and fails at its end
    ran.stdout.fnmatch_lines([
        "*RabbitMQ, as routesim saw it*",
        "*published*bill-7*orders*bill.7*",
        "*UNROUTABLE*bill-7*",
        "Queues",
        "  work: 0 ready, 0 unacked, 0 consumers",
        "Lost",
        "  bill-7: *",
    ])  # fmt: skip
    ran.stdout.fnmatch_lines(["*lost 1:*", "  bill-8: *"])
    ran.stdout.fnmatch_lines(["*the mark routesim takes file, rabbitmq, clock, play, may_lose, not 'colour'*"])
