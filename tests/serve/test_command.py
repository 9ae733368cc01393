"""The command `routesim serve`: what it starts with, what it says, how it ends."""

import base64
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pika
import pika.exceptions
import pytest
from kits.cli import routesim
from kits.serving import serving

SHOP = """
rabbitmq: "4.0"
exchanges: {orders: {type: topic}}
queues: {work: {}}
bindings: [{source: orders, destination: work, routing_key: "order.#"}]
"""


def connect(port: int, vhost: str = "%2F", user: str = "guest:guest") -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(f"amqp://{user}@127.0.0.1:{port}/{vhost}"))


def test_the_address_is_one_line(tmp_path: Path) -> None:
    with serving("--rabbitmq", "4.1") as server:
        assert server.address["event"] == "listening"
        assert server.address["rabbitmq"] == "4.1"
        assert server.address["vhosts"] == ["/"]
    assert server.status == 0
    assert server.summary["lost"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_clients_are_told_when_it_ends(number: int) -> None:
    with serving() as server:
        connection = connect(server.port)
        server.process.send_signal(number)
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
            connection.sleep(5)
        assert closed.value.reply_code == 320
        assert closed.value.reply_text.startswith("CONNECTION_FORCED")
        server.process.wait(10)
        server.end(0)
    assert server.status == 0


def test_a_scenario_is_there_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    with serving(str(file), format="ndjson") as server:
        connection = connect(server.port)
        channel = connection.channel()
        channel.basic_publish("orders", "order.new", b"x", pika.BasicProperties(message_id="first"))
        channel.basic_publish("orders", "refund", b"x", pika.BasicProperties(message_id="second"))
        assert channel.queue_declare("work", passive=True).method.message_count == 1
        connection.close()
    events = [json.loads(line) for line in server.lines]
    assert [item["queue"] for item in events if item["event"] == "enqueued"] == ["work"]
    lost = next(item for item in events if item["event"] == "unroutable")
    assert (lost["message"], lost["why"]) == (
        "second",
        "no binding of exchange 'orders' matched and it has no alternate exchange",
    )
    assert server.summary["lost"] == 1
    assert server.summary["vhosts"]["/"]["queues"]["work"]["ready"] == 1  # type: ignore[index]


@pytest.mark.parametrize(("fails", "status"), [((), 0), (("--fail-on-loss",), 1)])
def test_a_loss_may_be_a_failure(fails: tuple[str, ...], status: int) -> None:
    with serving(*fails) as server:
        connection = connect(server.port)
        connection.channel().basic_publish("", "nowhere", b"x")
        connection.close()
    assert server.status == status


def test_run_takes_a_loss_for_a_failure_where_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "lost.yaml"
    file.write_text("steps: [{publish: {routing_key: nowhere}}]")
    assert routesim("run", "-q", str(file)).status == 0
    assert routesim("run", "-q", "--fail-on-loss", str(file)).status == 1


def test_vhosts_and_users() -> None:
    with serving("--add-vhost", "staging", "--user", "app:se:cret") as server:
        connect(server.port, "staging", "app:se%3Acret").close()
        with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match=r"\(530\) 'NOT_ALLOWED - vhost none not found'"):
            connect(server.port, "none", "app:se%3Acret")
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(server.port)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = routesim("serve", "--port", str(other.getsockname()[1]))
    assert done.status == 3
    assert done.err.count("\n") == 1
    reason = os.strerror(errno.EADDRINUSE)
    assert re.match(rf"error: cannot listen on 127\.0\.0\.1:\d+: {reason}; --port chooses another", done.err)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--host", "0.0.0.0"), "who may connect to 0.0.0.0?"),
        (("--clock", "slow"), "--clock takes real, manual"),
        (("--clock", "manual", "-"), "FILE cannot be -"),
        (("--user", "app"), "a user is written name:password"),
        (("--rabbitmq", "9.9"), "no RabbitMQ '9.9' is known"),
        (("--tls-key", "key.pem"), "--tls-key goes with --tls-cert"),
        (("--vhost", "none"), "no file has a vhost 'none'"),
    ],
)
def test_what_cannot_be_served(arguments: tuple[str, ...], says: str) -> None:
    done = routesim("serve", "--port", "0", *arguments)
    assert (done.status, says in done.err) == (2, True), done.err


