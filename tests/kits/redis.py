"""A Redis of our own and kombu as its client: the same steps as the engine's, carried out for real."""

import base64
import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from routesim import steps

WANTED = ("kombu", "redis")
SEPARATOR = "\x06\x16"
LONG_S = 60


def missing() -> str | None:
    """Why the live tests cannot run here; None: they can."""
    if shutil.which("redis-server") is None:
        return "redis-server is not installed"
    absent = [name for name in WANTED if name not in sys.modules and importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


@contextlib.contextmanager
def server() -> Iterator[int]:
    """A redis-server on a free port, with an empty directory and nothing saved."""
    reason = missing()
    if reason is not None:
        if os.environ.get("ROUTESIM_REQUIRE_BROKER"):
            pytest.fail(f"a Redis is required: {reason}")
        pytest.skip(reason)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(port)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def _await(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    pytest.fail("redis-server did not start")


class Kombu:
    """Clients of kombu in one process, with a clock for the unacked set that only `wait` moves.

    All connections share what they have declared. Consumers hold what they get: answers are steps.
    """

    def __init__(self, port: int, monkeypatch: Any, connections: dict[str, str] | None = None, **options: Any) -> None:
        import kombu.transport.redis as transport
        import redis

        self.now = 1_000_000.0
        monkeypatch.setattr(transport, "time", self._time)
        monkeypatch.setattr(transport.Channel, "_fanout_queues", {})
        self.port = port
        self.options = {"unacked_restore_throttle": 10**9, **options}
        self.connection_of = connections or {}
        self.connections: dict[str, Any] = {}
        self.channels: dict[str, Any] = {}
        self.swept: set[str] = set()
        self.held: dict[str, list[Any]] = {}
        self.delivered: dict[str, list[tuple[str, bool]]] = {}
        self.redis = redis.Redis(port=port, decode_responses=True)
        self.redis.flushall()
        self.state: Any = None

    def _time(self) -> float:
        self.now += 1e-6  # no two deliveries at the same time, which would come back in no order
        return self.now

    def channel(self, name: str) -> Any:
        from kombu import Connection

        found = self.channels.get(name)
        if found is not None:
            return found
        where = self.connection_of.get(name, name)
        connection = self.connections.get(where)
        if connection is None:
            connection = self.connections[where] = Connection(f"redis://127.0.0.1:{self.port}/0", transport_options=self.options)
            connection.connect()
            if self.state is None:
                self.state = connection.transport.state
            connection.transport.state = self.state
        channel = self.channels[name] = connection.channel()
        channel.brpop_timeout = LONG_S  # a blocked client stays at its place in the line
        channel.qos._vrestore_count = 1
        self.held[name] = []
        return channel

    def apply(self, step: steps.Step) -> None:
        _DO[type(step)](self, step)
        self.settle()

    def settle(self) -> None:
        """Until nobody gets anything any more."""
        quiet = 0
        while quiet < 2:
            quiet += 1
            for connection in sorted(self.connections.values(), key=_asked_at):
                if any(channel._consumers for channel in connection.transport.channels):
                    with contextlib.suppress(TimeoutError):
                        while True:
                            connection.drain_events(timeout=0.008)
                            quiet = 0

    # Steps -------------------------------------------------------------------------------------------------------------

    def declare_exchange(self, step: steps.DeclareExchange) -> None:
        self.channel(step.channel).exchange_declare(step.exchange.name, step.exchange.type)

    def declare_queue(self, step: steps.DeclareQueue) -> None:
        self.channel(step.channel).queue_declare(step.queue.name, arguments=dict(step.queue.arguments))

    def bind(self, step: steps.Bind) -> None:
        self.channel(step.channel).queue_bind(step.binding.destination, step.binding.source, step.binding.routing_key)

    def unbind(self, step: steps.Unbind) -> None:
        self.channel(step.channel).queue_unbind(step.binding.destination, step.binding.source, step.binding.routing_key)

    def delete_queue(self, step: steps.DeleteQueue) -> None:
        self.channel(step.channel).queue_delete(step.queue, if_empty=step.if_empty)

    def delete_exchange(self, step: steps.DeleteExchange) -> None:
        self.channel(step.channel).exchange_delete(step.exchange)

    def purge(self, step: steps.Purge) -> None:
        self.channel(step.channel).queue_purge(step.queue)

    def publish(self, step: steps.Publish) -> None:
        channel, message = self.channel(step.channel), step.message
        given = channel.prepare_message(
            step.id,
            priority=message.priority,
            content_type="text/plain",
            content_encoding="utf-8",
            headers=dict(message.headers or {}),
        )
        channel.basic_publish(given, message.exchange, message.routing_key)

    def get(self, step: steps.Get) -> None:
        channel = self.channel(step.channel)
        message = channel.basic_get(step.queue, no_ack=step.auto_ack)
        if message is not None:
            self._got(step.channel, step.channel, step.auto_ack, message)

    def consume(self, step: steps.Consume) -> None:
        consumer = step.consumer
        channel = self.channel(consumer.channel)
        if consumer.prefetch is not None:
            channel.basic_qos(0, consumer.prefetch, False)
        if consumer.name in channel._consumers:
            return
        self._unblock(channel)
        where = self.connection_of.get(consumer.channel, consumer.channel)
        channel.basic_consume(
            consumer.queue, consumer.auto_ack,
            lambda message: self._got(consumer.name, consumer.channel, consumer.auto_ack, message), consumer.name,
        )  # fmt: skip
        if where not in self.swept:
            self.swept.add(where)
            channel.qos.restore_visible(num=channel.unacked_restore_limit, interval=1)

    def _got(self, consumer: str, channel: str, auto_ack: bool, message: Any) -> None:
        text = message.body if isinstance(message.body, str) else message.body.decode()
        self.delivered.setdefault(consumer, []).append((text, bool(message.headers.get("redelivered"))))
        if not auto_ack:
            self.held[channel].append((text, message))

    def cancel(self, step: steps.Cancel) -> None:
        channel = self.channel(step.channel)
        if step.consumer in channel._consumers:
            self._unblock(channel)
        channel.basic_cancel(step.consumer)

    def qos(self, step: steps.Qos) -> None:
        self.channel(step.channel).basic_qos(0, step.prefetch, step.whole_channel)

    def _meant(self, channel: str, message: str | None) -> Any:
        for index in range(len(self.held[channel]) - 1, -1, -1):
            if self.held[channel][index][0] == message:
                return self.held[channel].pop(index)[1].delivery_tag
        raise AssertionError(f"{channel} does not hold {message}")

    def ack(self, step: steps.Ack) -> None:
        self.channel(step.channel).basic_ack(self._meant(step.channel, step.message))

    def reject(self, step: steps.Reject | steps.Nack) -> None:
        self.channel(step.channel).basic_reject(self._meant(step.channel, step.message), requeue=step.requeue)

    def recover(self, step: steps.Recover) -> None:
        self.channel(step.channel).basic_recover(requeue=step.requeue)
        self.held[step.channel].clear()

    def close(self, step: steps.Close) -> None:
        connection = self.connections.pop(step.connection, None)
        if connection is None:
            return
        for name in [name for name in self.channels if self.connection_of.get(name, name) == step.connection]:
            self._unblock(self.channels.pop(name))
        connection.close()
        self.swept.discard(step.connection)

    def crash(self, step: steps.Crash) -> None:
        """The sockets go, and kombu gets no chance to give anything back."""
        connection = self.connections.pop(step.connection, None)
        if connection is None:
            return
        for name in [name for name in self.channels if self.connection_of.get(name, name) == step.connection]:
            del self.channels[name]
        for channel in [*connection.transport.channels, *connection.transport._avail_channels]:
            channel.qos._on_collect.cancel()
            channel.closed = True
            for client in (channel.__dict__.get("client"), channel.__dict__.get("subclient")):
                inner = getattr(client, "connection", None)
                if inner is not None:
                    inner.disconnect()
            channel._disconnect_pools()
        connection.transport.cycle.close()
        self.swept.discard(step.connection)
        self._await_gone()

    def _await_gone(self) -> None:
        """Until the server too has noticed."""
        for _ in range(3):
            self.redis.ping()

    def wait(self, seconds: float) -> None:
        """Time passes, and one of the consumers that live looks for what is overdue."""
        self.now += seconds
        for name, channel in self.channels.items():
            if self.connection_of.get(name, name) in self.swept and channel.active_queues:
                channel.qos.restore_visible(num=channel.unacked_restore_limit, interval=1)
                break
        self.settle()

    def _unblock(self, channel: Any) -> None:
        """A BRPOP in flight ends without a message, as after its second."""
        if not channel._in_poll:
            return
        mine = ":".join(map(str, channel._in_poll._sock.getsockname()))
        for client in self.redis.client_list():
            if client["addr"] == mine:
                self.redis.client_unblock(int(client["id"]))
        from queue import Empty

        with contextlib.suppress(Empty):
            channel._brpop_read()

    def end(self) -> None:
        for name in list(self.connections):
            self.crash(steps.Crash(name))
        self.redis.close()

    # What is there ---------------------------------------------------------------------------------------------------

    def ready(self, queue: str, priorities: tuple[int, ...] = (0, 3, 6, 9)) -> list[str]:
        """Message ids in the order in which they would be popped."""
        keys = [f"{queue}{SEPARATOR}{step}" if step else queue for step in priorities]
        return [body_of(json.loads(item)) for key in keys for item in reversed(self.redis.lrange(key, 0, -1))]

    def unacked(self) -> set[str]:
        return {body_of(json.loads(item)[0]) for item in self.redis.hgetall("unacked").values()}


def _asked_at(connection: Any) -> float:
    """Who has been blocked longest has been served first, and asks again first."""
    return min((channel._brpop_sent_at or 0.0 for channel in connection.transport.channels), default=0.0)


def body_of(payload: dict[str, Any]) -> str:
    return base64.b64decode(payload["body"]).decode()


_DO: dict[type, Any] = {
    steps.DeclareExchange: Kombu.declare_exchange,
    steps.DeclareQueue: Kombu.declare_queue,
    steps.Bind: Kombu.bind,
    steps.Unbind: Kombu.unbind,
    steps.DeleteQueue: Kombu.delete_queue,
    steps.DeleteExchange: Kombu.delete_exchange,
    steps.Purge: Kombu.purge,
    steps.Publish: Kombu.publish,
    steps.Get: Kombu.get,
    steps.Consume: Kombu.consume,
    steps.Cancel: Kombu.cancel,
    steps.Qos: Kombu.qos,
    steps.Ack: Kombu.ack,
    steps.Nack: Kombu.reject,
    steps.Reject: Kombu.reject,
    steps.Recover: Kombu.recover,
    steps.Close: Kombu.close,
    steps.Crash: Kombu.crash,
}
