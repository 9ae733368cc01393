"""What Python itself costs: the least that any program of the kind has to do."""

import heapq
from collections import deque
from collections.abc import Callable

from workload import KEYS


def event_loop(messages: int) -> None:
    """Publish, route, deliver, ack through a virtual clock in one function: plain data, no rules."""
    queues = {key: deque[tuple[int, str]]() for key in KEYS}
    timers: list[tuple[int, int]] = []
    acked = 0
    for number in range(messages):
        queue = queues[KEYS[number % 10]]
        queue.append((number, "body"))
        message = queue.popleft()
        heapq.heappush(timers, (number, message[0]))
        heapq.heappop(timers)
        acked += 1
    assert acked == messages


def padded_rows(write: Callable[[str], object]) -> Callable[[int], None]:
    """A trace's rows as padded f-strings."""

    def work(rows: int) -> None:
        for number in range(rows):
            write(f"{number / 1000:>8.3f}  {'delivered':<20}{f'm{number}':<8}  {'warehouse → packer':<20}  {'tag 1'}\n")

    return work
