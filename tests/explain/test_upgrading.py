"""`upgrade`: every virtual host, objects by name, consequences below their cause, `check` under both versions, rules that touch the file."""

import json
from pathlib import Path

import pytest
from kits.cli import within
from kits.scenario import routesim

from routesim.explain.upgrade.touching import TOUCHES
from routesim.versions import DIFFERENCES


def queue(vhost: str, name: str, durable: bool = True, **arguments: object) -> dict[str, object]:
    given = {key.replace("_", "-"): value for key, value in arguments.items()}
    return {"vhost": vhost, "name": name, "durable": durable, "auto_delete": False, "arguments": given}


def bound(source: str, destination: str, key: str) -> dict[str, object]:
    return {
        "vhost": "shop", "source": source, "destination": destination, "destination_type": "queue", "routing_key": key, "arguments": {},
    }  # fmt: skip


EXCHANGE = {"vhost": "shop", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
CLUSTER = {
    "rabbitmq_version": "3.13.7",
    "vhosts": [{"name": "/"}, {"name": "shop"}, {"name": "billing"}],
    "exchanges": [{**EXCHANGE, "name": "orders", "type": "topic"}, {**EXCHANGE, "name": "retry", "type": "topic"}],
    "queues": [
        queue("shop", "process", x_queue_type="quorum", x_dead_letter_exchange="retry"),
        queue("shop", "wait", x_message_ttl=30000, x_dead_letter_exchange="orders"),
        queue("shop", "cache", durable=False),
        queue("billing", "invoices"),
    ],
    "bindings": [bound("orders", "process", "order.#"), bound("retry", "wait", "#"), bound("orders", "cache", "#")],
    "policies": [
        {"vhost": "shop", "name": "ha-all", "pattern": ".*", "apply-to": "all", "priority": 0, "definition": {"ha-mode": "all"}}
    ],
}


@pytest.fixture
def cluster(tmp_path: Path) -> str:
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps(CLUSTER, indent=1), encoding="utf-8")
    return str(path)


def upgraded(*words: str) -> dict[str, object]:
    done = within("upgrade", *words, "--format", "json")
    assert done.status in (0, 1), done
    return json.loads(done.out)


def test_all_virtual_hosts_are_looked_at(cluster: str) -> None:
    data = upgraded(cluster, "--rabbitmq", "3.13..4.3")
    assert data["vhosts"] == ["billing", "shop"]
    assert {item["vhost"] for item in data["changes"]} == {"shop"}
    assert upgraded(cluster, "--from", "3.13", "--to", "4.3") == data
    assert upgraded(cluster, "--rabbitmq", "3.13..4.3", "--vhost", "billing")["changes"] == []
    assert within("upgrade", cluster, "--rabbitmq", "3.13..4.3", "--vhost", "bill").status == 2


def test_objects_have_names_and_consequences_stand_below_their_cause(cluster: str) -> None:
    changes = upgraded(cluster, "--rabbitmq", "3.13..4.3")["changes"]
    whats = [item["what"] for item in changes]
    refused = next(at for at, what in enumerate(whats) if what.startswith("queue cache (line "))
    assert "transient_nonexcl_queues" in changes[refused]["after"]
    assert whats[refused + 1].startswith("binding orders → cache by # (line ")
    assert changes[refused + 1]["because"] == whats[refused]
    assert any(what.startswith("policy ha-all (line ") for what in whats)
    assert "  ↳ binding orders → cache" in within("upgrade", cluster, "--rabbitmq", "3.13..4.3").out


def test_where_an_import_stops(cluster: str, tmp_path: Path) -> None:
    (stops,) = upgraded(cluster, "--rabbitmq", "3.13..4.3")["import_stops"]
    assert stops["told"].startswith("An import of the file into a new broker stops at policy ha-all (line ")
    assert stops["told"].endswith("no queues or bindings of any vhost are created.")
    (tmp_path / "no-policy.json").write_text(json.dumps({**CLUSTER, "policies": []}), encoding="utf-8")
    (stops,) = upgraded(str(tmp_path / "no-policy.json"), "--rabbitmq", "3.13..4.3")["import_stops"]
    assert "stops at queue cache" in stops["told"]
    assert "of the other queues perhaps only some" in stops["told"]


def test_what_is_in_the_way_of_one_virtual_host_stops_the_import_of_all(tmp_path: Path) -> None:
    """rules/routing#F23: a section is imported for all of them before the next one begins."""
    file = {**CLUSTER, "queues": [*CLUSTER["queues"], queue("billing", "tmp", durable=False)]}
    (tmp_path / "both.json").write_text(json.dumps(file), encoding="utf-8")
    stops = upgraded(str(tmp_path / "both.json"), "--rabbitmq", "3.13..4.3")["import_stops"]
    told = {item["vhost"]: item["told"] for item in stops}
    assert told["shop"].startswith("An import of the file into a new broker stops at policy ha-all (line ")
    assert told["billing"].startswith("Once policy ha-all (line ")
    assert " of vhost shop is mended, an import of the file stops at queue tmp (line " in told["billing"]


def test_what_check_finds_under_one_version_alone_and_which_rules_touch_the_file(cluster: str) -> None:
    data = upgraded(cluster, "--rabbitmq", "3.13..4.3")
    found = {item["what"]: (item["before"], item["after"]) for item in data["changes"] if item["what"].startswith("check: ")}
    (cut,) = [sides for what, sides in found.items() if "cycle-cut" in what]
    assert cut[0] == "not found"
    touched = {rule["name"]: rule["touches"] for rule in data["rules"]}
    assert touched["quorum_default_limit"] == ["queue process"]
    assert touched["mirroring_keys"] == ["policy ha-all"]
    assert touched["transient_queues_denied"] == ["queue cache"]
    assert all(rule["before"] != rule["after"] and rule["source"] for rule in data["rules"])


def test_a_version_is_not_compared_with_itself(tmp_path: Path) -> None:
    done = within("upgrade", "scenarios/hello.yaml")
    assert (done.status, done.out) == (2, "")
    assert "RabbitMQ 4.3 is compared with itself; say from which version, --rabbitmq 3.13..4.3" in done.err
    assert within("upgrade", "scenarios/hello.yaml", "--rabbitmq", "4.3..4.3.6").status == 2
    assert within("upgrade", "scenarios/hello.yaml", "--rabbitmq", "3.13..").status == 0
    assert within("upgrade", "scenarios/hello.yaml", "--rabbitmq", "3.13..4.3", "--to", "4.0").status == 2
    assert within("upgrade", "scenarios/hello.yaml", "--rabbitmq", "..").status == 2


def test_every_rule_that_can_touch_is_of_the_table() -> None:
    assert TOUCHES.keys() <= DIFFERENCES.keys()


def test_what_helps_against_a_refusal_is_a_hint() -> None:
    text = 'celery: {version: "5.6", apps: {shop: }, workers: {w1: }, tasks: {a: }}\nqueues: {own: {durable: false}}\n'
    outcome = routesim("upgrade", "s.yaml", "--from", "4.2", "--to", "4.3", files={"s.yaml": text})
    hints = [line for line in outcome.out.splitlines() if line.startswith("hint: against ")]
    assert len(hints) == 2
    assert any("Celery 5.7" in hint for hint in hints)
    assert any(hint.startswith("hint: against the refusal of queue own: make the queue durable") for hint in hints)
