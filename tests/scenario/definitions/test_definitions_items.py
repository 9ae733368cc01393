"""The items of a definitions file: what each must have, and what becomes of odd ones."""

import json
from typing import Any

import pytest
from kits.definitions import SMALL, alone, dumped, included
from kits.scenario import problems_in

from routesim.values import wire_type


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
