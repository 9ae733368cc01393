"""Options and arguments as commands declare them, once, in their signatures: what typer makes of them, and what `plain_line`
reads by itself, is the same declaration.

`typer` itself is only imported where it is needed: with all that it imports, it takes longer than the run of many a scenario.
"""

from collections.abc import Callable, Iterator
from typing import Any

from routesim.named_tuples import NamedTuple


class Option:
    """An option by its names; `told` is what `typer.Option` is told of it: metavar, help, min …"""

    __slots__ = ("names", "told")

    def __init__(self, *names: str, **told: Any) -> None:
        self.names = names
        self.told = told


class Positional:
    """An argument, known by its place; `told` is what `typer.Argument` is told of it: metavar, help."""

    __slots__ = ("told",)

    def __init__(self, **told: Any) -> None:
        self.told = told


INTEGERS, NUMBERS = (int, int | None), (int, int | None, float, float | None)


class Parameter(NamedTuple):
    """A parameter of a command's function. `declared` None: it is none that is given on the command line."""

    name: str
    type: Any
    declared: Option | Positional | None
    required: bool


def parameters_of(function: Callable[..., Any]) -> Iterator[Parameter]:
    """The parameters of a command's function, in their order. `inspect` would say the same, and takes long to import."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    first_optional = len(names) - len(function.__defaults__ or ())
    for index, name in enumerate(names):
        annotation = function.__annotations__[name]
        (declared,) = getattr(annotation, "__metadata__", (None,))
        yield Parameter(name, annotation.__origin__ if declared is not None else annotation, declared, index < first_optional)


def number(parameter: Parameter, text: str) -> int | float | None:
    """The value of a parameter that takes a number; None: it is none, or out of what the declaration allows."""
    told = parameter.declared.told if parameter.declared is not None else {}
    try:
        value = int(text) if parameter.type in INTEGERS else float(text)
    except ValueError:
        return None
    if value < told.get("min", value) or value > told.get("max", value):
        return None
    return value
