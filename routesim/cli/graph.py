"""`routesim graph`: a topology as a picture."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import FILE, GRAPH_FORMAT, HEADERS, OUTPUT, RABBITMQ, VHOST
from routesim.cli.shared.parameters import Option

EXAMPLES = examples(
    "routesim graph scenarios/shoes.yaml",
    "routesim graph scenarios/shoes.yaml --message m3",
    "routesim graph definitions.json --format svg --output topology.svg",
    "routesim graph definitions.json --focus orders --depth 2 --format mermaid",
)


def graph(
    file: FILE,
    format: GRAPH_FORMAT = None,
    message: Annotated[str | None, Option("--message", "-m", metavar="ID", help="Run it and mark its way.")] = None,
    exchange: Annotated[
        str | None, Option("--exchange", "-e", metavar="NAME", help="Mark the way of a publish to this exchange.")
    ] = None,
    key: Annotated[str, Option("--key", "-k", metavar="KEY", help="That publish's routing key.")] = "",
    header: HEADERS = None,
    focus: Annotated[str | None, Option("--focus", metavar="NAME", help="Only what is near this name.")] = None,
    open: Annotated[
        list[str] | None,
        Option("--open", metavar="NAME", help="Draw the group of this queue one by one; * is every group. Repeatable."),
    ] = None,
    depth: Annotated[
        int | None, Option("--depth", min=0, metavar="N", help="How far from there (1), or how deep a tree.")
    ] = None,
    rabbitmq: RABBITMQ = None,
    vhost: VHOST = None,
    output: OUTPUT = None,
) -> None:
    """Draw exchanges, queues and all the ways between them, and the way that a message takes.

    Of a definitions file with several virtual hosts all are drawn, side by side, unless --vhost chooses one.
    """
    from routesim.cli.handlers.drawing import DrawOptions, draw

    way = (exchange, key, tuple(header or ())) if exchange is not None else None
    sys.exit(draw(file, DrawOptions(format, message, way, focus, depth, rabbitmq, output, vhost, tuple(open or ()))))


COMMAND = CliCommand(graph, EXAMPLES)
