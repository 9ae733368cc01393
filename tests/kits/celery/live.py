"""Real Celery workers on the real broker, and what they declare there, in a form that the simulator's broker has too."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from routesim.broker.broker import Broker
from routesim.rabbitmq.http.management import Management
from routesim.rabbitmq.url import segment
from routesim.values import Typed

APPS = Path(__file__).parents[2] / "celery" / "apps"
NODE = "w1@here"
LIMIT_S = 60.0  # for all workers together; they take 8 s
# Names that Celery makes up: kombu's Broadcast, the listener of events.
MADE_UP = re.compile(r"^(bcast|celeryev)\..+$")

Topology = dict[str, set[tuple[Any, ...]]]


def plain_name(name: str) -> str:
    """The node's name as the scenario has it, and what is made up as a star."""
    return MADE_UP.sub(r"\1.*", name.replace(NODE, "w1"))


@contextmanager
def workers(urls: dict[str, str], logs: Path) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """A worker of each app, at the broker with this URL, killed at the end."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for app, url in urls.items():
            with open(logs / app, "wb") as log:
                running[app] = subprocess.Popen(
                    [sys.executable, "-m", "celery", "-A", app, "worker", "-P", "solo", "-c", "1", "-n", NODE, "-l", "INFO"],
                    cwd=APPS, env={**os.environ, "CELERY_BROKER_URL": url}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        yield running
    finally:
        for worker in running.values():
            worker.kill()
        for worker in running.values():
            worker.wait()


def declared(management: Management, vhost: str) -> Topology:
    """What is there now."""

    def asked(what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = management.call("GET", f"{what}/{segment(vhost)}")
        return found

    return {
        "exchanges": {
            (each["name"], each["type"], each["durable"], each["auto_delete"], each["internal"], _table(each["arguments"]))
            for each in asked("exchanges")
            if each["name"] and not each["name"].startswith("amq.")
        },
        "queues": {
            (plain_name(each["name"]), each["durable"], each["auto_delete"], each["exclusive"], _table(each["arguments"]))
            for each in asked("queues")
        },
        "bindings": {
            (
                each["source"], plain_name(each["destination"]), each["destination_type"], each["routing_key"],
                _table(each["arguments"]),
            )
            for each in asked("bindings")
            if each["source"]
        },
        "consumers": {
            (plain_name(each["queue"]["name"]), each["ack_required"], each["exclusive"], each["prefetch_count"])
            for each in asked("consumers")
        },
        "prefetch of channels": {
            (each["global_prefetch_count"],)
            for each in management.call("GET", f"vhosts/{segment(vhost)}/channels")
            if each.get("global_prefetch_count")
        },
    }  # fmt: skip


def simulated(broker: Broker) -> Topology:
    """The same of the simulator's broker."""
    return {
        "exchanges": {
            (name, each.declared.type, each.declared.durable, each.declared.auto_delete, each.declared.internal,
             _table(each.declared.arguments))
            for name, each in broker.exchanges.items()
            if name and not name.startswith("amq.")
        },
        "queues": {
            (plain_name(name), each.durable, each.auto_delete, each.owner is not None, _table(each.arguments))
            for name, each in broker.queues.items()
        },
        "bindings": {
            (each.source, plain_name(each.destination), each.destination_type, each.routing_key, _table(each.arguments))
            for state in broker.exchanges.values()
            for each in state.bindings.values()
        },
        "consumers": {
            (plain_name(name), not each.auto_ack, each.exclusive, each.prefetch)
            for name, queue in broker.queues.items()
            for each in queue.subscriptions.values()
        },
        "prefetch of channels": {(channel.limit,) for channel in broker.channels.values() if channel.limit},
    }  # fmt: skip


def _table(arguments: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((key, value.value if isinstance(value, Typed) else value) for key, value in arguments.items()))


def settled(management: Management, vhost: str, wanted: Topology, log: Path, until: float) -> Topology:
    """What a worker has declared when that is what is wanted, or when the time is up: statistics come seconds later."""
    while True:
        found = declared(management, vhost)
        if found == wanted:
            return found
        assert time.monotonic() < until or b" ready." in log.read_bytes(), log.read_text(errors="replace")
        if time.monotonic() > until:
            return found
        time.sleep(0.25)
