"""`routesim docs`: the documentation that ships, on the terminal."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim docs",
    "routesim docs tutorial",
    "routesim docs rules/queues#2.10",
    "routesim docs --search dead-letter",
)


def docs(
    topic: Annotated[
        str | None,
        Positional(metavar="[TOPIC]", help="A page, or a part of one, such as rules/queues#2.10. Default: which there are."),
    ] = None,
    search: Annotated[
        str | None, Option("--search", "-s", metavar="WORD", help="Where this stands, in all pages or in this one.")
    ] = None,
) -> None:
    """Read the documentation: guides, the format of scenarios, the rules of RabbitMQ and Celery, errors."""
    from routesim.cli.handlers.reading_docs import find, read

    sys.exit(read(topic or "") if search is None else find(search, topic or ""))


COMMAND = CliCommand(docs, EXAMPLES)
