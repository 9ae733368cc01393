"""Command lines that are plain: a command, words, and options with their values, each option a word of its own.

Nearly every command line is, and to read it takes nothing but the declarations. All others are typer's: help, a number, a value
behind `=`, several letters behind one dash, and whatever is wrong in any way. What is read here is what typer reads there.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from routesim.cli.shared.commands import COMMANDS, command_of
from routesim.cli.shared.parameters import Option, Parameter, parameters_of

ONE, MANY = (str, str | None), (list[str], list[str] | None)  # types of values that are taken as they are written


def call_of(arguments: list[str]) -> Callable[[], Any] | None:
    """The command's function with all that is given to it; None: the line is not plain."""
    for words in (2, 1):
        name = " ".join(arguments[:words])
        if name in COMMANDS:
            function = command_of(name).function
            if not hasattr(function, "__code__"):  # a group of commands
                return None
            given = _given(list(parameters_of(function)), arguments[words:])
            return None if given is None else partial(function, **given)
    return None


def _given(parameters: list[Parameter], words: Iterable[str]) -> dict[str, Any] | None:
    options = {
        name: parameter
        for parameter in parameters
        if isinstance(parameter.declared, Option) and "callback" not in parameter.declared.told
        for name in parameter.declared.names
    }
    given: dict[str, Any] = {}
    alone = []
    left = iter(words)
    for word in left:
        if not word.startswith("-") or word == "-":
            alone.append(word)
            continue
        option = options.get(word)
        if option is None:
            return None
        if option.type is bool:
            given[option.name] = True
            continue
        value = next(left, "-")
        if value.startswith("-"):  # missing, or meant in a way that typer knows
            return None
        if option.type in ONE:
            given[option.name] = value
        elif option.type in MANY:
            given.setdefault(option.name, []).append(value)
        else:
            return None
    if any(each.required and isinstance(each.declared, Option) and each.name not in given for each in parameters):
        return None
    return _placed([each for each in parameters if not isinstance(each.declared, Option)], alone, given)


def _placed(parameters: list[Parameter], words: list[str], given: dict[str, Any]) -> dict[str, Any] | None:
    """With the words of which each is known by its place; all that are left are the last parameter's, if it takes many."""
    for parameter in parameters:
        if parameter.declared is None:
            return None
        if words and parameter.type in ONE:
            given[parameter.name] = words.pop(0)
        elif words and parameter.type in MANY and parameter is parameters[-1]:
            given[parameter.name], words = words, []
        elif words or parameter.required:
            return None
    return given if not words else None
