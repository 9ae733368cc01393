"""A drawn program carried out by real Celery workers, whose events are listened to as a monitor does."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery import Celery, chain, chord

from kits.celery.clients import closed
from kits.celery.programs.drawing import QUEUE, Program
from kits.celery.programs.seen import Moment
from kits.celery.programs.simulated import HERE

LIMIT_S = 120.0
SIGNALS = {"warm": signal.SIGTERM, "cold": signal.SIGQUIT}


class NotStarted(Exception):
    """A worker did not come up."""


class Player:
    """`late_s`: by how much the steps were late, at the most."""

    def __init__(self, program: Program, url: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        self.url = url
        self.app = Celery("caller", broker=url, set_as_current=False)
        self.app.conf.update(program.settings)
        if url.startswith("redis"):
            self.app.conf.result_backend = url
            consumer = self.app.backend.result_consumer  # which would subscribe to results that nobody asks for
            consumer.consume_from = consumer.cancel_for = lambda _: None
        for name in program.tasks:
            self.app.task(name=name, shared=False, typing=False)(_body)  # a chord is made of tasks that the caller knows
        self.all: list[subprocess.Popen[bytes]] = []
        self.waiting: dict[str, list[subprocess.Popen[bytes]]] = {name: [] for name in program.workers}
        self.working: dict[str, subprocess.Popen[bytes]] = {}
        self.ending: dict[str, subprocess.Popen[bytes]] = {}  # the one before, which was told to end
        self.heard: list[tuple[float, str, str]] = []
        self.over = threading.Event()
        self.late_s = 0.0

    @contextlib.contextmanager
    def ready(self) -> Iterator["Player"]:
        """Every worker that the program will start has imported the app, and the monitor listens."""
        (self.folder / "pids").mkdir(exist_ok=True)
        environment = {**os.environ, "PROGRAM_BROKER": self.url, "PROGRAM": str(self.folder / "program.json")}
        monitor = threading.Thread(target=self._listen, daemon=True)
        try:
            for name in self.program.workers:
                starts = 1 + sum(step == ("worker", name, "start") for step in self.program.steps)
                for number in range(starts):
                    self.waiting[name].append(self._standby(name, number, environment))
            for worker in self.all:
                _await_line(worker, b"ready\n")
            monitor.start()
            with self.app.producer_or_acquire() as producer:  # connected and declared: the first call is to take no longer
                producer.maybe_declare(self.app.amqp.queues[QUEUE])
            time.sleep(0.3)
            for name in self.program.workers:
                self._start(name)
            time.sleep(0.3)
            yield self
        finally:
            self.over.set()
            for worker in self.all:
                _kill(worker)
            monitor.join(5)
            if self.app.conf.result_backend:
                self.app.backend.client.connection_pool.disconnect()
            closed(self.app)

    def _standby(self, name: str, number: int, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        with open(self.folder / f"{name}-{number}.log", "wb") as log:
            found = subprocess.Popen(
                [sys.executable, "-u", "standby.py", name], cwd=HERE, env=environment, start_new_session=True, bufsize=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self.all.append(found)
        return found

    def play(self, length_s: float) -> list[Moment]:
        """The steps, each at its time; then all workers die. Times are counted from the first step."""
        self.began = time.time()
        now = 0.0
        for step in self.program.steps:
            if step[0] == "wait":
                now += step[1]
                self._sleep_until(now)
            else:
                self._carry_out(step)
                self.late_s = max(self.late_s, time.time() - self.began - now)
        self._sleep_until(length_s)
        for worker in self.working.values():
            _kill(worker)
        time.sleep(0.3)
        self.over.set()
        return [Moment(at - self.began, kind, task) for at, kind, task in self.heard]

    def _sleep_until(self, now: float) -> None:
        left = self.began + now - time.time()
        if left > 0:
            time.sleep(left)
        self.late_s = max(self.late_s, -left)

    def _carry_out(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("call", id, fields):
                options = {name: fields[name] for name in ("countdown", "expires") if name in fields}
                self.app.send_task(fields["task"], task_id=id, **options)
            case ("canvas", kind, members):
                signatures = [self.app.signature(task, immutable=True).set(task_id=id) for id, task in members]
                canvas = chain(*signatures) if kind == "chain" else chord(signatures[:-1], signatures[-1])
                canvas.apply_async()
            case ("revoke", id, terminate):
                self.app.control.revoke(id, terminate=terminate)
            case ("worker", name, "start"):
                self._start(name)
            case ("worker", name, "kill"):
                _kill(self.working.pop(name))
            case ("worker", name, "kill_child"):
                for running in (self.folder / "pids").iterdir():
                    running.unlink(missing_ok=True)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(running.name), signal.SIGKILL)
            case ("worker", name, what):
                self.ending[name] = self.working.pop(name)
                self.ending[name].send_signal(SIGNALS[what])

    def _start(self, name: str) -> None:
        if name in self.ending:  # its queue of commands is its own as long as it is there
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.ending.pop(name).wait(LIMIT_S)
        worker = self.working[name] = self.waiting[name].pop(0)
        assert worker.stdin is not None
        worker.stdin.write(b"!")
        _await_line(worker, b"working\n")

    def _listen(self) -> None:
        with self.app.connection_for_read() as connection:
            receiver = self.app.events.Receiver(connection, handlers={"*": self._hear})
            with receiver.consumer_context(wakeup=False) as (own, _, _):
                while not self.over.is_set():
                    with contextlib.suppress(TimeoutError):
                        own.drain_events(timeout=0.2)

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind.startswith("task-") and kind != "task-sent":
            self.heard.append((event["timestamp"], kind.removeprefix("task-"), event["uuid"]))


def _await_line(worker: "subprocess.Popen[bytes]", line: bytes) -> None:
    """Celery's banner comes before."""
    assert worker.stdout is not None
    until = time.monotonic() + LIMIT_S
    heard = b""
    while select.select([worker.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
        found = os.read(worker.stdout.fileno(), 4096)
        heard += found
        if heard.endswith(line):
            return
        if not found:
            break
    raise NotStarted(f"a worker does not say {line.strip().decode()}, status {worker.poll()}")


def _kill(worker: "subprocess.Popen[bytes]") -> None:
    """With its children, as a container's or a machine's end does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def left_on_rabbitmq(url: str) -> dict[str, list[str]]:
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    rows = []
    while True:
        try:
            _, properties, _ = channel.basic_get(QUEUE, auto_ack=True)
        except pika.exceptions.ChannelClosedByBroker:
            break
        if properties is None:
            break
        rows.append(f"{properties.headers['id']} {properties.headers['retries']}")
    connection.close()
    return {QUEUE: rows}


def left_on_redis(url: str) -> dict[str, list[str]]:
    import redis

    with redis.Redis.from_url(url) as client:
        messages = [json.loads(each) for each in reversed(client.lrange(QUEUE, 0, -1))]
        unacked = [json.loads(each)[0] for each in client.hvals("unacked")]
    return {
        QUEUE: [f"{each['headers']['id']} {each['headers']['retries']}" for each in messages],
        "unacked": sorted(f"{each['headers']['id']} {each['headers']['retries']}" for each in unacked),
    }


def _body() -> None:
    """Of a task that the caller only calls."""
