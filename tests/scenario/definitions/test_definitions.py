"""RabbitMQ's definitions files: by themselves, included, and as sections in list form."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from kits.paths import ROOT
from kits.scenario import Outcome, ok, play, problems_in, refused, routesim

from routesim.values import wire_type

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


# A file by itself ----------------------------------------------------------------------------------------------------


def test_an_exported_file_is_itself_a_scenario_without_steps() -> None:
    outcome = alone(json.dumps(SMALL))
    assert (outcome.status, outcome.err) == (0, "")
    assert list(outcome.result["queues"]) == ["q"]
    assert outcome.result["counts"]["published"] == 0
    assert outcome.result["scenario"] in ("broker", "broker.json")


def test_the_version_is_taken_from_the_file() -> None:
    assert alone(dumped(rabbitmq_version="3.10.8")).result["rabbitmq"].startswith("3.10")
    assert alone(dumped(rabbit_version="3.13.7")).result["rabbitmq"].startswith("3.13")
    assert alone(dumped(rabbitmq_version="4.1.2")).result["rabbitmq"].startswith("4.1")


def test_a_version_that_is_not_known_is_told() -> None:
    outcome = alone(dumped(rabbitmq_version="7.1.0"))
    assert outcome.status == 0
    (problem,) = problems_in(outcome.err)
    assert (problem.severity, "7.1.0" in problem.message) == ("warning", True)
    assert problem.file == "broker.json", "a diagnostic has a place"


@pytest.mark.parametrize("version", ["3.8.9", "2.0", "", "x", "4", "4.1.99", "4.2.0-beta.1", "3.13.7+1", "0.0.0", "999.999.999"])
def test_versions_of_any_form(version: str) -> None:
    assert alone(dumped(rabbitmq_version=version)).status == 0


@pytest.mark.parametrize("version", [5, None, ["4.1"], {"a": 1}, True])
def test_a_version_that_is_no_text(version: Any) -> None:
    assert alone(dumped(rabbitmq_version=version)).status in (0, 2)


def test_unknown_keys_and_sections_are_passed_over() -> None:
    definitions = {**SMALL, "users": 5, "permissions": "x", "global_parameters": [1, None], "limits": {}, "new": {"deep": [[[]]]}}
    definitions["queues"] = [{**SMALL["queues"][0], "policy": None, "node": "rabbit@x", "messages": 5, "new": [1]}]
    assert alone(json.dumps(definitions)).status == 0


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"queues": []}',
        '{"queues": [], "vhosts": []}',
        '{"vhosts": [{"name": "/"}]}',
        '\ufeff{"queues": []}',
        "\n\n  {}\n",
    ],
)
def test_a_file_with_little_in_it(text: str) -> None:
    outcome = alone(text)
    assert (outcome.status, outcome.err) == (0, "")


def test_the_default_vhost_is_the_slash() -> None:
    outcome = alone(json.dumps(FULL))
    assert outcome.status == 0
    assert list(outcome.result["queues"]) == ["elsewhere"]


def test_the_only_vhost_of_a_file_is_chosen() -> None:
    outcome = alone(
        dumped(queues=[{"vhost": "shop", "name": "q", "durable": True, "auto_delete": False}], exchanges=[], bindings=[])
    )
    assert outcome.status == 0
    assert declared(outcome, "queue_declared", "queue") == ["q"]


def test_yaml_may_carry_the_list_form_as_well() -> None:
    outcome = routesim("run", "broker.yaml", "-f", "json", files={"broker.yaml": """
rabbitmq_version: 3.10.8
queues:
  - {name: q, durable: true, auto_delete: false, arguments: {x-max-length: 5}}
