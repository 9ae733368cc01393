"""Drawing the rows of a trace."""

from collections.abc import Iterator

from drawing import rich_table, trace, trace_of_events
from floors import padded_rows
from memory import mib
from pairs import paired
from processes import child
from rows import Row, at_least, at_most, duration
from scale import Scale
from workload import NOWHERE

TITLE = "Drawing a trace"
ROWS = 100_000


def measure(scale: Scale) -> Iterator[Row]:
    with open(NOWHERE, "w", encoding="utf-8", buffering=1 << 16) as out:
        floor = padded_rows(out.write)
        drawn = paired(trace(), floor, scale)
        yield Row("a row of values", duration(drawn.first_s), drawn.cost, "the time of f-strings", at_most("G11", 1.5))
        heard = paired(trace_of_events(), floor, scale)
        yield Row("an event to a row", duration(heard.first_s), heard.cost, "the time of f-strings")
        rich = paired(trace(), rich_table(), scale)
        yield Row("a row of values", duration(rich.first_s), rich.speed, "as fast as a rich Table", at_least("G11", 200))
    grew = child("trace-rows", str(min(ROWS, scale.many)))["bytes"]
    yield mib(f"memory growth over {min(ROWS, scale.many):,} rows", grew, at_most("G11, MiB", 1))
