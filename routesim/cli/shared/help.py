"""What a command brings along for the command line."""

from collections.abc import Callable
from typing import Any

from routesim.named_tuples import NamedTuple


class CliCommand(NamedTuple):
    """A command's function (or a group of commands) and the end of its help."""

    function: "Callable[..., Any] | CliGroup"
    epilogue: str


class Subcommand(NamedTuple):
    """A function of a group; `told` is what typer is told of it: epilog, help, hidden."""

    function: Callable[..., Any]
    told: dict[str, Any]


class CliGroup:
    """Commands that share a first word. `kind` imports the class that typer is to make of the group; None: the one of all.
    `said_of` finds what to do for a word that is no command of the group, or needs more as a command; it may be None."""

    def __init__(
        self, epilogue: str, kind: Callable[[], type[Any]] | None = None,
        said_of: Callable[[str], Callable[[], int] | None] = lambda word: None,
    ) -> None:  # fmt: skip
        self.epilogue = epilogue
        self.kind = kind
        self.said_of = said_of
        self.commands: dict[str, Subcommand] = {}

    def command(self, name: str, **told: Any) -> Callable[[Any], Any]:
        """A decorator that makes a function a command of the group; the function itself stays as it is."""

        def add(function: Any) -> Any:
            self.commands[name] = Subcommand(function, told)
            return function

        return add


def examples(*lines: str) -> str:
    """Examples as the end of a help text, each on its own line."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)
