"""`routesim record`: what a real broker's firehose tells becomes a scenario, and what it does not tell is inferred."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from kits.cli import routesim, started
from kits.live import URLS, live_session

from routesim.model import Binding, Exchange, Queue
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.rabbitmq.traced import ConsumerThere, TracedEvent
from routesim.rabbitmq.url import amqp_address, segment
from routesim.recording.inferring import Inferred
from routesim.recording.redacting import Redaction
from routesim.recording.traced_document import TracedOptions, TracedRecording, traced_document
from routesim.run.recording import record
from routesim.scenario.load import load_source
from routesim.scenario.topology_data import DeclaredTopology
from routesim.scenario.yaml.source import Source

APP, WORKER = "10.0.0.1:1 -> 10.0.0.2:5672", "10.0.0.1:22 -> 10.0.0.2:5672"
TOPOLOGY = DeclaredTopology(
    "/", "4.3", exchanges=(Exchange("shop", "topic"),),
    queues=(
        Queue("work", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "retry"}),
        Queue("retry", arguments={"x-message-ttl": 500, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "work"}),
        Queue("audit"),
    ),
    bindings=(Binding("shop", "work", "queue", "order.*"),),
)  # fmt: skip
PACKER = ConsumerThere("work", WORKER, 1, "packer", False, 1, False, {})


def published(at_ms: int, message: str | None, *queues: str, body: bytes = b"x", **properties: Any) -> TracedEvent:
    own = {} if message is None else {"message_id": message}
    return TracedEvent(at_ms, "shop", "order.new", {**own, **properties}, body, APP, 1, queues=queues)


def delivered(
    at_ms: int,
    message: str | None,
    queue: str = "work",
    *,
    again: bool = False,
    deaths: Any = (),
    body: bytes = b"x",
    channel: int = 1,
) -> TracedEvent:
    own: dict[str, Any] = {} if message is None else {"message_id": message}
    headers = {"headers": {"x-death": [{"queue": name, "reason": why, "count": count} for name, why, count in deaths]}}
    return TracedEvent(at_ms, "shop", "order.new", {**own, **(headers if deaths else {})}, body, WORKER, channel, queue, again)


def inferred(*events: TracedEvent) -> Inferred:
    found = Inferred({APP: "app", WORKER: "worker"}, [PACKER])
    for event in events:
        found.hear(event)
    return found


def text_of(*events: TracedEvent, redact: tuple[str, ...] = (), bodies: bool = False) -> str:
    trace = TracedRecording("RabbitMQ 4.3 at amqp://there, vhost /", TOPOLOGY, inferred(*events), 2000, False)
    return traced_document(trace, TracedOptions(bodies, Redaction(redact)))


def test_what_nothing_shows_is_taken_as_acknowledged() -> None:
    assert inferred(published(0, "m1", "work"), delivered(5, "m1")).answers() == []


def test_a_redelivery_shows_a_requeue() -> None:
    (answer,) = inferred(published(0, "m1", "work"), delivered(5, "m1"), delivered(6, "m1", again=True)).answers()
    assert (answer.do, answer.delivery.attempt) == ("requeue", 1)


def test_a_death_shows_a_reject() -> None:
    found = inferred(
        published(0, "m1", "work"), delivered(5, "m1"),
        delivered(600, "m1", deaths=[("retry", "expired", 1), ("work", "rejected", 1)]),
        delivered(1200, "m1", deaths=[("retry", "expired", 2), ("work", "rejected", 2)]),
    )  # fmt: skip
    assert [(answer.do, answer.delivery.attempt) for answer in found.answers()] == [("reject", 1), ("reject", 2)]


def test_messages_that_look_alike_are_told_apart_by_their_order() -> None:
    found = inferred(
        published(0, None, "work"), published(1, None, "work"), published(2, None, "audit"),
        delivered(3, None), delivered(4, None), delivered(5, None, again=True),
    )  # fmt: skip
    assert [item.message for item in found.deliveries] == ["app/1", "app/2", "app/2"]


def test_what_was_there_before_is_published_first() -> None:
    text = text_of(delivered(5, "old", "audit", channel=7))
    assert "- publish: {routing_key: audit, id: there before/1, size: 1, delivery_mode: 1, message_id: old}" in text
    assert "- get: {queue: audit, channel: worker#7, auto_ack: true}" in text
    assert "there before/1 was there before" in text


def test_the_file_repeats_it() -> None:
    text = text_of(
        published(0, "m1", "work"), delivered(5, "m1"),
        published(120, "m2", "work"), delivered(130, "m2"), delivered(131, "m2", again=True),
        delivered(600, "m1", deaths=[("retry", "expired", 1), ("work", "rejected", 1)]),
    )  # fmt: skip
    _, result = record(load_source(Source("recorded.yaml", text), ""))
    assert result.ok
    assert [item["message"] for item in result.deliveries.of["worker/packer"]] == ["m1", "m2", "m2", "m1"]
    assert "m1, delivery 1 to worker/packer: reject, for it came from work with x-death: work, rejected" in text
    assert "consumers: {worker/packer: {delivered: 4}}" in text


def test_where_the_run_is_not_as_it_was_is_said() -> None:
    text = text_of(published(0, "m1", "work"))
    assert "worker/packer got 0 there, and gets 1 here" in text
    assert "expect:" not in text


def test_what_is_private_stays_out() -> None:
    event = published(0, "m1", "work", body=b"secret", headers={"customer": "Ann"})
    text = text_of(event, redact=("customer",))
    assert "Ann" not in text
    assert "secret" not in text
    assert "size: 6" in text
    assert "body: secret" in text_of(event, bodies=True)


# On a real broker --------------------------------------------------------------------------------------------------------


class Traced:
    """A virtual host in which tracing can be switched on, as its user does."""

    def __init__(self, version: str, vhost: str) -> None:
        self.session = live_session(version)
        self.vhost = vhost
        self.port = amqp_address(URLS[version]).port

    def trace(self, *, on: bool) -> None:
        self.session.management.call("PUT", f"vhosts/{segment(self.vhost)}", {"tracing": on})

    def arguments(self, path: Path) -> list[str]:
        where = ["--broker", f"amqp://127.0.0.1:{self.port}", "--management", self.session.management.address.base]
        return ["record", str(path), "--vhost", self.vhost, *where]

    def connect(self, name: str) -> pika.BlockingConnection:
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.port, self.vhost, client_properties={"connection_name": name})
        )


@pytest.fixture(params=["3.10", "4.3"])
def traced(request: pytest.FixtureRequest) -> Iterator[Traced]:
    session = live_session(request.param)
    with scratch_vhost(session.management) as vhost:
        found = Traced(request.param, vhost)
        yield found
        found.trace(on=False)


def test_tracing_is_asked_for_and_never_switched_on(traced: Traced, tmp_path: Path) -> None:
    done = routesim(*traced.arguments(tmp_path / "new.yaml"))
    assert (done.status, done.out) == (3, "")
    assert f"rabbitmqctl trace_on -p {traced.vhost}" in done.err
    assert not (tmp_path / "new.yaml").exists()


def test_a_real_broker_is_recorded(traced: Traced, tmp_path: Path) -> None:
    traced.trace(on=True)
    app, worker = traced.connect("app"), traced.connect("worker")
    channel = app.channel()
    channel.queue_declare("work", durable=True, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    channel.queue_declare("dead", durable=True)
    consumer = worker.channel()

    def answer(_: Any, method: Any, properties: Any, body: bytes) -> None:
        if body == b"bad":
            consumer.basic_nack(method.delivery_tag, requeue=not method.redelivered)
        else:
            consumer.basic_ack(method.delivery_tag)

    consumer.basic_qos(prefetch_count=1)
    consumer.basic_consume("work", answer, consumer_tag="packer")
    consumer.basic_consume("dead", lambda *_: None, consumer_tag="undertaker", auto_ack=True)
    path = tmp_path / "shop.yaml"
    process = started(*traced.arguments(path), "--count", "3", "--for", "60s")
    assert process.stderr is not None
    process.stderr.readline()  # it listens
    for number, body in enumerate((b"good", b"bad", b"good")):
        channel.basic_publish("", "work", body, pika.BasicProperties(message_id=f"o-{number}"))
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            worker.process_data_events(0.05)
    try:
        _, errors = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    worker.close()
    app.close()
    assert process.returncode == 0, errors
    text = path.read_text()
    assert "o-1, delivery 1 to worker/packer: requeue, for it came from work again, redelivered" in text
    assert "o-1, delivery 2 to worker/packer: reject, for it came from dead with x-death: work, rejected" in text
    assert routesim("run", str(path)).status == 0
