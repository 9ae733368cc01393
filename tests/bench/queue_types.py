"""Throughput of what is no classic queue: quorum queues, which production is advised to use, streams, and Redis."""

from collections.abc import Iterator

from peers import kombu_messages
from policies import AGAIN
from rows import Row
from scale import Scale
from throughput import WAITS, beside_kombu
from workload import engine

TITLE = "Throughput of other queues"
QUORUM, STREAM = "x-queue-type: quorum", "x-queue-type: stream"
READS = "prefetch: 100, arguments: {x-stream-offset: first}"
CASES: dict[str, dict[str, str]] = {
    "quorum, consumers keep up": {"arguments": QUORUM},
    "quorum, time passes": {"arguments": QUORUM, "consumer": "takes: 1ms", "publish": "every: 1ms"},
    "quorum, every message waits for its turn": {"arguments": QUORUM, "consumer": WAITS},
    "quorum, every message redelivered once": {"arguments": QUORUM, "consumer": AGAIN},
    "streams, every consumer keeps up": {"arguments": STREAM, "consumer": READS, "ends": "published"},
    "Redis, consumers keep up": {"broker": "redis"},
}
FORMATS = {None: "no trace", "ndjson": "ndjson trace"}


def measure(scale: Scale) -> Iterator[Row]:
    kombu = kombu_messages()
    for name, given in CASES.items():
        for format, shown in FORMATS.items():
            yield beside_kombu(f"{name}, {shown}", engine(format, **given), kombu, None, scale)
