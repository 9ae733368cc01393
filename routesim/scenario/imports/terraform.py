"""What `terraform show -json` prints of a state or a plan, and a state file: resources of the RabbitMQ provider.

The provider hands arguments to the management API as they are, and makes numbers of a policy's texts that are integers. What
else stands in a state, passwords above all, is not looked at.
"""

import json
import re
from collections.abc import Iterator

from routesim.model import Binding, Exchange, Policy, Queue
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.items import Item
from routesim.scenario.yaml.writing import scalar
from routesim.values import Value

PREFIX = "rabbitmq_"
WHOLE = re.compile(r"[+-]?[0-9]+")
NO_ACCESS = "there is no access control here"
ACCESS = ("rabbitmq_user", "rabbitmq_permissions", "rabbitmq_topic_permissions")
NOT_SIMULATED = {"rabbitmq_federation_upstream": "federation is not simulated", "rabbitmq_shovel": "shovels are not simulated"}
KNOWN = "its value is only known after `terraform apply`"


def read(gathered: Gathered, document: Item) -> None:
    others = 0
    for kind, values in _resources(document):
        if kind == "rabbitmq_queue":
            _queue(gathered, values)
        elif kind == "rabbitmq_exchange":
            _exchange(gathered, values)
        elif kind == "rabbitmq_binding":
            _binding(gathered, values)
        elif kind in ("rabbitmq_policy", "rabbitmq_operator_policy"):
            _policy(gathered, values, operator=kind == "rabbitmq_operator_policy")
        elif kind == "rabbitmq_vhost":
            _vhost(gathered, values)
        elif kind in ACCESS:
            gathered.leave_out(f"{kind}: {NO_ACCESS}")
        elif kind in NOT_SIMULATED:
            values.leave_out(f"{kind}: {NOT_SIMULATED[kind]}", matters=True)
        elif kind.startswith(PREFIX):
            values.leave_out(f"{scalar(kind)}: this kind of resource is not known to routesim", matters=True)
        else:
            others += 1
    if others:
        gathered.leave_out(f"resources of other providers, {others:,} of them: nothing in them was looked at")


def _resources(document: Item) -> Iterator[tuple[str, Item]]:
    """The type of each managed resource, and its values."""
    if isinstance(document.get("planned_values").value, dict):
        yield from _of_module(document.get("planned_values", "root_module"))
    elif isinstance(document.get("values").value, dict):
        yield from _of_module(document.get("values", "root_module"))
    else:  # terraform.tfstate itself
        for resource in document.get("resources").listed():
            if resource.get("mode").value == "managed":
                for instance in resource.get("instances").listed():
                    yield str(resource.get("type").value), instance.get("attributes")


def _of_module(module: Item) -> Iterator[tuple[str, Item]]:
    todo = [module]
    while todo:
        here = todo.pop(0)
        for resource in here.get("resources").listed():
            if resource.get("mode").value == "managed":
                yield str(resource.get("type").value), resource.get("values")
        todo += here.get("child_modules").listed()


# One function a kind of resource -------------------------------------------------------------------------------------


def _queue(gathered: Gathered, values: Item) -> None:
    name, settings = _name(values), values.get("settings", 0)
    flags, arguments = (settings.flag("durable", False), False, settings.flag("auto_delete", False)), _arguments(settings)
    if name is not None:
        gathered.declare(_of_vhost(values), Queue(name, *flags, arguments), settings)


def _exchange(gathered: Gathered, values: Item) -> None:
    name, settings = _name(values), values.get("settings", 0)
    kind = settings.name("type")
    if name is not None and kind is not None:
        flags = settings.flag("durable", False), settings.flag("auto_delete", False), False
        gathered.declare(_of_vhost(values), Exchange(name, kind, *flags, _arguments(settings)), settings)


def _binding(gathered: Gathered, values: Item) -> None:
    source, destination, kind = values.name("source"), values.name("destination"), values.name("destination_type")
    if kind not in (None, "queue", "exchange"):
        values.get("destination_type").error("wrong-value", "destination_type is queue or exchange")
    elif source is not None and destination is not None and kind is not None:
        key = values.text("routing_key", "") or ""
        gathered.declare(_of_vhost(values), Binding(source, destination, kind, key, _arguments(values, wide=True)), values)


def _policy(gathered: Gathered, values: Item, *, operator: bool) -> None:
    name, policy = _name(values), values.get("policy", 0)
    pattern, apply_to = policy.name("pattern"), policy.name("apply_to")
    if name is None or pattern is None or apply_to is None:
        return
    definition = {key: _integer(value) for key, value in policy.table("definition").items()}
    if definition.get("ha-mode") == "nodes" and isinstance(definition.get("ha-params"), str):
        definition["ha-params"] = list(str(definition["ha-params"]).split(","))
    thing = Policy(name, pattern, definition, apply_to, policy.number("priority", 0), operator)
    gathered.declare(_of_vhost(values), thing, policy)


def _vhost(gathered: Gathered, values: Item) -> None:
    name, kind = _name(values), values.text("default_queue_type")
    if name is None:
        return
    gathered.more_vhosts.append(name)
    if kind in ("classic", "quorum", "stream"):
        gathered.queue_types[name] = kind
    if values.get("max_connections").value or values.get("max_queues").value:
        values.leave_out(f"limits of vhost {scalar(name)}: they are not simulated", matters=True)


def _name(values: Item) -> str | None:
    if values.get("name").value is None:
        values.error("missing-key", f"this resource has no 'name': {KNOWN}")
        return None
    return values.name()


def _of_vhost(values: Item) -> str:
    return values.text("vhost", "/") or "/"


def _arguments(item: Item, *, wide: bool = False) -> dict[str, Value]:
    """`arguments_json`, where numbers are numbers, or `arguments`, whose values are texts to Terraform."""
    given = item.get("arguments_json")
    if not isinstance(given.value, str) or not given.value.strip():
        return item.table(wide=wide)
    try:
        data = json.loads(given.value)
    except (ValueError, RecursionError):
        given.error("not-json", "arguments_json is no JSON")
        return {}
    inner = Item(item.notes, item.document, {"arguments": data}, given.path)
    return inner.table(wide=wide)


def _integer(value: Value) -> Value:
    return int(value) if isinstance(value, str) and WHOLE.fullmatch(value) and len(value) < 20 else value
