"""A command line as far as it goes: which command it names, and what has been given to it. Nothing is run or refused."""

from itertools import pairwise
from typing import Any

from routesim.named_tuples import NamedTuple

HELP = ("--help", "-h")


class CommandLine(NamedTuple):
    """`given` maps the names of parameters to the values written for them. `waiting`: the option whose value comes next, by the
    name `spelled`.
    `options`: whether a word that begins with a dash may still be an option. `unknown`: the word that should be a command.
    `too_many`: words for which there is no argument. `helped`: help is asked for. `wrong`: the first option that there is not, or
    that takes no value and was given one."""

    path: tuple[str, ...]
    command: Any
    given: dict[str, list[str]]
    waiting: Any | None = None
    spelled: str = ""
    options: bool = True
    unknown: str | None = None
    too_many: tuple[str, ...] = ()
    helped: bool = False
    wrong: str | None = None

    @property
    def is_group(self) -> bool:
        return hasattr(self.command, "list_commands")

    def arguments(self) -> list[Any]:
        return [each for each in self.command.params if each.param_type_name == "argument"]

    def next_argument(self) -> Any | None:
        """The argument for which the next word stands; None: there is none left."""
        for argument in self.arguments():
            if argument.nargs == -1 or argument.name not in self.given:
                return argument
        return None

    def option(self, name: str) -> Any | None:
        return next((each for each in self.command.params if name in (*each.opts, *each.secondary_opts)), None)


def takes_value(parameter: Any) -> bool:
    return not getattr(parameter, "is_flag", False)


def walked(command: Any, words: list[str]) -> CommandLine:
    """`words` without the program's own name."""
    return _steps(command, words)[-1]


def judged(command: Any, words: list[str]) -> CommandLine:
    """Likewise, but no further than to what is wrong, or to the group of which help is asked."""
    steps = _steps(command, words)
    for before, asked in pairwise([steps[0], *steps]):
        if asked.wrong is not None:
            return asked
        if before.helped and (asked.unknown is not None or asked.path != before.path):
            return before
    if asked.path != before.path and hasattr(before.command, "alone"):
        return asked._replace(command=before.command.alone(asked.path[-1]))
    return asked


def _steps(command: Any, words: list[str]) -> list[CommandLine]:
    steps = [CommandLine((), command, {})]
    for word in _joined(command, words):
        steps.append(_further(steps[-1], word))
    return steps


def _joined(command: Any, words: list[str]) -> list[str]:
    """`words`, with those two as one that name a command of two words, such as `import celery`."""
    at = next((index for index, word in enumerate(words) if word[:1] != "-"), len(words))
    name = " ".join(words[at : at + 2])
    return [*words[:at], name, *words[at + 2 :]] if name in command.list_commands(None) else words


def _further(asked: CommandLine, word: str) -> CommandLine:
    if asked.unknown is not None:
        return asked
    if asked.waiting is not None:
        asked.given.setdefault(asked.waiting.name, []).append(word)
        return asked._replace(waiting=None)
    if asked.options and word == "--":
        return asked._replace(options=False)
    if asked.options and len(word) > 1 and word[0] == "-":
        return _option(asked, word)
    if asked.is_group:
        command = asked.command.get_command(None, word)
        return asked._replace(unknown=word) if command is None else CommandLine((*asked.path, word), command, {})
    argument = asked.next_argument()
    if argument is None:
        return asked._replace(too_many=(*asked.too_many, word))
    asked.given.setdefault(argument.name, []).append(word)
    return asked


def _option(asked: CommandLine, word: str) -> CommandLine:
    found, attached = attached_value(asked, word)
    if found is None:
        return _helped(asked, word)
    if not takes_value(found):
        asked.given.setdefault(found.name, [])
        return asked if attached is None else asked._replace(wrong=word[: attached - 1])
    if attached is None:
        return asked._replace(waiting=found, spelled=word if word[:2] == "--" else f"-{word[-1]}")
    asked.given.setdefault(found.name, []).append(word[attached:])
    return asked


def _helped(asked: CommandLine, word: str) -> CommandLine:
    """No option of the command's own is there, or not only: the one that all have, or one that is none."""
    if word.startswith("--"):
        return asked._replace(helped=True) if word in HELP else asked._replace(wrong=word.partition("=")[0])
    for letter in word[1:]:
        if f"-{letter}" not in HELP and asked.option(f"-{letter}") is None:
            return asked._replace(wrong=f"-{letter}")
    return asked._replace(helped=True)


def attached_value(asked: CommandLine, word: str) -> tuple[Any | None, int | None]:
    """The option in a word, and where its value begins in that word: `--format=json`, `-fjson`, `-qfjson`."""
    if word.startswith("--"):
        name, equals, _ = word.partition("=")
        return asked.option(name), len(name) + 1 if equals else None
    for index, letter in enumerate(word[1:], 1):
        found = asked.option(f"-{letter}")
        if found is None:
            return None, None
        if takes_value(found):
            return found, index + 1 if index + 1 < len(word) else None
        asked.given.setdefault(found.name, [])
    return asked.option(word[:2]), None
