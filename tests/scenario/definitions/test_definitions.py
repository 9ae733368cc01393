"""RabbitMQ's definitions files by themselves, as sections in list form, and as people have published them."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from kits.definitions import FULL, SMALL, alone, declared, dumped, included
from kits.paths import ROOT
from kits.scenario import ok, play, problems_in, refused, routesim

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
