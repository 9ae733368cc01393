"""`routesim serve --record FILE`: what real clients do becomes a scenario that does it again."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
from kits.cli import routesim
from kits.live import URLS, live_session
from kits.serving import Served, serving

import routesim as package
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.verify import verify

SHOP = """
rabbitmq: "4.3"
exchanges: {shop: topic}
queues: {audit: }
bindings: [{source: shop, destination: audit, routing_key: "#"}]
"""
RETRY = {"x-message-ttl": 200, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "work"}
WORK = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "retry"}


def connect(server: Served, name: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(
        pika.ConnectionParameters("127.0.0.1", server.port, client_properties={"connection_name": name})
    )


def work(server: Served) -> None:
    """Publish, consume, ack, reject to a queue where messages expire, and take what comes back."""
    shop, worker = connect(server, "shop"), connect(server, "worker")
    channel = shop.channel()
    channel.queue_declare("work", durable=True, arguments=WORK)
    channel.queue_declare("retry", durable=True, arguments=RETRY)
    channel.queue_bind("work", "shop", "order.*")
    channel.confirm_delivery()
    consumer = worker.channel()
    consumer.basic_qos(prefetch_count=1)
    seen: list[bytes] = []

    def answer(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        seen.append(body)
        if (properties.headers and properties.headers.get("x-death")) or body != b"bad":
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_reject(method.delivery_tag, requeue=False)

    consumer.basic_consume("work", answer, consumer_tag="packer")
    for number, body in enumerate((b"good", b"bad", b"good")):
        properties = pika.BasicProperties(
            message_id=f"o-{number}", headers={"customer": "somebody in particular", "shard": number}
        )
        channel.basic_publish("shop", "order.new", body, properties)
    channel.basic_publish("shop", "refund", b"lost?", pika.BasicProperties(delivery_mode=2))
    with pytest.raises(pika.exceptions.UnroutableError):
        channel.basic_publish("", "nowhere", b"x", mandatory=True)
    end = time.monotonic() + 10
    while len(seen) < 4 and time.monotonic() < end:
        worker.process_data_events(0.05)
    consumer.basic_cancel("packer")
    assert channel.basic_get("audit", auto_ack=True)[2] == b"good"
    worker.close()
    shop.close()


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    (tmp_path / "given.yaml").write_text(SHOP)
    with serving(str(tmp_path / "given.yaml"), "--record", str(tmp_path / "shop.yaml"), "--redact", "customer") as server:
        work(server)
    assert server.errors.endswith(f"wrote {tmp_path}/shop.yaml; `routesim run {tmp_path}/shop.yaml` repeats it\n")
    return tmp_path / "shop.yaml"


def test_run_repeats_it(recorded: Path) -> None:
    found = routesim("run", str(recorded), "--format", "json")
    assert (found.status, found.err) == (0, "")
    result = json.loads(found.out)
    assert result["verdict"] == "OK"
    assert [item["message"] for item in result["consumers"]["worker/packer"]["deliveries"]] == ["o-0", "o-1", "o-2", "o-1"]
    assert result["consumers"]["worker/packer"]["deliveries"][1]["answer"] == "reject"
    assert result["queues"]["work"]["ready"] == []
    assert [item["message"] for item in result["queues"]["audit"]["ready"]] == ["o-1", "o-2", "shop/4"]


@pytest.mark.parametrize("version", list(URLS))
def test_a_real_broker_repeats_it(recorded: Path, version: str) -> None:
    session = live_session(version)
    text = recorded.read_text().replace('rabbitmq: "4.3"', f'rabbitmq: "{session.profile}"')
    verdict = verify(load_source(Source("shop.yaml", text), ""), session)
    assert verdict.difference is None


def test_the_file_reads_as_if_somebody_had_written_it(recorded: Path) -> None:
    text = recorded.read_text()
    assert "  shop: topic\n" in text
    assert "  audit:\n" in text
    assert "{source: shop, destination: work, routing_key: order.*}" in text
    assert "- ack: {consumer: worker/packer, message: o-0}" in text
    assert "- reject: {consumer: worker/packer, message: o-1, requeue: false}" in text
    assert "wait: 200ms" in text
    for private in ("somebody in particular", "good", "bad", "size:"):
        assert private not in text
    assert text.count("customer: redacted-1") == 3
    assert "shard: 2" in text


def test_other_commands_take_it(recorded: Path) -> None:
    assert routesim("check", str(recorded)).status == 0
    assert "worker/packer" in routesim("graph", str(recorded), "--format", "mermaid").out
    assert routesim("run", str(recorded), "--coverage").status == 0
    assert routesim("run", str(recorded), "--format", "html", "-o", str(recorded.parent / "page.html")).status == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_are_its_normal_end(tmp_path: Path, number: int) -> None:
    """What the clients are told then, and what they do about it, is none of it."""
    path = tmp_path / "shop.yaml"
    with serving("--record", str(path)) as server:
        connection = connect(server, "app")
        connection.channel().queue_declare("q", durable=True)
        server.process.send_signal(number)
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            connection.sleep(5)
        server.process.wait(10)
        server.end(0)
    assert server.status == 0
    assert "queues:\n  q:\n" in path.read_text()
    assert "close" not in path.read_text()
    assert routesim("run", str(path)).status == 0


def test_nothing_said_is_a_scenario_too(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    with serving("--record", str(path)):
        pass
    assert routesim("run", str(path)).status == 0


def test_bodies_come_along_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    with serving("--record", str(path), "--bodies") as server, connect(server, "app") as connection:
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        for body in (b'{"total": 12}', b"\xff\x00"):
            channel.basic_publish("", "q", body)
    text = path.read_text()
    assert "total" in text
    assert "size: 2" in text
    assert routesim("run", str(path)).status == 0


def test_sizes_are_kept_where_a_limit_sees_them(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    with serving("--record", str(path)) as server, connect(server, "app") as connection:
        channel = connection.channel()
        channel.queue_declare("q", durable=True, arguments={"x-max-length-bytes": 100})
        for size in (60, 30, 50):
            channel.basic_publish("", "q", b"x" * size)
    text = path.read_text()
    assert [f"size: {size}" in text for size in (60, 30, 50)] == [True, True, True]
    assert "dropped: maxlen" in text
    assert routesim("run", str(path)).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--record", "there.yaml"], "there.yaml exists already; --force overwrites it"),
        (["--record", "-"], "a recording needs the name of a file"),
        (["--record", "no/where.yaml"], "cannot write no/where.yaml: there is no folder no"),
        (["--record", "new.yaml", "--play"], "--record writes what clients do, --play acts for them: leave out one of them"),
        (
            ["--record", "new.yaml", "--add-vhost", "a", "--add-vhost", "b"],
            "--record writes one vhost, and there are /, a, b: name one",
        ),
        (["--record", "new.yaml", "--redact", "CC"], "--redact CC would change where messages go"),
        (["--record", "given.yaml", "given.yaml", "--force"], "--record would overwrite the scenario given.yaml"),
        (["--bodies"], "--bodies, --redact and --force go with --record FILE"),
    ],
)
def test_what_cannot_be_is_said_before_the_server_starts(tmp_path: Path, arguments: list[str], said: str) -> None:
    for name in ("there.yaml", "given.yaml"):
        (tmp_path / name).write_text(SHOP)
    found = routesim("serve", "--port", "0", *arguments, cwd=tmp_path)
    assert (found.status, found.out) == (2, "")
    assert said in found.err
    assert (tmp_path / "there.yaml").read_text() == SHOP


def test_nothing_is_written_where_the_server_did_not_begin(tmp_path: Path) -> None:
    with serving() as other:
        found = routesim("serve", "--port", str(other.port), "--record", "new.yaml", cwd=tmp_path)
    assert found.status == 3
    assert not (tmp_path / "new.yaml").exists()


def test_a_test_records(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    with package.serving(clock="manual") as broker:
        broker.record(path, redact=["customer"])
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            channel.queue_declare("q", durable=True, arguments={"x-message-ttl": 60_000})
            channel.basic_publish("", "q", b"x", pika.BasicProperties(message_id="o-1", headers={"customer": "Ann"}))
        broker.advance("1m")
        with pytest.raises(ValueError, match="before the first client"):
            broker.record(path)
    assert "- wait: 1m\n" in path.read_text()
    assert 'messages: {o-1: {q: "dropped: expired"}}' in path.read_text()
    assert "Ann" not in path.read_text()
    assert routesim("run", str(path)).status == 0


def test_force_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "there.yaml"
    path.write_text("something else")
    with serving("--record", str(path), "--force"):
        pass
    assert path.read_text().startswith("# Recorded by `routesim serve --record`.")
