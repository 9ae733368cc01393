"""YAML as most scenarios are written: keys and items a line each, values that end on their line, blocks of text.

Read line by line it takes half of libyaml's time, and PyYAML need not be imported, which takes longer than a small scenario runs.
Whatever is not surely of this kind is left to libyaml, every mistake included: what is read here is, node by node, what comes of
its events (`tests/scenario/test_yaml_by_lines.py` holds both against each other).
"""

import re
from typing import Any

from routesim.scenario.yaml.nodes import DEEPEST, Mapping, Sequence, Text

NO_FIRST = frozenset("-?:,[]{}#&*!|>'\"%@`")  # what no plain scalar begins with; a dash before a letter or digit may
MOST_OPEN = DEEPEST // 2  # collections on lines, and collections within a line
LONGEST_LINE = 1000  # a key may have 1024 characters
LONGEST = 2_000_000  # characters: what may hold more values than are allowed is counted elsewhere
# In a flow collection, behind spaces: a sign, or a scalar, be it one or not; and whether it is a key.
TOKEN = re.compile(r""" *(?:([][{},])|('[^']*'(?!')|"[^"]*"|(?:[^][{},:?]|:(?=[\w/]))+)(:(?= ))?)""")
# Most mappings within a line, in which no comma stands but between two pairs: a shortcut of what tokens say too.
_PAIR = r"[A-Za-z_][\w.-]*: (?:\w[\w.*#/-]*|'[^',]*')"
PAIRS = re.compile(rf"\{{{_PAIR}(?:, {_PAIR})*\}}")
FOLD = re.compile("\n+")
BLOCKS = (">-", ">", "|", "|-")


class NotPlain(Exception):
    """The text is not of this kind."""


def read(text: str) -> Mapping | None:
    """The mapping that the text is; None: it is not plain, or no mapping."""
    if len(text) > LONGEST or not text.replace("\n", "").isprintable():
        return None
    try:
        return _Lines(text.split("\n")).read()
    except NotPlain:
        return None


def _scalar(value: str, line: int, column: int) -> Text:
    """A scalar as it is written, quotes included."""
    first = value[0]
    if first not in NO_FIRST or (first == "-" and value[1:2].isalnum()):
        node = Text(value)
        node.plain = True
    elif first in "'\"" and value[-1] == first and value.count(first) == 2 and not (first == '"' and "\\" in value):
        node = Text(value[1:-1])
        node.plain = False
    else:
        raise NotPlain
    node.line, node.column, node.width = line, column, len(value)
    return node


def _put(parent: Mapping, key: Text, value: Any) -> None:
    """`value` None: nothing stands there, of which the key is what can be shown."""
    if key in parent or key == "<<":
        raise NotPlain
    if value is None:
        value = Text()
        value.line, value.column, value.width, value.plain = key.line, key.column, key.width, True
    parent[key] = value


