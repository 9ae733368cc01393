"""`routesim serve advance`, `fail`, `snapshot`, `restore`, `why`: a server that runs is asked from another terminal."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pika
import pika.exceptions
import pytest
from kits.cli import routesim, within
from kits.serving import Served, serving

TOPOLOGY = """
rabbitmq: "4.0"
queues: {work: {arguments: {x-message-ttl: 60000}}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    with serving(str(file), "--clock", "manual", stdin=subprocess.PIPE) as served:
        yield served


def asked(server: Served, *arguments: str) -> tuple[int, str, str]:
    url = f"{server.address['management']}/?token={server.address['token']}"
    return within("serve", *arguments, "--server", url)


def sent(server: Served, name: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "work", b"x", pika.BasicProperties(message_id=name))


def test_time_passes_and_a_message_is_asked_after(server: Served) -> None:
    sent(server, "order-1")
    assert asked(server, "advance", "59s") == (0, "it is 59 s now; the next timer is due in 1 s\n", "")
    assert asked(server, "advance", "1s") == (0, "it is 1 min now\n", "")
    status, out, _ = asked(server, "why", "order-1")
    assert status == 0
    assert "dropped from work (expired): the queue has no dead-letter exchange" in out
    assert asked(server, "why", "order-2") == (2, "", "error: no message 'order-2' is known\n")
    assert asked(server, "advance", "1") == (2, "", "error: by: 1 has no unit: 1s or 1ms?\n")


def test_all_is_set_back(server: Served) -> None:
    assert asked(server, "snapshot", "clean") == (0, "snapshot clean of vhost / is taken\n", "")
    sent(server, "order-1")
    assert asked(server, "restore", "clean") == (0, "vhost / is as it was in snapshot clean\n", "")
    assert asked(server, "why", "order-1")[0] == 2
    assert asked(server, "restore", "other") == (2, "", "error: no snapshot is called 'other'; there are clean\n")


def test_a_failure_is_ordered(server: Served) -> None:
    parameters = pika.ConnectionParameters("127.0.0.1", server.port, client_properties={"connection_name": "app"})
    connection = pika.BlockingConnection(parameters)
    assert asked(server, "fail", "slow", "app", "--by", "1s") == (0, "slow: app\n", "")
    assert asked(server, "fail", "slow", "*", "--ends") == (0, "slow is over: app\n", "")
    assert asked(server, "fail", "close", "app", "--code", "541", "--text", "so it is") == (0, "close: app\n", "")
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as told:
        connection.process_data_events(1)
    assert told.value.reply_code == 541
    assert asked(server, "fail", "close-channel", "app#1")[:2] == (2, "")
    status, _, error = asked(server, "fail", "quake")
    assert (status, error.startswith("error: no failure is called 'quake'; there are crash, ")) == (2, True)


def test_who_is_not_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        status, out, error = within("serve", "advance", "1s", "--server", f"127.0.0.1:{port}")
    assert (status, out) == (3, "")
    assert error.startswith(f"error: no routesim server answers at 127.0.0.1:{port}: ")
    assert within("serve", "advance", "1s")[0] == 2
    assert within("serve", "advance", "1s", "--server", "amqp://127.0.0.1")[0] == 2


def test_a_token_that_is_wrong_is_told(server: Served) -> None:
    status, _, error = within("serve", "advance", "1s", "--server", f"{server.address['management']}/?token=no")
    assert status == 2
    assert "needs the header x-routesim-token" in error


def test_it_ends_with_its_parent() -> None:
    with serving("--exit-with-parent", stdin=subprocess.PIPE) as served:
        assert served.process.stdin is not None
        served.process.stdin.close()
        assert served.process.wait(timeout=20) == 0
        served.process.stdin = None


def test_a_management_port_in_use_is_told() -> None:
    with serving() as served:
        taken = str(served.address["management_port"])
        status, _, error = routesim("serve", "--port", "0", "--management-port", taken)
        assert status == 3
        assert f"error: cannot listen on 127.0.0.1:{taken}: " in error
        assert "--no-management does without" in error


def test_amqp_alone() -> None:
    with serving("--no-management") as served:
        assert "management" not in served.address
        pika.BlockingConnection(pika.URLParameters(served.url)).close()