"""})  # fmt: skip
    assert declared(outcome, "queue_declared", "queue") == ["q"]
    assert outcome.result["rabbitmq"].startswith("3.10")


# Included ------------------------------------------------------------------------------------------------------------


def test_an_included_file_routes_as_the_broker_does() -> None:
    """The example of rules/routing#6.5, verified on a real 3.10.8."""
    outcome = included(json.dumps(FULL), """vhost: shop
steps:
  - publish: {exchange: orders, routing_key: eu.1.2, mandatory: true}
  - publish: {exchange: orders, routing_key: us.x, headers: {kind: refund}, mandatory: true}
  - publish: {exchange: orders, routing_key: us.x, headers: {kind: sale}, mandatory: true}
  - publish: {exchange: orders, routing_key: asia, mandatory: true}
  - publish: {exchange: orders, routing_key: eu, id: third}
""")  # fmt: skip
    assert outcome.status == 0
    assert {problem.code for problem in problems_in(outcome.err)} == {"left-out"}
    messages = outcome.result["messages"]
    assert [messages[name]["queues"] for name in ("m1", "m2", "m3", "m4")] == [["jobs"], ["jobs"], [], ["lost"]]
    assert messages["m3"]["returned"] is True
    assert outcome.ready("jobs") == ["m2", "third"], "the operator policy caps 5000 to 2"
    assert outcome.ready("lost") == ["m4", "m1"], "dropped by the limit and dead-lettered"
    assert outcome.result["rabbitmq"].startswith("3.10")


def test_the_scenarios_own_version_wins() -> None:
    assert included(dumped(rabbitmq_version="3.10.8"), 'rabbitmq: "4.1"\n').result["rabbitmq"] == "4.1"


def test_a_list_of_files() -> None:
    other = json.dumps({"rabbitmq_version": "4.0.1", "queues": [{"name": "r", "durable": True, "auto_delete": False}]})
    outcome = routesim("run", "s.yaml", "-f", "json", files={
        "s.yaml": "definitions: [a.json, sub/b.json]\nqueues: {mine: }\nbindings: [{source: x, destination: r}]\nsteps: [{publish: {exchange: x}}]\n",
        "a.json": json.dumps(SMALL), "sub/b.json": other,
    })  # fmt: skip
    assert (outcome.status, outcome.err) == (0, "")
    assert set(outcome.result["queues"]) == {"q", "r", "mine"}
    assert sorted(outcome.result["messages"]["m1"]["queues"]) == ["q", "r"]
    assert outcome.result["rabbitmq"].startswith("4.0")


def test_the_path_is_beside_the_scenario() -> None:
    files: dict[str, str | bytes] = {"deep/s.yaml": "definitions: d/broker.json\n", "deep/d/broker.json": json.dumps(SMALL)}
    assert routesim("run", "deep/s.yaml", files=files).status == 0
    files = {"deep/s.yaml": "definitions: ../broker.json\n", "broker.json": json.dumps(SMALL)}
    assert routesim("run", "deep/s.yaml", files=files).status == 0


def test_a_missing_file_is_an_error_at_the_line_that_names_it() -> None:
    outcome = routesim("run", "s.yaml", files={"s.yaml": "queues: {q: }\ndefinitions: brokre.json\n", "broker.json": "{}"})
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.file, problem.line, problem.column, problem.marked) == (2, "s.yaml", 2, 14, "brokre.json")
    assert "broker.json" in problem.cure


def test_a_folder_is_no_file() -> None:
    outcome = routesim("run", "s.yaml", files={"s.yaml": "definitions: sub\n", "sub/x": ""})
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.line, problem.marked) == (2, 1, "sub")


def test_a_file_that_includes_itself() -> None:
    outcome = routesim("run", "s.json", files={"s.json": '{"definitions": "s.json", "queues": {"q": null}}'})
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.code, problem.line) == (2, "includes-itself", 1)
    outcome = routesim("run", "s.yaml", files={"s.yaml": "definitions: ./../{}/s.yaml\n".format("x"), "x": ""})
    assert outcome.status == 2


def test_a_file_that_includes_itself_through_a_link() -> None:
    outcome = routesim(
        "run",
        "link/s.json",
        files={"real/s.json": '{"definitions": "../real/s.json"}', "link/s.json": '{"definitions": "s.json"}'},
    )
    assert outcome.status == 2


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"queues": [}', 1, 13),
        ('{"queues": [],\n "x": }', 2, 7),
        ('{"a": 1,\n}', 1, 8),
        ("{'a': 1}", 1, 2),
        ('{"a": 1} x', 1, 10),
    ],
)
def test_broken_json_has_its_place(text: str, line: int, column: int) -> None:
    outcome = included(text)
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.code, problem.file, problem.line, problem.column) == (
        2,
        "not-json",
        "broker.json",
        line,
        column,
    )


