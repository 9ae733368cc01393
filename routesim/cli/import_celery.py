"""`routesim import celery`: the configuration of a real Celery app becomes a scenario."""

import sys
from typing import Annotated

import typer

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import WRITTEN, written_as
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim import celery proj",
    "routesim import celery proj.app:app --workers 2 --output shop.yaml",
    "routesim import celery proj --chdir ~/src/shop --python .venv/bin/python",
    "DJANGO_SETTINGS_MODULE=shop.settings routesim import celery shop > shop.yaml",
)


def import_celery(
    context: typer.Context,
    app: Annotated[str, Positional(metavar="APP", help="As for celery -A: proj.app:app, proj.app, proj.")],
    output: WRITTEN = None,
    workers: Annotated[int, Option("--workers", metavar="N", min=1, help="How many workers consume all queues.")] = 1,
    directory: Annotated[
        str, Option("--chdir", metavar="DIR", help="Where the project is. Default: here.", show_default=False)
    ] = ".",
    python: Annotated[
        str | None, Option("--python", metavar="PYTHON", help="The interpreter that has Celery and the app. Default: ours.")
    ] = None,
    timeout: Annotated[float, Option("--timeout", metavar="SECONDS", min=0.1, help="How long the import may take.")] = 30.0,
    rabbitmq: Annotated[str | None, Option("--rabbitmq", metavar="VERSION", help="Which version the app's broker has.")] = None,
) -> None:
    """Turn a Celery app's configuration into a scenario: queues, routes, workers, tasks, beat. No broker is needed."""
    from routesim.cli.handlers.celery.reading_apps import import_app

    written_as("a scenario in YAML", output, ".yaml")
    debug = bool(context.find_root().params.get("debug"))
    sys.exit(import_app(app, output, workers, directory, python, timeout, rabbitmq, debug=debug))


COMMAND = CliCommand(import_celery, EXAMPLES)
