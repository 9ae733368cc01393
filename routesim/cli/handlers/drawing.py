"""What `routesim graph` does once its command line is understood."""

from routesim.cli.handlers.explaining import table_of
from routesim.cli.shared.exits import OK, FilesRefused, UsageError
from routesim.cli.shared.files import named
from routesim.cli.shared.options import format_of
from routesim.cli.shared.output import CannotWrite, opened, wants_colour
from routesim.cli.shared.refusing import refuse, scenario_of, scenarios_of
from routesim.diagnostics import Invalid
from routesim.explain.answer import CannotExplain
from routesim.graph import Graph, collapsed, focused, graph_of, side_by_side, taken_by_message, taken_by_publish
from routesim.named_tuples import NamedTuple
from routesim.report.formats import GRAPH, formats_of, writer_of
from routesim.scenario import LoadableFile, Scenario

STDIN = "-"
DEFAULT_VHOST = "/"
NEAR = 1  # steps from a focus


class DrawOptions(NamedTuple):
    """`publish`: exchange, key and headers of a publish whose way is marked."""

    format: str | None
    message: str | None
    publish: tuple[str, str, tuple[str, ...]] | None
    focus: str | None
    depth: int | None
    rabbitmq: str | None
    output: str | None
    vhost: str | None = None
    open: tuple[str, ...] = ()


def draw(file: str, options: DrawOptions) -> int:
    format = format_of(options.format, options.output, formats_of(GRAPH)) or "tree"
    options = options._replace(format=format)
    if options.message is not None and options.publish is not None:
        raise UsageError("--message and --exchange are two ways to be marked; give one of them")
    try:
        try:
            found = _vhosts(file, options)
            if found:
                graphs = {vhost: _graph(scenario, options) for vhost, scenario in found}
                graph = _together(named(file), graphs, options)
            else:
                graph = _graph(scenario_of(file, options.rabbitmq, vhost=options.vhost, redis=True), options)
        except FilesRefused as problem:
            return refuse(problem, options.format, options.output)
        with opened(options.output) as out:
            depth = options.depth if options.focus is None else None
            writer_of(format, GRAPH)(out, graph, colour=wants_colour(out), depth=depth)
    except (CannotExplain, CannotWrite) as problem:
        raise UsageError(str(problem)) from None
    return OK


def _together(file: str, graphs: dict[str, Graph], options: DrawOptions) -> Graph:
    """One drawing of all virtual hosts; for a program the graph of `/`, or of the first one, which knows of the others."""
    if options.format != "json":
        return side_by_side(file, graphs)
    first = graphs.get(DEFAULT_VHOST) or next(iter(graphs.values()))
    return first._replace(vhosts=tuple(graphs.items()))


def _vhosts(file: str, options: DrawOptions) -> list[tuple[str, Scenario]]:
    """The virtual hosts of a definitions file that are drawn side by side; none where one is asked for, or a way is marked.
    Raises `FilesRefused`."""
    asked = options.vhost, options.message, options.publish, options.focus
    if any(item is not None for item in asked) or file == STDIN:
        return []
    try:
        read = LoadableFile(named(file))
        _, places = read.load(rabbitmq=options.rabbitmq, redis=True)
    except Invalid:
        return []  # which is told when the scenario is loaded
    return list(scenarios_of(read, options.rabbitmq, places.vhosts)) if len(places.vhosts) > 1 else []


def _graph(scenario: Scenario, options: DrawOptions) -> Graph:
    """What of the scenario is asked for. Raises `CannotExplain`."""
    taken = None
    if options.message is not None:
        taken = taken_by_message(scenario, options.message)
    elif options.publish is not None:
        exchange, key, headers = options.publish
        taken = taken_by_publish(scenario, exchange, key, table_of(list(headers)) or None)
    graph = graph_of(scenario, taken)
    if options.focus is not None:
        graph = focused(graph, options.focus, NEAR if options.depth is None else options.depth)
    return graph if options.format == "json" else collapsed(graph, options.open)
