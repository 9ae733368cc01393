"""A command line as far as it goes: which command it names, and what has been given to it. Nothing is run or refused."""

from typing import Any

from routesim.named_tuples import NamedTuple

HELP = ("--help", "-h")


class CommandLine(NamedTuple):
    """`given` maps the names of parameters to the values written for them. `waiting`: the option whose value comes next.
    `options`: whether a word that begins with a dash may still be an option. `unknown`: the word that should be a command.
    `too_many`: words for which there is no argument."""

    path: tuple[str, ...]
    command: Any
    given: dict[str, list[str]]
    waiting: Any | None = None
    options: bool = True
    unknown: str | None = None
    too_many: tuple[str, ...] = ()

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
    asked = CommandLine((), command, {})
    for word in _joined(command, words):
        asked = _further(asked, word)
    return asked


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
        return asked
    if not takes_value(found):
        asked.given.setdefault(found.name, [])
        return asked
    if attached is None:
        return asked._replace(waiting=found)
    asked.given.setdefault(found.name, []).append(word[attached:])
    return asked


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
