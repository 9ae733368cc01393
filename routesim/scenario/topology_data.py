"""A topology as data: what a scenario declares, each thing once, and how a scenario writes it.

`values_of` reads the same forms. RabbitMQ's own form, that of definitions files, is in `definitions`.
"""

from collections.abc import Sequence
from typing import Any

from routesim import steps
from routesim.broker.topology import stripped
from routesim.model import Binding, Exchange, Policy, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.scenario import Scenario
from routesim.scenario.yaml.writing import NOTHING, OneLine
from routesim.values import INTEGER_RANGES, OTHER_TYPES, Table, Typed, Value, table_identity


class DeclaredTopology(NamedTuple):
    """What is declared at the top of a scenario without its clients, which a definitions file can hold as well: each thing once,
    in the order of its declaration. `rabbitmq` is the version whose rules it was checked by."""

    vhost: str
    rabbitmq: str
    default_queue_type: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()
    policies: tuple[Policy, ...] = ()
    permit: tuple[str, ...] = ()


def topology_of(scenario: Scenario) -> DeclaredTopology:
    exchanges: dict[str, Exchange] = {}
    queues: dict[str, Queue] = {}
    bindings: dict[object, Binding] = {}
    policies: dict[object, Policy] = {}
    for _, step in scenario.declarations:
        if isinstance(step, steps.DeclareExchange):
            name = stripped(step.exchange.name)
            exchanges.setdefault(name, step.exchange._replace(name=name))
        elif isinstance(step, steps.DeclareQueue):
            name = stripped(step.queue.name)
            queues.setdefault(name, step.queue._replace(name=name))
        elif isinstance(step, steps.Bind):
            binding = step.binding
            binding = binding._replace(source=stripped(binding.source), destination=stripped(binding.destination))
            bindings.setdefault((*binding[:4], table_identity(binding.arguments)), binding)
        elif isinstance(step, steps.SetPolicy):
            policies[step.policy.operator, step.policy.name] = step.policy
    return DeclaredTopology(
        scenario.vhost, scenario.rabbitmq, scenario.settings.default_queue_type, tuple(exchanges.values()),
        tuple(queues.values()), tuple(bindings.values()), tuple(policies.values()),
        scenario.settings.permit,
    )  # fmt: skip


# As a scenario writes it ---------------------------------------------------------------------------------------------


def scenario_sections(topology: DeclaredTopology) -> dict[str, Any]:
    """For `yaml.writing`, in the shortest forms."""
    sections: dict[str, Any] = {"rabbitmq": topology.rabbitmq}
    if topology.vhost != "/":
        sections["vhost"] = topology.vhost
    broker = broker_form(topology.default_queue_type, topology.permit)
    if broker:
        sections["broker"] = OneLine(broker)
    return {
        **sections,
        "exchanges": {item.name: exchange_form(item) for item in topology.exchanges},
        "queues": {item.name: queue_form(item) for item in topology.queues},
        "bindings": map(binding_form, topology.bindings),
        "policies": [policy_form(item) for item in topology.policies if not item.operator],
        "operator_policies": [policy_form(item) for item in topology.policies if item.operator],
    }


def broker_form(default_queue_type: str | None, permit: Sequence[str]) -> dict[str, Any]:
    """The settings of the broker that decide what it lets declare."""
    return _given(default_queue_type=(default_queue_type, None), permit=(list(permit), []))


def exchange_form(item: Exchange, *, short: bool = True, widths: bool = True) -> Any:
    """`short`: the type alone where there is nothing else to say. `widths`: see `table`."""
    options = _given(
        durable=(item.durable, True), auto_delete=(item.auto_delete, False), internal=(item.internal, False),
        arguments=(table(item.arguments, widths=widths), {}),
    )  # fmt: skip
    return {"type": item.type, **options} if options or not short else item.type


def queue_form(item: Queue, *, short: bool = True, widths: bool = True) -> Any:
    """`short`: the type as an option instead of an argument, and nothing at all where there is nothing to say."""
    arguments = dict(item.arguments)
    kind = arguments.pop("x-queue-type") if short and isinstance(arguments.get("x-queue-type"), str) else None
    options = _given(
        type=(kind, None), durable=(item.durable, True), exclusive=(item.exclusive, False),
        auto_delete=(item.auto_delete, False), arguments=(table(arguments, widths=widths), {}),
        server_named=(item.server_named, False),
    )  # fmt: skip
    return options or (NOTHING if short else {})


def binding_form(item: Binding) -> dict[str, Any]:
    return {
        "source": item.source,
        "destination": item.destination,
        **_given(
            destination_type=(item.destination_type, "queue"), routing_key=(item.routing_key, ""),
            arguments=(table(item.arguments), {}),
        ),
    }  # fmt: skip


def policy_form(item: Policy, *, short: bool = True, widths: bool = True) -> dict[str, Any]:
    options = {"apply-to": (item.apply_to, "all" if short else None), "priority": (item.priority, 0 if short else None)}
    return {"name": item.name, "pattern": item.pattern, **_given(**options), "definition": table(item.definition, widths=widths)}


def table(values: Table, *, widths: bool = True) -> dict[str, Any]:
    """Headers or arguments. `widths` False: the width of an integer does not count, as it does for headers."""
    return {
        key: value.value if isinstance(value, Typed) and value.type in INTEGER_RANGES and not widths else _value(value)
        for key, value in values.items()
    }  # fmt: skip


def _given(**options: tuple[Any, Any]) -> dict[str, Any]:
    """The options that differ from their defaults."""
    return {name: value for name, (value, default) in options.items() if value != default}


def _value(value: Value) -> Any:
    """An AMQP value in the form of `kinds.AmqpValue`, with its type where the type does not follow from the form."""
    if isinstance(value, Typed):
        return {value.type: _inner(value)}
    if isinstance(value, dict):
        written = table(value)
        looks_typed = len(written) == 1 and not written.keys().isdisjoint({*INTEGER_RANGES, *OTHER_TYPES})
        return {"table": written} if looks_typed else written
    return [_value(item) for item in value] if isinstance(value, list) else value


def _inner(value: Typed) -> Any:
    if value.type == "bytes":
        return value.value.decode("utf-8", "surrogatepass")
    if value.type == "decimal":
        scale, unscaled = value.value
        digits = f"{unscaled:0{scale + 1}d}"
        return f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return value.value
