"""What may stand in a field of a scenario: one class a kind of value, each with its reader and its errors.

`read` returns the value or, having noted a diagnostic, raises `Unreadable`; whoever reads a collection goes on with the
next item, so that all errors are found at once.
"""

import re
from typing import Any

from routesim.diagnostics import FEW, Diagnostic, did_you_mean
from routesim.durations import LONGEST_MS, both_readings, parse_duration
from routesim.scenario.format.instead import as_scalar
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.scenario.yaml.source import Source
from routesim.text import cut

SHORTSTR_BYTES = 255
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUE = frozenset({"true", "True", "TRUE"})
FALSE = frozenset({"false", "False", "FALSE"})
YAML_1_1_BOOLEANS = frozenset({"yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"})
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
# What some YAML readers take for a date, a time, an octal number or infinity and others for text.
AMBIGUOUS = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?|[-+]?\d+(:\d{1,2})+(\.\d*)?|[-+]?0\d+|[-+]?\d[\d_]*_[\d_.]*"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class Unreadable(Exception):
    """A diagnostic has been noted; there is no value."""


class Reader:
    """Reads nodes of one source and collects what is wrong with them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.findings: list[Diagnostic] = []  # what only `check` tells
        # What could not be read has been reported; that something refers to it is no second mistake.
        self.unread_names: set[str] = set()
        self.unread_steps = 0

    def error(self, code: str, message: str, node: Node, cure: str = "") -> Unreadable:
        self.diagnostics.append(self.at(node, "error", code, message, cure))
        return Unreadable()

    def warning(self, code: str, message: str, node: Node, cure: str = "") -> None:
        self.diagnostics.append(self.at(node, "warning", code, message, cure))

    def finding(self, code: str, message: str, node: Node, cure: str = "") -> None:
        self.findings.append(self.at(node, "warning", code, message, cure))

    def at(self, node: Node, severity: str, code: str, message: str, cure: str) -> Diagnostic:
        return self.source.diagnostic(severity, code, message, node.line, node.column, node.width, cure)

    @property
    def failed(self) -> bool:
        return any(item.severity == "error" for item in self.diagnostics)


def shown(node: Node) -> str:
    """The node in a few words, for "expected …, found …"."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.plain and node in NULLS:
        return "nothing"
    return f"'{short(node)}'"


def short(text: str) -> str:
    return cut(text, 40, "...")


def is_null(node: Node) -> bool:
    return isinstance(node, Text) and node.plain and node in NULLS


class Kind:
    """`expects` completes the sentence "expected …"."""

    expects: str

    def read(self, reader: Reader, node: Node) -> Any:
        raise NotImplementedError

    def wrong(self, reader: Reader, node: Node, cure: str = "") -> Unreadable:
        return reader.error("wrong-type", f"expected {self.expects}, found {shown(node)}", node, cure)


class TextKind(Kind):
    """Any scalar, taken by its text, with its place. `shortstr`: it travels in an AMQP short string, at most 255 bytes."""

    def __init__(self, expects: str = "text", *, shortstr: bool = False, empty: bool = True) -> None:
        self.expects = expects
        self.shortstr = shortstr
        self.empty = empty

    def read(self, reader: Reader, node: Node) -> Text:
        if not isinstance(node, Text):
            raise self.wrong(reader, node, as_scalar(node))
        if not node and (node.plain or not self.empty):
            raise self.wrong(reader, node, 'write "" for an empty text' if self.empty else "")
        if self.shortstr and len(node) > SHORTSTR_BYTES // 4:
            size = len(node.encode("utf-8", "surrogatepass"))
            if size > SHORTSTR_BYTES:
                raise reader.error(
                    "too-long", f"{self.expects} is {size} bytes long; AMQP carries at most {SHORTSTR_BYTES}", node,
                    "shorten it",
                )  # fmt: skip
        return node


