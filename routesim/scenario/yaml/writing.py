"""A topology as the text of a scenario: short forms where the format has them, and every name so that it reads back."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from routesim.model import Binding, Exchange, Policy, Queue
from routesim.scenario.declared_topology import DeclaredTopology
from routesim.text import escaped
from routesim.values import INTEGER_RANGES, OTHER_TYPES, Table, Typed, Value

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


def scenario_lines(topology: DeclaredTopology, comments: Iterable[str] = (), *, ascii: bool = False) -> Iterator[str]:
    """The lines of a scenario that declares the topology, the comments at its head."""
    write = _Writer(ascii)
    said = list(comments)
    for comment in said:
        yield from _comment(comment, ascii)
    yield from [""] * bool(said)
    yield f'rabbitmq: "{topology.rabbitmq}"'
    if topology.vhost != "/":
        yield from write.entry("vhost", topology.vhost)
    if topology.default_queue_type is not None:
        yield from write.entry("broker", {"default_queue_type": topology.default_queue_type})
    yield from write.section("exchanges", {item.name: exchange_form(item) for item in topology.exchanges})
    yield from write.section("queues", {item.name: queue_form(item) for item in topology.queues})
    yield from write.section("bindings", (binding_form(item) for item in topology.bindings))
    for name, operator in (("policies", False), ("operator_policies", True)):
        yield from write.section(name, (_policy(item) for item in topology.policies if item.operator is operator))


def _comment(text: str, ascii: bool) -> Iterator[str]:
    shown = _shown(text, ascii)
    inside = " " * (len(shown) - len(shown.lstrip()) + 2)
    yield from textwrap.wrap(
        shown, WIDTH, initial_indent="# ", subsequent_indent=f"# {inside}", break_long_words=False, break_on_hyphens=False,
        ) or ["#"]  # fmt: skip


def _shown(text: str, ascii: bool) -> str:
    """`text` as it may stand in a comment: nothing in it ends the line or acts on a terminal."""
    return "".join(each if each in '"\\' else _escaped(each, ascii) for each in text)


def written(data: dict[str, Any], comments: Iterable[str] = (), *, ascii: bool = False) -> str:
    """A scenario of these sections as text; `comments` stand at its top, a line each."""
    write, lines = _Writer(ascii), [line for comment in comments for line in _comment(comment, ascii)]
    for name, value in data.items():
        lines += write.section(name, value) if isinstance(value, (dict, list)) else write.entry(name, value)
    return "\n".join(lines) + "\n"


def inline(value: Any, *, ascii: bool = False) -> str:
    """A value in one line, however long."""
    return _Writer(ascii).flow(value)


class WrittenItem(NamedTuple):
    """Of a section; `key` None: in a list. Neighbours with one comment have it once, before the first."""

    comment: str
    key: str | None
    value: Any


class Bare:
    """A scalar that is written as it is: a number, true, a duration."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def commented(sections: dict[str, Any], comments: Iterable[str] = (), *, ascii: bool = False) -> Iterator[str]:
    """The lines of a scenario: a section is a value, or a list of `WrittenItem`s. `comments` stand at its top."""
    write = _Writer(ascii)
    for comment in comments:
        yield from _comment(comment, ascii)
    for name, value in sections.items():
        if isinstance(value, list) and value and isinstance(value[0], WrittenItem):
            yield ""
            yield f"{write.scalar(name)}:"
            yield from write.items(value)
        else:
            yield from write.entry(name, value)


def table(values: Table, *, widths: bool = False) -> dict[str, Any]:
    """A table as a person would write it. `widths`: the width of an integer counts, as it does for headers."""
    return {key: _shortest(value, widths) for key, value in values.items()}


def _shortest(value: Value, widths: bool) -> Any:
    return value.value if isinstance(value, Typed) and value.type in INTEGER_RANGES and not widths else _value(value)


# What the format says with the fewest words --------------------------------------------------------------------------


def _given(**options: tuple[Any, Any]) -> dict[str, Any]:
    """The options that differ from their defaults."""
    return {name: value for name, (value, default) in options.items() if value != default}


def exchange_form(item: Exchange) -> Any:
    options = _given(
        durable=(item.durable, True), auto_delete=(item.auto_delete, False), internal=(item.internal, False),
        arguments=(_table(item.arguments), {}),
    )  # fmt: skip
    return {"type": item.type, **options} if options else item.type


def queue_form(item: Queue) -> Any:
    arguments = dict(item.arguments)
    kind = arguments.get("x-queue-type")
    if isinstance(kind, str):
        del arguments["x-queue-type"]
    options = _given(
        type=(kind if isinstance(kind, str) else None, None), durable=(item.durable, True), exclusive=(item.exclusive, False),
        auto_delete=(item.auto_delete, False), arguments=(_table(arguments), {}), server_named=(item.server_named, False),
    )  # fmt: skip
    return options or NOTHING


def binding_form(item: Binding) -> Any:
    return {
        "source": item.source,
        "destination": item.destination,
        **_given(
            destination_type=(item.destination_type, "queue"), routing_key=(item.routing_key, ""),
            arguments=(_table(item.arguments), {}),
        ),
    }  # fmt: skip


def _policy(item: Policy) -> Any:
    return {
        "name": item.name,
        "pattern": item.pattern,
        **_given(**{"apply-to": (item.apply_to, "all"), "priority": (item.priority, 0)}),
        "definition": _table(item.definition),
    }


def _table(table: Table) -> dict[str, Any]:
    return {key: _value(value) for key, value in table.items()}


def _value(value: Value) -> Any:
    """An AMQP value in the form of `kinds.AmqpValue`, with its type where the type does not follow from the form."""
    if isinstance(value, Typed):
        return {value.type: _inner(value)}
    if isinstance(value, dict):
        table = _table(value)
        looks_typed = len(table) == 1 and not table.keys().isdisjoint({*INTEGER_RANGES, *OTHER_TYPES})
        return {"table": table} if looks_typed else table
    return [_value(item) for item in value] if isinstance(value, list) else value


def _inner(value: Typed) -> Any:
    if value.type == "bytes":
        return value.value.decode("utf-8", "surrogatepass")
    if value.type == "decimal":
        scale, unscaled = value.value
        digits = f"{unscaled:0{scale + 1}d}"
        return f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return value.value


# Text ----------------------------------------------------------------------------------------------------------------


class _Nothing:
    """Nothing after the colon: an option without a value."""


NOTHING = _Nothing()


class _Writer:
    def __init__(self, ascii: bool) -> None:
        self.ascii = ascii

    def section(self, name: str, items: dict[str, Any] | Iterable[Any]) -> Iterator[str]:
        """A section of the scenario, one item a line where it fits; nothing when it is empty."""
        lines = self._block(items, "  ") if isinstance(items, dict) else self._list(items, "  ")
        first = next(lines, None)
        if first is not None:
            yield ""
            yield f"{name}:"
            yield first
            yield from lines

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

    def items(self, items: Iterable[WrittenItem]) -> Iterator[str]:
        """Items of a section with what there is to say about them."""
        said = ""
        for comment, key, value in items:
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
