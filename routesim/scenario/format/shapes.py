"""Kinds with parts: lists, mappings of names, mappings with known keys."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from routesim.diagnostics import did_you_mean, some_of
from routesim.named_tuples import NamedTuple
from routesim.scenario.format.instead import as_list, as_names, as_shape
from routesim.scenario.format.kinds import Kind, Reader, Unreadable, is_null
from routesim.scenario.format.synonyms import FORMS, HINTS, RENAMES
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

Schema: TypeAlias = dict[str, Any]  # in the terms of JSON Schema


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
            keys = self.item.fields if isinstance(self.item, Shape) else {}
            raise self.wrong(reader, node, as_list(node, keys))
        items = []
        for child in node:
            try:
                items.append(self.item.read(reader, child))
            except Unreadable:
                continue
        return items


class MapOf(Kind):
    """Names, each with something of one kind. The names are checked like `name`. `scalar`: what to write in place of a mere
    value, `{}`."""

    def __init__(self, item: Kind, name: Kind, scalar: str = "") -> None:
        self.item, self.name, self.scalar = item, name, scalar
        self.expects = "a mapping of names"

    def read(self, reader: Reader, node: Node) -> dict[str, Any]:
        if is_null(node):
            return {}
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node, as_names(node, self.scalar))
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
    """A mapping with known keys; `what` it is called in sentences. `schema`: what no field by itself says. `hints`: what to write
    in place of keys that people try first. `page`: the part of the documentation that has all its keys."""

    def __init__(
        self,
        what: str,
        fields: dict[str, Field],
        *,
        optional: bool = False,
        schema: Schema | None = None,
        hints: dict[str, str] | None = None,
        page: str = "",
    ) -> None:
        self.what = what
        self.page = page or f"format#{re.sub('^(the|an?) ', '', what).replace(' ', '-').lower()}"
        self.fields = fields
        self.readers = {name: (name, field.kind.read) for name, field in fields.items()}
        self.schema = schema or {}
        self.hints = {**HINTS.get(what, {}), **(hints or {})}
        self.renames = {tried: meant for tried, meant in RENAMES.get(what, {}).items() if meant in fields and tried not in fields}
        self.required = [name for name, field in fields.items() if field.required]
        self.optional = optional  # nothing at all means no field given
        self.expects = f"{what}: a mapping"

    def read(self, reader: Reader, node: Node) -> Fields:
        values, fields = Fields(), self.fields
        values.node = node
        if self.optional and is_null(node):
            return values
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node, as_shape(node, FORMS.get(self.what, "")))
        renamed, readers = self._renamed(reader, node) if not node.keys() <= fields.keys() else {}, self.readers
        for key, value in node.items():
            if key not in readers:
                if key not in renamed:
                    self.unknown(reader, key)
                continue
            name, read = readers[key]
            try:
                values[name] = read(reader, value)
            except Unreadable:
                values.pop(name, None)
        for name in self.required:
            if name not in node and name not in renamed.values() and not self._hinted(name, node):
                reader.error("missing-key", f"{self.what} needs '{name}'", node, fields[name].doc)
        return values

    def _renamed(self, reader: Reader, node: Mapping) -> dict[str, str]:
        """Keys that have another name here, with that name: one error for all of them."""
        found = {
            key: self.renames[key]
            for key in node
            if key in self.renames and key not in self.hints and self.renames[key] not in node
        }
        if found:
            cure = f"write {_listed(dict.fromkeys(found.values()), 'and')}"
            reader.error("unknown-key", f"{self.what} has no {_listed(found, 'or')}", next(iter(found)), cure)
        return found

    def _hinted(self, name: str, node: Mapping) -> bool:
        """Whether something there is said already to be that key."""
        return any(f"`{name}: " in self.hints.get(key, "") for key in node if key not in self.fields)

    def unknown(self, reader: Reader, key: Text) -> None:
        cure = self.hints.get(str(key)) or did_you_mean(key, self.fields) or some_of(self.fields, key, "known keys:", self.page)
        reader.error("unknown-key", f"{self.what} has no '{key}'", key, cure)


def _listed(names: Iterable[str], last: str) -> str:
    """`'a', 'b' or 'c'`."""
    *first, end = (f"'{name}'" for name in names)
    return f"{', '.join(first)} {last} {end}" if first else end


class Either(Kind):
    """One of several forms, told apart by what the node is. `cure`: what to write in place of one that is none of them."""

    def __init__(
        self, expects: str, choose: Callable[[Node], Kind | None], cure: Callable[[Node], str] = lambda node: ""
    ) -> None:
        self.expects = expects
        self.choose = choose
        self.cure = cure

    def read(self, reader: Reader, node: Node) -> Any:
        kind = self.choose(node)
        if kind is None:
            raise self.wrong(reader, node, self.cure(node))
        return kind.read(reader, node)
