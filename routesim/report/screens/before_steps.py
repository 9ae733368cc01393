"""What had happened before the first step began: what was declared, and who was started."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routesim import events

WORDS: tuple[tuple[type, str, str], ...] = (
    (events.ExchangeDeclared, "exchange", "declared"),
    (events.QueueDeclared, "queue", "declared"),
    (events.Bound, "binding", "declared"),
    (events.PolicySet, "policy", "declared"),
    (events.ConsumerStarted, "consumer", "started"),
    (events.WorkerOnline, "worker", "started"),
)
PLURALS = {"policy": "policies"}


def told(before: Iterable[Any]) -> str:
    """In a line: `3 exchanges, 4 queues and 5 bindings declared, 1 consumer started`."""
    counts = Counter(map(type, before))
    parts = []
    for done in ("declared", "started"):
        found = [_count(counts[kind], name) for kind, name, verb in WORDS if verb == done and counts[kind]]
        if found:
            parts.append(f"{' and '.join([', '.join(found[:-1]), found[-1]] if len(found) > 1 else found)} {done}")
    return ", ".join(parts)


def _count(number: int, name: str) -> str:
    return f"{number} {name if number == 1 else PLURALS.get(name, f'{name}s')}"
