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

from routesim.rabbitmq.management import Management
from routesim.rabbitmq.url import segment

APPS = Path(__file__).with_name("apps")
NODE = "w1@here"
LIMIT_S = 25.0
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
                    [sys.executable, "-m", "celery", "-A", app, "worker", "-P", "solo", "-c", "1", "-n", NODE, "-l", "INFO", "--without-mingle"],
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
    }  # fmt: skip


def prefetch_of_channels(management: Management, vhost: str) -> set[int]:
    """What channels have as prefetch for all their consumers together, where they have one."""
    found = management.call("GET", f"vhosts/{segment(vhost)}/channels")
    return {each["global_prefetch_count"] for each in found if each.get("global_prefetch_count")}


def _table(arguments: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(arguments.items()))


def settled(management: Management, vhost: str, log: Path) -> Topology:
    """What a worker has declared once it is ready."""
    until = time.monotonic() + LIMIT_S
    while b" ready." not in log.read_bytes():
        assert time.monotonic() < until, log.read_text(errors="replace")
        time.sleep(0.1)
    return declared(management, vhost)
