"""What `routesim graph` does once its command line is understood."""

from typing import NamedTuple

from routesim.cli.handlers.explaining import scenario_of, table_of
from routesim.cli.shared.exits import OK, UsageError
from routesim.cli.shared.output import CannotWrite, opened, wants_colour
from routesim.diagnostics import did_you_mean
from routesim.explain.answer import CannotExplain
from routesim.graph import collapsed, focused, graph_of, taken_by_message, taken_by_publish
from routesim.report.graphs.graph_formats import GRAPH_FORMATS

NEAR = 1  # steps from a focus


class DrawOptions(NamedTuple):
    """`publish`: exchange, key and headers of a publish whose way is marked."""

    format: str
    message: str | None
    publish: tuple[str, str, tuple[str, ...]] | None
    focus: str | None
    depth: int | None
    rabbitmq: str | None
    output: str | None


def draw(file: str, options: DrawOptions) -> int:
    if options.format not in GRAPH_FORMATS:
        hint = did_you_mean(options.format, GRAPH_FORMATS)
        raise UsageError(f"--format takes {', '.join(GRAPH_FORMATS)}, not '{options.format}'" + (f"; {hint}" if hint else ""))
    if options.message is not None and options.publish is not None:
        raise UsageError("--message and --exchange are two ways to be marked; give one of them")
    scenario = scenario_of(file, options.rabbitmq, redis=True)
    try:
        taken = None
        if options.message is not None:
            taken = taken_by_message(scenario, options.message)
        elif options.publish is not None:
            exchange, key, headers = options.publish
            taken = taken_by_publish(scenario, exchange, key, table_of(list(headers)) or None)
        graph = graph_of(scenario, taken)
        if options.focus is not None:
            graph = focused(graph, options.focus, NEAR if options.depth is None else options.depth)
        if options.format != "json":
            graph = collapsed(graph)
    except CannotExplain as problem:
        raise UsageError(str(problem)) from None
    try:
        with opened(options.output) as out:
            deep = options.depth if options.focus is None else None
            GRAPH_FORMATS[options.format](out, graph, colour=wants_colour(out), depth=deep)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    return OK
