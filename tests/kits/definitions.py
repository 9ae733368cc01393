"""Definitions files for tests: one whole, one small, and what a run of such a file comes to."""

import json
from typing import Any

from kits.scenario import Outcome, routesim

FULL: dict[str, Any] = {
    "rabbit_version": "3.10.8",
    "rabbitmq_version": "3.10.8",
    "product_name": "RabbitMQ",
    "users": [{"name": "guest", "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "tags": ["administrator"]}],
    "vhosts": [{"name": "/"}, {"name": "shop"}],
    "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
    "topic_permissions": [],
    "global_parameters": [{"name": "cluster_name", "value": "x"}],
    "something_new": {"a": [1, 2, None]},
    "parameters": [
        {"vhost": "shop", "component": "operator_policy", "name": "cap",
         "value": {"pattern": "^jobs", "apply-to": "queues", "priority": 0, "definition": {"max-length": 2}}},
        {"vhost": "shop", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 10}},
        {"vhost": "shop", "component": "federation-upstream", "name": "up", "value": {"uri": "amqp://"}},
    ],
    "policies": [{"vhost": "shop", "name": "ae", "pattern": "^orders$", "apply-to": "exchanges", "priority": 5,
                  "definition": {"alternate-exchange": "unrouted"}}],
    "exchanges": [
        {"vhost": "shop", "name": "orders", "type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}},
        {"vhost": "shop", "name": "unrouted", "type": "fanout", "durable": True, "auto_delete": False, "internal": True, "arguments": {}},
        {"vhost": "shop", "name": "attrs", "type": "headers", "durable": True, "auto_delete": False, "internal": False, "arguments": {}},
    ],
    "queues": [
        {"vhost": "shop", "name": "jobs", "type": "classic", "durable": True, "auto_delete": False,
         "arguments": {"x-dead-letter-exchange": "unrouted", "x-max-length": 5000}},
        {"vhost": "shop", "name": "lost", "type": "classic", "durable": True, "auto_delete": False, "arguments": {}},
        {"vhost": "/", "name": "elsewhere", "durable": True, "auto_delete": False, "arguments": {}},
    ],
    "bindings": [
        {"vhost": "shop", "source": "orders", "destination": "jobs", "destination_type": "queue", "routing_key": "eu.#", "arguments": {}},
        {"vhost": "shop", "source": "orders", "destination": "attrs", "destination_type": "exchange", "routing_key": "us.*", "arguments": {}},
        {"vhost": "shop", "source": "attrs", "destination": "jobs", "destination_type": "queue", "routing_key": "",
         "arguments": {"x-match": "all", "kind": "refund"}},
        {"vhost": "shop", "source": "unrouted", "destination": "lost", "destination_type": "queue", "routing_key": "", "arguments": {}},
    ],
}  # fmt: skip
SMALL: dict[str, Any] = {
    "exchanges": [{"name": "x", "type": "fanout", "durable": True, "auto_delete": False}],
    "queues": [{"name": "q", "durable": True, "auto_delete": False}],
    "bindings": [{"source": "x", "destination": "q", "destination_type": "queue", "routing_key": "", "arguments": {}}],
}


def dumped(**changes: Any) -> str:
    return json.dumps({**SMALL, **changes}, indent=2)


def included(definitions: str | bytes, scenario: str = "", **options: Any) -> Outcome:
    return routesim(
        "run",
        "scene.yaml",
        "-f",
        "json",
        files={"scene.yaml": f"definitions: broker.json\n{scenario}", "broker.json": definitions},
        **options,
    )


def alone(definitions: str | bytes) -> Outcome:
    return routesim("run", "broker.json", "-f", "json", files={"broker.json": definitions})


def declared(outcome: Outcome, kind: str, member: str) -> list[str]:
    assert outcome.status == 0, outcome.err
    return [event[member] for event in outcome.of(kind)]
