"""The program as typer knows it: its options, and what it says by itself."""

from typing import Annotated, Any

import typer

from routesim import __version__
from routesim.cli.shared.exits import OK, UNUSABLE
from routesim.cli.shared.groups import OPTIONS, Commands, add_callback
from routesim.cli.shared.help import examples
from routesim.cli.shared.parameters import Option

EPILOGUE = (
    examples(
        "routesim new shop",
        "routesim run shop",
        "routesim explain message shop job-2",
    )
    + "\n\nroutesim COMMAND --help says more about each command."
)

# What `routesim` alone says: what one may want, and what to type then.
BY_INTENT = (
    ("learn", "routesim run hello"),
    ("try your own", "routesim new shop && routesim run shop"),
    ("test in CI", "routesim check definitions.json && routesim run . -q"),
    ("upgrade RabbitMQ", "routesim upgrade definitions.json --rabbitmq 3.13..4.3"),
    ("find a lost task", "routesim import celery proj; routesim explain task FILE ID"),
)

app = typer.Typer(name="routesim", cls=Commands, epilog=EPILOGUE, **OPTIONS)


@add_callback(app, invoke_without_command=True)
def routesim(
    context: typer.Context,
    version: Annotated[bool, Option("--version", help="Print the version.")] = False,
    color: Annotated[
        str,
        Option("--color", metavar="[WHEN]", help="always, never or auto (default). Of every command; FORCE_COLOR and NO_COLOR."),
    ] = "auto",
    debug: Annotated[bool, Option("--debug", help="Show a traceback when something goes wrong inside routesim.")] = False,
) -> None:
    """Where each message goes in RabbitMQ, why, and why not elsewhere."""
    if version:
        typer.echo(f"routesim {__version__}")
        raise typer.Exit(OK)
    if context.invoked_subcommand is None:
        typer.echo("Where each message goes in RabbitMQ, why, and why not elsewhere.\n\nTo …\n")
        for want, commands in BY_INTENT:
            typer.echo(f"  {want:<18}{commands}")
        typer.echo("\nroutesim --help lists all commands.")
        raise typer.Exit(UNUSABLE)


def program() -> Any:
    """The group of all commands, as it is called."""
    return typer.main.get_command(app)
