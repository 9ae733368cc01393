"""`routesim import faststream` and `routesim import kombu`: what a program declares becomes a scenario."""

import sys
from typing import Annotated

import typer

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import RABBITMQ, VHOST, WRITTEN, written_as
from routesim.cli.shared.parameters import Option, Positional

APP = Annotated[str, Positional(metavar="APP", help="package.module:attribute, or a module in which there is one.")]
DIRECTORY = Annotated[str, Option("--chdir", metavar="DIR", help="Where the project is. Default: here.", show_default=False)]
PYTHON = Annotated[
    str | None,
    Option("--python", metavar="PYTHON", help="The interpreter that has the library and the program. Default: ours."),
]
TIMEOUT = Annotated[float, Option("--timeout", metavar="SECONDS", min=0.1, help="How long the import may take.")]


def faststream(
    context: typer.Context, app: APP, output: WRITTEN = None, vhost: VHOST = None, directory: DIRECTORY = ".",
    python: PYTHON = None, timeout: TIMEOUT = 30.0, rabbitmq: RABBITMQ = None,
) -> None:  # fmt: skip
    """Turn what a FastStream app declares when it starts into a scenario. No broker is needed."""
    _import("faststream", context, app, output, vhost, directory, python, timeout, rabbitmq)


def kombu(
    context: typer.Context, app: APP, output: WRITTEN = None, vhost: VHOST = None, directory: DIRECTORY = ".",
    python: PYTHON = None, timeout: TIMEOUT = 30.0, rabbitmq: RABBITMQ = None,
) -> None:  # fmt: skip
    """Turn the exchanges and queues of kombu in a module into a scenario. No broker is needed."""
    _import("kombu", context, app, output, vhost, directory, python, timeout, rabbitmq)


def _import(
    kind: str, context: typer.Context, app: str, output: str | None, vhost: str | None, directory: str, python: str | None,
    timeout: float, rabbitmq: str | None,
) -> None:  # fmt: skip
    from routesim.cli.importers.importing_programs import import_program

    written_as("a scenario in YAML", output, ".yaml")
    debug = bool(context.find_root().params.get("debug"))
    sys.exit(import_program(kind, app, vhost, output, directory, python, timeout, rabbitmq, debug=debug))


FASTSTREAM = CliCommand(
    faststream,
    examples("routesim import faststream shop.main:app", "routesim import faststream shop.main --python .venv/bin/python"),
)
KOMBU = CliCommand(
    kombu, examples("routesim import kombu shop.queues", "routesim import kombu shop.queues:INVOICES --output shop.yaml")
)
