"""The entry point: commands, exit statuses, and no traceback for anything that a user can do."""

import os
import sys
from collections import deque

from routesim.cli.shared.commands import COMMANDS
from routesim.cli.shared.exits import INTERRUPTED, NO_VERDICT, OK, UNUSABLE, FilesRefused, UsageError
from routesim.cli.shared.output import colour_chosen, forget, stderr_line
from routesim.cli.shared.plain_line import call_of


def main() -> None:
    """Run the command line and exit with the status that the README promises."""
    instruction = os.environ.get("_ROUTESIM_COMPLETE")
    if instruction:
        from routesim.cli.shared.application import program
        from routesim.cli.shells.completing import answer

        answer(program(), instruction, sys.argv[1:])
        sys.exit(OK)
    status = _status(sys.argv[1:])
    if status == INTERRUPTED:
        stderr_line("interrupted")
    sys.exit(status)


COLOURS = ("always", "never", "auto")


def _without_colour(arguments: list[str]) -> list[str]:
    """The command line without `--color`, which may stand anywhere before `--` and is carried out; alone it means always.
    Raises `UsageError`."""
    left: list[str] = []
    words = deque(arguments)
    while words:
        word = words.popleft()
        if word == "--":
            return [*left, word, *words]
        name, equals, when = word.partition("=")
        if word == "--no-color":
            colour_chosen("never")
        elif name in ("--color", "--colour"):
            if not equals:
                when = words.popleft() if words and not _is_something_else(words[0]) else "always"
            if when not in COLOURS:
                raise UsageError(f"--color takes {', '.join(COLOURS)}, not '{when}'; alone it means always")
            colour_chosen(when)
        else:
            left.append(word)
    return left


def _is_something_else(word: str) -> bool:
    """Than what `--color` may be followed by: another option, a command or a file."""
    return word.startswith("-") or word in COMMANDS or (word not in COLOURS and os.path.exists(word))


def _status(given: list[str]) -> int:
    arguments = given
    try:
        arguments = _without_colour(given)
        call = call_of(arguments)
        status = call() if call is not None else _other(arguments)
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


def _other(arguments: list[str]) -> object:
    from routesim.cli.shared.alone import said

    status = said(arguments)
    if status is not None:
        return status
    from routesim.cli.shared.application import carried_out  # most command lines need no typer

    return carried_out(arguments)


def _closed(arguments: list[str]) -> int:
    """Whoever read our output has seen enough; that is no error."""
    forget(sys.stdout)
    return OK if arguments else UNUSABLE


def _failed(problem: Exception, arguments: list[str]) -> int:
    """What typer says of what nobody has thought of; anything else is our fault."""
    exit_code = getattr(problem, "exit_code", None)
    if type(problem).__name__ == "Exit" and isinstance(exit_code, int):
        return _flushed(exit_code)
    if type(problem).__name__ == "Abort":
        return INTERRUPTED
    if hasattr(problem, "format_message"):
        stderr_line(f"error: {problem.format_message()}")
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
