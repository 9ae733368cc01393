"""What is read of Kubernetes objects is what their operator makes of them: the requests of its client, sent to real brokers.

The operator hands a spec to the management API by rabbit-hole: PUT of the settings, a queue's type as its argument.
"""

import json
from typing import Any

import pytest
import yaml
from kits.foreign import declared, read
from kits.live import URLS, live_session
from kits.management import part

from routesim.rabbitmq.http.management import Management
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.scenario.definitions.importing import imported
from routesim.scenario.topology_data import DeclaredTopology
from routesim.scenario.yaml.source import Source
from routesim.values import raw

OBJECTS = """
- {kind: Exchange, spec: {name: orders, type: topic, durable: true, arguments: {alternate-exchange: amq.fanout}}}
- {kind: Exchange, spec: {name: plain}}
- {kind: Exchange, spec: {name: match, type: headers, durable: true, autoDelete: true}}
- {kind: Queue, spec: {name: jobs, type: quorum, durable: true, arguments: {x-delivery-limit: 3}}}
- {kind: Queue, spec: {name: log, type: stream, durable: true, arguments: {x-max-length-bytes: 1000000000}}}
- {kind: Queue, spec: {name: gone, durable: true, autoDelete: true, arguments: {x-message-ttl: 60000}}}
- {kind: Binding, spec: {source: orders, destination: jobs, destinationType: queue, routingKey: order.#}}
- {kind: Binding, spec: {source: orders, destination: plain, destinationType: exchange, routingKey: a}}
- {kind: Binding, spec: {source: match, destination: jobs, destinationType: queue, arguments: {x-match: any, n: 5, red: true}}}
- {kind: Policy, spec: {name: p, pattern: ^jobs$, definition: {max-length: 10}}}
- {kind: OperatorPolicy, spec: {name: o, pattern: ^jobs$, priority: 2, definition: {max-length: 9}}}
"""


def apply(management: Management, kind: str, spec: dict[str, Any], vhost: str) -> None:
    at, name = part(vhost), part(spec.get("name", ""))
    settings = {
        "durable": spec.get("durable", False),
        "auto_delete": spec.get("autoDelete", False),
        "arguments": spec.get("arguments", {}),
    }
    policy = {
        "vhost": vhost,
        "pattern": spec.get("pattern"),
        "priority": spec.get("priority", 0),
        "definition": spec.get("definition"),
    }
    if kind == "Exchange":
        management.call("PUT", f"exchanges/{at}/{name}", {"type": spec.get("type", "direct"), **settings})
    elif kind == "Queue":
        typed = {"x-queue-type": spec["type"]} if "type" in spec else {}
        management.call("PUT", f"queues/{at}/{name}", {**settings, "arguments": {**settings["arguments"], **typed}})
    elif kind == "Binding":
        way = "q" if spec["destinationType"] == "queue" else "e"
        body = {"routing_key": spec.get("routingKey", ""), "arguments": spec.get("arguments", {})}
        management.call("POST", f"bindings/{at}/e/{part(spec['source'])}/{way}/{part(spec['destination'])}", body)
    elif kind == "Policy":
        management.call("PUT", f"policies/{at}/{name}", {**policy, "apply-to": spec.get("applyTo", "all")})
    else:
        management.call("PUT", f"operator-policies/{at}/{name}", {**policy, "apply-to": spec.get("applyTo", "queues")})


@pytest.mark.parametrize("version", URLS)
def test_the_operators_requests_declare_what_was_read(version):
    session = live_session(version)
    objects = yaml.safe_load(OBJECTS)
    text = yaml.safe_dump_all({"apiVersion": "rabbitmq.com/v1beta1", "metadata": {"name": "x"}, **each} for each in objects)
    expected = read("topology-operator", text, rabbitmq=session.profile).topology
    with scratch_vhost(session.management) as vhost:
        for each in objects:
            apply(session.management, each["kind"], each["spec"], vhost)
        document = session.management.definitions(vhost)
    there = imported(Source("there.json", json.dumps(document)), vhost, rabbitmq=session.profile).topology
    assert as_told(there) == as_told(expected)
    assert sorted(there.policies) == sorted(expected.policies)


def as_told(topology: DeclaredTopology) -> dict[str, list[Any]]:
    """Without who asked for a classic queue, which a broker's export tells from 4.0 on, and the widths of integers."""
    return declared(topology._replace(queues=tuple(
        item._replace(arguments={key: raw(value) for key, value in item.arguments.items() if (key, value) != ("x-queue-type", "classic")})
        for item in topology.queues
    )))  # fmt: skip
