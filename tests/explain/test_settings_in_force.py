"""`upgrade`: what is in force on queues and exchanges under both versions, who sets it, why it differs and what it does."""

import json
from pathlib import Path
from typing import Any

import pytest
from kits.cli import within

QUORUM = {"x-queue-type": "quorum"}


def queue(name: str, **arguments: object) -> dict[str, object]:
    given = {key.replace("_", "-"): value for key, value in arguments.items()}
    return {"vhost": "/", "name": name, "durable": True, "auto_delete": False, "arguments": given}


def exchange(name: str) -> dict[str, object]:
    return {
        "vhost": "/", "name": name, "type": "fanout", "durable": True, "auto_delete": False, "internal": False, "arguments": {},
    }  # fmt: skip


def policy(name: str, definition: dict[str, object], pattern: str = ".*") -> dict[str, object]:
    return {"vhost": "/", "name": name, "pattern": pattern, "apply-to": "all", "definition": definition, "priority": 0}


def differing(tmp_path: Path, between: str, queues: list[Any], **more: Any) -> list[dict[str, Any]]:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps({"vhosts": [{"name": "/", **more.pop("vhost", {})}], "queues": queues, **more}), encoding="utf-8")
    done = within("upgrade", str(path), "--rabbitmq", between, "--format", "json")
    assert done.status == (1 if json.loads(done.out)["settings_in_force"] or json.loads(done.out)["changes"] else 0), done
    return json.loads(done.out)["settings_in_force"]


def test_a_delivery_limit_that_appears_is_a_change_with_what_it_drops(tmp_path: Path) -> None:
    queues = [
        queue("a", x_queue_type="quorum"),
        queue("b", x_queue_type="quorum"),
        queue("c", x_queue_type="quorum", x_dead_letter_exchange="", x_dead_letter_routing_key="old"),
        queue("own", x_queue_type="quorum", x_delivery_limit=5),
        queue("old"),
    ]
    dropping, saving = differing(tmp_path, "3.13..4.0", queues)
    assert dropping["of"] == ["queue a", "queue b"]
    assert (dropping["setting"], dropping["before"]) == ("delivery-limit", None)
    assert dropping["after"] == {"value": 20, "from": "default of the version"}
    assert dropping["does"] == "requeued, or its consumer dies, more than 20 times: dropped: no dead-letter exchange"
    assert dropping["cause"]["rule"] == "quorum_default_limit"
    assert saving["of"] == ["queue c"]
    assert "→ old" in saving["does"]
    assert differing(tmp_path, "4.0..4.2", queues) == []


def test_a_limit_of_a_policy_is_no_change(tmp_path: Path) -> None:
    limited = [policy("limit", {"delivery-limit": 7})]
    assert differing(tmp_path, "3.13..4.0", [queue("a", x_queue_type="quorum")], policies=limited) == []


def test_a_default_queue_type_that_an_import_comes_to_heed(tmp_path: Path) -> None:
    found = differing(tmp_path, "3.10..4.0", [queue("a")], vhost={"metadata": {"default_queue_type": "quorum"}})
    kind, limit = found
    assert kind["setting"] == "type"
    assert kind["before"] == {"value": "classic", "from": "default of the version"}
    assert kind["after"] == {"value": "quorum", "from": "default queue type of the virtual host"}
    assert kind["cause"] == limit["cause"]
    assert limit["setting"] == "delivery-limit"


def test_what_a_refused_policy_took_with_it(tmp_path: Path) -> None:
    mirrored = [policy("ha", {"ha-mode": "all", "message-ttl": 60_000, "alternate-exchange": "rest"}, "^(jobs|shop)$")]
    found = differing(
        tmp_path, "3.13..4.0", [queue("jobs")], exchanges=[exchange("shop"), exchange("rest")], policies=mirrored
    )  # fmt: skip
    assert {item["setting"]: item["of"] for item in found} == {
        "message-ttl": ["queue jobs"],
        "alternate-exchange": ["exchange shop"],
    }
    assert all(item["after"] is None and item["before"]["from"] == "policy 'ha'" for item in found)
    assert all("policy ha" in item["cause"]["text"] and "refused by RabbitMQ 4.0" in item["cause"]["text"] for item in found)
    assert found[0]["does"].startswith("no longer: not consumed for 1 min: dropped")


def test_of_argument_and_policy_another_one_wins(tmp_path: Path) -> None:
    found = differing(
        tmp_path, "3.13..4.3", [queue("a", x_queue_type="quorum", x_expires=60_000)], policies=[policy("brief", {"expires": 90_000})]
    )  # fmt: skip
    (expires,) = [item for item in found if item["setting"] == "expires"]
    assert expires["before"] == {"value": 90_000, "from": "policy 'brief'"}
    assert expires["after"] == {"value": 60_000, "from": "argument"}
    assert expires["cause"]["rule"] == "quorum_expires_policy_wins"


@pytest.mark.parametrize("limit", [-1, -7])
def test_a_negative_limit(tmp_path: Path, limit: int) -> None:
    (found,) = differing(tmp_path, "3.13..4.0", [queue("a", x_queue_type="quorum", x_delivery_limit=limit)])
    assert found["before"] == {"value": 0, "from": "argument"}
    assert found["after"] == {"value": limit, "from": "argument"}
    assert found["does"].startswith("no longer: ")


def test_the_table_names_causes_objects_vhosts_and_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    queues = [queue("a", x_queue_type="quorum")]
    path.write_text(json.dumps({"vhosts": [{"name": "/"}], "queues": queues, "policies": [policy("ha", {"ha-mode": "all"})]}))
    told = within("upgrade", str(path), "--rabbitmq", "3.13..4.0").out
    assert told.startswith("shop, vhost /: ")
    assert "1 setting in force differs" in told
    cause = told.index("delivery limit of a quorum queue that sets none")
    assert cause < told.index("  delivery-limit", cause) < told.index("queue a", cause)
    assert "against the refusal of policy ha of vhost /: mirroring is gone" in told
