"""Items of definitions files, each as an export has it but for what is said."""

from typing import Any

Item = dict[str, Any]

V = "VHOST"


def q(name: str = "jobs", **more: Any) -> Item:
    return {"vhost": V, "name": name, "durable": True, "auto_delete": False, "arguments": {}} | more


def x(name: str = "orders", **more: Any) -> Item:
    return {
        "vhost": V,
        "name": name,
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    } | more


def b(source: str = "orders", destination: str = "jobs", **more: Any) -> Item:
    return {
        "vhost": V,
        "source": source,
        "destination": destination,
        "destination_type": "queue",
        "routing_key": "#",
        "arguments": {},
    } | more


def p(definition: Any, **more: Any) -> Item:
    return {"vhost": V, "name": "p", "pattern": ".*", "apply-to": "all", "priority": 0, "definition": definition} | more


def op(definition: Any, **more: Any) -> Item:
    return {
        "vhost": V,
        "component": "operator_policy",
        "name": "op",
        "value": {"pattern": ".*", "apply-to": "queues", "priority": 0, "definition": definition} | more,
    }


def without(item: Item, *keys: str) -> Item:
    return {k: v for k, v in item.items() if k not in keys}
