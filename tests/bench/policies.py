"""Throughput with limits, expiry, priorities, dead letters and redeliveries in use on every queue."""

from collections.abc import Iterator

from peers import kombu_messages
from rows import Row, at_least
from scale import Scale
from throughput import WAITS, beside_kombu
from workload import engine

TITLE = "Throughput with policies in use on every queue"
PARKED = "  parked:"
TTL, LENGTH, PRIORITY, DEAD_LETTER = (
    "x-message-ttl: 60000", "x-max-length: 1000000", "x-max-priority: 5", "x-dead-letter-exchange: dead",
)  # fmt: skip
EVERYTHING = ", ".join((TTL, LENGTH, PRIORITY, DEAD_LETTER))
AGAIN = "on_message: [{attempt: 1, do: requeue}, {do: ack}]"
DIE = "on_message: reject"
SOME = "on_message: [{chance: 0.1, do: requeue}, {do: ack}]"
CASES: dict[str, dict[str, str]] = {
    "TTL": {"arguments": TTL},
    "max length": {"arguments": LENGTH},
    "max length reached, every message drops one": {"arguments": "x-max-length: 1", "consumer": "start: false", "ends": "dropped"},
    "priority": {"arguments": PRIORITY, "publish": "priority: 3"},
    "every message redelivered once": {"consumer": AGAIN},
    "every message dead-lettered": {"arguments": DEAD_LETTER, "consumer": DIE, "more": PARKED, "ends": "dead_lettered"},
    "all of it, 10 % redelivered": {"arguments": EVERYTHING, "consumer": SOME, "publish": "priority: 3"},
    "all of it, 10 % redelivered, all wait": {
        "arguments": EVERYTHING, "consumer": f"{WAITS}, {SOME}", "publish": "priority: 3",
    },
}  # fmt: skip
FORMATS = {None: ("no trace", at_least("G3", 7)), "ndjson": ("ndjson trace", at_least("G3", 4))}


def measure(scale: Scale) -> Iterator[Row]:
    kombu = kombu_messages()
    for name, given in CASES.items():
        for format, (shown, goal) in FORMATS.items():
            yield beside_kombu(f"{name}, {shown}", engine(format, **given), kombu, goal, scale)
