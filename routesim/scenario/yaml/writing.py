"""Plain data as the YAML text of a scenario: every text so that it reads back as this very text, and comments."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from routesim.named_tuples import NamedTuple
from routesim.text import escaped

WIDTH = 110  # a flow mapping that does not fit becomes a block
# Text that every YAML reader takes for this very text. It begins like no number, date, alias, tag or indicator.
PLAIN = re.compile(r"(?:[^\W\d]|[/^$(\\])[\w./^$()+*#@&=|~\\-]*(?: [^\W_][\w./^$()+*@&=|~\\-]*)*")
WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str, *, ascii: bool = False) -> str:
    """`text` as a YAML scalar that is this text to every reader, in one line. `ascii`: in ASCII alone."""
    if PLAIN.fullmatch(text) and text.lower() not in WORDS and (text.isascii() or (not ascii and text.isprintable())):
        return text
    return '"' + "".join(_escaped(each, ascii) for each in text) + '"'


def _escaped(character: str, ascii: bool) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable() and (character.isascii() or not ascii):
        return character
    return escaped(character)


# What data may hold beside texts, numbers, booleans, None, mappings and lists ----------------------------------------


class _Nothing:
    """Nothing after the colon: an option without a value."""


NOTHING = _Nothing()


class WrittenItem(NamedTuple):
    """An item of a section with what there is to say of it; `key` None: in a list. Neighbours with one comment have it once."""

    comment: str
    key: str | None
    value: Any


class Bare:
    """A scalar that is written as it is: a number, true, a duration."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def json_text(text: str) -> Any:
    """Text in single quotes where it holds double ones, as JSON does: nobody reads it with a backslash before every quote."""
    if '"' in text and text.isascii() and text.isprintable():
        return Bare("'" + text.replace("'", "''") + "'")
    return str(text)


class OneLine(NamedTuple):
    """A section that stands in one line where it fits, instead of an item a line."""

    value: Any


# Text ----------------------------------------------------------------------------------------------------------------


def lines(sections: dict[str, Any], comments: Iterable[str] = (), *, apart: bool = False, ascii: bool = False) -> Iterator[str]:
    """The lines of a scenario. A section is a value, a mapping, any number of items, or a list of `WrittenItem`s; one that is
    empty is left out. `comments` stand at the top, a line each; `apart`: an empty line comes after them. `ascii`: in ASCII alone.
    """
    write, above = _Writer(ascii), False
    for comment in comments:
        yield from _comment(comment, ascii)
        above = apart
    for name, value in sections.items():
        for line in write.section(name, value):
            if above and line:
                yield ""
            above = False
            yield line


def text(sections: dict[str, Any], comments: Iterable[str] = ()) -> str:
    """The same as one text."""
    return "\n".join(lines(sections, comments)) + "\n"


def _comment(text: str, ascii: bool) -> Iterator[str]:
    shown = _shown(text, ascii)
    inside = " " * (len(shown) - len(shown.lstrip()) + 2)
    yield from textwrap.wrap(
        shown, WIDTH, initial_indent="# ", subsequent_indent=f"# {inside}", break_long_words=False, break_on_hyphens=False,
        ) or ["#"]  # fmt: skip


def _shown(text: str, ascii: bool) -> str:
    """`text` as it may stand in a comment: nothing in it ends the line or acts on a terminal."""
    return "".join(each if each in '"\\' else _escaped(each, ascii) for each in text)


class _Writer:
    def __init__(self, ascii: bool) -> None:
        self.ascii = ascii

    def section(self, name: str, value: Any) -> Iterator[str]:
        if isinstance(value, (str, int, float, Bare, OneLine)) or value is None or value is NOTHING:
            yield from self.entry(name, value.value if isinstance(value, OneLine) else value)
            return
        items = self._block(value, "  ") if isinstance(value, dict) else self._items(value)
        first = next(items, None)
        if first is not None:
            yield ""
            yield f"{self.scalar(name)}:"
            yield first
            yield from items

    def entry(self, key: str, value: Any, indent: str = "") -> Iterator[str]:
        """`key: value`, in one line if it fits."""
        head = f"{indent}{self.scalar(key)}:"
        if value is NOTHING:
            yield head
            return
        line = f"{head} {self.flow(value)}"
        if len(line) <= WIDTH or not value or not isinstance(value, (dict, list)):
            yield line
            return
        yield head
        yield from self._block(value, indent + "  ") if isinstance(value, dict) else self._list(value, indent + "  ")

    def _items(self, items: Iterable[Any]) -> Iterator[str]:
        said = ""
        for item in items:
            if not isinstance(item, WrittenItem):
                yield from self._list((item,), "  ")
                continue
            comment, key, value = item
            if comment and comment != said:
                yield from textwrap.wrap(_shown(comment, self.ascii), WIDTH, initial_indent="  # ", subsequent_indent="  # ")
            said = comment or said
            if key is not None:
                yield from self.entry(key, value, "  ")
            elif isinstance(value, dict) and len(value) == 1:
                (line, *rest) = self._block(value, "    ")
                yield f"  - {line.lstrip()}"
                yield from rest
            else:
                yield from self._list([value], "  ")

    def _block(self, mapping: dict[str, Any], indent: str) -> Iterator[str]:
        for key, value in mapping.items():
            yield from self.entry(key, value, indent)

    def _list(self, items: Iterable[Any], indent: str) -> Iterator[str]:
        for item in items:
            line = f"{indent}- {self.flow(item)}"
            if len(line) <= WIDTH or not item or not isinstance(item, (dict, list)):
                yield line
                continue
            inside = indent + "  "
            lines = self._block(item, inside) if isinstance(item, dict) else self._list(item, inside)
            yield f"{indent}- {next(lines)[len(inside) :]}"
            yield from lines

    def flow(self, value: Any) -> str:
        if isinstance(value, str):
            return self.scalar(value)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.scalar(key)}: {self.flow(item)}" for key, item in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        if value is NOTHING:
            return ""
        if value is None:
            return "null"
        return str(value).lower() if isinstance(value, bool) else repr(value)

    def scalar(self, text: str) -> str:
        return scalar(text, ascii=self.ascii)
