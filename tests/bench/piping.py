"""A trace through a pipe, with PYTHONUNBUFFERED set, as most container images have it, and without."""

from collections.abc import Iterator

from pairs import paired
from processes import command, generated
from rows import Row, at_most, duration
from scale import Scale
from workload import text

TITLE = "Piped"


def measure(scale: Scale) -> Iterator[Row]:
    rounds = scale._replace(least_pairs=max(1, scale.processes // 2))
    messages = max(10, scale.commanded // 3)
    path = generated("piped.yaml", text(messages))
    for format, goal in (("ndjson", at_most("G12", 1.1)), ("plain", at_most("G12", 1.1))):
        arguments = ("run", path, "--format", format)
        found = paired(command(*arguments, piped=True, PYTHONUNBUFFERED="1"), command(*arguments, piped=True), rounds)
        yield Row(
            f"PYTHONUNBUFFERED=1, {messages:,} messages, {format}", duration(found.first_s), found.cost, "the time without", goal
        )