@pytest.mark.parametrize("text", ["", "queues: []", "root:x:0:0:root"])
def test_of_a_file_that_is_something_else_nothing_is_shown(text: str) -> None:
    outcome = included(text)
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.code, problem.file, problem.marked) == (2, "not-json", "scene.yaml", "broker.json")
    assert not text or text not in outcome.err


@pytest.mark.parametrize("text", ["[]", "5", '"x"', "null", "true", "NaN"])
def test_json_that_is_no_object(text: str) -> None:
    outcome = included(text)
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.file, problem.line) == (2, "scene.yaml", 1)


def test_several_errors_of_several_files_are_told_together() -> None:
    outcome = routesim("run", "s.yaml", files={
        "s.yaml": "definitions: [a.json, b.json, c.json]\nqueues: {q: {typ: x}}\n",
        "a.json": "{", "b.json": dumped(queues=[{"durable": True, "auto_delete": False}]),
    })  # fmt: skip
    problems = problems_in(outcome.err)
    assert {problem.file for problem in problems} == {"a.json", "b.json", "s.yaml"}
    assert [problem.marked for problem in problems if problem.file == "s.yaml"] == ["c.json", "typ"]


# vhosts --------------------------------------------------------------------------------------------------------------


def test_a_vhost_that_the_file_does_not_have() -> None:
    outcome = included(json.dumps(FULL), "vhost: shpo\n")
    assert outcome.status == 2
    (problem,) = problems_in(outcome.err)
    assert "shpo" in problem.message
    assert "shop" in problem.cure


def test_the_wrong_vhost_is_the_scenarios_mistake_and_stands_there() -> None:
    (problem,) = problems_in(included(json.dumps(FULL), "vhost: shpo\n").err)
    assert (problem.file, problem.line, problem.marked) == ("scene.yaml", 2, "shpo")


def test_an_item_without_a_vhost_in_a_file_of_the_whole_cluster() -> None:
    definitions = json.dumps(
        {**FULL, "queues": [*FULL["queues"], {"name": "homeless", "durable": True, "auto_delete": False}]}, indent=1
    )
    outcome = included(definitions, "vhost: shop\n")
    assert outcome.status == 2
    (problem,) = [problem for problem in problems_in(outcome.err) if problem.severity == "error"]
    assert problem.file == "broker.json"
    assert definitions.split("\n")[problem.line].strip().startswith('"name": "homeless"')
    assert "Virtual host 'undefined' does not exist" in problem.message
    assert '"vhost": "shop"' in problem.cure


def test_a_file_of_a_single_vhost_names_none() -> None:
    definitions = {
        **SMALL,
        "rabbitmq_definition_format": "single_virtual_host",
        "original_vhost_name": "shop",
        "metadata": {},
        "limits": [],
    }
    assert list(included(json.dumps(definitions), "vhost: shop\n").result["queues"]) == ["q"]
    assert list(alone(json.dumps(definitions)).result["queues"]) == ["q"]


def test_errors_name_the_vhost() -> None:
    outcome = included(json.dumps(FULL), "vhost: shop\nsteps: [{publish: {exchange: gone}, fails: 404}]\n")
    assert outcome.result["errors"][0]["text"] == "NOT_FOUND - no exchange 'gone' in vhost 'shop'"


@pytest.mark.parametrize(
    ("version", "vhost", "queues"),
    [
        ("4.3.6", {"metadata": {"default_queue_type": "quorum"}}, {"q": "quorum", "r": "quorum"}),
        ("4.3.6", {"default_queue_type": "quorum"}, {"q": "classic", "r": "classic"}),
        ("3.10.8", {"metadata": {"default_queue_type": "quorum"}}, {"q": "classic", "r": "quorum"}),
    ],
)
def test_the_default_queue_type_of_a_vhost(version: str, vhost: dict[str, Any], queues: dict[str, str]) -> None:
    """It counts in the metadata alone, and an import of 3.10 does not apply it, as a client's declaration does."""
    definitions = {"vhosts": [{"name": "/", **vhost}], "queues": SMALL["queues"], "rabbitmq_version": version}
    definitions["queues"] = [{"vhost": "/", **SMALL["queues"][0]}]
    outcome = included(json.dumps(definitions), "queues: {r: }\n")
    assert outcome.status == 0, outcome.err
    assert {event["queue"]: event["type"] for event in outcome.of("queue_declared")} == queues
    assert ("beside 'name'" in outcome.err) is ("metadata" not in vhost)


