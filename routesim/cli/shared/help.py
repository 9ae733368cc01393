"""What a command brings along for the command line."""

from collections.abc import Callable
from typing import Any

from routesim.named_tuples import NamedTuple


class CliCommand(NamedTuple):
    """A command's function (or a group of commands) and the end of its help."""

    function: Callable[..., Any] | Any
    epilogue: str


def examples(*lines: str) -> str:
    """Examples as the end of a help text, each on its own line."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)
