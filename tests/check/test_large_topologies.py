"""Large topologies are checked in bounded time, and what is given up is named."""

import json
from pathlib import Path

import pytest
from kits.checking.findings import all_found, found, runs
from kits.checking.rule_cases import CASES

from routesim.broker.state import State
from routesim.celery import delays
from routesim.check import check_file
from routesim.diagnostics import NOTE
from routesim.explain.keys.key_sets import Keys
from routesim.explain.keys.reach import reach
from routesim.explain.keys.remainders import MAX_TOGETHER, Remainders


def test_what_exchanges_reach_is_found_out_once_for_all_queues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(broker: State, exchange: str) -> dict[str, Keys]:
        calls.append(exchange)
        return reach(broker, exchange)

    monkeypatch.setattr("routesim.check.binding_rules.reach", counted)
    queues = "".join(f"  q{number}:\n" for number in range(50))
    bindings = "".join(f"  - {{source: inner, destination: q{number}, routing_key: a.{number}}}\n" for number in range(50))
    text = f"exchanges: {{inner: {{type: topic, internal: true}}, open: topic}}\nqueues:\n{queues}bindings:\n{bindings}"
    path = tmp_path / "many.yaml"
    path.write_text(text + "  - {source: open, destination: q0, routing_key: a}\n")
    unreachable = [item for item in check_file(str(path)) if item.code == "queue-unreachable"]
    assert [item.message.split(" (")[0] for item in unreachable] == ["no key reaches 49 queues"]
    assert calls == ["open"]


def ladder(kind: str, levels: int = 28) -> dict[str, object]:
    """Celery's native delayed delivery, with queues of this type."""
    found = delays.levels(kind)
    bindings = [*found.bindings[-2 * levels :], *delays.bindings_of("orders", "orders", "orders")]
    queues = {item.name: {"arguments": dict(item.arguments)} for item in found.queues[-levels:]}
    return {
        "rabbitmq": "3.10",
        "exchanges": {**{item.name: "topic" for item in found.exchanges[-levels - 1 :]}, "orders": "topic"},
        "queues": {**queues, "orders": {}},
        "bindings": [item._asdict() for item in bindings],
    }


@pytest.mark.parametrize("kind", ["quorum", "classic"])
def test_delayed_delivery_is_checked_to_its_end_and_sound(kind: str, tmp_path: Path) -> None:
    findings = found(tmp_path, json.dumps(ladder(kind)))
    assert findings.keys() <= {"binding-adds-nothing"}


def test_a_rung_that_is_missing_is_found(tmp_path: Path) -> None:
    data = ladder("classic")
    data["bindings"] = [item for item in data["bindings"] if item["routing_key"] != "*.*.*.*.*.*.*.*.1.#"]  # type: ignore[attr-defined]
    findings = [item for item in all_found(tmp_path, json.dumps(data)) if item.code == "dead-letter-nowhere"]
    lost = next(item for item in findings if "'celery_delayed_19', which leads nowhere" in item.message)
    assert runs(lost)


def test_delayed_delivery_costs_steps_by_its_height(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as high may cost 2^5 times as much, not 2^14 times; and all of it is less than one rule may spend."""
    totals = []
    for levels in (14, 28):
        made: list[Remainders] = []

        class Counted(Remainders):
            def __init__(self, made: list[Remainders] = made) -> None:
                super().__init__()
                made.append(self)

        monkeypatch.setattr("routesim.check.Remainders", Counted)
        for module in ("checked_topology", "publish_paths"):
            monkeypatch.setattr(f"routesim.check.topology.{module}.Remainders", Counted)
        found(tmp_path, json.dumps(ladder("classic", levels)))
        totals.append(sum(MAX_TOGETHER - item.left_together for item in made))
    assert 0 < totals[1] < 2**5 * totals[0]
    assert totals[1] < MAX_TOGETHER


def test_what_is_given_up_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CASES["dead-letter-nowhere"][1]
    monkeypatch.setattr("routesim.explain.keys.remainders.MAX_STEPS", 5)
    finding = found(tmp_path, text)["dead-letter-nowhere"]
    assert finding.severity == NOTE
    assert finding.message.startswith("not checked to the end for dead letters of queue 'jobs'")
    text = CASES["wildcard-on-direct"][1]
    assert "for exchange 'shop'" in found(tmp_path, text)["wildcard-on-direct"].message
