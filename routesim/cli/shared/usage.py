"""Command lines that are not understood, in routesim's words: what was expected, what was found, and the cure."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from routesim.cli.shared import guesses
from routesim.cli.shared.parameters import INTEGERS, NUMBERS, Parameter, number
from routesim.cli.shells.walking import HELP, CommandLine
from routesim.diagnostics import did_you_mean, some_of

PROGRAM = "routesim"


def refusal(asked: CommandLine, arguments: list[str]) -> list[str]:
    """What to say about a command line that is `judged`: at most three lines; none: there is nothing wrong with it."""
    path = " ".join((PROGRAM, *asked.path))
    sentence = _unreadable(asked, path)
    if not sentence and not asked.helped and at_once(asked) is None:
        sentence = _refused(asked, path, arguments)
    return [f"error: {sentence}", f"`{path} --help` shows what there is."] if sentence else []


def at_once(asked: CommandLine) -> Callable[[bool], object] | None:
    """What an option that is given does whatever else is on the command line, or is missing there; None: none does that."""
    declared = [asked.command.declared(name) for name in asked.given] if not asked.is_group else []
    told = [each.declared.told for each in declared if each is not None and each.declared is not None]
    return next((each["callback"] for each in told if "callback" in each), None)


def _unreadable(asked: CommandLine, path: str) -> str:
    """What makes a command line unreadable is told even where help is asked for."""
    if asked.wrong is not None:
        has_it = asked.wrong in HELP or asked.option(asked.wrong) is not None
        return f"{asked.wrong} takes no value" if has_it else _unknown_option(asked.wrong, asked, path)
    if asked.waiting is not None:
        return f"{asked.spelled} needs a value{_about(asked.waiting)}"
    return ""


def _refused(asked: CommandLine, path: str, arguments: list[str]) -> str:
    if asked.unknown is not None:
        return _unknown_command(asked, asked.unknown, path, arguments)
    if asked.is_group:
        return f"{path} needs a command: {', '.join(_commands(asked.command))}" if asked.path else ""
    for parameter in _in_order(asked):
        values = asked.given.get(parameter.name)
        if parameter.required and not values:
            there = guesses.of_missing(asked)
            return f"{path} needs {_name(parameter)}{_about(parameter)}" + (f"; {there}" if there else "")
        declared = asked.command.declared(parameter.name)
        if values and declared is not None and declared.type in NUMBERS and number(declared, values[-1]) is None:
            return f"{_name(parameter)} takes {_wanted(declared)}, not '{values[-1]}'"
    if asked.too_many:
        takes = " ".join(argument.metavar or argument.name.upper() for argument in asked.arguments())
        others = f" and {len(asked.too_many) - 1} more" if len(asked.too_many) > 1 else ""
        refused = f"{path} takes {f'only {takes}' if takes else 'no argument'}; '{asked.too_many[0]}'{others} cannot be placed"
        there = guesses.of_too_many(asked)
        return f"{refused}: {there}" if there else refused
    return ""


def _in_order(asked: CommandLine) -> list[Any]:
    """The parameters as they are looked at: options in the order in which they are given, arguments, and what is not given."""
    given = list(asked.given)
    places = {name: place for place, name in enumerate(given)}

    def place(parameter: Any) -> int:
        is_argument = parameter.param_type_name == "argument"
        return len(given) if is_argument else places.get(parameter.name, len(given) + 1)

    return sorted(asked.command.params, key=place)


def _unknown_command(asked: CommandLine, word: str, path: str, arguments: list[str]) -> str:
    if there := guesses.of_word(asked, word, _behind(word, arguments)):
        return f"{path} has no command '{word}': {there}"
    names = _commands(asked.command)
    words = asked.command.words() if hasattr(asked.command, "words") else []
    near = get_close_matches(word, names, 1, cutoff=0.65)  # names this short are near one another sooner than others
    hint = did_you_mean(word, [*near, *names, *words]) or (f"did you mean '{near[0]}'?" if near else "")
    if not hint:
        hint = f"the commands are {', '.join(names)}"
        hint += f"; {some_of(words, word, 'the words are', 'words')}" if words else ""
    return f"{path} has no command '{word}'; {hint}"


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


def _wanted(declared: Parameter) -> str:
    """Numbers are the only values that are looked at here."""
    kind = "a whole number" if declared.type in INTEGERS else "a number"
    told = declared.declared.told if declared.declared is not None else {}
    least, most = told.get("min"), told.get("max")
    if most is not None:
        return f"{kind} from {least or 0} to {most}"
    return f"{kind} from {least} on" if least is not None else kind
