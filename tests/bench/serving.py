"""`routesim serve`: from its start to the first connection, its throughput under pika in turn with a real RabbitMQ, its memory."""

import contextlib
import json
import logging
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pairs import Ratio
from processes import folder, kept
from rows import Goal, Row, at_least, at_most, duration, missing
from scale import Scale

TITLE = "routesim serve"
REAL = "amqp://guest:guest@127.0.0.1:5643/%2F"  # a RabbitMQ 4.3, as tests/brokers/start starts it
PREFETCH, CONFIRMED = 100, 6  # one in so many messages is published with its confirm waited for
BODY = b"x" * 100
ORDER_FLOW = Path(__file__).parents[1] / "kits" / "celery" / "order_flow.py"


def measure(scale: Scale) -> Iterator[Row]:
    try:
        import pika
    except ImportError:
        yield missing("routesim serve under pika", "pika")
        return
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    began = [_first_connection() for _ in range(max(1, scale.processes // 3))]
    seconds = statistics.median(began)
    yield Row("from its start to the first connection.open-ok", duration(seconds), goal=at_most("V1", 0.5), value=seconds)
    flows = [_order_flow() for _ in range(max(1, scale.processes // 3))]
    yield Row(
        "an order, a lost connection and a day, with a Celery worker", duration(statistics.median(flows)),
        goal=at_most("V4", 2.0), value=statistics.median(flows),
    )  # fmt: skip
    back = _snapshot_back(max(3, scale.processes * 10))
    yield Row("a snapshot of ten queues put back", duration(back), goal=at_most("V5", 0.001), value=back)
    with _server() as (url, process):
        size = _megabytes(process.pid)
        yield Row("memory of an idle server", f"{size} MiB", goal=at_most("V3", 60), value=float(size))
        with _started([sys.executable, str(folder() / "amqp_floor.py")]) as (floor, _):
            yield from _against(url, floor, "a server without rules", None, scale)
        try:
            pika.BlockingConnection(pika.URLParameters(REAL)).close()
        except (pika.exceptions.AMQPError, OSError):
            yield Row("throughput: not measured, no RabbitMQ 4.3 answers on port 5643")
            return
        yield from _against(url, REAL, "as fast as RabbitMQ 4.3", at_least("V2", 1.0), scale)


def _against(url: str, other: str, to: str, goal: Goal | None, scale: Scale) -> Iterator[Row]:
    """Rounds that take turns."""
    count = max(60, scale.commanded // 60)
    rounds = [(_throughput(url, count), _throughput(other, count)) for _ in range(scale.processes)]
    for what in rounds[0][0]:
        ratio = Ratio.of([served[what] / others[what] for served, others in rounds])
        figure = f"{statistics.median(served[what] for served, _ in rounds):,.0f}/s"
        yield Row(f"pika: {what}", figure, ratio, to, goal)


def _server() -> "contextlib.AbstractContextManager[tuple[str, subprocess.Popen[bytes]]]":
    return _started([sys.executable, str(folder() / "command"), "serve", "--port", "0", "--format", "json", "--quiet"])


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A server that tells its port first."""
    with subprocess.Popen(command, cwd=folder(), env=kept(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            port = json.loads(process.stdout.readline())["port"]
            yield f"amqp://guest:guest@127.0.0.1:{port}/%2F", process
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()


def _first_connection() -> float:
    import pika

    folder()  # else it is made within the time that is taken
    begin = time.perf_counter()
    with _server() as (url, _):
        connection = pika.BlockingConnection(pika.URLParameters(url))
        took = time.perf_counter() - begin
        connection.close()
    return took


def _order_flow() -> float:
    """The whole of a test in a process of its own, from the start of Python to its end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, str(ORDER_FLOW)], check=True, stderr=subprocess.DEVNULL, env=kept())
    return time.perf_counter() - begin


def _snapshot_back(times: int) -> float:
    """As a test does it, through the server's thread; the median."""
    import pika

    import routesim

    with routesim.serving(clock="manual") as broker:
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            for number in range(10):
                channel.queue_declare(f"q{number}", durable=True)
                channel.basic_publish("", f"q{number}", BODY)
        start = broker.snapshot()
        took = []
        for _ in range(times):
            begin = time.perf_counter()
            start.restore()
            took.append(time.perf_counter() - begin)
    return statistics.median(took)


def _megabytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)


def _throughput(url: str, count: int) -> dict[str, float]:
    """Messages a second: published; consumed with acknowledgement; published with their confirms waited for."""
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    queue = channel.queue_declare("routesim-bench", durable=True).method.queue
    channel.queue_purge(queue)
    found: dict[str, float] = {}

    def timed(what: str, messages: int, work: Callable[[], object]) -> None:
        begin = time.perf_counter()
        work()
        found[what] = messages / (time.perf_counter() - begin)

    def publish() -> None:
        for _ in range(count):
            channel.basic_publish("", queue, BODY)
        channel.queue_declare(queue, passive=True)

    timed("publish", count, publish)
    left = count

    def take(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        nonlocal left
        left -= 1
        channel.basic_ack(method.delivery_tag)
        if not left:
            channel.stop_consuming()

    channel.basic_qos(prefetch_count=PREFETCH)
    channel.basic_consume(queue, take)
    timed(f"consume with acks, prefetch {PREFETCH}", count, channel.start_consuming)
    confirming = connection.channel()
    confirming.confirm_delivery()
    some = count // CONFIRMED

    def confirmed() -> None:
        for _ in range(some):
            confirming.basic_publish("", queue, BODY)

    timed("publish, each confirm waited for", some, confirmed)
    confirming.queue_delete(queue)
    connection.close()
    return found
