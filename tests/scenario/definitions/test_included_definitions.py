"""Definitions files that a scenario includes, and the virtual host that is meant."""

import json
from typing import Any

import pytest
from kits.definitions import FULL, SMALL, alone, dumped, included
from kits.scenario import problems_in, routesim

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
