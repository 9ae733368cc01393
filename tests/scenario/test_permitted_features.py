"""`broker: {permit: …}` in scenarios: the refusal names it, and it is kept by whatever writes a scenario (rules/queues#1.16)."""

import json
from pathlib import Path

import pytest
from kits.scenario import play, problems_in, refused, routesim

from routesim.diagnostics import Invalid
from routesim.scenario.definitions.importing import imported
from routesim.scenario.topology_data import scenario_sections
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import text

TRANSIENT = "queues: {q: {durable: false}}"
LOCATED = "queues: {q: {arguments: {x-queue-master-locator: min-masters}}}"
POLICY = "policies: [{name: p, pattern: x, definition: {queue-master-locator: min-masters}}]\nqueues: {q: }"
STEPS = "steps: [{publish: {routing_key: q}}]"


def scenario(declared: str, permit: str = "", version: str = "4.3") -> str:
    broker = f"broker: {{permit: {permit}}}\n" if permit else ""
    return f'rabbitmq: "{version}"\n{broker}{declared}\n{STEPS}\n'


@pytest.mark.parametrize(
    ("declared", "feature"),
    [(TRANSIENT, "transient_nonexcl_queues"), (LOCATED, "queue_master_locator"), (POLICY, "queue_master_locator")],
)
def test_the_refusal_names_the_key(declared: str, feature: str) -> None:
    (problem,) = refused(scenario(declared))
    assert problem.code == "refused"
    assert f"`broker: {{permit: [{feature}]}}`" in problem.cure
    assert play(scenario(declared, feature)).status == play(scenario(declared, f"[{feature}]")).status == 0
    assert play(scenario(declared, version="4.2")).status == 0


def test_an_unknown_feature_is_an_error() -> None:
    problem, *_ = refused(scenario(TRANSIENT, "[transient_queues]"))
    assert problem.cure == "did you mean 'transient_nonexcl_queues'?"


@pytest.mark.parametrize(("version", "told"), [("3.13", False), ("4.0", True)])
def test_a_removed_feature_is_permitted_in_vain(version: str, told: bool) -> None:
    outcome = play(scenario("queues: {q: }", "classic_queue_mirroring", version))
    assert outcome.status == 0
    assert [problem.code for problem in problems_in(outcome.err)] == (["no-effect"] if told else [])


def test_redis_knows_no_deprecated_features() -> None:
    (problem,) = refused("broker: {kind: redis, permit: [global_qos]}\nqueues: {q: }\n")
    assert problem.message.startswith("permit is a setting of RabbitMQ")


def test_check_and_upgrade_go_by_what_is_permitted(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    for permit, refuses in (("", True), ("transient_nonexcl_queues", False)):
        file.write_text(scenario(TRANSIENT, permit, "3.13"))
        checked = json.loads(routesim("check", str(file), "--rabbitmq", "4.3", "--format", "json").out)
        assert ("version-refuses" in json.dumps(checked)) is refuses
        upgraded = json.loads(routesim("upgrade", str(file), "--to", "4.3", "--format", "json").out)
        assert bool(upgraded["refused"]) is refuses


def test_an_export_says_what_belongs_into_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(scenario(TRANSIENT, "transient_nonexcl_queues"))
    assert "deprecated_features.permit.transient_nonexcl_queues = true" in routesim("export", str(file)).err


def test_diff_tells_what_only_one_of_the_brokers_permits(tmp_path: Path) -> None:
    files = []
    for name, permit in (("old.yaml", "[global_qos, queue_master_locator]"), ("new.yaml", "queue_master_locator")):
        files.append(tmp_path / name)
        files[-1].write_text(scenario("queues: {q: }", permit))
    outcome = routesim("diff", *map(str, files))
    assert outcome.status == 0
    assert "Only one of the brokers permits global_qos." in outcome.out + outcome.err


def test_an_import_keeps_what_the_broker_permits() -> None:
    """The features come from the broker's API, for definitions do not hold them."""
    document = {"rabbit_version": "4.3.6", "queues": [{"name": "q", "vhost": "/", "durable": False, "auto_delete": False}]}
    source = Source("broker", json.dumps(document))
    with pytest.raises(Invalid):
        imported(source)
    found = imported(source, permit=("transient_nonexcl_queues",)).topology
    assert found.permit == ("transient_nonexcl_queues",)
    assert "permit: [transient_nonexcl_queues]" in text(scenario_sections(found))


@pytest.mark.parametrize("section", ["policies", "parameters"])
def test_a_refused_policy_of_a_definitions_file_is_shown_at_its_key(tmp_path: Path, section: str) -> None:
    value = {"pattern": ".*", "apply-to": "queues", "priority": 0, "definition": {"max-length": 5, "overflow": "x"}}
    policy = {"vhost": "/", "name": "p", **value}
    if section == "parameters":
        policy = {"vhost": "/", "component": "operator_policy", "name": "p", "value": value}
    file = tmp_path / "d.json"
    file.write_text(json.dumps({"rabbit_version": "4.3.5", "queues": [], section: [policy]}, indent=1))
    outcome = routesim("check", str(file))
    assert outcome.status == 2
    (problem,) = problems_in(outcome.err)
    assert '"overflow": "x"' in file.read_text().splitlines()[problem.line - 1]
    assert "did you mean" not in outcome.err
