"""Command lines that are not understood, in routesim's words: what was expected, what was found, and the cure."""

from difflib import get_close_matches
from typing import Any

from routesim.cli.shared import guesses
from routesim.cli.shells.walking import CommandLine, takes_value, walked
from routesim.diagnostics import did_you_mean, some_of

PROGRAM = "routesim"


def lines_of(problem: Any, command: Any, arguments: list[str]) -> list[str]:
    """What to say about one of the library's errors: at most three lines. `command`: the group of all commands."""
    asked = walked(command, arguments)
    path = " ".join((PROGRAM, *asked.path))
    return [f"error: {_sentence(problem, asked, path, arguments)}", f"`{path} --help` shows what there is."]


def _sentence(problem: Any, asked: CommandLine, path: str, arguments: list[str]) -> str:
    kind, parameter = type(problem).__name__, getattr(problem, "param", None)
    option = getattr(problem, "option_name", "")
    if kind == "NoSuchOption":
        return _unknown_option(option, asked, path)
    if kind == "BadOptionUsage" and (found := asked.option(option)) is not None:
        if not takes_value(found):
            return f"{option} takes no value"
        return f"{option} needs a value{_about(found)}"
    if kind == "MissingParameter" and parameter is not None:
        there = guesses.of_missing(asked)
        return f"{path} needs {_name(parameter)}{_about(parameter)}" + (f"; {there}" if there else "")
    if kind == "BadParameter" and parameter is not None and (wanted := _wanted(parameter.type)):
        return f"{_name(parameter)} takes {wanted}, not '{asked.given.get(parameter.name, [''])[-1]}'"
    if asked.unknown is not None and (there := guesses.of_word(asked, asked.unknown, _behind(asked.unknown, arguments))):
        return f"{path} has no command '{asked.unknown}': {there}"
    if asked.unknown is not None:
        names = _commands(asked.command)
        words = asked.command.words() if hasattr(asked.command, "words") else []
        near = get_close_matches(asked.unknown, names, 1, cutoff=0.65)  # names this short are near one another sooner than others
        hint = did_you_mean(asked.unknown, [*near, *names, *words]) or (f"did you mean '{near[0]}'?" if near else "")
        if not hint:
            hint = f"the commands are {', '.join(names)}"
            hint += f"; {some_of(words, asked.unknown, 'the words are', 'words')}" if words else ""
        return f"{path} has no command '{asked.unknown}'; {hint}"
    if asked.is_group:
        return f"{path} needs a command: {', '.join(_commands(asked.command))}"
    if asked.too_many:
        takes = " ".join(argument.metavar or argument.name.upper() for argument in asked.arguments())
        others = f" and {len(asked.too_many) - 1} more" if len(asked.too_many) > 1 else ""
        refused = f"{path} takes {f'only {takes}' if takes else 'no argument'}; '{asked.too_many[0]}'{others} cannot be placed"
        there = guesses.of_too_many(asked)
        return f"{refused}: {there}" if there else refused
    return str(problem.format_message())


def _commands(group: Any) -> list[str]:
    names: list[str] = group.shown() if hasattr(group, "shown") else group.list_commands(None)
    return names


def _behind(word: str, arguments: list[str]) -> list[str]:
    return arguments[arguments.index(word) + 1 :] if word in arguments else []


def _unknown_option(option: str, asked: CommandLine, path: str) -> str:
    known = [name for parameter in asked.command.params if parameter.param_type_name == "option" for name in parameter.opts]
    hint = guesses.of_option(option, known, asked)
    hint = hint or (did_you_mean(option, [*known, "--help"]) if option.startswith("--") else "")
    if not hint and not asked.path:
        hint = "the options of a command stand behind its name"
    return f"{path} has no option '{option}'" + (f"; {hint}" if hint else "")


def _name(parameter: Any) -> str:
    """`--broker AMQP`, `FILE`."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    longest = max(parameter.opts, key=len)
    return f"{longest} {parameter.metavar}" if parameter.required and parameter.metavar else str(longest)


def _about(parameter: Any) -> str:
    """The parameter's help, as the end of a sentence."""
    text = (parameter.help or "").rstrip(".")
    if text[1:2].islower() or text.startswith("A "):
        text = text[0].lower() + text[1:]
    return f": {text}" if text else ""


def _wanted(kind: Any) -> str:
    """Numbers are the only values that the library itself looks at."""
    number = {"int": "a whole number", "float": "a number"}.get(kind.name.split()[0].removesuffix("eger"))
    if number is None:
        return ""
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if most is not None:
        return f"{number} from {least or 0} to {most}"
    return f"{number} from {least} on" if least is not None else number
