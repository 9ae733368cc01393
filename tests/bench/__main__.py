"""`python tests/bench`: routesim beside floors measured in the same run. Prints ratios; absolute figures are for orientation.

Each figure is the median of several rounds in which the probes take turns, so that all of them see the same machine.
"""

import heapq
import io
import os
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable

from routesim.report.lines import Lines
from routesim.report.trace import Trace
from routesim.run import Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.source import Source
from routesim.tables import PLAIN

MESSAGES = 20_000
ROUNDS = 5
START_ROUNDS = 9
ROWS = 100_000

SCENARIO = """
exchanges: {shop: topic}
queues: {%(queues)s}
bindings:
%(bindings)s
%(consumers)s
steps:
  - publish: {exchange: shop, routing_key: ship.eu.w0, body: a pair of shoes, count: %(count)d}
"""


def scenario(count: int, *, consumers: bool) -> Scenario:
    """10 queues, 10 bindings, half with `*` and half with `#`; every message reaches one queue."""
    patterns = [f"ship.*.w{number}" if number % 2 == 0 else f"order.#.w{number}" for number in range(10)]
    text = SCENARIO % {
        "queues": ", ".join(f"q{number}: " for number in range(10)),
        "bindings": "\n".join(
            f"  - {{source: shop, destination: q{number}, routing_key: '{pattern}'}}" for number, pattern in enumerate(patterns)
        ),
        "consumers": "consumers: {packer: {queue: q0}}" if consumers else "",
        "count": count,
    }
    return load_source(Source("bench", text), "")


class Nothing(io.TextIOBase):
    """A stream that takes text and forgets it."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)


def run(found: Scenario, listen: Callable[..., None] | None) -> None:
    result = Runner(found, listen, keep=False).run()
    assert result.broker.ledger.published == MESSAGES


def floor() -> None:
    """What any discrete-event engine in Python has to do: one function, plain data, no rules."""
    queue: deque[tuple[int, str]] = deque()
    timers: list[tuple[int, int]] = []
    routes = {"ship.eu.w0": queue}
    acked = 0
    for number in range(MESSAGES):
        routes["ship.eu.w0"].append((number, "a pair of shoes"))
        message = queue.popleft()
        heapq.heappush(timers, (number, message[0]))
        heapq.heappop(timers)
        acked += 1
    assert acked == MESSAGES


def trace_floor() -> None:
    """A trace's rows as bare padded f-strings."""
    out = Nothing()
    for number in range(ROWS):
        out.write(f"{number / 1000:>8.3f}  {'delivered':<20}{f'm{number}':<8}  {'warehouse':<20}  {'tag 1'}\n")


def trace_rows(found: Scenario) -> None:
    trace = Trace(Nothing(), found, colour=False, columns=None)
    for number in range(ROWS):
        trace.add((number, 1, "delivered", f"m{number}", "warehouse", "tag 1", PLAIN))


def seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def rounds(probes: dict[str, Callable[[], None]], count: int) -> dict[str, float]:
    """The median seconds of each probe, all of them in turn."""
    times: dict[str, list[float]] = {name: [] for name in probes}
    for _ in range(count):
        for name, work in probes.items():
            times[name].append(seconds(work))
    return {name: statistics.median(values) for name, values in times.items()}


def process(*arguments: str) -> Callable[[], None]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def work() -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)

    return work


def table(title: str, found: dict[str, float], base: str, unit: Callable[[float], str]) -> None:
    out = sys.stdout.write
    out(f"\n{title}\n")
    for name, value in found.items():
        out(f"  {name:<44}{unit(value):>16}{value / found[base]:>9.2f} x\n")


def main() -> None:
    busy, waiting = scenario(MESSAGES, consumers=True), scenario(MESSAGES, consumers=False)
    out = Nothing()
    per_second = lambda value: f"{MESSAGES / value:,.0f}/s"  # noqa: E731
    table(
        f"publish, route, deliver, ack: {MESSAGES:,} messages (ratio: time to the floor)",
        rounds(
            {
                "floor: deque, dict and heap in one function": floor,
                "consumers keep up, no trace": lambda: run(busy, None),
                "consumers keep up, ndjson trace": lambda: run(busy, Lines(out.write)),
                "consumers keep up, table trace": lambda: run(busy, Trace(out, busy, colour=True, columns=200).listen),
                "every message waits, no trace": lambda: run(waiting, None),
                "every message waits, ndjson trace": lambda: run(waiting, Lines(out.write)),
            },
            ROUNDS,
        ),
        "floor: deque, dict and heap in one function",
        per_second,
    )
    table(
        f"drawing a trace of {ROWS:,} rows",
        rounds({"floor: padded f-strings": trace_floor, "trace rows": lambda: trace_rows(busy)}, ROUNDS),
        "floor: padded f-strings",
        lambda value: f"{value * 1000:,.0f} ms",
    )
    table(
        "start-up, whole process",
        rounds(
            {
                "python -c pass": process("-c", "pass"),
                "import typer, yaml": process("-c", "import typer, yaml"),
                "import typer, yaml, rich.table": process("-c", "import typer, yaml, rich.table"),
                "routesim --version": process("-m", "routesim", "--version"),
                "routesim run --help": process("-m", "routesim", "run", "--help"),
                "routesim run scenarios/shoes.yaml": process("-m", "routesim", "run", "scenarios/shoes.yaml"),
            },
            START_ROUNDS,
        ),
        "python -c pass",
        lambda value: f"{value * 1000:,.0f} ms",
    )


if __name__ == "__main__":
    main()