# Items ---------------------------------------------------------------------------------------------------------------


def test_integers_are_long() -> None:
    from routesim.scenario.load import load_source
    from routesim.scenario.yaml.source import Source

    text = json.dumps(
        {
            "queues": [
                {
                    "name": "q",
                    "durable": True,
                    "auto_delete": False,
                    "arguments": {"x-max-length": 5, "n": [1, {"a": 2}], "f": 1.5},
                }
            ]
        }
    )
    scenario = load_source(Source("broker.json", text), "")
    step: Any = scenario.declarations[0].step
    arguments = step.queue.arguments
    assert wire_type(arguments["x-max-length"]) == "long"
    assert wire_type(arguments["n"][0]) == wire_type(arguments["n"][1]["a"]) == "long"
    assert wire_type(arguments["f"]) == "double"


def test_a_queues_type_is_informational() -> None:
    outcome = alone(dumped(queues=[
        {"name": "said", "type": "quorum", "durable": True, "auto_delete": False},
        {"name": "meant", "durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}},
    ], bindings=[]))  # fmt: skip
    assert outcome.status == 0
    assert {event["queue"]: event["type"] for event in outcome.of("queue_declared")} == {"said": "classic", "meant": "quorum"}
    (problem,) = problems_in(outcome.err)
    assert "said" in problem.message
    assert "x-queue-type" in problem.cure


def test_rabbitmqs_own_items_are_passed_over() -> None:
    outcome = alone(dumped(
        exchanges=[{"name": "", "type": "direct", "durable": True, "auto_delete": False}, {"name": "amq.topic", "type": "fanout", "durable": True, "auto_delete": False}],
        queues=[{"name": "amq.gen-x", "durable": True, "auto_delete": False}], bindings=[],
    ))  # fmt: skip
    assert outcome.status == 0
    assert outcome.result["queues"] == {}


def test_bindings_of_predeclared_exchanges() -> None:
    outcome = included(
        dumped(
            bindings=[
                {"source": "amq.topic", "destination": "q", "destination_type": "queue", "routing_key": "#", "arguments": {}}
            ]
        ),
        "steps: [{publish: {exchange: amq.topic}}]\n",
    )
    assert outcome.ready("q") == ["m1"]


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ("exchanges", "name"),
        ("exchanges", "type"),
        ("queues", "name"),
        ("policies", "name"),
        ("policies", "pattern"),
        ("policies", "definition"),
    ],
)
def test_a_missing_field_has_a_place_and_a_cure(section: str, field: str) -> None:
    items: dict[str, dict[str, Any]] = {
        "exchanges": {"name": "e", "type": "fanout", "durable": True, "auto_delete": False},
        "queues": {"name": "e", "durable": True, "auto_delete": False},
        "policies": {"name": "e", "pattern": "x", "definition": {"max-length": 1}},
    }
    item = items[section]
    del item[field]
    outcome = alone('{\n"' + section + '": [\n' + json.dumps(item) + '\n], "vhosts_": 0, "rabbit_version": "4.1.0"}')
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.file, problem.line) == (2, "broker.json", 3)
    assert f"'{field}'" in problem.message


