"""What is found in definitions files: who may get in, what an import needs; and in files that other people have published."""

import contextlib
import json
import os
import statistics
from pathlib import Path

import pytest
from kits.checking.findings import runs
from kits.checking.rule_cases import DLX

from routesim.check import check_file
from routesim.diagnostics import ERROR, NOTE, Diagnostic, Invalid


@pytest.mark.parametrize(
    ("users", "codes"),
    [
        ([{"name": "app", "password": "very secret", "tags": []}], ["password-in-clear"]),
        ([{"name": "app", "password_hash": "${HASH}", "tags": []}], []),
        ([], ["no-users"]),
    ],
)
def test_who_may_get_in(users: list[dict[str, object]], codes: list[str], tmp_path: Path) -> None:
    """And what nobody is to read is not shown, though the whole file is one line."""
    path = tmp_path / "definitions.json"
    queue = {"vhost": "/", "name": "q", "durable": True, "auto_delete": False, "arguments": {}}
    path.write_text(json.dumps({"users": users, "vhosts": [{"name": "/"}], "queues": [queue]}))
    found = check_file(str(path))
    assert [item.code for item in found] == codes
    assert "very secret" not in repr(found)


def test_federation_with_nobody_and_plugins_that_an_import_needs(tmp_path: Path) -> None:
    policy = {"vhost": "/", "name": "fed", "pattern": ".", "apply-to": "queues", "priority": 0}
    data: dict[str, object] = {
        "users": [{"name": "app", "password_hash": "x"}], "vhosts": [{"name": "/"}],
        "queues": [{"vhost": "/", "name": "q", "durable": True, "auto_delete": False, "arguments": {}}],
        "policies": [{**policy, "definition": {"federation-upstream": "europe"}}],
    }  # fmt: skip
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(data))
    codes = [item.code for item in check_file(str(path))]
    assert {"upstream-missing", "plugin-needed"} <= set(codes)
    upstream = {"vhost": "/", "component": "federation-upstream", "name": "europe", "value": {"uri": "amqp://"}}
    path.write_text(json.dumps({**data, "parameters": [upstream]}))
    codes = [item.code for item in check_file(str(path))]
    assert "upstream-missing" not in codes
    assert codes.count("plugin-needed") == 1


FOLDER = os.environ.get("ROUTESIM_DEFINITIONS")
needs_folder = pytest.mark.skipif(not FOLDER, reason="ROUTESIM_DEFINITIONS names no folder of definitions files")


def of(name: str) -> list[Diagnostic]:
    return check_file(str(Path(FOLDER or "") / name))


@needs_folder
def test_a_policy_that_sends_every_dead_letter_nowhere_and_hides_another() -> None:
    findings = {finding.code: finding for finding in of("NakaSato__gridtokenx-coresystem.json")}
    assert findings["dead-letter-nowhere"].severity == ERROR
    assert "6 queues" in findings["dead-letter-nowhere"].message
    assert runs(findings["dead-letter-nowhere"])
    assert "'ha-all' never applies" in findings["policy-hidden"].message
    assert "4.0" in findings["version-will-refuse"].message


@needs_folder
def test_a_wildcard_on_a_direct_exchange() -> None:
    finding = next(item for item in of("CezikLikeWhat__New-living-api.json") if item.code == "wildcard-on-direct")
    assert finding.severity == ERROR
    assert runs(finding)


@needs_folder
def test_ten_queues_that_drop_what_is_late_or_too_much() -> None:
    findings = of("Edgame2__masterTrade.json")
    losses = [item for item in findings if item.code == "limit-loses"]
    assert losses
    assert all(runs(item) for item in losses)
    assert "same-binding" not in {item.code for item in findings}


@needs_folder
@pytest.mark.parametrize("name", ["IQKV__microservices-platform.json", "Nauflars__myshop.json"])
def test_healthy_files_get_notes_at_most(name: str) -> None:
    assert {item.severity for item in of(name) if item.code != "known-bug"} <= {NOTE}


