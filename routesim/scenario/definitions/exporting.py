"""A scenario as a definitions file that a broker imports, and what such a file cannot carry (rules/routing#6)."""

import json
from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.broker.records import PREDECLARED
from routesim.diagnostics import Diagnostic, Place
from routesim.model import Binding, Exchange, Policy, Queue, policy_body
from routesim.scenario.scenario import Scenario
from routesim.scenario.topology_data import DeclaredTopology, topology_of
from routesim.values import Table, Typed, Value, comparable, raw, table_identity
from routesim.versions import rules

Document = dict[str, Any]
OF_THE_BROKER = frozenset(item.name for item in PREDECLARED)


class _Untold(Exception):
    """JSON has nothing that RabbitMQ would read as this value; the text says what it is."""


def definitions_of(scenario: Scenario, vhost: str | None = None) -> tuple[Document, list[Diagnostic]]:
    """The file, with all in `vhost` (default: the scenario's own), and a warning for everything that is not in it."""
    topology = topology_of(scenario)
    export = _Export(topology, scenario, topology.vhost if vhost is None else vhost)
    export.tell_clients()
    return export.document(), export.warnings


def document_of(topology: DeclaredTopology, vhost: str | None = None) -> Document:
    """The file for a topology that came from such a file: nothing in it can be lost."""
    return _Export(topology, None, topology.vhost if vhost is None else vhost).document()


def lines_of(document: Document) -> Iterator[str]:
    """The document as JSON in ASCII, one item a line, so that two of them can be compared."""
    yield "{"
    for number, (name, value) in enumerate(document.items(), 1):
        comma = "," if number < len(document) else ""
        if not isinstance(value, list):
            yield f" {json.dumps(name)}: {json.dumps(value)}{comma}"
            continue
        if not value:
            yield f" {json.dumps(name)}: []{comma}"
            continue
        yield f" {json.dumps(name)}: ["
        for index, item in enumerate(value, 1):
            yield f"  {json.dumps(item)}{',' if index < len(value) else ''}"
        yield f" ]{comma}"
    yield "}"


