"""`routesim serve --play`: consumers, workers and steps of a file act beside real clients."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
from kits.celery.clients import closed
from kits.serving import Served, serving

SHOP = """
rabbitmq: "4.0"
exchanges: {orders: {type: topic}}
queues: {work: {}, bills: {}}
bindings:
  - {source: orders, destination: work, routing_key: "order.#"}
  - {source: orders, destination: bills, routing_key: "*.paid"}
consumers:
  biller: {queue: bills, takes: 100ms, on_message: [{attempt: 1, do: requeue}, {do: ack}]}
"""


def connect(server: Served, name: str = "app") -> pika.BlockingConnection:
    return pika.BlockingConnection(
        pika.ConnectionParameters("127.0.0.1", server.port, client_properties={"connection_name": name})
    )


def file_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    return str(path)


def told(server: Served, line: str) -> None:
    assert server.process.stdin is not None
    server.process.stdin.write(line.encode() + b"\n")
    server.process.stdin.flush()


def waiting(channel: Any, queue: str, count: int) -> None:
    """Until so many messages are ready there."""
    for _ in range(200):
        if channel.queue_declare(queue, passive=True).method.message_count == count:
            return
        time.sleep(0.02)
    raise AssertionError(f"{queue} never had {count} messages")


def test_without_it_nobody_takes_what_is_in_the_queues(tmp_path: Path) -> None:
    with serving(file_of(tmp_path, SHOP)) as server, connect(server) as connection:
        channel = connection.channel()
        channel.basic_publish("orders", "order.paid", b"x")
        waiting(channel, "bills", 1)
        connection.close()
    assert "consumers act with --play alone" in server.errors


def test_its_consumers_answer_what_clients_publish(tmp_path: Path) -> None:
    with serving(file_of(tmp_path, SHOP), "--play", "--speed", "20", format="ndjson") as server:
        connection = connect(server)
        channel = connection.channel()
        channel.basic_publish("orders", "order.paid", b"x", pika.BasicProperties(message_id="o-1"))
        waiting(channel, "bills", 0)
        time.sleep(0.3)
        connection.close()
    seen = [json.loads(line) for line in server.lines[:-1]]
    bills = [(each["event"], each.get("by") or each.get("consumer")) for each in seen if each.get("queue") == "bills"]
    assert bills == [
        ("consumer_started", "biller"), ("enqueued", None), ("delivered", "biller"), ("requeued", "biller"),
        ("delivered", "biller"), ("acked", "biller"),
    ]  # fmt: skip
    found: Any = server.summary["vhosts"]
    assert found["/"]["consumers"]["biller"] == {
        "queue": "bills", "delivered": 2, "redelivered": 1, "acked": 1, "rejected": 0, "requeued": 1, "cut_off": 0, "open": 0,
    }  # fmt: skip
    assert found["/"]["played"]["ok"] is True


@pytest.mark.parametrize(("ready", "status"), [(2, 0), (3, 1)])
def test_its_steps_come_in_their_time_and_its_expectations_count(ready: int, status: int, tmp_path: Path) -> None:
    steps = f"""
steps:
  - wait: 1h
  - publish: {{exchange: orders, routing_key: order.new, id: later}}
  - expect: {{queues: {{work: {{ready: 2}}}}}}