@needs_folder
def test_of_most_files_little_is_said() -> None:
    """Two findings a file in the middle, and no file stops it but such as no broker imports."""
    counts = []
    for path in sorted(Path(FOLDER or "").rglob("*.json")):
        with contextlib.suppress(Invalid):
            counts.append(len(check_file(str(path))))
    assert counts
    assert statistics.median(counts) <= 2


@needs_folder
def test_a_file_that_is_no_json() -> None:
    with pytest.raises(Invalid):
        of("2327__dc_rabbitmq_federation.json")


def definitions(**more: object) -> dict[str, object]:
    listed = {"users": [], "vhosts": [{"name": "/"}], "exchanges": [], "queues": [], "bindings": [], **more}
    for kind in ("exchanges", "queues"):
        items: list[dict[str, object]] = listed[kind]  # type: ignore[assignment]
        for item in items:
            kindly = {"type": "direct", "internal": False} if kind == "exchanges" else {}
            item.update({"vhost": "/", "durable": True, "auto_delete": False, "arguments": {}, **kindly, **item})
    return listed


def codes_of(tmp_path: Path, data: dict[str, object]) -> list[str]:
    path = tmp_path / "d.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return [item.code for item in check_file(str(path))]


BOUND = {"vhost": "/", "source": "x", "destination": "work", "destination_type": "queue", "routing_key": "a", "arguments": {}}
USER = {"name": "app", "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "tags": ""}


@pytest.mark.parametrize(("name", "told"), [("work.replies", False), ("rpc-response", False), ("work2", True), ("supply", True)])
def test_queues_for_replies_need_no_binding(tmp_path: Path, name: str, told: bool) -> None:
    data = definitions(users=[USER], exchanges=[{"name": "x"}], queues=[{"name": "work"}, {"name": name}], bindings=[BOUND])
    assert codes_of(tmp_path, data) == ["queue-unreachable"] * told


def test_an_exchange_for_dead_letters_alone_makes_no_topology_of_exchanges(tmp_path: Path) -> None:
    dead = {**BOUND, "destination": "jobs.dead"}
    arguments = {DLX: "x", "x-dead-letter-routing-key": "a"}
    queues = [{"name": "jobs", "arguments": arguments}, {"name": "jobs.dead"}]
    assert codes_of(tmp_path, definitions(users=[USER], exchanges=[{"name": "x"}], queues=queues, bindings=[dead])) == []


@pytest.mark.parametrize(
    ("password", "told"), [("${PASSWORD}", False), ("{{ secret }}", False), ("APP_PASSWORD", False), ("hunter2", True)]
)
def test_a_placeholder_is_no_password(tmp_path: Path, password: str, told: bool) -> None:
    data = definitions(users=[{"name": "app", "password": password, "tags": ""}], queues=[{"name": "jobs"}])
    assert codes_of(tmp_path, data) == ["password-in-clear"] * told


def test_the_user_of_a_permission_who_is_not_there_is_told_once(tmp_path: Path) -> None:
    permission = {"user": "app", "vhost": "/", "configure": "", "write": "", "read": ""}
    assert codes_of(tmp_path, definitions(queues=[{"name": "jobs"}], permissions=[permission])) == ["definitions-access"]
    assert codes_of(tmp_path, definitions(queues=[{"name": "jobs"}], permissions=[{**permission, "user": "guest"}])) == [
        "no-users"
    ]


def test_a_policy_whose_keys_keep_it_from_a_type_of_queue(tmp_path: Path) -> None:
    policy = {
        "vhost": "/",
        "name": "ha",
        "pattern": "^jobs$",
        "apply-to": "queues",
        "priority": 0,
        "definition": {"ha-mode": "all"},
    }
    queue = {"name": "jobs", "arguments": {"x-queue-type": "quorum", "x-delivery-limit": 5, DLX: ""}}
    data = definitions(users=[USER], queues=[queue], policies=[policy], rabbitmq_version="3.13.7")
    (tmp_path / "d.json").write_text(json.dumps(data), encoding="utf-8")
    found = [item.message for item in check_file(str(tmp_path / "d.json")) if item.code == "policy-matches-nothing"]
    assert found == [
        "policy 'ha' applies to nothing that is declared here: its pattern matches 'jobs', but no policy with ha-mode applies to a quorum queue"
    ]
