"""Rows of a trace: routesim's, and rich's."""

from collections.abc import Callable

from workload import NOWHERE, text

from routesim import events
from routesim.report.trace.rows import Row
from routesim.report.trace.trace import Trace
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.tables import PLAIN


def _trace() -> Trace:
    out = open(NOWHERE, "w", encoding="utf-8", buffering=1 << 16)  # noqa: SIM115
    return Trace(out, load_source(Source("bench", text(10)), ""), colour=False, columns=None)


def trace() -> Callable[[int], None]:
    """Rows as values to lines."""
    drawn = _trace()

    def work(rows: int) -> None:
        for number in range(rows):
            drawn.add(Row(number, 1, "delivered", f"m{number}", "warehouse → packer", "tag 1", PLAIN))

    return work


def trace_of_events() -> Callable[[int], None]:
    """Events to rows to lines."""
    drawn = _trace()

    def work(rows: int) -> None:
        for number in range(rows):
            drawn.listen(events.Delivered(number, f"m{number}", "warehouse", number, "packer", "packer", number, False, False))

    return work


def rich_table() -> Callable[[int], None]:
    """One rich table of all rows, as a program that does not stream would draw it."""
    from rich.console import Console
    from rich.table import Table

    def work(rows: int) -> None:
        table = Table("time s", "event", "message", "where", "why")
        for number in range(rows):
            table.add_row(f"{number / 1000:.3f}", "delivered", f"m{number}", "warehouse → packer", "tag 1")
        with open(NOWHERE, "w", encoding="utf-8") as out:
            Console(file=out, width=100, force_terminal=True, highlight=False, legacy_windows=False).print(table)

    return work