class Integer(Kind):
    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self.low, self.high = low, high
        span = (
            f" from {low} to {high}" if high is not None and low is not None else f" of at least {low}" if low is not None else ""
        )
        self.expects = f"a whole number{span}"

    def read(self, reader: Reader, node: Node) -> int:
        if not isinstance(node, Text) or not node.plain or not INTEGER.fullmatch(node):
            cure = "remove the quotes" if isinstance(node, Text) and not node.plain and INTEGER.fullmatch(node) else ""
            raise self.wrong(reader, node, cure)
        number = whole_number(node)
        if number is None or (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise self.wrong(reader, node)
        return number


class Number(Kind):
    def __init__(self, low: float | None = None, high: float | None = None) -> None:
        self.low, self.high = low, high
        self.expects = f"a number from {low:g} to {high:g}" if low is not None and high is not None else "a number"

    def read(self, reader: Reader, node: Node) -> float:
        if not isinstance(node, Text) or not node.plain or not (INTEGER.fullmatch(node) or FLOAT.fullmatch(node)):
            raise self.wrong(reader, node)
        number = float(node) if FLOAT.fullmatch(node) else whole_number(node)
        if number is None or (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise self.wrong(reader, node)
        return number


class Boolean(Kind):
    expects = "true or false"

    def read(self, reader: Reader, node: Node) -> bool:
        if isinstance(node, Text) and node.plain:
            if node in TRUE:
                return True
            if node in FALSE:
                return False
            if node in YAML_1_1_BOOLEANS:
                raise self.wrong(reader, node, f"write {'true' if node.lower() in ('yes', 'on') else 'false'}")
        cure = "remove the quotes" if isinstance(node, Text) and node in TRUE | FALSE else ""
        raise self.wrong(reader, node, cure)


class Duration(Kind):
    """In ms: `250ms`, `5s`, `2m`, `1h`, `1d`, or 0. `bare_ms`: a bare number is in milliseconds, as RabbitMQ's own keys have it;
    else it is refused, for it is seconds to some and milliseconds to others."""

    def __init__(self, *, bare_ms: bool = False) -> None:
        self.bare_ms = bare_ms
        self.expects = f"a duration such as 250ms, 5s, 2m, 1h, 1d{' or a whole number of milliseconds' if bare_ms else ''}"

    def read(self, reader: Reader, node: Node) -> int:
        if not isinstance(node, Text):
            raise self.wrong(reader, node, as_scalar(node))
        if not self.bare_ms:
            with_unit(reader, node)
        ms = parse_duration(node)
        if ms is None:
            cure = "write 2m for two minutes; times of day have no meaning here" if ":" in node else ""
            raise self.wrong(reader, node, cure)
        if ms > LONGEST_MS:
            raise reader.error("wrong-value", "a duration may be a hundred years at most", node)
        return ms


def with_unit(reader: Reader, node: Text, text: str | None = None) -> None:
    """Refuses a duration without a unit. `text`: the duration, where it is but a part of what stands there."""
    number = text if text is not None else str(node)
    readings = both_readings(number)
    if readings:
        past = f"; until now it was taken as {number}ms" if "." not in number else ""
        cure = f"write {readings.replace(' or ', ', or ')}{past}"
        raise reader.error("bare-duration", f"{number} has no unit: {readings}?", node, cure)


class Choice(Kind):
    """One of these words. `hint`: the cure where another one stands that is near none of them; `tried`: of words that people
    try first."""

    def __init__(self, *options: str, hint: str = "", tried: dict[str, str] | None = None) -> None:
        self.options = options
        self.hint = hint
        self.tried = tried or {}
        self.expects = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]

    def read(self, reader: Reader, node: Node) -> Text:
        if not isinstance(node, Text):
            meant = as_scalar(node)
            raise self.wrong(reader, node, meant if meant.removeprefix("write ") in self.options else self.hint)
        if node not in self.options:
            said = f"expected {self.expects}, found {shown(node)}"
            cure = self.tried.get(node) or did_you_mean(node, self.options) or self.hint
            if cure and len(self.options) > FEW:
                said = f"{shown(node)} is none of the {len(self.options)} words that may stand here"
            raise reader.error("wrong-value", said, node, cure)
        return node


def whole_number(text: str) -> int | None:
    """The integer that a plain scalar stands for; None beyond any use."""
    if len(text) > 40:
        return None
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