@pytest.mark.parametrize(
    ("section", "change", "status"),
    [
        ("queues", {"durable": None}, (0, 2)), ("queues", {"durable": "yes"}, (2,)), ("queues", {"arguments": []}, (0,)), ("queues", {"arguments": 5}, (2,)),
        ("queues", {"name": 5}, (2,)), ("queues", {"name": ""}, (0, 2)), ("queues", {"name": "n" * 256}, (2,)), ("queues", {"type": 5}, (0, 2)),
        ("queues", {"arguments": {"x": None}}, (2,)), ("queues", {"arguments": {"x": {"y": None}}}, (2,)), ("queues", {"arguments": {"x": [None]}}, (2,)),
        ("queues", {"arguments": {"x-max-length": -1}}, (2,)), ("queues", {"arguments": {"x-max-length": 10**30}}, (2,)),
        ("queues", {"arguments": {"x-queue-type": 5}}, (2,)), ("queues", {"arguments": {"n" * 256: 5}}, (0, 2)),
        ("queues", {"vhost": 5}, (0, 2)), ("queues", {"arguments": {"x": 1e400}}, (2,)), ("queues", {"arguments": {"x": float("nan")}}, (2,)),
        ("exchanges", {"type": "nope"}, (2,)), ("exchanges", {"type": 5}, (2,)), ("exchanges", {"internal": "x"}, (0,)),
        ("exchanges", {"arguments": {"alternate-exchange": 5}}, (2,)),
        ("bindings", {"destination_type": "topic"}, (2,)), ("bindings", {"routing_key": 5}, (2,)), ("bindings", {"arguments": "x"}, (2,)),
        ("bindings", {"source": ""}, (0,)), ("bindings", {"destination": "nowhere"}, (0, 2)), ("bindings", {"routing_key": "n" * 256}, (0, 2)),
        ("bindings", {"source": "\ud800"}, (0, 2)), ("bindings", {"arguments": {"a": "\ud800"}}, (0, 2)), ("bindings", {"destination_type": ["queue"]}, (2,)),
    ],
)  # fmt: skip
def test_items_with_odd_fields(section: str, change: dict[str, Any], status: tuple[int, ...]) -> None:
    item = {**SMALL[section][0], **change}
    outcome = alone(dumped(**{section: [item]}))
    assert outcome.status in status, outcome
    if outcome.status == 2:
        problems = [problem for problem in problems_in(outcome.err) if problem.severity == "error"]
        assert problems
        assert all(problem.file == "broker.json" for problem in problems)
        assert all(problem.line > 1 for problem in problems), "the place of the item, not of the file"


@pytest.mark.parametrize("section", ["exchanges", "queues", "bindings", "policies", "parameters", "vhosts"])
@pytest.mark.parametrize("value", ["5", '"x"', "{}", "[5]", '["x"]', "[null]", "[[]]", "true", "null", "[{}]"])
def test_sections_of_the_wrong_form(section: str, value: str) -> None:
    """With and without the sign of a definitions file beside it; never an internal error."""
    for rest in (', "rabbit_version": "4.1.0"', ', "queues": [{"name": "z", "durable": true, "auto_delete": false}]', ""):
        if f'"{section}"' in rest:
            continue
        outcome = alone('{"' + section + '": ' + value + rest + "}")
        assert outcome.status in (0, 2)
        assert outcome.status == 0 or problems_in(outcome.err)


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({}, 0), ({"priority": 1.5}, 0), ({"priority": "5"}, 2), ({"priority": True}, 2), ({"priority": None}, 2), ({"apply-to": None}, 2),
        ({"apply-to": "nothing"}, 2), ({"definition": {"max-lenght": 5}}, 2), ({"definition": {"max-length": "5"}}, 2), ({"definition": {}}, 2),
        ({"definition": 5}, 2), ({"definition": [["max-length", 5]]}, 0), ({"definition": [["max-length"]]}, 2), ({"definition": [[["a"], 5]]}, 2),
        ({"definition": [[5, 5]]}, 2), ({"definition": ["max-length", 5]}, 2), ({"definition": []}, 2), ({"pattern": "("}, 2), ({"pattern": ""}, 0),
        ({"pattern": 5}, 2), ({"name": 5}, 2), ({"definition": {"max-length": None}}, 2), ({"definition": {"dead-letter-exchange": 5}}, 2),
        ({"priority": 1e999}, 2), ({"definition": {"max-length": {"a": 1}}}, 2),
    ],
)  # fmt: skip
def test_policies(policy: dict[str, Any], status: int) -> None:
    item = {"name": "p", "pattern": "^q", "priority": 0, "definition": {"max-length": 1}, **policy}
    outcome = alone(dumped(policies=[item]))
    assert outcome.status == status, outcome
    as_operator = {
        "component": "operator_policy",
        "name": item["name"],
        "value": {key: value for key, value in item.items() if key != "name"},
    }
    assert alone(dumped(parameters=[as_operator])).status == status


