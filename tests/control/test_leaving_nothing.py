"""Servers of tests: they end with whoever started them, do not meet, and are started from other languages as the page says."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pika
import pytest
from kits.cli import COMMAND, environment
from kits.paths import ROOT
from kits.serving import serving

import routesim

LIMIT_S = 30.0
STARTS_ONE = """
import json, subprocess, sys, time
server = subprocess.Popen([*{command!r}, "serve", "--port", "0", "--format", "json", "--exit-with-parent"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(server.pid, json.loads(server.stdout.readline())["port"], flush=True)
time.sleep(600)
"""
SERVES = """
import time, routesim
with routesim.serving() as broker:
    print(broker.url.rsplit(":", 1)[1].split("/")[0], flush=True)
    time.sleep(600)
"""
NODE = """
const net = require('node:net');
const { rabbitmq } = require('./rabbitmq');
(async () => {
  const broker = await rabbitmq('--clock', 'manual');
  const socket = net.connect(new URL(broker.url).port, '127.0.0.1', () => socket.write('AMQP\\x00\\x00\\x09\\x01'));
  const [start] = await require('node:events').once(socket, 'data');
  socket.destroy();
  const clock = await broker.advance('1d');
  console.log(start[0], clock.now_ms);
  broker.stop();
})();
"""


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(os.name != "posix", reason="kills a process as only POSIX does")
def test_a_server_goes_with_the_process_that_started_it_however_that_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE.format(command=list(COMMAND))], cwd=ROOT, env=environment(), stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().split()[1])
        assert answers(port)
        parent.send_signal(signal.SIGKILL)
        until(lambda: not answers(port))


@pytest.mark.skipif(os.name != "posix", reason="kills a process as only POSIX does")
def test_a_broker_of_a_test_goes_with_the_test() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVES], cwd=ROOT, env=environment(), stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        port = int(tests.stdout.readline())
        assert answers(port)
        tests.send_signal(signal.SIGKILL)
        until(lambda: not answers(port))


def test_two_servers_do_not_meet() -> None:
    def one(name: str) -> tuple[int, int, list[str]]:
        with serving() as server:
            with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
                connection.channel().queue_declare(name, durable=True)
                time.sleep(0.5)
            server.end()
            vhosts = server.summary["vhosts"]
            assert isinstance(vhosts, dict)
            return server.port, server.address["management_port"], list(vhosts["/"]["queues"])

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(one, ("a", "b", "c")))
    ports = [port for *both, _ in found for port in both]
    assert len(set(ports)) == 6
    assert [queues for *_, queues in found] == [["a"], ["b"], ["c"]]


def test_two_brokers_of_one_process_do_not_meet() -> None:
    with routesim.serving() as first, routesim.serving(rabbitmq="3.13") as second:
        assert first.url != second.url
        with pika.BlockingConnection(pika.URLParameters(first.url)) as connection:
            connection.channel().queue_declare("mine", durable=True)
        assert (list(first.queues), list(second.queues)) == (["mine"], [])


def test_a_server_is_started_from_node_as_the_page_says(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    page = (ROOT / "routesim" / "docs" / "serve.md").read_text("utf-8")
    found = re.search(r"```js\n(// rabbitmq\.js\n.*?)```", page, re.DOTALL)
    assert found is not None
    (tmp_path / "rabbitmq.js").write_text(found[1])
    (tmp_path / "try.js").write_text(NODE)
    program = tmp_path / "routesim"
    program.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [node, "try.js"], cwd=tmp_path, env=environment(PATH=path), capture_output=True, timeout=LIMIT_S, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"1 86400000\n"), done.stderr.decode()
