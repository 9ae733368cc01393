"""A shop's orders, from the click to the reminder of the next day: a producer as in Django, a real Celery worker, and the broker of a
test. Run as a program it goes through all of it once, which `tests/bench` times.

`broker` is what `routesim.serving` or the fixture `routesim_broker` gives.
"""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

import routesim

LIMIT_S = 30.0
WITHOUT = dict.fromkeys(("without_gossip", "without_mingle", "without_heartbeat"), True)


class Shop:
    """Its orders, and what is sent once they are safely in the database."""

    def __init__(self, database: Path) -> None:
        self.database = database

    def create(self) -> None:
        with self.atomic() as (rows, _):
            rows.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, charged INTEGER DEFAULT 0, reminded INTEGER DEFAULT 0)")
            rows.execute("CREATE TABLE attempts (id TEXT)")

    @contextlib.contextmanager
    def atomic(self) -> Iterator[tuple[sqlite3.Connection, list[Callable[[], object]]]]:
        """A transaction, and a list for what is to be done when it is committed."""
        after: list[Callable[[], object]] = []
        connection = sqlite3.connect(self.database, timeout=LIMIT_S)
        try:
            with connection:
                yield connection, after
        finally:
            connection.close()
        for act in after:
            act()

    def place(self, app: Celery, order: str) -> None:
        with self.atomic() as (rows, on_commit):
            rows.execute("INSERT INTO orders (id) VALUES (?)", (order,))
            on_commit.append(lambda: app.send_task("charge", (order,)))
            on_commit.append(lambda: app.send_task("remind", (order,), queue="tomorrow"))

    def orders(self) -> dict[str, tuple[int, int]]:
        """How often each was charged and reminded."""
        with self.atomic() as (rows, _):
            return {name: counts for name, *counts in rows.execute("SELECT id, charged, reminded FROM orders")}

    def attempts(self) -> int:
        with self.atomic() as (rows, _):
            return int(rows.execute("SELECT count(*) FROM attempts").fetchone()[0])


def celery_of(url: str, shop: Shop) -> Celery:
    app = Celery("shop", broker=url, set_as_current=False)
    work = Queue("work", Exchange("shop"), routing_key="work", queue_arguments={"x-queue-type": "quorum"})
    tomorrow = Queue(
        "tomorrow", Exchange("shop"), routing_key="tomorrow", message_ttl=24 * 60 * 60,
        queue_arguments={"x-dead-letter-exchange": "shop", "x-dead-letter-routing-key": "work"},
    )  # fmt: skip
    app.conf.update(
        task_queues=[work, tomorrow], task_default_queue="work", task_default_exchange="shop", task_default_routing_key="work",
        task_acks_late=True, task_ignore_result=True, worker_enable_remote_control=False,
    )  # fmt: skip

    @app.task(name="charge", shared=False)
    def charge(order: str) -> None:
        with shop.atomic() as (rows, _):
            rows.execute("INSERT INTO attempts VALUES (?)", (order,))
            rows.execute("UPDATE orders SET charged = charged + 1 WHERE id = ? AND charged = 0", (order,))  # once, however often

    @app.task(name="remind", shared=False)
    def remind(order: str) -> None:
        with shop.atomic() as (rows, _):
            rows.execute("UPDATE orders SET reminded = reminded + 1 WHERE id = ?", (order,))

    return app


@contextlib.contextmanager
def working(url: str, database: Path) -> Iterator[None]:
    """A real worker, in a process of its own."""
    command = [sys.executable, __file__, "worker", url, str(database)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()  # all is done: it need not be waited for


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def flow(broker: Any, folder: Path) -> None:
    """An order is charged though the worker's connection is lost with its ack, and reminded of a day later; nothing is lost, and
    nothing happens twice."""
    shop = Shop(folder / "shop.db")
    shop.create()
    with working(broker.url, shop.database), celery_of(broker.url, shop) as app:
        until(lambda: "work" in broker.queues and broker.queues["work"].consumers == 1)
        broker.fail("crash", "*", at_ack=1)  # the work is done, and its ack is not heard
        shop.place(app, "o-1")
        until(lambda: shop.attempts() == 2)  # so it is done again, by a worker that has come back
        until(lambda: broker.queues["work"][:2] == (0, 0))
        assert shop.orders() == {"o-1": [1, 0]}
        broker.advance("1d")
        until(lambda: shop.orders() == {"o-1": [1, 1]})
        until(lambda: broker.queues["work"][:2] == (0, 0))
        assert broker.lost == []


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["worker"]:
        url, database = arguments[1:]
        app = celery_of(url, Shop(Path(database)))
        app.Worker(pool="threads", concurrency=1, loglevel="CRITICAL", quiet=True, queues=["work"], **WITHOUT).start()
        return
    with TemporaryDirectory() as place, routesim.serving(rabbitmq="4.1") as served:
        flow(served, Path(place))


if __name__ == "__main__":
    main(sys.argv[1:])
