"""What brokers of three versions made of small definitions files, and what routesim makes of them (rules/routing#6.4).

`tests/rabbitmq/test_imports_live.py` holds the recording against live brokers.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from kits.imports import CASES, V, document, recorded

from routesim.check import check_file
from routesim.diagnostics import Diagnostic, Invalid
from routesim.queues import QueueType
from routesim.scenario import Scenario, load_source
from routesim.scenario.definitions.definitions_schema import definitions_schema
from routesim.scenario.yaml.source import Source
from routesim.values import plain

VERSIONS = {"3.10": "3.10.8", "4.0": "4.0.5", "4.3": "4.3.6"}
# Taken by an import, and refused here, or the other way round: no client could use it, or it is a matter of plugins.
DEVIATIONS = {
    "a long name": "AMQP has no names beyond 255 bytes",
    "a large integer": "AMQP has no integers beyond 64 bits",
    "alternate-exchange not text": "a client's declaration is refused",
    "an exchange of a plugin": "simulated as if the plugin were there",
    "policy federation": "as if the plugin were there",
    "unknown component": "a plugin may know it",
    "shovel": "as if the plugin were there",
    "exchange declared twice": "a race",
    "queue twice, of two types": "a race",
    "max-queues of a vhost": "which queues are left out is a race; it is warned of",
    "binding without routing_key": "4.0.5 refuses the import, and has made the binding",
}
# Refused unless the broker has the user, or the virtual host, already; and what is wrong with what a run does not need.
WARNED = ("definitions-access", "definitions-pairs", "definitions-refused")


def outcome(name: str, version: str) -> tuple[Scenario | None, list[Diagnostic]]:
    text = json.dumps({"rabbitmq_version": VERSIONS[version], **document(name, V)}, indent=1)
    try:
        scenario = load_source(Source("d.json", text), "", vhost=V)
    except Invalid as invalid:
        return None, invalid.diagnostics
    return scenario, list(scenario.warnings)


def there(scenario: Scenario) -> dict[str, Any]:
    broker = scenario.topology
    assert broker is not None
    queues: list[QueueType] = list(broker.queues.values())
    policies = broker.policies.values()
    found: dict[str, Any] = {
        "queues": {item.name: item.kind for item in queues},
        "exchanges": {
            name: item.declared.type for name, item in broker.exchanges.items() if name and not name.startswith("amq.")
        },
        "bindings": sorted([b.source, b.destination] for item in broker.exchanges.values() for b in item.bindings.values()),
        "policies": {item.name: plain(item.definition) for item in policies if not item.operator},
        "operator_policies": {item.name: plain(item.definition) for item in policies if item.operator},
    }
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [name for name in CASES if name not in DEVIATIONS])
def test_a_file_is_refused_where_the_broker_refuses_it_and_means_the_same_where_not(name: str, version: str) -> None:
    row = recorded()[name][version]
    scenario, problems = outcome(name, version)
    said = [f"{item.severity} {item.code}: {item.message}" for item in problems]
    if row["status"] != 204:
        errors = [item for item in problems if item.severity == "error" or item.code in WARNED]
        assert errors, (row["reason"], said)
        return
    if scenario is None:
        assert all("leaves the queue out without a word" in item.message for item in problems), said
        assert "queues" not in row["there"]
        return
    assert there(scenario) == row["there"], said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [name for name in CASES if recorded()[name]["4.3"]["status"] != 204 and name not in DEVIATIONS])
def test_a_refusal_has_its_place_and_the_words_of_the_broker(name: str, version: str) -> None:
    row = recorded()[name][version]
    _, problems = outcome(name, version)
    if row["status"] == 204:
        return
    problem = next(item for item in problems if item.severity == "error" or item.code in WARNED)
    assert problem.place is not None
    assert problem.place.line > 1 or problem.code == "unknown-vhost"
    told = problem.message.replace("PRECONDITION_FAILED - ", "").split("Validation failed: ")[-1]
    assert (
        told[:40] in row["reason"].replace("&lt;", "<").replace("&gt;", ">").replace('\\"', '"')
        or "import" in told
        or (problem.code in ("definitions-incomplete", "definitions-no-vhost", "wrong-type", "refused", "unknown-vhost"))
    ), (told, row["reason"])


# The schema ------------------------------------------------------------------------------------------------------------

# What only RabbitMQ can tell: it depends on other items, or on the value.
BEYOND_THE_SCHEMA = {
    "binding of a missing exchange", "binding to a missing queue", "default type quorum, priority", "default type stream, ttl",
    "quorum with max-priority", "stream with dlx", "negative ttl", "zero expires", "ttl as text", "dlx not text", "dlrk without dlx",
    "overflow unknown", "policy max-age bad", "policy ha-mode exactly alone", "policy master locator", "policy bad pattern",
    "policy delivery-limit -1", "binding without source", "binding without destination", "binding without routing_key",
    "an item of an unlisted vhost", "a permission for nobody", "a permission of an unlisted vhost", "a permission with a bad regex",
    "exchange of unknown type", "bad x-match", "hash key no number", "queue version 1", "argument null, other",
    "default type unknown", "queue durable null",
    "topic permission of nobody", "topic permission with a bad regex", "parameter without vhost",
    "policy of an unlisted vhost", "policy dlx no text", "policy overflow unknown", "binding to a missing exchange",
    "binding of an unlisted vhost", "binding by x-match a number", "delayed exchange without its type",
    "classic with a delivery limit", "length that is a fraction", "length that is true", "ttl that is 1.0",
    "expires beyond 32 bits", "single active consumer as text", "256 priorities", "queue version 3", "queue mode unknown",
    "leader locator unknown", "strategy unknown", "age of a stream that is bad",
}  # fmt: skip
PASSED_OVER = {"a user no object", "version that is a number"}  # by an import, which no editor should


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_of_a_version_takes_what_its_broker_takes_and_refuses_what_can_be_seen(version: str) -> None:
    validator = jsonschema.Draft202012Validator(definitions_schema(VERSIONS[version]))
    for name, row in recorded().items():
        fine = validator.is_valid(document(name, V))
        if row[version]["status"] == 204:
            assert fine or name in PASSED_OVER, name
        elif name not in DEVIATIONS and name not in BEYOND_THE_SCHEMA:
            assert not fine, name


def test_hashes_by_which_nobody_can_log_in(tmp_path: Path) -> None:
    """As live brokers have it: the import takes them, `GET /api/whoami` answers 401."""
    (tmp_path / "d.json").write_text(json.dumps(document("hash that is too short", V)), encoding="utf-8")
    told = [item for item in check_file(str(tmp_path / "d.json")) if item.code == "password-hash-useless"]
    assert [item.message for item in told] == [
        "nobody can log in as 'VHOST-user': a password_hash has 3 bytes, 36 are a salt and a hash of SHA-256"
    ]
    for name, fine in (
        ("user with a hash", True),
        ("user without password and hash", True),
        ("hash of another algorithm", False),
        ("hash of an unknown algorithm", False),
    ):
        (tmp_path / "d.json").write_text(json.dumps(document(name, V)), encoding="utf-8")
        assert (not [item for item in check_file(str(tmp_path / "d.json")) if item.code == "password-hash-useless"]) == fine, name


@pytest.mark.parametrize(
    "name", ["hash that is no base64", "user without tags", "permission without configure", "limit that is text"]
)
def test_check_calls_it_an_error_and_a_run_goes_on(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.json").write_text(json.dumps(document(name, V), indent=1), encoding="utf-8")
    (told,) = [item for item in check_file(str(tmp_path / "d.json")) if item.code == "definitions-refused"]
    assert told.severity == "error"
    assert told.cure
    scenario, warnings = outcome(name, "4.3")
    assert scenario is not None
    assert "definitions-refused" in [item.code for item in warnings]