def test_operator_policies_come_from_parameters_also_as_pairs() -> None:
    for definition in ({"max-length": 2}, [["max-length", 2]]):
        parameters = [
            {
                "component": "operator_policy",
                "name": "cap",
                "value": {"pattern": ".", "apply-to": "queues", "priority": 0, "definition": definition},
            }
        ]
        outcome = included(
            dumped(parameters=parameters),
            "steps: [{publish: {routing_key: q, count: 5}}, {delete: {policy: cap}}, {publish: {routing_key: q, count: 5}}]\n",
        )
        assert outcome.status == 0
        assert [event["operator"] for event in outcome.of("policy_set", "policy_deleted")] == [True, True]
        assert len(outcome.ready("q")) == 7


@pytest.mark.parametrize(("version", "status"), [("3.10.8", 0), ("3.13.5", 0), ("4.1.0", 2)])
def test_a_binding_without_source_or_destination(version: str, status: int) -> None:
    """RabbitMQ up to 3.13.5 passes over it silently, later versions fail the import."""
    for missing in ("source", "destination"):
        binding = {key: value for key, value in SMALL["bindings"][0].items() if key != missing}
        outcome = alone(dumped(bindings=[binding], rabbitmq_version=version))
        assert outcome.status == status
        assert [problem.severity for problem in problems_in(outcome.err)] == ["error" if status else "warning"]


@pytest.mark.parametrize(
    ("section", "missing", "refused_by"),
    [("queues", "durable", ["3.10"]), ("queues", "auto_delete", ["3.10"]), ("exchanges", "durable", ["3.10", "3.11", "4.2.1"])],
)
def test_a_missing_flag_is_refused_where_the_version_refuses_it(section: str, missing: str, refused_by: list[str]) -> None:
    """rules/routing#F20"""
    item = {key: value for key, value in SMALL[section][0].items() if key != missing}
    for version in ("3.10", "3.11", "4.2.1", "4.2.2", "4.3"):
        outcome = alone(dumped(**{section: [item], "rabbitmq_version": version}))
        assert outcome.status == (2 if version in refused_by else 0), version
        assert not outcome.err or f"'{missing}' is missing" in outcome.err


def test_deep_arguments() -> None:
    for levels in (50, 100, 300, 450, 900, 5000):
        text = (
            '{"vhosts": [], "queues": [{"vhost": "/", "name": "q", "durable": true, "auto_delete": false, "arguments": {"x": '
            + "[" * levels
            + "]" * levels
            + "}}]}"
        )
        assert alone(text).status in (0, 2)
        assert included(text).status in (0, 2)


def test_json_that_yaml_would_not_take() -> None:
    """Places are looked up by another reader than the one that read the file; it must not be in the way."""
    text = '{\n\t"rabbit_version": "4.1.0",\n\t"a": 1, "a": 2,\n\t"queues": [\n\t\t{"name": "\\ud83d\\udc5f", "durable": true, "auto_delete": false, "arguments": {"x-max-length": -1}}]\n}\n'
    outcome = alone(text)
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.line) == (2, 5)


def test_refusals_have_the_place_of_the_argument() -> None:
    text = json.dumps(
        {
            "rabbit_version": "4.1.0",
            "queues": [{"name": "q", "durable": True, "auto_delete": False, "arguments": {"x-max-length": -1}}],
        },
        indent=1,
    )
    outcome = alone(text)
    (problem,) = problems_in(outcome.err)
    assert text.split("\n")[problem.line - 1].strip().startswith('"x-max-length"')


def test_what_exists_already_is_left_alone() -> None:
    """An import does not compare (a declaration in the scenario does)."""
    item = {"name": "q", "durable": True, "auto_delete": False}
    outcome = alone(dumped(queues=[item, {**item, "arguments": {"x-max-length": 5}}]))
    assert outcome.status == 0, outcome.err
    assert included(json.dumps(SMALL), "queues: {q: {arguments: {x-max-length: 5}}}\n").status == 2
    assert included(json.dumps(SMALL), "queues: {q: }\n").status == 0


