"""What may stand in a field of a scenario: one class a kind of value, each with its reader and its errors.

`read` returns the value or, having noted a diagnostic, raises `Unreadable`; whoever reads a collection goes on with the
next item, so that all errors are found at once.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from routesim.diagnostics import Diagnostic, did_you_mean
from routesim.durations import LONGEST_MS, parse_duration
from routesim.scenario.yaml.source import Mapping, Node, Sequence, Source, Text
from routesim.text import cut
from routesim.values import INTEGER_RANGES, OTHER_TYPES, Typed, Value

Schema: TypeAlias = dict[str, Any]  # in the terms of JSON Schema

SHORTSTR_BYTES = 255
LARGEST = {"float": 3.4028234663852886e38, "double": 1.7976931348623157e308}
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
        # What could not be read has been told; that something refers to it is no second mistake.
        self.unread_names: set[str] = set()
        self.unread_steps = 0

    def error(self, code: str, message: str, node: Node, cure: str = "") -> Unreadable:
        self.diagnostics.append(self.at(node, "error", code, message, cure))
        return Unreadable()

    def warning(self, code: str, message: str, node: Node, cure: str = "") -> None:
        self.diagnostics.append(self.at(node, "warning", code, message, cure))

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
            raise self.wrong(reader, node)
        if node.plain and node == "":
            raise self.wrong(reader, node, 'write "" for an empty text' if self.empty else "")
        if not self.empty and not node:
            raise self.wrong(reader, node)
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
    """In ms: `250ms`, `5s`, `2m`, `1h`, `1d`, or a bare number of milliseconds."""

    expects = "a duration such as 250ms, 5s, 2m, 1h, 1d or a whole number of milliseconds"

    def read(self, reader: Reader, node: Node) -> int:
        if not isinstance(node, Text):
            raise self.wrong(reader, node)
        ms = parse_duration(node)
        if ms is None:
            cure = "write 2m for two minutes; times of day have no meaning here" if ":" in node else ""
            raise self.wrong(reader, node, cure)
        if ms > LONGEST_MS:
            raise reader.error("wrong-value", "a duration may be a hundred years at most", node)
        return ms


class Choice(Kind):
    def __init__(self, *options: str) -> None:
        self.options = options
        self.expects = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]

    def read(self, reader: Reader, node: Node) -> Text:
        if not isinstance(node, Text):
            raise self.wrong(reader, node)
        if node not in self.options:
            raise reader.error(
                "wrong-value", f"expected {self.expects}, found {shown(node)}", node, did_you_mean(node, self.options)
            )
        return node


class AmqpValue(Kind):
    """A header or argument, with the AMQP type that its YAML form has (see `values`)."""

    expects = "a value"

    def read(self, reader: Reader, node: Node) -> Value:
        if isinstance(node, Text):
            return self._scalar(reader, node)
        if isinstance(node, Sequence):
            return [self.read(reader, item) for item in node]
        if len(node) == 1:
            ((key, value),) = node.items()
            if key in INTEGER_RANGES or key in OTHER_TYPES:
                return self._typed(reader, key, value)
        table = {}
        for key, value in node.items():
            _check_table_key(reader, key)
            table[str(key)] = self.read(reader, value)
        return table

    def _scalar(self, reader: Reader, node: Text) -> Value:
        if not node.plain:
            return str(node)
        if node in NULLS:
            return None
        if node in TRUE or node in FALSE:
            return node in TRUE
        if INTEGER.fullmatch(node):
            number = whole_number(node)
            low, high = INTEGER_RANGES["long"]
            if number is None or not low <= number <= high:
                raise reader.error("wrong-value", "AMQP has no integers beyond 64 bits", node, "quote it to send it as text")
            return number
        if FLOAT.fullmatch(node):
            if abs(float(node)) > LARGEST["double"]:
                raise reader.error("wrong-value", "a double cannot be so large", node, "quote it to send it as text")
            return float(node)
        if node in YAML_1_1_BOOLEANS:
            other = "true" if node.lower() in ("yes", "on") else "false"
            problem = f"{node} is text to some YAML readers and {other} to others"
            raise reader.error("ambiguous-value", problem, node, f'write "{node}" or {other}')
        if AMBIGUOUS.fullmatch(node):
            problem = f"YAML readers disagree about what {short(node)} is"
            raise reader.error("ambiguous-value", problem, node, f'quote it: "{short(node)}"')
        return str(node)

    def _typed(self, reader: Reader, kind: Text, node: Node) -> Value:
        name = str(kind)
        if name in INTEGER_RANGES:
            return Typed(name, Integer(*INTEGER_RANGES[name]).read(reader, node))
        if name == "timestamp":
            return Typed(name, Integer(0, 2**63 - 1).read(reader, node))
        if name in ("float", "double"):
            number = float(Number().read(reader, node))
            if abs(number) > LARGEST[name]:
                raise reader.error("wrong-value", f"a {name} cannot be so large", node)
            return Typed(name, number)
        if name == "bytes":
            return Typed(name, TextKind().read(reader, node).encode("utf-8", "surrogatepass"))
        if name == "decimal":
            text = TextKind("a decimal number of 31 bits such as 1.25").read(reader, node)
            whole, _, digits = text.partition(".")
            if not re.fullmatch("[0-9]{1,9}", whole + digits) or int(whole + digits) >= 2**31:
                raise reader.error("wrong-type", f"expected a decimal number of 31 bits such as 1.25, found {shown(node)}", node)
            return Typed(name, (len(digits), int(whole + digits)))
        if name == "bool":
            return Boolean().read(reader, node)
        if name == "void":
            return None
        if name == "longstr":
            return str(TextKind().read(reader, node))
        wanted = Mapping if name == "table" else Sequence
        if not isinstance(node, wanted):
            raise reader.error(
                "wrong-type", f"expected {'a mapping' if name == 'table' else 'a list'}, found {shown(node)}", node
            )
        return Table().read(reader, node) if name == "table" else self.read(reader, node)


def _check_table_key(reader: Reader, key: Text) -> None:
    if len(key) > SHORTSTR_BYTES // 4 and len(key.encode("utf-8", "surrogatepass")) > SHORTSTR_BYTES:
        raise reader.error("too-long", f"a name in a table is at most {SHORTSTR_BYTES} bytes long", key, "shorten it")


class Table(Kind):
    """Headers or arguments."""

    expects = "a mapping of names to values"

    def read(self, reader: Reader, node: Node) -> dict[str, Value]:
        if is_null(node):
            return {}
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node)
        table, failed = {}, False
        for key, value in node.items():
            try:
                _check_table_key(reader, key)
                table[str(key)] = AmqpValue().read(reader, value)
            except Unreadable:
                failed = True
        if failed:
            raise Unreadable
        return table


class ListOf(Kind):
    """A list; `single` allows one item to stand without brackets."""

    def __init__(self, item: Kind, *, single: bool = False) -> None:
        self.item, self.single = item, single
        self.expects = "a list"

    def read(self, reader: Reader, node: Node) -> list[Any]:
        if is_null(node):
            return []
        if not isinstance(node, Sequence):
            if self.single:
                return [self.item.read(reader, node)]
            raise self.wrong(reader, node)
        items = []
        for child in node:
            try:
                items.append(self.item.read(reader, child))
            except Unreadable:
                continue
        return items


class MapOf(Kind):
    """Names, each with something of one kind. The names are checked like `name`."""

    def __init__(self, item: Kind, name: Kind) -> None:
        self.item, self.name = item, name
        self.expects = "a mapping of names"

    def read(self, reader: Reader, node: Node) -> dict[str, Any]:
        if is_null(node):
            return {}
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node)
        items = {}
        for key, value in node.items():
            try:
                items[self.name.read(reader, key)] = self.item.read(reader, value)
            except Unreadable:
                reader.unread_names.add(str(key))
        return items


class Field(NamedTuple):
    """`doc` is the help of the field, also in the JSON Schema. `required` fields must be given."""

    kind: Kind
    doc: str
    required: bool = False


class Fields(dict[str, Any]):
    """The fields that a mapping gives, by name; `node` is the mapping."""

    __slots__ = ("node",)

    node: Any


class Shape(Kind):
    """A mapping with known keys; `what` it is called in sentences. `schema`: what no field by itself says."""

    def __init__(self, what: str, fields: dict[str, Field], *, optional: bool = False, schema: Schema | None = None) -> None:
        self.what = what
        self.fields = fields
        self.schema = schema or {}
        self.required = [name for name, field in fields.items() if field.required]
        self.optional = optional  # nothing at all means no field given
        self.expects = f"{what}: a mapping"

    def read(self, reader: Reader, node: Node) -> Fields:
        values, fields = Fields(), self.fields
        values.node = node
        if self.optional and is_null(node):
            return values
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node)
        for key, value in node.items():
            field = fields.get(key)
            if field is None:
                self.unknown(reader, key)
                continue
            try:
                values[str(key)] = field.kind.read(reader, value)
            except Unreadable:
                values.pop(str(key), None)
        for name in self.required:
            if name not in node:
                reader.error("missing-key", f"{self.what} needs '{name}'", node, fields[name].doc)
        return values

    def unknown(self, reader: Reader, key: Text) -> None:
        unknown_key(reader, self.what, key, self.fields)


def unknown_key(reader: Reader, what: str, key: Text, known: Any) -> None:
    cure = did_you_mean(key, known) or f"known keys: {', '.join(known)}"
    reader.error("unknown-key", f"{what} has no '{key}'", key, cure)


class Either(Kind):
    """One of several forms, told apart by what the node is."""

    def __init__(self, expects: str, choose: Callable[[Node], Kind | None]) -> None:
        self.expects = expects
        self.choose = choose

    def read(self, reader: Reader, node: Node) -> Any:
        kind = self.choose(node)
        if kind is None:
            raise self.wrong(reader, node)
        return kind.read(reader, node)


def whole_number(text: str) -> int | None:
    """The integer that a plain scalar stands for; None beyond any use."""
    if len(text) > 40:
        return None
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
