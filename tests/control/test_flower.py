"""Flower shows the queues of `serve` as it shows those of a RabbitMQ: by its management API."""

import importlib.metadata
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from kits.live import need_celery
from kits.management import AskedApi
from kits.serving import serving

LIMIT_S = 60


@pytest.fixture(autouse=True)
def _flower() -> None:
    need_celery()
    try:
        importlib.metadata.version("flower")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("Flower is not installed")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


def page(port: int, process: "subprocess.Popen[bytes]") -> str:
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/broker", timeout=LIMIT_S) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    raise AssertionError("Flower does not answer")


def test_the_broker_page_counts_messages() -> None:
    with serving() as server:
        api = AskedApi(server.address["management_port"])
        api("PUT", "queues/%2F/celery", {"durable": True})
        body = {"routing_key": "celery", "payload": "{}", "payload_encoding": "string", "properties": {}}
        for _ in range(3):
            api("POST", "exchanges/%2F/amq.default/publish", body)
        port = free_port()
        process = subprocess.Popen(
            [
                sys.executable, "-W", "ignore", "-m", "celery", f"--broker=amqp://guest:guest@127.0.0.1:{server.port}//", "flower",
                f"--broker-api={api.base.replace('//', '//guest:guest@')}/api/", f"--port={port}", "--address=127.0.0.1",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            row = re.search(r'<tr id="celery">(.*?)</tr>', page(port, process), re.DOTALL)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(LIMIT_S)
        assert row is not None
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row[1], re.DOTALL)
        assert [cell.strip() for cell in cells][:5] == ["celery", "3", "0", "3", "0"]
