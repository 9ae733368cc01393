"""rabbitmqadmin, the script that a real broker offers, works against `serve` of the same version."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.live import URLS, live_session
from kits.serving import Served, serving

from routesim.rabbitmq.url import amqp_address

LIMIT_S = 60


class Admin:
    def __init__(self, script: Path, served: Served) -> None:
        self.script = script
        self.port = served.address["management_port"]

    def __call__(self, *arguments: str, format: str = "raw_json") -> str:
        command = [sys.executable, "-W", "ignore", str(self.script), "-P", str(self.port), "-f", format, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def names(self, what: str) -> set[str]:
        return {item["name"] for item in json.loads(self("list", what, "name"))}


@pytest.fixture(params=["3.10", "4.0"])
def admin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Admin]:
    live_session(request.param)
    port = amqp_address(URLS[request.param]).port + 10_000
    script = tmp_path / "rabbitmqadmin"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/cli/rabbitmqadmin", timeout=LIMIT_S) as answer:
        script.write_bytes(answer.read())
    with serving("--rabbitmq", request.param) as served:
        yield Admin(script, served)


def test_declaring_publishing_getting(admin: Admin, tmp_path: Path) -> None:
    admin("declare", "exchange", "name=orders", "type=topic", "durable=true")
    admin("declare", "queue", "name=work", "durable=true", 'arguments={"x-max-length": 5}')
    admin("declare", "binding", "source=orders", "destination=work", "routing_key=order.#")
    admin("declare", "policy", "name=short", "pattern=^work$", 'definition={"max-length": 3}', "apply-to=queues")
    assert admin.names("queues") == {"work"}
    assert "orders" in admin.names("exchanges")
    bindings = json.loads(admin("list", "bindings"))
    assert {(item["source"], item["routing_key"]) for item in bindings} == {("", "work"), ("orders", "order.#")}
    assert "Message published" in admin("publish", "exchange=orders", "routing_key=order.new", "payload=hello")
    assert "NOT routed" in admin("publish", "exchange=orders", "routing_key=refund", "payload=hello")
    (got,) = json.loads(admin("get", "queue=work", "ackmode=ack_requeue_true"))
    assert (got["payload"], got["routing_key"], got["redelivered"]) == ("hello", "order.new", False)
    assert "hello" in admin("get", "queue=work", "ackmode=ack_requeue_true", format="pretty_json")
    table = admin("list", "queues", "name", "messages", "policy", format="tsv").splitlines()
    assert table == ["name\tmessages\tpolicy", "work\t1\tshort"]
    file = tmp_path / "definitions.json"
    admin("export", str(file))
    admin("purge", "queue", "name=work")
    assert json.loads(admin("get", "queue=work")) == []
    admin("delete", "binding", "source=orders", "destination_type=queue", "destination=work", "properties_key=order.%23")
    admin("delete", "queue", "name=work")
    admin("delete", "exchange", "name=orders")
    assert admin.names("queues") == set()
    admin("import", str(file))
    assert admin.names("queues") == {"work"}
    assert len(json.loads(admin("list", "bindings"))) == 2


def test_all_that_it_lists_and_shows(admin: Admin) -> None:
    admin("declare", "vhost", "name=other")
    admin("declare", "user", "name=somebody", "password=secret", "tags=monitoring")
    admin("declare", "permission", "vhost=other", "user=somebody", "configure=.*", "write=.*", "read=.*")
    assert admin.names("vhosts") == {"/", "other"}
    for what in (
        "bindings",
        "channels",
        "connections",
        "consumers",
        "exchanges",
        "nodes",
        "parameters",
        "permissions",
        "policies",
        "queues",
        "users",
        "vhosts",
    ):
        json.loads(admin("list", what))
        admin("list", what, format="table")
    assert "routesim" in admin("show", "overview", format="table")
    admin("delete", "user", "name=somebody")
    admin("delete", "vhost", "name=other")
