"""A broker that is not there, says no, goes away or falls silent: one line, status 3, nothing left behind, no password."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.live import URL
from kits.paths import ROOT

from routesim.rabbitmq import connections
from routesim.rabbitmq.problems import BrokerProblem, NoAccess
from routesim.rabbitmq.scratch import OLD_S, is_left_over, sweep
from routesim.rabbitmq.url import Address
from routesim.run.on_rabbitmq.session import BrokerSession

MANAGEMENT = "http://127.0.0.1:15672"
SLOW = (
    "queues: {q: }\nconsumers: {c: {queue: q, takes: 100ms}}\nsteps:\n  - publish: {routing_key: q, count: 40}\n  - wait: 20s\n"
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "routesim", *arguments]


def ours(session: BrokerSession, pid: int) -> list[str]:
    return [name for name in session.management.vhosts() if f"-{pid}-" in name]


class Proxy:
    """Between a client and the broker: passes everything on until it is told to `drop` or to `stall`."""

    def __init__(self, broker: int) -> None:
        self.broker = broker
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.stalled = False
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            broker = socket.create_connection(("127.0.0.1", self.broker))
            self.sockets += [client, broker]
            for left, right in ((client, broker), (broker, client)):
                threading.Thread(target=self._pass_on, args=(left, right), daemon=True).start()

    def _pass_on(self, left: socket.socket, right: socket.socket) -> None:
        try:
            while data := left.recv(65_536):
                while self.stalled:
                    time.sleep(0.05)
                right.sendall(data)
        except OSError:
            return

    def drop(self) -> None:
        self.server.close()
        for each in self.sockets:
            with_shutdown(each)

    def stall(self) -> None:
        self.stalled = True


def with_shutdown(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def slow_run(tmp_path: Path, session: BrokerSession, port: int) -> "subprocess.Popen[str]":
    """On the session's broker, at this port."""
    url = f"amqp://guest:guest@127.0.0.1:{port}?heartbeat=2"
    path = tmp_path / "slow.yaml"
    path.write_text(SLOW, encoding="utf-8")
    return subprocess.Popen(
        command("run", str(path), "--broker", url, "--management", session.management.address.base), cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip


def until_it_works(session: BrokerSession, process: "subprocess.Popen[str]") -> None:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        names = ours(session, process.pid)
        if names and any(item["messages"] for item in _queues(session, names[0])):
            return
        time.sleep(0.1)
    raise AssertionError("it never began")


def _queues(session: BrokerSession, vhost: str) -> list[dict[str, int]]:
    from routesim.rabbitmq.http.management import ManagementError

    try:
        found = session.management.call("GET", f"queues/{vhost}")
    except ManagementError:
        return []
    return [{"messages": 1} for _ in found]


@pytest.mark.parametrize("how", [Proxy.drop, Proxy.stall], ids=["dropped", "silent"])
def test_a_broker_that_is_lost_in_mid_run(session: BrokerSession, tmp_path: Path, how: Callable[[Proxy], None]) -> None:
    proxy = Proxy(session.amqp.port)
    process = slow_run(tmp_path, session, proxy.port)
    until_it_works(session, process)
    time.sleep(0.5)
    how(proxy)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert errors.count("\n") == 1, errors
    assert "the connection to the broker at amqp://127.0.0.1" in errors
    assert "guest:" not in errors
    proxy.drop()
    assert ours(session, process.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(session: BrokerSession, tmp_path: Path, number: signal.Signals) -> None:
    process = slow_run(tmp_path, session, session.amqp.port)
    until_it_works(session, process)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == "interrupted\n"
    assert ours(session, process.pid) == []


def test_a_killed_run_leaves_its_vhost_for_an_hour(session: BrokerSession, tmp_path: Path) -> None:
    process = slow_run(tmp_path, session, session.amqp.port)
    until_it_works(session, process)
    process.kill()
    process.communicate(timeout=30)
    (left,) = ours(session, process.pid)
    try:
        assert left not in sweep(session.management)
        assert not is_left_over(left, time.time() + OLD_S - 60)
        assert is_left_over(left, time.time() + OLD_S + 60)
    finally:
        session.management.delete_vhost(left)


def test_the_management_plugin_of_another_broker_is_named(session: BrokerSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The virtual host is made by one broker, and the other one knows none of that name."""

    def refused(address: Address, vhost: str) -> None:
        raise NoAccess(f"the broker at {address} gives {address.user} no access")

    monkeypatch.setattr(connections, "connect", refused)
    with pytest.raises(
        BrokerProblem, match=f"made for it at {session.management.address}; is that .* of another broker. Name its own"
    ):
        BrokerSession(session.amqp, session.management.address)


@pytest.mark.parametrize("verb", ["run", "verify"])
@pytest.mark.parametrize(
    ("url", "management", "said"),
    [
        ("amqp://u:s3cret@127.0.0.1:1", "http://127.0.0.1:1", "cannot be reached"),
        ("amqp://guest:s3cret@127.0.0.1:5672", MANAGEMENT, "refuses the user name or password"),
        ("amqp://guest:s3cret@127.0.0.1:5672", "http://guest:guest@127.0.0.1:15672", "refuses the user name or password"),
        ("amqp://guest:guest@127.0.0.1:1", MANAGEMENT, "cannot be reached: Connection refused"),
    ],
)
def test_a_broker_that_says_no(session: BrokerSession, verb: str, url: str, management: str, said: str) -> None:
    done = subprocess.run(
        command(verb, "scenarios/hello.yaml", "--broker", url, "--management", management),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stdout + done.stderr


def test_an_address_that_is_none_is_not_understood() -> None:
    done = subprocess.run(
        command("run", "scenarios/hello.yaml", "--broker", "u:s3cret@h"), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "s3cret" not in done.stderr


def test_a_restart_is_refused(session: BrokerSession) -> None:
    done = subprocess.run(command("run", "scenarios/restart.yaml", "--broker", URL), cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "error: scenarios/restart.yaml: needs a restart of the broker\n")