def test_the_trace_tells_of_real_traffic() -> None:
    with serving("--rabbitmq", "4.0", format="") as server:
        parameters = pika.URLParameters(f"{server.url}?heartbeat=0")
        parameters.client_properties = {"connection_name": "billing"}
        connection = pika.BlockingConnection(parameters)
        channel = connection.channel()
        channel.queue_declare("work")
        channel.basic_publish("", "work", b"x", pika.BasicProperties(message_id="first"))
        channel.basic_publish("", "wrok", b"x")
        connection.close()
    assert server.said.startswith(f"RabbitMQ 4.0 at amqp://127.0.0.1:{server.port} (vhost /)")
    rows = [" ".join(line.split()) for line in server.lines]
    for row in (
        "published first (default) work",
        "enqueued first work by name",
        "UNROUTABLE billing/2 (default) no queue is named 'wrok'.",
    ):
        assert any(row in line for line in rows), (row, server.lines)
    assert server.lines[-1].endswith("rules of RabbitMQ 4.0; lost 1")


def test_time_passes_as_the_clock_says() -> None:
    with serving("--speed", "1000") as server:
        connection = connect(server.port)
        channel = connection.channel()
        name = channel.queue_declare("", exclusive=True, arguments={"x-message-ttl": 600_000}).method.queue
        channel.basic_publish("", name, b"x")
        assert channel.queue_declare(name, passive=True).method.message_count == 1
        time.sleep(0.8)
        assert channel.queue_declare(name, passive=True).method.message_count == 0
        connection.close()


def test_the_manual_clock_stands_still_until_it_is_told() -> None:
    with serving("--clock", "manual", stdin=subprocess.PIPE) as server:
        connection = connect(server.port)
        channel = connection.channel()
        name = channel.queue_declare("", exclusive=True, arguments={"x-message-ttl": 1}).method.queue
        channel.basic_publish("", name, b"x")
        time.sleep(0.2)
        assert channel.queue_declare(name, passive=True).method.message_count == 1
        assert server.process.stdin is not None
        for line in (b"hello\n", b"advance 5s\n"):
            server.process.stdin.write(line)
            server.process.stdin.flush()
        until(lambda: channel.queue_declare(name, passive=True).method.message_count == 0)
        connection.close()
    assert server.summary["clock_ms"] == 5000
    assert "stdin takes `advance 5s` and `why MESSAGE`, not 'hello'" in server.errors


def test_tls(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "1"]
    subprocess.run([*made, "-subj", "/CN=localhost"], cwd=tmp_path, check=True, capture_output=True)
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    with serving("--tls-cert", certificate, "--tls-key", key) as server:
        assert server.address["url"].startswith("amqps://")
        context = ssl.create_default_context(cafile=certificate)
        options = pika.SSLOptions(context, "localhost")
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.port, ssl_options=options))
        assert connection.channel().is_open
        connection.close()
    done = routesim("serve", "--port", "0", "--tls-cert", key)
    assert (done.status, "cannot use the certificate" in done.err) == (2, True)


def test_the_users_of_a_definitions_file_may_connect(tmp_path: Path) -> None:
    salt = b"salt"
    hashed = base64.b64encode(salt + hashlib.sha256(salt + b"secret").digest()).decode()
    definitions = {
        "users": [{"name": "shop", "password_hash": hashed, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": []}],
        "vhosts": [{"name": "/"}, {"name": "shop"}], "exchanges": [], "bindings": [],
        "queues": [{"name": "work", "vhost": "shop", "durable": True, "auto_delete": False, "arguments": {}}],
    }  # fmt: skip
    file = tmp_path / "definitions.json"
    file.write_text(json.dumps(definitions))
    with serving(str(file), "--rabbitmq", "4.0") as server:
        assert set(server.address["vhosts"]) == {"/", "shop"}
        connection = connect(server.port, "shop", "shop:secret")
        assert connection.channel().queue_declare("work", passive=True).method.message_count == 0
        connection.close()
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(server.port, "shop", "shop:wrong")


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_without_the_library_of_the_protocol_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["pamqp"] = None
sys.argv = ["routesim", "serve"]
from routesim.cli.main import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "error: `routesim serve` needs pamqp: pip install pamqp\n"


def test_the_trace_names_the_binding_that_came_nearest() -> None:
    with serving("--rabbitmq", "4.0", format="plain") as server:
        connection = connect(server.port)
        channel = connection.channel()
        channel.exchange_declare("shop", "topic")
        channel.queue_declare("w")
        channel.queue_bind("w", "shop", "order.*.new")
        channel.basic_publish("shop", "order.new", b"x")
        connection.close()
    near = "nearest on 'shop': order.*.new to w: the routing key ends after 2 words, 'new' is still wanted"
    assert any(near in line for line in server.lines)
