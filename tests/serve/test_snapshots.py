"""A virtual host is set back to what it was: its queues, its time, and what is known of its messages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest

import routesim
from routesim.testing.served_broker import ServedBroker

TOPOLOGY = """
rabbitmq: "4.0"
exchanges: {dead: {type: fanout}}
queues:
  work: {arguments: {x-dead-letter-exchange: dead, x-message-ttl: 60000}}
  slow: {arguments: {x-queue-type: quorum}}
  late: {}
bindings: [{source: dead, destination: late}]
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ServedBroker]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    with routesim.serving(file, clock="manual") as served:
        yield served


def connection_to(broker: ServedBroker) -> Any:
    return pika.BlockingConnection(pika.URLParameters(broker.url))


def sent(broker: ServedBroker, *names: str, queue: str = "work") -> None:
    with connection_to(broker) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for name in names:
            channel.basic_publish("", queue, b"x", pika.BasicProperties(message_id=name, delivery_mode=2))


def test_queues_ledger_and_topology_are_as_they_were(broker: ServedBroker) -> None:
    sent(broker, "a", "b")
    before = broker.queues
    start = broker.snapshot()
    with connection_to(broker) as connection:
        channel = connection.channel()
        channel.basic_get("work", auto_ack=True)
        channel.queue_declare("new", durable=True)
        channel.queue_unbind("late", "dead", "")
        channel.queue_delete("slow")
        channel.basic_publish("", "nowhere", b"x", pika.BasicProperties(message_id="stray"))
        channel.queue_declare("late", passive=True)
    assert [item.message for item in broker.lost] == ["stray"]
    for _ in range(2):  # as often as one likes
        start.restore()
        assert broker.queues == before
        assert broker.lost == []
        with pytest.raises(LookupError):
            broker.why("stray")
        assert "work" in broker.why("a")
        sent(broker, "stray", queue="nowhere")  # the name is free again
        assert [item.message for item in broker.lost] == ["stray"]
    assert "SET BACK" in broker.trace()


def test_time_goes_on_from_there(broker: ServedBroker) -> None:
    sent(broker, "a")
    broker.advance("40s")
    start = broker.snapshot()
    broker.advance("1h")
    assert broker.queues["late"].ready == 1
    start.restore()
    assert (broker.queues["work"].ready, broker.queues["late"].ready) == (1, 0)
    broker.advance("19999ms")
    assert broker.queues["work"].ready == 1
    broker.advance("1ms")
    assert (broker.queues["work"].ready, broker.queues["late"].ready) == (0, 1)


def test_clients_are_told_to_go_and_what_they_held_is_there_again(broker: ServedBroker) -> None:
    sent(broker, "a", "b")
    connection = connection_to(broker)
    channel = connection.channel()
    channel.queue_declare("mine", exclusive=True)
    assert channel.basic_get("work")[0].delivery_tag == 1
    start = broker.snapshot()
    assert channel.basic_get("work")[0].delivery_tag == 2  # a snapshot disturbs nobody
    start.restore()
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="set back to snapshot 'snapshot'"):
        connection.process_data_events(1)
    assert broker.queues.keys() == {"work", "slow", "late"}
    with connection_to(broker) as again:
        got = [again.channel().basic_get("work", auto_ack=True) for _ in range(2)]
    assert [(properties.message_id, method.redelivered) for method, properties, _ in got] == [("a", True), ("b", False)]


def test_what_was_never_taken_cannot_be_had_again(broker: ServedBroker) -> None:
    broker.snapshot("first")
    with pytest.raises(LookupError, match="no snapshot is called 'last'; there are first"):
        broker.restore("last")


def test_a_scenario_that_is_played_cannot_go_back(tmp_path: Path) -> None:
    file = tmp_path / "played.yaml"
    file.write_text(TOPOLOGY + "consumers: {worker: {queue: work}}\n")
    with routesim.serving(file, play=True) as broker:
        start = broker.snapshot()
        with pytest.raises(ValueError, match="a scenario is played there"):
            start.restore()
