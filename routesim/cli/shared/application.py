"""The program as typer knows it, and what is made of a command line that is not plain."""

from typing import Annotated, Any

import typer

from routesim.cli.shared.exits import OK, UNUSABLE
from routesim.cli.shared.groups import OPTIONS, Commands, add_callback
from routesim.cli.shared.help import examples
from routesim.cli.shared.output import stderr_line
from routesim.cli.shared.parameters import Option

EPILOGUE = (
    examples(
        "routesim new shop",
        "routesim run shop",
        "routesim explain message shop job-2",
    )
    + "\n\nroutesim COMMAND --help says more about each command."
)

app = typer.Typer(name="routesim", cls=Commands, epilog=EPILOGUE, **OPTIONS)


@add_callback(app)
def routesim(
    version: Annotated[bool, Option("--version", help="Print the version.")] = False,
    color: Annotated[
        str,
        Option("--color", metavar="[WHEN]", help="always, never or auto (default). Of every command; FORCE_COLOR and NO_COLOR."),
    ] = "auto",
    debug: Annotated[bool, Option("--debug", help="Show a traceback when something goes wrong inside routesim.")] = False,
) -> None:
    """Where each message goes in RabbitMQ, why, and why not elsewhere."""


def program() -> Any:
    """The group of all commands, as it is called."""
    return typer.main.get_command(app)


def carried_out(arguments: list[str]) -> object:
    """Prints the help that is asked for, refuses what is wrong, or runs the command.

    From 0.29 on typer imports pydantic for the first value that it looks at, which takes longer than all the rest. So values are
    only given to it for a command to be run.
    """
    from routesim.cli.shared.usage import at_once, refusal
    from routesim.cli.shells.walking import judged

    group = program()
    asked = judged(group, arguments)
    lines = refusal(asked, arguments)
    for line in lines:
        stderr_line(line)
    if lines:
        return UNUSABLE
    if asked.helped:
        typer.echo(_help(group, asked.path))
        return OK
    callback = at_once(asked)
    if callback is not None:
        return callback(True)
    # Without its own handling of errors the library returns the status of a typer.Exit.
    return group(args=arguments, prog_name="routesim", standalone_mode=False)


def _help(command: Any, path: tuple[str, ...]) -> str:
    context = None
    for name in ("routesim", *path):
        command = command.get_command(context, name) if context is not None else command
        context = command.context_class(command, info_name=name, parent=context, **command.context_settings)
    return str(command.get_help(context))
