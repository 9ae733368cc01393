"""The entry point: commands, exit statuses, and no traceback for anything that a user can do."""

import os
import sys
from typing import Annotated, Any

import typer

from routesim import __version__
from routesim.cli.shared.commands import OPTIONS, Commands
from routesim.cli.shared.exits import INTERRUPTED, NO_VERDICT, OK, UNUSABLE, FilesRefused, UsageError
from routesim.cli.shared.help import examples
from routesim.cli.shared.output import colour_chosen, forget, stderr_line

EPILOGUE = (
    examples(
        "routesim new shop",
        "routesim run shop",
        "routesim explain route shop.scenario.yaml orders order.created",
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


@app.callback(invoke_without_command=True)
def routesim(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    color: Annotated[
        str,
        typer.Option(
            "--color", metavar="WHEN", help="always, never or auto (default). Of every command; FORCE_COLOR and NO_COLOR."
        ),
    ] = "auto",
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something goes wrong inside routesim.")] = False,
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


def main() -> None:
    """Run the command line and exit with the status that the README promises."""
    instruction = os.environ.get("_ROUTESIM_COMPLETE")
    if instruction:
        from routesim.cli.shells.completing import answer

        answer(typer.main.get_command(app), instruction, sys.argv[1:])
        sys.exit(OK)
    status = _status(sys.argv[1:])
    if status == INTERRUPTED:
        stderr_line("interrupted")
    sys.exit(status)


COLOURS = ("always", "never", "auto")


def _without_colour(arguments: list[str]) -> list[str]:
    """The command line without `--color`, which may stand anywhere before `--` and is carried out. Raises `UsageError`."""
    left: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*left, word, *words]
        name, equals, when = word.partition("=")
        if word == "--no-color":
            colour_chosen("never")
        elif name in ("--color", "--colour"):
            when = when if equals else next(words, "")
            if when not in COLOURS:
                raise UsageError(f"--color takes {', '.join(COLOURS)}, not '{when}'")
            colour_chosen(when)
        else:
            left.append(word)
    return left


def _status(given: list[str]) -> int:
    command: Any = typer.main.get_command(app)
    arguments = given
    try:
        arguments = _without_colour(given)
        # Without its own handling of errors the library returns the status of a typer.Exit.
        status = command(args=arguments, prog_name="routesim", standalone_mode=False)
        return _flushed(status if isinstance(status, int) else OK)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # the library makes that a status of 1
            return _closed(arguments)
        return _flushed(ended.code if isinstance(ended.code, int) else OK)
    except BrokenPipeError:
        return _closed(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as problem:
        return _unwritable(problem)
    except FilesRefused:
        return UNUSABLE
    except UsageError as problem:
        stderr_line(f"error: {problem}")
        return UNUSABLE
    except Exception as problem:
        return _failed(problem, arguments)


def _closed(arguments: list[str]) -> int:
    """Whoever read our output has seen enough; that is no error."""
    forget(sys.stdout)
    return OK if arguments else UNUSABLE


def _failed(problem: Exception, arguments: list[str]) -> int:
    """Typer's own errors in our words; anything else is our fault."""
    exit_code = getattr(problem, "exit_code", None)
    if type(problem).__name__ == "Exit" and isinstance(exit_code, int):
        return _flushed(exit_code)
    if type(problem).__name__ == "Abort":
        return INTERRUPTED
    if hasattr(problem, "format_message"):
        from routesim.cli.shared.usage import lines_of

        for line in lines_of(problem, typer.main.get_command(app), arguments):
            stderr_line(line)
        return UNUSABLE
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()
    text = " ".join(f"{type(problem).__name__}: {problem}".split())[:300]
    stderr_line(f"internal error: {text}")
    stderr_line("This is a mistake in routesim. Please report it with the scenario; --debug before the command shows where.")
    return NO_VERDICT


def _flushed(status: int) -> int:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as problem:
        return _unwritable(problem)
    return status


def _unwritable(problem: OSError) -> int:
    """The disk is full, or the like."""
    forget(sys.stdout)
    stderr_line(f"error: cannot write: {problem.strerror or problem}")
    return NO_VERDICT