class _Lines:
    """`open`: the collections that the next line may belong to, the innermost last, each with the column it began in, from 0.
    `key`: that of the innermost mapping whose value may follow on other lines."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.number = 0  # of the line that is read
        self.open: list[tuple[Any, int]] = []
        self.key: Text | None = None

    def read(self) -> Mapping | None:
        lines = self.lines
        while self.number < len(lines):
            line = lines[self.number]
            self.number += 1
            content = line.lstrip(" ")
            if content and content[0] != "#":
                if len(line) > LONGEST_LINE or content[:3] == "...":
                    raise NotPlain
                self._line(self.number, content.rstrip(" "), len(line) - len(content))
        if not self.open:
            return None
        self._without_value()
        root: Mapping = self.open[0][0]
        return root

    def _line(self, number: int, content: str, indent: int) -> None:
        item, opened = content[:2] == "- ", self.open
        if self.key is not None or not opened or opened[-1][1] != indent or (opened[-1][0].__class__ is Sequence) is not item:
            self._make_way(number, item, indent)
        if not item:
            self._pair(opened[-1][0], number, content, indent)
            return
        rest = content[2:].lstrip(" ")
        column = indent + len(content) - len(rest)
        sequence = opened[-1][0]
        if rest[:1] in ("{", "[", "'", '"') or not _is_pair(rest):
            sequence.append(self._value(number, rest, column))
        else:
            mapping = self._opened(Mapping(), number, column)
            sequence.append(mapping)
            self._pair(mapping, number, rest, column)

    def _make_way(self, number: int, item: bool, indent: int) -> None:
        """A line, which is an `item` or a pair, does not go on with the innermost collection: opens or leaves some."""
        opened = self.open
        if self.key is not None:
            mapping, column = opened[-1]
            if indent > column or (item and indent == column):
                inner = self._opened(Sequence() if item else Mapping(), number, indent)
                _put(mapping, self.key, inner)
                self.key = None
            else:
                self._without_value()
        elif not opened:
            if item or indent:
                raise NotPlain
            self._opened(Mapping(), number, 0)
        while opened and opened[-1][1] > indent:
            opened.pop()
        if not item and opened and opened[-1][0].__class__ is Sequence:  # items may begin where the key above them does
            opened.pop()
        if not opened or opened[-1][1] != indent or (opened[-1][0].__class__ is Sequence) is not item:
            raise NotPlain

    def _opened(self, node: Any, number: int, indent: int) -> Any:
        node.line, node.column, node.width, node.size = number, indent + 1, 1, 1
        self.open.append((node, indent))
        if len(self.open) >= MOST_OPEN:
            raise NotPlain
        return node

    def _without_value(self) -> None:
        if self.key is not None:
            _put(self.open[-1][0], self.key, None)
            self.key = None

    def _pair(self, mapping: Mapping, number: int, content: str, indent: int) -> None:
        name, colon, rest = content.partition(": ")
        if not colon:
            if content[-1] != ":":
                raise NotPlain
            name = content[:-1]
        if not name or name[-1] == " " or " #" in name:
            raise NotPlain
        key = _scalar(name, number, indent + 1)
        value = rest.lstrip(" ")
        if not value or value[0] == "#":
            if key in mapping:
                raise NotPlain
            self.key = key
        else:
            _put(mapping, key, self._value(number, value, indent + len(content) - len(value)))

    def _value(self, number: int, value: str, indent: int) -> Any:
        """What ends on its line, before a comment."""
        first = value[0]
        if first == "{" or first == "[":
            return _flow(number, value, indent)
        if first == "'" or first == '"':
            end = value.find(first, 1) + 1
            rest = value[end:].lstrip(" ")
            if rest and (rest[0] != "#" or value[end] != " "):
                raise NotPlain
            return _scalar(value[:end], number, indent + 1)
        if value in BLOCKS:
            return self._block(value, indent)
        if " #" in value:
            value = value[: value.index(" #")].rstrip(" ")
        if _is_pair(value):
            raise NotPlain
        return _scalar(value, number, indent + 1)

    def _block(self, sign: str, indent: int) -> Text:
        """The text of the lines below, of which the first says how deep they stand; none of them stands deeper."""
        first = self.number
        line = self.lines[first] if first < len(self.lines) else ""
        margin = line[: len(line) - len(line.lstrip(" "))]
        if len(margin) <= self.open[-1][1] or margin == line:
            raise NotPlain
        found: list[str] = []
        for line in self.lines[first:]:
            if line.strip(" ") and not line.startswith(margin):
                break
            found.append(line[len(margin) :])
            if found[-1][:1] == " ":
                raise NotPlain
        self.number += len(found)
        if self.number == len(self.lines) and found[-1]:  # without the end of its last line
            raise NotPlain
        text = "\n".join(found).rstrip("\n")
        if sign[0] == ">":
            text = FOLD.sub(lambda breaks: breaks[0][1:] or " ", text)
        node = Text(text if sign[-1] == "-" else text + "\n")
        node.line, node.column, node.width, node.plain = first, indent + 1, 1, False
        return node


def _is_pair(content: str) -> bool:
    return ": " in content or content[-1] == ":"


def _flow(number: int, text: str, indent: int) -> Any:
    """`{…}` or `[…]`, and nothing behind it but a comment."""
    node, at = _collection(number, text, 0, indent, 0)
    rest = text[at:]
    if rest and not (rest[0] == " " and rest.lstrip(" ")[:1] in ("", "#")):
        raise NotPlain
    return node


def _collection(number: int, text: str, at: int, indent: int, depth: int) -> tuple[Any, int]:
    """The collection that begins at `at`, and where it ends."""
    is_mapping = text[at] == "{"
    node: Any = Mapping() if is_mapping else Sequence()
    node.line, node.column, node.width, node.size = number, indent + at + 1, 1, 1
    end = "}" if is_mapping else "]"
    if depth >= MOST_OPEN:
        raise NotPlain
    pairs = PAIRS.match(text, at)
    at += 1
    if pairs is not None:
        _fill(node, number, indent + at + 1, pairs[0][1:-1])
        return node, pairs.end()
    token = _token(text, at)
    while token[1] != end or node:  # no comma stands before the end
        key = None
        if is_mapping:
            if token[2] is None or not token[3]:
                raise NotPlain
            key = _scalar(token[2], number, indent + token[0] + 1)
            token = _token(text, token[4])
        start, sign, scalar, colon, at = token
        value: Any = None
        if scalar is not None and not colon:
            value = _scalar(scalar, number, indent + start + 1)
        elif sign == "{" or sign == "[":
            value, at = _collection(number, text, start, indent, depth + 1)
        elif key is None or (sign != "," and sign != end):
            raise NotPlain
        if key is None:
            node.append(value)
        else:
            _put(node, key, value)
        if value is not None:
            token = _token(text, at)
        if token[1] == end:
            break
        if token[1] != ",":
            raise NotPlain
        token = _token(text, token[4])
    return node, token[4]


def _fill(mapping: Mapping, number: int, column: int, pairs: str) -> None:
    """What stands within a mapping, from that column on, if it is such as `PAIRS` matches."""
    for pair in pairs.split(", "):
        name, _, written = pair.partition(": ")
        if name in mapping:
            raise NotPlain
        plain = written[0] != "'"
        key, value = Text(name), Text(written if plain else written[1:-1])
        key.line, key.column, key.width, key.plain = number, column, len(name), True
        value.line, value.column, value.width, value.plain = number, column + len(name) + 2, len(written), plain
        mapping[key] = value
        column += len(pair) + 2


def _token(text: str, at: int) -> tuple[int, str | None, str | None, str | None, int]:
    """Where the next token begins, the sign or the scalar that it is, the colon of a key, and where it ends."""
    found = TOKEN.match(text, at)
    if found is None:
        raise NotPlain
    sign, scalar, colon = found.groups()
    if sign is not None:
        return found.start(1), sign, None, None, found.end()
    scalar = scalar.rstrip(" ")
    if not scalar or " #" in scalar:
        raise NotPlain
    return found.start(2), None, scalar, colon, found.end()