# Sections of a scenario in list form ---------------------------------------------------------------------------------


def test_sections_in_list_form_follow_the_definitions_files_rules() -> None:
    outcome = ok("""
exchanges:
  - {name: x, type: fanout, durable: true, auto_delete: false, unknown: 1}
queues:
  - {name: q, durable: true, auto_delete: false, node: rabbit@here}
bindings:
  - {source: x, destination: q}
steps:
  - publish: {exchange: x}
""")
    assert outcome.ready("q") == ["m1"]


def test_list_form_and_short_form_side_by_side() -> None:
    outcome = ok("""
exchanges: {x: fanout}
queues:
  - {name: q, durable: true, auto_delete: false, vhost: /}
bindings:
  - {source: x, destination: q, vhost: /, destination_type: queue, routing_key: "", arguments: {}}
steps:
  - publish: {exchange: x}
""")
    assert outcome.ready("q") == ["m1"]


def test_bindings_in_list_form_are_the_scenarios_unless_they_name_a_vhost() -> None:
    problems = refused("exchanges: {x: fanout}\nqueues: {q: }\nbindings:\n  - {source: x, destination: q, unknown: 1}\n")
    assert [problem.marked for problem in problems] == ["unknown"]


def test_errors_in_list_form_have_their_place() -> None:
    problems = refused(
        "queues:\n  - {durable: true, auto_delete: false}\n  - {name: q, durable: 5, auto_delete: false}\nsteps: []\n"
    )
    assert [problem.line for problem in problems] == [2, 3]


# Public files --------------------------------------------------------------------------------------------------------

PUBLIC = Path(os.environ.get("ROUTESIM_DEFINITIONS") or ROOT.parent / "shared" / "definitions")
FILES = sorted(path for path in PUBLIC.rglob("*.json*") if path.name != "INDEX.json") if PUBLIC.is_dir() else []


@pytest.mark.skipif(not FILES, reason="no public definitions files here; ROUTESIM_DEFINITIONS names their folder")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_public_files_load_or_say_why_not(path: Path) -> None:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    outcome = routesim("run", "broker.json", "-q", files={"broker.json": data}, limit_s=60)
    assert outcome.status in (0, 2)
    problems = problems_in(outcome.err)
    if outcome.status == 2:
        assert any(problem.severity == "error" for problem in problems)
    assert all(problem.message for problem in problems)


@pytest.mark.skipif(not FILES, reason="no public definitions files here; ROUTESIM_DEFINITIONS names their folder")
def test_most_public_files_load() -> None:
    small = [path for path in FILES if path.suffix == ".json" and "failing" not in path.name]
    loaded = 0
    for path in small:
        outcome = routesim("run", "broker.json", "-q", files={"broker.json": path.read_bytes()})
        loaded += outcome.status == 0
    assert loaded >= 0.8 * len(small)


def test_a_file_of_thousands_of_queues_loads_in_time() -> None:
    definitions: dict[str, Any] = {
        "rabbitmq_version": "4.1.0",
        "exchanges": [{"name": "x", "type": "topic", "durable": True, "auto_delete": False, "arguments": {}}],
        "queues": [{"name": f"q{number}", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5}} for number in range(3000)],
        "bindings": [
            {"source": "x", "destination": f"q{number}", "destination_type": "queue", "routing_key": f"k.{number}.#", "arguments": {}} for number in range(3000)
        ],
    }  # fmt: skip
    outcome = alone(json.dumps(definitions))
    assert outcome.status == 0
    assert len(outcome.result["queues"]) == 3000


def test_play_and_include_agree() -> None:
    """A definitions file and the same declarations in short form make the same broker."""
    short = play(
        "exchanges: {x: fanout}\nqueues: {q: }\nbindings: [{source: x, destination: q}]\nsteps: [{publish: {exchange: x}}]\n"
    ).result
    long = included(json.dumps(SMALL), "steps: [{publish: {exchange: x}}]\n").result
    assert {**short, "events": []} == {**long, "events": []}
    assert [event["event"] for event in short["events"]] == [event["event"] for event in long["events"]]