class _Export:
    def __init__(self, topology: DeclaredTopology, scenario: Scenario | None, vhost: str) -> None:
        self.topology = topology
        self.scenario = scenario
        self.vhost = vhost
        self.strict = rules(topology.rabbitmq).headers_strict
        self.warnings: list[Diagnostic] = []
        self.lines: dict[tuple[object, ...], int] = {}
        for line, step in scenario.declarations if scenario is not None else ():
            if isinstance(step, (steps.DeclareExchange, steps.DeclareQueue, steps.Bind)):
                self.lines[_key(step[1])] = line
        homeless = {queue.name for queue in topology.queues if queue.exclusive or queue.server_named}
        self.homeless = dict.fromkeys(homeless, 0)  # queue -> its bindings
        for binding in topology.bindings:
            if self.leads_to_a_homeless(binding):
                self.homeless[binding.destination] += 1

    def document(self) -> Document:
        topology, vhost = self.topology, {"name": self.vhost}
        if topology.default_queue_type is not None:
            vhost["metadata"] = {"default_queue_type": topology.default_queue_type}  # type: ignore[assignment]
        exchanges = [self.exchange(item) for item in topology.exchanges if item.name not in OF_THE_BROKER]
        queues = [self.queue(item) for item in topology.queues if self.stays(item)]
        bindings = [self.binding(item) for item in topology.bindings if not self.leads_to_a_homeless(item)]
        return {
            "rabbit_version": topology.rabbitmq,
            "rabbitmq_version": topology.rabbitmq,
            "vhosts": [vhost],
            "parameters": [self.operator_policy(item) for item in topology.policies if item.operator],
            "policies": [
                {"vhost": self.vhost, "name": item.name, **policy_body(item)} for item in topology.policies if not item.operator
            ],
            "exchanges": exchanges,
            "queues": queues,
            "bindings": [item for item in bindings if item is not None],
        }

    # Items -------------------------------------------------------------------------------------------------------

    def exchange(self, item: Exchange) -> Document:
        return {
            "vhost": self.vhost, "name": item.name, "type": item.type, "durable": item.durable,
            "auto_delete": item.auto_delete, "internal": item.internal,
            "arguments": self.arguments(item.arguments, f"exchange '{item.name}'", item),
        }  # fmt: skip

    def queue(self, item: Queue) -> Document:
        arguments = self.arguments(item.arguments, f"queue '{item.name}'", item)
        default = self.topology.default_queue_type
        if default not in (None, "classic") and "x-queue-type" not in arguments and item.durable and not item.auto_delete:
            # An import before 3.11 does not apply the vhost's default; a client's declaration does (rules/queues#1.10).
            arguments["x-queue-type"] = default
        return {
            "vhost": self.vhost, "name": item.name, "type": arguments.get("x-queue-type", "classic"), "durable": item.durable,
            "auto_delete": item.auto_delete, "arguments": arguments,
        }  # fmt: skip

    def binding(self, item: Binding) -> Document | None:
        try:
            arguments = {key: _json(value) for key, value in item.arguments.items()}
        except _Untold as what:
            self.warn(
                "not-exported", f"the binding of '{item.destination}' to '{item.source}' is left out: a definitions file "
                f"cannot carry {what}", item, "let a client bind it",
            )  # fmt: skip
            return None
        for key, value in item.arguments.items():
            if self.means_something_else(value, arguments[key]):
                self.warn(
                    "changed-by-export", f"'{key}' of the binding of '{item.destination}' to '{item.source}' comes back as "
                    "another type, which other headers match", item, "let a client bind it",
                )  # fmt: skip
        return {
            "vhost": self.vhost, "source": item.source, "destination": item.destination,
            "destination_type": item.destination_type, "routing_key": item.routing_key, "arguments": arguments,
        }  # fmt: skip

    def operator_policy(self, item: Policy) -> Document:
        """Operator policies are parameters (rules/routing#F11)."""
        return {"vhost": self.vhost, "component": "operator_policy", "name": item.name, "value": policy_body(item)}

    def arguments(self, table: Table, what: str, item: Exchange | Queue) -> Document:
        found = {}
        for key, value in table.items():
            try:
                found[key] = _json(value)
            except _Untold as untold:
                problem = f"'{key}' of {what} is left out: a definitions file cannot carry {untold}"
                self.warn("not-exported", problem, item)
        return found

    # What is lost ------------------------------------------------------------------------------------------------

    def stays(self, queue: Queue) -> bool:
        if queue.name not in self.homeless:
            return True
        kind = "server-named" if queue.server_named else "exclusive"
        bindings = self.homeless[queue.name]
        bound = f" with {count(bindings, 'binding')}" if bindings else ""
        self.warn(
            "not-exported", f"the {kind} queue '{queue.name}' is left out{bound}: it belongs to a connection and goes with it",
            queue, "its client declares it",
        )  # fmt: skip
        return False

    def leads_to_a_homeless(self, binding: Binding) -> bool:
        return binding.destination_type == "queue" and binding.destination in self.homeless

    def means_something_else(self, before: Value, after: Any) -> bool:
        """Whether a headers exchange would tell the value from the one that an import makes of it (rules/routing#6.3)."""
        back = _imported(after)
        return comparable(before, strict=self.strict, of_message=False) != comparable(back, strict=self.strict, of_message=False)

    def tell_clients(self) -> None:
        """Consumers, steps, expectations, settings of the broker: nothing of it is topology."""
        scenario = self.scenario
        assert scenario is not None
        contents = {"consumer": scenario.consumers, "step": scenario.steps, "expectation": scenario.expect}
        contents |= {"route": scenario.routes, "never rule": scenario.never}
        parts = [count(len(items), word) for word, items in contents.items() if items]
        if parts:
            self.warn(
                "not-exported", f"left out: {', '.join(parts)}; a definitions file holds what is declared, not what happens"
            )
        for name in ("consumer_timeout", "max_message_size"):
            value = getattr(scenario.settings, name)
            if value is not None:
                cure = f"write `{name} = {value}` into rabbitmq.conf"
                self.warn("not-exported", f"{name} is left out: it is a setting of the broker itself", cure=cure)

        for name in scenario.settings.permit:
            cure = f"write `deprecated_features.permit.{name} = true` into rabbitmq.conf"
            self.warn("not-exported", f"permit {name} is left out: it is a setting of the broker itself", cure=cure)

    def warn(self, code: str, message: str, item: Exchange | Queue | Binding | None = None, cure: str = "") -> None:
        place = Place(self.scenario.file if self.scenario is not None else "", self.lines.get(_key(item), 0) if item else 0, 1)
        self.warnings.append(Diagnostic("warning", code, message, place, cure))


def _key(item: Exchange | Queue | Binding) -> tuple[object, ...]:
    return (*item[:4], table_identity(item.arguments)) if isinstance(item, Binding) else (type(item).__name__, item.name)


def count(number: int, word: str) -> str:
    """`1 policy`, `2 policies`, `1,000 bindings`."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number:,} {word if number == 1 else plural}"


def _json(value: Value) -> Any:
    """The value as a definitions file holds it (rules/routing#F15). Raises `_Untold`."""
    inner = raw(value)
    if inner is None:
        raise _Untold("a void value")
    if isinstance(inner, bytes):
        try:
            return inner.decode()
        except UnicodeDecodeError:
            raise _Untold("bytes that are not text") from None
    if isinstance(inner, tuple):  # a decimal: (scale, unscaled)
        return inner[1] / 10 ** inner[0]
    if isinstance(inner, dict):
        return {key: _json(item) for key, item in inner.items()}
    return [_json(item) for item in inner] if isinstance(inner, list) else inner


def _imported(value: Any) -> Value:
    """What an import makes of JSON: every integer is `long` (rules/routing#F16)."""
    if isinstance(value, dict):
        return {key: _imported(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_imported(item) for item in value]
    return Typed("long", value) if isinstance(value, int) and not isinstance(value, bool) else value
