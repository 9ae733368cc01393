"""`routesim celery`: Celery apps in scenarios. Each subcommand imports what it needs when it is called."""

import sys
from typing import Annotated

import typer

from routesim.cli.groups import OPTIONS
from routesim.cli.help import Command, examples
from routesim.cli.import_ import OUTPUT

app = typer.Typer(**OPTIONS)


@app.callback()
def celery() -> None:
    """What Celery does with the broker."""


@app.command("expand", epilog=examples(
    "routesim celery expand scenarios/shop.yaml", "routesim celery expand shop.yaml | routesim run -",
))  # fmt: skip
def expand(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A scenario with a celery section; - is stdin.")],
    output: OUTPUT = None,
    rabbitmq: Annotated[
        str | None, typer.Option("--rabbitmq", metavar="VERSION", help="Whose rules apply. Default: the scenario's own version.")
    ] = None,
) -> None:
    """Print the plain scenario that a celery section stands for: exchanges, queues, bindings, consumers, messages.

    It runs as it is, to the very same events: routesim celery expand FILE | routesim run -
    """
    from routesim.cli.expanding import expand_file

    sys.exit(expand_file(file, output, rabbitmq))


COMMAND = Command(app, "")
