"""Start-up: whole processes, from an installed copy, in turn with `python -c pass`."""

from collections.abc import Iterator

from pairs import paired
from processes import command, generated, python
from rows import Row, at_most, duration
from scale import Scale
from workload import scenario_lines

TITLE = "Start-up, whole process"
FOUR_LINES = "queues: {q: }\nsteps:\n  - publish: {routing_key: q}\n  - get: {queue: q}\n"


def measure(scale: Scale) -> Iterator[Row]:
    rounds = scale._replace(pairs=scale.processes, least_pairs=scale.processes)
    bare = python("-c", "pass")
    path = generated("lines-100.yaml", scenario_lines(100))
    short = generated("lines-4.yaml", FOUR_LINES)
    cases = {
        "routesim --version": (command("--version"), at_most("G8", 6)),
        "routesim --help": (command("--help"), at_most("G8", 6)),
        "routesim run --help": (command("run", "--help"), at_most("G8", 6)),
        "a usage error": (command("run", "--no-such-option", status=2), at_most("G8", 6)),
        "routesim run, a scenario of 4 lines": (command("run", short), at_most("G9", 7)),
        "routesim run, a scenario of 100 lines": (command("run", path), at_most("G9", 7)),
        "the same, --format ndjson": (command("run", path, "--format", "ndjson"), at_most("G9", 7)),
        "python -c 'import typer, yaml'": (python("-c", "import typer, yaml"), None),
    }
    for what, (work, goal) in cases.items():
        found = paired(work, bare, rounds)
        yield Row(what, duration(found.first_s), found.cost, "the time of pass", goal)
