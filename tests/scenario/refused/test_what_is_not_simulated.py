"""Shovels, federation and limits of virtual hosts change what happens, and are not simulated: every command says so."""

import json
import re

import pytest
from kits.scenario import problems_in, routesim, warned

FILE = json.dumps({
    "rabbitmq_version": "4.0.5",
    "vhosts": [{"name": "/"}],
    "queues": [{"name": "q", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}],
    "policies": [{"vhost": "/", "name": "far", "pattern": ".*", "priority": 0, "definition": {"federation-upstream-set": "all"}}],
    "parameters": [
        {"vhost": "/", "component": "shovel", "name": "one", "value": {}},
        {"vhost": "/", "component": "shovel", "name": "two", "value": {}},
        {"vhost": "/", "component": "federation-upstream", "name": "up", "value": {}},
        {"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 1}},
    ],
}, indent=1)  # fmt: skip
COMMANDS = [
    ("run", "-q", "s.yaml"), ("check", "b.json", "--format", "table"), ("graph", "b.json"), ("import", "b.json"),
    ("explain", "route", "b.json", "q"), ("explain", "queue", "b.json", "q"), ("diff", "b.json", "b.json"),
    ("upgrade", "b.json", "--from", "3.13", "--to", "4.0"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_definitions_file(command: tuple[str, ...]) -> None:
    files: dict[str, str | bytes] = {"b.json": FILE, "s.yaml": "definitions: b.json\nsteps: [{publish: {routing_key: q}}]\n"}
    outcome = routesim(*command, files=files)
    said = outcome.out + outcome.err
    said = " ".join(said.replace("'", "").split())  # a table is wrapped; the comment that `import` writes has no quotation marks
    if command[0] == "check":  # it looks at what an import needs
        assert "shovel one needs the plugin rabbitmq_shovel" in said
        assert "federation-upstream up needs the plugin rabbitmq_federation" in said
    else:
        assert re.search("shovel one(, two| and 1 more): shovels are not simulated", said)
        assert "federation-upstream up: federation is not simulated" in said
    assert "vhost-limits limits: limits of vhosts are not simulated" in said
    assert "federation-upstream-set has no effect here" in said


def test_a_policy_of_a_scenario_shows_the_place_of_the_key() -> None:
    text = "queues: {q: }\npolicies:\n  - {name: far, pattern: q, definition: {federation-upstream: up}}\n"
    [problem] = warned(text + "steps: [{publish: {routing_key: q}}]\n")
    assert (problem.code, problem.line) == ("not-simulated", 3)


def test_what_is_simulated_gives_no_warning() -> None:
    document = json.loads(FILE)
    document["vhosts"].append({"name": "other"})
    document["policies"][0]["definition"] = {"max-length": 1}
    document["parameters"] = [
        {"vhost": "/", "component": "operator_policy", "name": "cap",
         "value": {"pattern": "q", "definition": {"max-length": 2}, "priority": 0, "apply-to": "queues"}},
        {"vhost": "other", "component": "shovel", "name": "elsewhere", "value": {}},
    ]  # fmt: skip
    files: dict[str, str | bytes] = {"b.json": json.dumps(document), "s.yaml": "definitions: b.json\n"}
    outcome = routesim("run", "s.yaml", files=files)
    assert (outcome.status, problems_in(outcome.err)) == (0, [])


def test_what_federation_keeps_for_the_brokers_downstream_is_told() -> None:
    document = {
        "rabbitmq_version": "4.0.5", "vhosts": [{"name": "/"}],
        "exchanges": [
            {"name": "orders", "vhost": "/", "type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}},
            {"name": "federation: orders -> b", "vhost": "/", "type": "x-federation-upstream", "durable": True, "auto_delete": True,
             "internal": True, "arguments": {"x-max-hops": 1}},
        ],
        "queues": [{"name": "federation: orders", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}],
        "bindings": [
            {"source": "orders", "vhost": "/", "destination": "federation: orders -> b", "destination_type": "exchange",
             "routing_key": "#", "arguments": {}},
            {"source": "federation: orders -> b", "vhost": "/", "destination": "federation: orders", "destination_type": "queue",
             "routing_key": "", "arguments": {}},
        ],
    }  # fmt: skip
    text = json.dumps(document)
    for command in (("run", "s.yaml"), ("graph", "b.json"), ("check", "b.json"), ("import", "b.json")):
        outcome = routesim(*command, files={"b.json": text, "s.yaml": "definitions: b.json\n"})
        assert outcome.status == 0, outcome
        assert "federation is not simulated" in outcome.out + outcome.err, command