expect: {{queues: {{work: {{ready: {ready}}}}}}}
"""
    file = file_of(tmp_path, SHOP + steps)
    with serving(file, "--play", "--clock", "manual", stdin=subprocess.PIPE) as server:
        connection = connect(server)
        channel = connection.channel()
        channel.basic_publish("orders", "order.new", b"x")
        waiting(channel, "work", 1)
        told(server, "advance 59m")
        told(server, "advance 1m")
        waiting(channel, "work", 2)
        connection.close()
    assert server.status == status
    found: Any = server.summary["vhosts"]
    assert [item["ok"] for item in found["/"]["played"]["expectations"]] == [True, status == 0]


@pytest.mark.parametrize("clean", [True, False])
def test_a_step_that_restarts_the_broker_ends_all_connections(clean: bool, tmp_path: Path) -> None:
    steps = "steps:\n  - wait: 1s\n  - restart: {}\n".replace("{}", "clean" if clean else "kill")
    text = SHOP.replace("work: {}", "work: {durable: true}, brief: {durable: false}") + steps
    with serving(file_of(tmp_path, text), "--play", "--clock", "manual", stdin=subprocess.PIPE) as server:
        connection, idle = connect(server), connect(server, "idle")
        channel = connection.channel()
        channel.basic_publish("orders", "order.new", b"x", pika.BasicProperties(delivery_mode=2))
        channel.basic_publish("orders", "order.new", b"x", pika.BasicProperties(delivery_mode=1))
        waiting(channel, "work", 2)
        told(server, "advance 1s")
        for each in (connection, idle):
            with pytest.raises(pika.exceptions.AMQPConnectionError) as closed:
                each.sleep(5)
            if clean:
                assert isinstance(closed.value, pika.exceptions.ConnectionClosedByBroker)
                reason = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
                assert (closed.value.reply_code, closed.value.reply_text) == (320, reason)
            else:
                assert not isinstance(closed.value, pika.exceptions.ConnectionClosedByBroker)
        again = connect(server)
        waiting(again.channel(), "work", 1)
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="no queue 'brief'"):
            again.channel().queue_declare("brief", passive=True)
        again.close()


def test_a_consumer_that_goes_round_without_time_is_stopped_and_harms_nobody(tmp_path: Path) -> None:
    text = SHOP.replace("takes: 100ms, on_message: [{attempt: 1, do: requeue}, {do: ack}]", "on_message: [{do: requeue}]")
    with serving(file_of(tmp_path, text), "--play") as server:
        connection = connect(server)
        channel = connection.channel()
        channel.basic_publish("orders", "order.paid", b"x")
        waiting(channel, "bills", 1)
        channel.basic_publish("orders", "order.paid", b"x")
        waiting(channel, "bills", 2)
        connection.close()
    found: Any = server.summary["vhosts"]
    assert "came back 1,000 times without time passing" in found["/"]["played"]["stopped"]
    assert server.status == 1


def test_a_client_cannot_take_the_name_of_a_connection_of_the_file(tmp_path: Path) -> None:
    file = file_of(tmp_path, SHOP)
    with serving(file, "--play", format="ndjson") as server:
        connection = connect(server, "biller")
        channel = connection.channel()
        channel.basic_publish("orders", "order.paid", b"x")
        connection.close()
        time.sleep(0.4)
    seen = [json.loads(line) for line in server.lines[:-1]]
    assert [each["channel"] for each in seen if each["event"] == "published"] == ["biller (2)#1"]
    assert "acked" in {each["event"] for each in seen}


def test_workers_of_a_file_do_the_tasks_of_a_real_caller(tmp_path: Path) -> None:
    celery = pytest.importorskip("celery")
    text = """
rabbitmq: "4.0"
celery:
  apps: {shop: {result_backend: "rpc://", task_routes: {mail: letters}}}
  tasks:
    pay: {takes: 1s, returns: paid}
    mail: {takes: 1s}
  workers: {w1: {concurrency: 1}}
steps: []
"""
    with serving(file_of(tmp_path, text), "--play", "--speed", "20", format="ndjson") as server:
        app = celery.Celery("caller", broker=server.url, backend="rpc://", set_as_current=False)
        try:
            assert app.send_task("pay", (1,), task_id="t-1").get(timeout=20) == "paid"
            app.send_task("mail", task_id="t-2", queue="letters")
        finally:
            closed(app)
    seen = [json.loads(line) for line in server.lines[:-1]]
    assert [each["event"] for each in seen if each.get("task") == "t-1"][-1:] == ["task_succeeded"], seen
    found: Any = server.summary["vhosts"]
    assert found["/"]["queues"]["letters"]["ready"] == 1
