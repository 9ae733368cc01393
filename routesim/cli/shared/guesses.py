"""What was probably meant by a command line that is not understood: another command, the order of its words, an option's name.

Every function returns what to type instead, or "" where nobody has thought of that.
"""

import os
import re
import shlex

from routesim.cli.shared.commands import COMMANDS
from routesim.cli.shared.files import YAML, named
from routesim.cli.shared.synonyms import CELERYS, EXPLAINED, FLAGS, OF_CELERY, OF_COMMAND, OPTIONS, answer
from routesim.cli.shells.walking import CommandLine

MESSAGE = re.compile(r"m[0-9]+")  # as messages without an id are called
VERSION = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?")


def of_word(asked: CommandLine, word: str, rest: list[str]) -> str:
    """`word` stands where a command should; `rest`: what stands behind it."""
    behind = [item for item in rest if not item.startswith("-")]
    if not asked.path:
        if word == "help" and behind[:1] and behind[0] in COMMANDS:
            return f"write `routesim {behind[0]} --help`"
        known = [_of_term(word), _of_file(word, behind) if word == "-" or _is_file(word) else ""]
        return answer(word, rest) or "; ".join(filter(None, known))
    if asked.path == ("explain",):
        if _is_file(word):
            line = _line([word, *(behind[:1] or ["ID"])])
            return f"write `routesim explain message {line}`, or `explain route FILE EXCHANGE KEY`"
        whole = "-".join([word, *behind]).lower()
        if behind and _is_word(whole):
            return f"write `routesim explain {whole}`"
        if MESSAGE.fullmatch(word):
            return f"write `routesim explain message FILE {word}`"
        return EXPLAINED.get(word.lower(), "")
    if asked.path == ("celery",):
        if word == "import":
            return f"write `routesim import celery {_line(behind) or 'APP'}`"
        return OF_CELERY if word in CELERYS else ""
    return ""


def of_too_many(asked: CommandLine) -> str:
    """More words than the command has arguments."""
    words = list(asked.too_many)
    given = [value for values in (asked.given.get(each.name, []) for each in asked.arguments()) for value in values]
    if asked.path in (("versions",), ("upgrade",)) and len(words) == 2 and all(map(VERSION.fullmatch, words)):
        return f"write `routesim {_line([*asked.path, *given])} --rabbitmq {words[0]}..{words[1]}`"
    if asked.path in (("versions",), ("upgrade",)) and len(words) == 1 and VERSION.fullmatch(words[0]):
        return f"write `routesim {_line([*asked.path, *given])} --rabbitmq 3.13..{words[0]}`"
    if asked.path == ("docs",):
        sought = [*given, *words]
        return f"write `routesim docs --search {_line([' '.join(sought[1:] if sought[0] in ('search', 'find') else sought)])}`"
    if asked.path == ("explain", "message") and given:
        file = shlex.quote(given[0])
        route = f"`routesim explain route {file} EXCHANGE KEY` tells why a queue is not reached"
        return f"{route}, `routesim explain queue {file} {_line(words[:1])}` of that queue"
    if asked.path == ("explain", "consumer") and _is_file(words[0]):
        name = _line(words[1:2]) or "NAME"
        return f"`routesim run {_line(words[:1])} --consumer {name}` shows what a consumer gets and answers"
    if asked.path[:1] == ("explain",) and not asked.arguments():
        return f"`routesim {_line(asked.path)}` alone explains the word"
    return ""


def of_missing(asked: CommandLine) -> str:
    """An argument is missing: which names there are in the file."""
    if asked.path[:1] == ("explain",) and (file := asked.given.get("file")):
        from routesim.explain.known import names_in

        return names_in(named(file[-1]), asked.path[-1])
    return ""


def of_option(option: str, known: list[str], asked: CommandLine) -> str:
    """`known`: the options that the command has."""
    path = asked.path
    if not path and option in ("-v", "-V"):
        return "write `routesim --version`"
    if path in ((), ("celery",)) and option in ("-A", "--app", "-b"):
        return OF_CELERY
    if path[:1] and (there := OF_COMMAND.get((path[0], option))):
        return there.format(_installing(asked)) if path == ("completion",) else there
    own, hint = OPTIONS.get(option, ("", ""))
    if own in known:
        return hint
    return FLAGS.get(option, "") if "--format" in known else ""


def _of_file(word: str, behind: list[str]) -> str:
    """A file alone: a scenario is run, a definitions file has nothing to run."""
    line = _line([word, *behind])
    if os.path.splitext(word)[1].lower() != ".json":
        return f"`routesim run {line}` runs a scenario"
    return (
        f"`routesim check {line}` finds what is lost or refused, `routesim graph {line}` draws it, "
        f"`routesim upgrade {line} --rabbitmq 3.13..4.3` tells what another version changes"
    )


def _of_term(word: str) -> str:
    return f"`routesim explain {word.lower()}` explains the word" if _is_word(word.lower()) else ""


def _installing(asked: CommandLine) -> str:
    """The line that puts the completion of the named shell in its place."""
    from routesim.cli.completion import INSTALLING

    shell = next(iter(asked.given.get("shell", [])), "")
    return INSTALLING.get(shell, INSTALLING["bash"])


def _is_word(word: str) -> bool:
    from routesim.explain.pages.documents import place_of_word

    return place_of_word(word) is not None


def _is_file(word: str) -> bool:
    return os.path.splitext(word)[1] in YAML or os.path.isfile(named(word))


def _line(words: "list[str] | tuple[str, ...]") -> str:
    return shlex.join(words)
