"""Answers the shells' questions about a half-written command line: `_ROUTESIM_COMPLETE=bash_complete routesim …`.

What the scripts of `routesim completion` ask in this way is answered on standard output. Whatever goes wrong, the answer
is then that there is nothing to suggest: a key that completes words must never print an error into somebody's command line.
"""

import sys
from collections.abc import Callable
from typing import Any

from routesim.cli.completion import SHELLS, script
from routesim.cli.shells.shellwords import ASSIGNMENT, ShellLine, parsed, quoted
from routesim.cli.shells.suggesting import FILES, PATHS, WORDS, Suggestions, suggestions
from routesim.text import visible

SOURCE, COMPLETE = "source", "complete"
OPEN = "open"  # a folder: no space behind it


def answer(command: Any, instruction: str, words: list[str]) -> None:
    """`bash_complete` and the like; `bash_source` prints the script. Never raises."""
    try:
        shell, _, what = instruction.rpartition("_")
        if shell not in SHELLS:
            return
        text = script(shell) if what == SOURCE else ANSWERS[shell](command, words) if what == COMPLETE else ""
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
    except (Exception, SystemExit, KeyboardInterrupt):
        return


def _bash(command: Any, words: list[str]) -> str:
    """`words`: the line up to the cursor, and COMP_WORDBREAKS. The first line of the answer says of which kind it is, each
    other one is what is to stand on the command line, quoted, from where readline begins to replace."""
    text, breaks = words
    line = parsed(text, breaks)
    if line.expands:
        return FILES
    if not line.words:
        return WORDS
    found = suggestions(command, line.words[1:], line.word)
    replies = [_written(item.text[len(line.kept) :], line, found.kind) for item in found.items]
    if len(replies) == 1:
        if found.kind in PATHS and replies[0].endswith("/"):
            return f"{OPEN}\n{replies[0]}"
        if line.quote and replies[0].endswith(line.quote[-1]):  # readline takes it for the end of what is quoted
            replies[0] += line.quote[-1]
    return "\n".join([found.kind, *replies])


def _written(text: str, line: ShellLine, kind: str) -> str:
    """A `~` that begins the path of a file means the same as before; any other is a sign like others."""
    if kind in PATHS and line.word.startswith("~/") and not line.kept and not line.quote:
        return "~" + quoted(text[1:])
    return quoted(text, line.quote)


def _zsh(command: Any, words: list[str]) -> str:
    """`words`: as zsh has them, without quotes; the last one is the one at the cursor. Parts end with a NUL: the kind, the
    head, then each suggestion but files, which zsh finds itself, and how it is to be shown. zsh quotes what it inserts, but
    shows what it is given."""
    found = _found(command, words)
    parts = [found.kind, found.head]
    for item in found.items:
        if found.kind == WORDS or item.help:
            parts += [item.text, visible(item.text) + (f"  -- {item.help}" if item.help else "")]
    return "".join(f"{part}\0" for part in parts)


def _fish(command: Any, words: list[str]) -> str:
    """`words`: the complete ones without quotes; the last as it is written. fish quotes what it inserts, and shows it as it
    is: names that hold what a terminal would act on are left out, as are those of several lines."""
    *before, raw = words
    line = parsed("x " + raw)
    found = _found(command, [*before, line.word])
    if line.expands and found.kind == WORDS:
        return WORDS
    items = [item for item in found.items if item.text.isprintable()]
    return "\n".join([found.kind, *(f"{item.text}\t{item.help}" if item.help else item.text for item in items)])


def _found(command: Any, words: list[str]) -> Suggestions:
    while words and ASSIGNMENT.match(words[0]):
        words = words[1:]
    return suggestions(command, words[1:-1], words[-1])


ANSWERS: dict[str, Callable[[Any, list[str]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
