"""What takes real time in Redis, in short: the visibility timeout by itself, the end of a worker's process, expiring lists."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from kits.redis import SEPARATOR
from kits.redis_twins import Model, ack, consume, publish, queue

from routesim import steps

# A worker as Celery has one: kombu in an event loop. It prints what it gets and acknowledges after so many seconds.
WORKER = """
import sys, time
from kombu import Connection
from kombu.asynchronous import Hub, set_event_loop
port, prefetch, takes, options = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), eval(sys.argv[4])
hub = Hub(); set_event_loop(hub)
connection = Connection(f"redis://127.0.0.1:{port}/0", transport_options=options)
connection.register_with_event_loop(hub)
channel = connection.channel()
channel.basic_qos(0, prefetch, False)
def got(message):
    print(repr(time.time()), message.body.decode(), bool(message.headers.get("redelivered")), flush=True)
    if takes:
        hub.call_later(takes, message.ack)
channel.basic_consume("q", False, got, "tag")
print("ready", flush=True)
sys.stdin.readline()
hub.run_forever()
"""


class Process:
    def __init__(self, port: int, prefetch: int, takes: float, **options: Any) -> None:
        arguments = [sys.executable, "-c", WORKER, str(port), str(prefetch), str(takes), repr(options)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> "Process":
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self

    def next(self) -> tuple[float, str, bool]:
        assert self.process.stdout is not None
        at, message, redelivered = self.process.stdout.readline().split()
        return float(at), message, redelivered == "True"

    def kill(self) -> list[str]:
        """What it has printed and nobody has read."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.communicate()[0].splitlines()


@pytest.fixture
def client(redis_port: int) -> Any:
    import redis

    found = redis.Redis(port=redis_port, decode_responses=True)
    found.flushall()
    yield found
    found.close()


def sent(port: int, *names: str, **arguments: Any) -> float:
    from kombu import Connection

    with Connection(f"redis://127.0.0.1:{port}/0") as connection:
        channel = connection.channel()
        channel.queue_declare("q", arguments=arguments)
        for name in names:
            prepared = channel.prepare_message(name, content_type="text/plain", content_encoding="utf-8")
            channel.basic_publish(prepared, "", "q")
    return time.time()


def test_a_killed_worker_loses_nothing_but_the_visibility_timeout(redis_port: int, client: Any) -> None:
    """Killed at once: the other one has the message when the timeout is over, not earlier."""
    options = {"visibility_timeout": 0.6, "unacked_restore_interval": 0.05, "unacked_restore_throttle": 1}
    options["unacked_mutex_expire"] = 1  # of the lock that it may hold when it is killed; kombu's own are 300 s
    first, second = Process(redis_port, 4, 0, **options).go(), Process(redis_port, 4, 0, **options)
    sent(redis_port, "m")
    began, message, again = first.next()
    assert (message, again) == ("m", False)
    second.go()
    first.kill()
    at, message, again = second.next()
    second.kill()
    assert (message, again) == ("m", True)
    assert 0.6 <= at - began < 2.2
    model = Model(visibility_timeout=600, restore_every=50)
    model.apply(queue("q"))
    model.apply(consume("a", "q", 4))
    model.apply(publish("m", "q"))
    model.apply(steps.Crash("a"))
    model.apply(consume("b", "q", 4))
    model.broker.advance(599)
    assert "b" not in model.delivered
    model.broker.advance(700)
    assert model.delivered["b"] == [("m", True)]


def test_a_late_task_is_run_by_two_workers_three_times(redis_port: int, client: Any) -> None:
    """It takes 2.4 timeouts, as 12 s and 5 s do; both workers have one hand, and one of them does it twice."""
    options = {"visibility_timeout": 0.5, "unacked_restore_interval": 0.05, "unacked_restore_throttle": 1}
    workers = [Process(redis_port, 4, 1.2, **options).go() for _ in range(2)]
    sent(redis_port, "m")
    time.sleep(2.0)
    lines = [line for worker in workers for line in worker.kill()]
    assert len(lines) == 3
    model = Model(visibility_timeout=500, restore_every=50)
    for step in (queue("q"), consume("a", "q", 4), consume("b", "q", 4), publish("m", "q")):
        model.apply(step)
    model.broker.advance(model.broker.now + 1199)
    model.apply(ack("a", "m"))
    model.broker.advance(5000)
    assert sum(len(items) for items in model.delivered.values()) == 3


def test_lists_with_x_expires_go_whoever_waits(redis_port: int, client: Any) -> None:
    from kombu import Connection

    with Connection(f"redis://127.0.0.1:{redis_port}/0") as connection:
        channel = connection.channel()
        channel.queue_declare("q", arguments={"x-expires": 150})
        for name in ("one", "two"):
            channel.basic_publish(channel.prepare_message(name, priority=9 if name == "two" else 0), "", "q")
        time.sleep(0.1)
        assert channel.basic_get("q").body == b"one"  # a get prolongs what is left
        time.sleep(0.1)
        assert client.llen(f"q{SEPARATOR}9") == 1
        time.sleep(0.1)
        assert client.llen(f"q{SEPARATOR}9") == 0
    model = Model()
    for step in (queue("q", **{"x-expires": 150}), publish("one", "q"), publish("two", "q", priority=9)):
        model.apply(step)
    model.broker.advance(100)
    model.apply(steps.Get("g", "q"))
    model.broker.advance(240)
    assert model.ready("q") == ["two"]
    model.broker.advance(260)
    assert model.ready("q") == []


def test_a_waiting_client_goes_to_the_end_of_the_line_when_its_brpop_ends(redis_port: int, client: Any) -> None:
    """kombu asks anew every second: who asked first an hour ago is not the one that has been blocked longest."""

    def received() -> tuple[int, int]:
        first, second = Process(redis_port, 0, 0), Process(redis_port, 0, 0)
        first.go()
        time.sleep(0.5)
        second.go()
        time.sleep(0.75)  # the first one has asked again by now, the second one not yet
        sent(redis_port, "m")
        time.sleep(0.1)
        return len(first.kill()), len(second.kill())

    assert (0, 1) in (received() for _ in range(3))  # on a busy machine a second is sometimes not long enough
    model = Model()
    for step in (queue("q"), consume("a", "q")):
        model.apply(step)
    model.broker.advance(500)
    model.apply(consume("b", "q"))
    model.broker.advance(1300)
    model.apply(publish("m", "q"))
    assert model.delivered == {"b": [("m", False)]}


def test_restarting_a_redis_as_it_is_delivered(redis_port: int, tmp_path: Path) -> None:
    """Told to stop it writes a snapshot; killed within the first minutes it has none."""
    import redis

    def begun() -> Any:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            ["redis-server", "--port", str(port), "--dir", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                found = redis.Redis(port=port)
                found.ping()
                return process, found
            except redis.exceptions.ConnectionError:
                time.sleep(0.02)
        raise AssertionError("redis-server did not start")

    process, found = begun()
    found.lpush("q", "first")
    found.close()
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    process, found = begun()
    assert found.lrange("q", 0, -1) == [b"first"]
    found.lpush("q", "second")
    found.close()
    process.kill()
    process.wait(10)
    process, found = begun()
    assert found.lrange("q", 0, -1) == [b"first"]
    found.close()
    process.terminate()
    process.wait(10)
