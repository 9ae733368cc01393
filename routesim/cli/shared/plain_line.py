"""Command lines that are plain: a command with its words and options, and nothing to refuse or to show instead.

Nearly every command line is, and to read it takes nothing but the declarations. All others are typer's: help, and whatever is
wrong in any way. What is read here is what typer reads there.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from routesim.cli.shared.commands import COMMANDS, command_of
from routesim.cli.shared.help import CliGroup
from routesim.cli.shared.parameters import NUMBERS, Option, Parameter, number, parameters_of

ONE, MANY = (str, str | None), (list[str], list[str] | None)  # types of values that are taken as they are written


def call_of(arguments: list[str]) -> Callable[[], Any] | None:
    """The command's function with all that is given to it; None: the line is not plain."""
    for words in (2, 1):
        name = " ".join(arguments[:words])
        if name in COMMANDS:
            function, rest = command_of(name).function, arguments[words:]
            return _of_group(function, rest) if isinstance(function, CliGroup) else _of_command(function, rest)
    return None


def _of_group(group: CliGroup, words: list[str]) -> Callable[[], Any] | None:
    if not words or words[0][:1] == "-":
        return None
    command = group.commands.get(words[0])
    call = _of_command(command.function, words[1:]) if command is not None else None
    return group.said_of(words[0]) if call is None and len(words) == 1 else call


def _of_command(function: Callable[..., Any], words: list[str]) -> Callable[[], Any] | None:
    given = _given(list(parameters_of(function)), words)
    return None if given is None else partial(function, **given)


def _given(parameters: list[Parameter], words: list[str]) -> dict[str, Any] | None:
    options = {
        name: parameter
        for parameter in parameters
        if isinstance(parameter.declared, Option) and "callback" not in parameter.declared.told
        for name in parameter.declared.names
    }
    given: dict[str, Any] = {}
    alone: list[str] = []
    left = deque(words)
    while left:
        word = left.popleft()
        if word == "--":
            alone += left
            break
        if len(word) < 2 or word[0] != "-":
            alone.append(word)
        elif not _option(options, word, left, given):
            return None
    if any(each.required and isinstance(each.declared, Option) and each.name not in given for each in parameters):
        return None
    return _placed([each for each in parameters if not isinstance(each.declared, Option)], alone, given)


def _option(options: dict[str, Parameter], word: str, left: deque[str], given: dict[str, Any]) -> bool:
    """Takes an option out of a word, and its value out of that word or the next one; False: there is none to be had."""
    name, equals, value = word.partition("=")
    if word[1] != "-":
        name, equals, value = word[:2], word[2:], word[2:]
    option = options.get(name)
    if option is None:
        return False
    if option.type is bool:
        given[option.name] = True
        if equals and (word[1] == "-" or word[2] == "-"):
            return False
        if equals:  # several letters behind one dash
            left.appendleft(f"-{value}")
        return True
    if not equals and not left:
        return False
    return _value(option, value if equals else left.popleft(), given)


def _value(option: Parameter, text: str, given: dict[str, Any]) -> bool:
    if option.type in ONE:
        given[option.name] = text
    elif option.type in MANY:
        given.setdefault(option.name, []).append(text)
    elif option.type in NUMBERS:
        given[option.name] = number(option, text)
        return given[option.name] is not None
    else:
        return False
    return True


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
