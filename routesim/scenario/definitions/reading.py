"""What a definitions file declares in one vhost, by the rules of a version's import (rules/routing#6.4)."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any

from routesim.broker.records import PREDECLARED
from routesim.diagnostics import Diagnostic
from routesim.model import Binding, Exchange, Policy, Queue
from routesim.named_tuples import NamedTuple
from routesim.queues.arguments import TYPES
from routesim.scenario.definitions.by_vhost import ByVhost
from routesim.scenario.definitions.list_form import OTHER_SECTIONS, SECTIONS, Path
from routesim.scenario.definitions.unsimulated import LEFT_OUT, unsimulated_parameters
from routesim.scenario.yaml import json_places
from routesim.scenario.yaml.nodes import DEEPEST, Node
from routesim.scenario.yaml.source import Source
from routesim.values import INTEGER_RANGES, NO_ARGUMENTS, Typed, Value
from routesim.versions import NEWEST, NEWEST_PATCH, UnknownVersion, rules

MOST_NAMED = 5  # other virtual hosts
KEYLESS = ("fanout", "headers")  # types of exchanges to which the key of a binding means nothing


class ListedBindings:
    """Pairs of a binding and its path, which are put together when somebody asks: there may be a million."""

    def __init__(self, indexes: list[int], bindings: list[Binding]) -> None:
        self._indexes = indexes  # of the section, each where a binding stands
        self._bindings = bindings

    def __len__(self) -> int:
        return len(self._bindings)

    def __iter__(self) -> Iterator[tuple[Path, Binding]]:
        return zip(zip(repeat("bindings"), self._indexes), self._bindings, strict=True)


class Definitions(NamedTuple):
    """What a file declares in one vhost; each item with its path in the file."""

    exchanges: list[tuple[Path, Exchange]]
    queues: list[tuple[Path, Queue]]
    bindings: ListedBindings | list[tuple[Path, Binding]]
    policies: list[tuple[Path, Policy]]
    rabbitmq: str | None
    default_queue_type: str | None
    other_vhosts: tuple[str, ...] = ()  # the first where there is something, when there is nothing in this one
    vhosts: tuple[str, ...] = ()  # all that the items name


class _Import:
    def __init__(
        self, source: Source, by_vhost: ByVhost, root: Node | None, vhost: str, version: str | None, *, whole: bool
    ) -> None:
        self.source = source
        self.by_vhost = by_vhost
        self.data = by_vhost.data
        self.whole = whole
        self.root = root
        self.vhost = vhost
        self.rules = rules(closest_version(version)[0] if version else NEWEST)
        self.types: dict[str, str] = {}  # of the exchanges
        self.diagnostics: list[Diagnostic] = []
        self.parameters: list[tuple[Path, dict[str, Any]]] = []  # those of the vhost, once they are read

    def note(self, severity: str, code: str, message: str, path: Path, cure: str = "") -> None:
        line, column, width = self.place(path)
        self.diagnostics.append(self.source.diagnostic(severity, code, message, line, column, width, cure))

    def place(self, path: Path) -> tuple[int, int, int]:
        """Line, column and width of an item, or of the innermost part of its path that there is."""
        if self.root is None:
            begin, end = json_places.find(self.source.text, path)
            return *self.source.place(begin), max(1, end - begin)
        node: Any = self.root
        for part in path:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                break
        return node.line, node.column, node.width

    def items(self, section: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The items of a section that belong to the vhost."""
        return (((section, index), item) for index, item in self.numbered(section))

    def numbered(self, section: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The same, with their indexes."""
        items = self.data.get(section)
        if not isinstance(items, list):
            if items is not None and self.whole:
                self.note("error", "wrong-type", f"'{section}' must be a list in a definitions file", (section,))
            return
        several = self.by_vhost.several
        for index in self.by_vhost.indexes(section, self.vhost):
            item = items[index]
            if not isinstance(item, dict):
                if self.whole:
                    what = f"an item of '{section}' must be an object"
                    cure = f"{section} as a mapping: `name: options`, as a list only in a definitions file's form"
                    self.note("error", "wrong-type", what, (section, index), f"write {cure}")
            elif several and item.get("vhost") is None:
                if self.whole:
                    self.note(
                        "error", "definitions-no-vhost",
                        f"this item of '{section}' names no vhost; RabbitMQ answers: Virtual host 'undefined' does not exist",
                        (section, index), f'add "vhost": "{self.vhost}"',
                    )  # fmt: skip
            else:
                yield index, item

    def text(self, item: dict[str, Any], key: str, path: Path, default: str | None = None) -> str | None:
        value = item.get(key, default)
        if isinstance(value, str):
            if len(value.encode("utf-8", "surrogatepass")) > 255:
                self.note("error", "too-long", f"'{key}' is longer than 255 bytes", (*path, key))
                return None
            return value
        problem = f"'{key}' is missing" if value is None else f"'{key}' must be text"
        self.note("error", "definitions-incomplete", problem, (*path, key), f'add "{key}"' if value is None else "")
        return None

    def flag(
        self, item: dict[str, Any], key: str, path: Path, default: bool, *, filled: bool = True, unchecked: bool = False
    ) -> bool:
        """`filled`: whether an import has a default where the key is missing (rules/routing#F20). `unchecked`: whether it stores
        text in its place, which then is neither true nor false."""
        value = item.get(key)
        if isinstance(value, bool):
            return value
        if unchecked and isinstance(value, str):
            text = f"'{key}' is text, which RabbitMQ {self.rules.version} stores as it is; {str(default).lower()} is meant here"
            self.note("warning", "wrong-type", text, (*path, key), "write it without quotes")
            return default
        if key not in item or (value is None and key == "internal"):
            if not filled:
                self.note(
                    "error", "definitions-incomplete", f"'{key}' is missing: RabbitMQ {self.rules.version} refuses the import",
                    path, f'add "{key}": {str(default).lower()}',
                )  # fmt: skip
            return default
        self.note("error", "wrong-type", f"'{key}' must be true or false", (*path, key))
        return default

    def table(self, item: dict[str, Any], path: Path) -> dict[str, Value]:
        value = item.get("arguments", [])
        if value == []:
            return {}
        if value is None:
            cure = "write {}, or take it out"
            self.note("error", "definitions-null", "'arguments' is null, on which an import fails", (*path, "arguments"), cure)
            return {}
        if not isinstance(value, dict):
            self.note("error", "wrong-type", "'arguments' must be an object", (*path, "arguments"))
            return {}
        return {key: self.value(inner, (*path, "arguments", key)) for key, inner in value.items()}

    def value(self, value: Any, path: Path) -> Value:
        if len(path) > DEEPEST:
            self.note("error", "too-deep", f"more than {DEEPEST} levels of nesting", path)
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self.note("error", "wrong-value", "AMQP carries finite numbers only", path)
        if value is None:
            self.note("error", "definitions-null", "RabbitMQ's import fails on null", path)
        if isinstance(value, bool) or not isinstance(value, int):
            if isinstance(value, dict):
                return {key: self.value(inner, (*path, key)) for key, inner in value.items()}
            if isinstance(value, list):
                return [self.value(inner, (*path, index)) for index, inner in enumerate(value)]
            return value
        low, high = INTEGER_RANGES["long"]
        if not low <= value <= high:
            self.note("error", "wrong-value", "AMQP has no integers beyond 64 bits", path)
            return 0
        return Typed("long", value)

    # Sections ----------------------------------------------------------------------------------------------------

    def exchanges(self) -> Iterable[tuple[Path, Exchange]]:
        for path, item in self.items("exchanges"):
            name, kind = self.text(item, "name", path), self.text(item, "type", path)
            if name is None or kind is None or name == "" or name.startswith("amq."):
                continue  # RabbitMQ passes over its own (rules/routing#F19)
            fills = self.rules.import_fills_exchange_durable
            durable = self.flag(item, "durable", path, True, filled=fills, unchecked=fills)
            auto_delete = self.flag(item, "auto_delete", path, False)
            if "auto_delete" not in item and not self.rules.import_fills_exchange_durable:
                text = f"'auto_delete' is missing: RabbitMQ {self.rules.version} stores it as undefined"
                cure = 'add "auto_delete": false; the virtual host cannot be deleted with such an exchange in it'
                self.note("warning", "definitions-incomplete", text, path, cure)
            internal = self.flag(item, "internal", path, False, unchecked=True)
            yield path, Exchange(name, kind, durable, auto_delete, internal, self.table(item, path))

    def queues(self) -> Iterable[tuple[Path, Queue]]:
        default, untrue = self.default_queue_type(), []
        for path, item in self.items("queues"):
            name = self.text(item, "name", path)
            if name is None or name.startswith("amq."):
                continue
            filled = self.rules.import_fills_queue_flags
            durable = self.flag(item, "durable", path, True, filled=filled)
            auto_delete = self.flag(item, "auto_delete", path, False, filled=filled)
            arguments = self.table(item, path)
            if not self.rules.import_gives_default_type and default not in (None, "classic"):
                arguments = {"x-queue-type": "classic", **arguments}
            kind, real = item.get("type", "classic"), arguments.get("x-queue-type", default or "classic")
            if kind not in ("classic", real):
                untrue.append((path, name, str(kind), str(real)))
            yield path, Queue(name, durable, False, auto_delete, arguments)
        self._tell_types(untrue)

    def _tell_types(self, untrue: list[tuple[Path, str, str, str]]) -> None:
        """Of queues whose `type` is not what they are imported as: one warning for all."""
        if not untrue:
            return
        path, name, kind, real = untrue[0]
        more = f" and {len(untrue) - 1:,} more queues" if len(untrue) > 1 else ""
        text = f"'type' is only informational: RabbitMQ imports '{name}'{more} as {real}"
        self.note("warning", "definitions-type", text, (*path, "type"), f'set the argument "x-queue-type": "{kind}"')

    def bindings(self) -> ListedBindings:
        skips = self.rules.bad_bindings_skipped
        indexes, found, make = list[int](), list[Binding](), tuple.__new__
        types = {item.name: item.type for item in PREDECLARED} | self.types
        for index, item in self.numbered("bindings"):
            path = "bindings", index
            source, destination = item.get("source"), item.get("destination")
            if not isinstance(source, str) or not isinstance(destination, str):
                what = "a binding without source or destination"
                if skips:
                    self.note("warning", "definitions-binding", f"{what}: RabbitMQ passes over it silently", path)
                else:
                    self.note("error", "definitions-binding", f"{what}: RabbitMQ's import fails", path)
                continue
            if source == "":
                self.note("warning", "definitions-binding", "a binding of the default exchange has no effect", path)
                continue
            if "destination_type" not in item:
                text = "'destination_type' is missing: RabbitMQ refuses the import"
                self.note("error", "definitions-incomplete", text, path, 'add "destination_type": "queue"')
                continue
            if "routing_key" not in item and types.get(source) not in KEYLESS:
                text = "'routing_key' is missing: RabbitMQ refuses the import, or stores a key that no message has"
                self.note("error", "definitions-incomplete", text, path, 'add "routing_key": ""')
                continue
            kind, key = item["destination_type"], item.get("routing_key", "")
            if kind not in ("queue", "exchange") or not isinstance(key, str):
                self.note("error", "wrong-type", "a binding leads to a queue or an exchange, by a key that is text", path)
                continue
            arguments = self.table(item, path) if item.get("arguments", NO_ARGUMENTS) != NO_ARGUMENTS else NO_ARGUMENTS
            indexes.append(index)
            found.append(make(Binding, (source, destination, kind, key, arguments)))
        return ListedBindings(indexes, found)

    def policies(self) -> Iterable[tuple[Path, Policy]]:
        for path, item in self.items("policies"):
            policy = self.policy(item, path, self.text(item, "name", path), False)
            if policy:
                yield path, policy
        self.parameters = list(self.items("parameters"))
        for path, item in self.parameters:
            value = item.get("value")
            if item.get("component") == "operator_policy" and isinstance(value, dict):
                policy = self.policy(value, (*path, "value"), self.text(item, "name", path), True)
                if policy:
                    yield (*path, "value"), policy

    def policy(self, item: dict[str, Any], path: Path, name: str | None, operator: bool) -> Policy | None:
        pattern, definition, priority = self.text(item, "pattern", path), item.get("definition"), item.get("priority", 0)
        if isinstance(definition, list) and definition:  # the CLI of 3.x writes pairs (rules/routing#F11)
            pairs = [pair for pair in definition if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)]
            definition = dict(pairs) if len(pairs) == len(definition) else None
            if definition is not None:
                text = "no version of RabbitMQ imports a 'definition' that is written as pairs: definition must be a dictionary"
                cure = "write it as an object; `routesim import`, then `routesim export`, does"
                self.note("warning", "definitions-pairs", text, (*path, "definition"), cure)
        if operator and "priority" not in item:
            text = "an operator policy needs a 'priority': RabbitMQ refuses the import"
            self.note("error", "definitions-incomplete", text, path, 'add "priority": 0')
            return None
        if isinstance(priority, bool) or not isinstance(priority, (int, float)) or not math.isfinite(priority):
            self.note("error", "wrong-type", "priority should be a number", (*path, "priority"))
            return None
        if not isinstance(definition, dict):
            self.note("error", "definitions-incomplete", "a policy needs a 'definition' object", path)
            return None
        if name is None or pattern is None:
            return None
        return Policy(name, pattern, definition, str(item.get("apply-to", "all")), priority, operator)

    def default_queue_type(self) -> str | None:
        for index in self.by_vhost.named("vhosts").get(self.vhost, ())[:1]:
            metadata = self.data["vhosts"][index].get("metadata")
            kind = metadata.get("default_queue_type") if isinstance(metadata, dict) else None
            return kind if kind in TYPES else None
        return None

    def check_vhost(self) -> None:
        """Where its default queue type counts, and what it may be (rules/routing#F10)."""
        for index in self.by_vhost.named("vhosts").get(self.vhost, ()):
            item = self.data["vhosts"][index]
            metadata = item.get("metadata")
            within = metadata.get("default_queue_type") if isinstance(metadata, dict) else None
            beside = item.get("default_queue_type")
            if within is not None and within not in (*TYPES, "undefined"):
                text = f"RabbitMQ refuses the import: '{within}' is not a valid queue type"
                where = ("vhosts", index, "metadata", "default_queue_type")
                self.note("error", "wrong-value", text, where, f"choose one of {', '.join(TYPES)}")
            elif within is None and beside in TYPES and beside != "classic":
                text = f"RabbitMQ ignores default_queue_type beside 'name': queues without x-queue-type are classic, not {beside}"
                cure = f'write "metadata": {{"default_queue_type": "{beside}"}}'
                self.note("warning", "definitions-type", text, ("vhosts", index, "default_queue_type"), cure)

    def check_limits(self, queues: int) -> None:
        """A vhost that may hold fewer queues than there are (rules/routing#F10)."""
        for path, item in self.parameters if self.rules.is_at_least("4.0.0") else ():
            value = item.get("value")
            most = value.get("max-queues") if item.get("component") == "vhost-limits" and isinstance(value, dict) else None
            if isinstance(most, int) and 0 <= most < queues:
                text = f"max-queues is {most}, but there are {queues} queues: an import leaves the rest out without a word"
                self.note("warning", "definitions-limits", text, (*path, "value", "max-queues"), "raise it, or take it out")

    def check_twice(self, found: Iterable[tuple[Path, Exchange | Queue]], word: str) -> None:
        """Names that are declared twice with different properties: which of them wins is a race."""
        seen: dict[str, Exchange | Queue] = {}
        for path, item in found:
            if seen.setdefault(item.name, item) != item:
                text = f"{word} '{item.name}' is declared twice, with different properties: which of them wins is undefined"
                self.note("warning", "declared-twice", text, path, "take one of them out; here the first counts")

    def check_sections(self) -> None:
        for section in (*SECTIONS, *OTHER_SECTIONS):
            if section in self.data and self.data[section] is None:
                text = f"'{section}' is null, on which an import fails"
                self.note("error", "definitions-null", text, (section,), "write [], or take it out")


def read(
    source: Source,
    by_vhost: ByVhost,
    root: Node | None,
    vhost: str,
    version: str | None,
    *,
    vhost_given: bool,
    whole: bool = True,
) -> tuple[Definitions, list[Diagnostic], Callable[[Path], tuple[int, int, int]]]:
    """What the data declare in `vhost`, what is wrong with them, and where each item stands. `whole`: also what is wrong with the
    file whatever the virtual host is."""
    own = by_vhost.data.get("rabbitmq_version") or by_vhost.data.get("rabbit_version")
    named = own if isinstance(own, str) else None
    reading = _Import(source, by_vhost, root, vhost, version or named, whole=whole)
    if whole:
        reading.check_sections()
    reading.check_vhost()
    exchanges, queues = list(reading.exchanges()), list(reading.queues())
    reading.types = {item.name: item.type for _, item in exchanges}
    found = Definitions(exchanges, queues, reading.bindings(), list(reading.policies()), named, reading.default_queue_type())
    reading.check_twice(exchanges, "exchange")
    reading.check_twice(queues, "queue")
    reading.check_limits(len({item.name for _, item in queues}))
    for path, sentence in unsimulated_parameters(reading.parameters):
        reading.note("warning", LEFT_OUT, sentence, path)
    if found.exchanges or found.queues or found.bindings or found.policies:
        return found._replace(vhosts=by_vhost.vhosts()), reading.diagnostics, reading.place
    others = tuple(islice((name for name in by_vhost.vhosts() if name != vhost), MOST_NAMED))
    if others and not reading.diagnostics and not vhost_given:
        cure = f"choose one with vhost: {' or '.join(others)}"
        reading.note("warning", "unknown-vhost", f"nothing is declared in vhost '{vhost}'", (), cure)
    return found._replace(other_vhosts=others, vhosts=by_vhost.vhosts()), reading.diagnostics, reading.place


def closest_version(version: str) -> tuple[str, str | None]:
    """A known profile for the version that a file names, and a warning where it is not that very one."""
    try:
        rules(version)
    except UnknownVersion:
        parts = version.split(".")
        minor = ".".join(parts[:2])
        if minor in NEWEST_PATCH:
            return minor, None
        try:
            older = tuple(int(part) for part in parts[:2]) < (3, 10)
        except ValueError:
            older = False
        chosen = next(iter(NEWEST_PATCH)) if older else list(NEWEST_PATCH)[-1]
        return chosen, f"RabbitMQ {version} is not known; the rules of {chosen} are used"
    return version, None
