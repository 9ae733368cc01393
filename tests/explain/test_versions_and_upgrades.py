"""Versions: every difference has a source, rules resolve by patch, and an upgrade tells only what changes."""

import re
from pathlib import Path

import pytest
from kits.paths import ROOT, SCENARIOS

from routesim.explain.pages.version_table import explain_versions
from routesim.explain.upgrade import UpgradeSide, explain_upgrade
from routesim.scenario import load
from routesim.versions import DIFFERENCES, NEWEST, NEWEST_PATCH, Rules, UnknownVersion, parse, rules


def test_the_table_and_the_rules_are_the_same_names() -> None:
    assert tuple(DIFFERENCES) == Rules._fields[1:]


def test_every_difference_has_a_source_and_is_used() -> None:
    files = [path for path in (ROOT / "routesim").rglob("*.py") if path.name != "differences.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    for name, difference in DIFFERENCES.items():
        assert difference.what
        assert difference.source
        assert f"rules.{name}" in source, f"{name} decides nothing"


def test_no_rule_compares_versions_itself() -> None:
    """The rows of tables say since when they are there; nothing else does."""
    for path in (ROOT / "routesim").rglob("*.py"):
        if path.parent.name in ("exchanges", "queues", "broker"):
            found = re.search(r"rules\.version|NEWEST_PATCH|is_at_least\([\"']", path.read_text(encoding="utf-8"))
            assert not found, path


def test_a_minor_version_is_its_newest_patch() -> None:
    assert parse("4.3") == parse(NEWEST_PATCH["4.3"])
    assert rules("4.3.4").topic_hash_words_limit is None
    assert rules("4.3").topic_hash_words_limit == 2
    assert rules().version == NEWEST


@pytest.mark.parametrize("version", ["", "4", "2.8", "4.9", "4.3.x", "4.3.1.2", "four", "4.", "３.10"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(UnknownVersion):
        parse(version)


def test_between_two_versions_only_what_differs() -> None:
    found = explain_versions("4.2", "4.3").data["differences"]
    assert {"transient_queues_denied", "global_qos_denied"} <= {item["name"] for item in found}
    assert not {"headers_strict", "client_x_death"} & {item["name"] for item in found}
    assert {item["name"] for item in explain_versions().data["differences"]} - DIFFERENCES.keys() == {
        "operator_keys_added", "policy_keys_added", "arguments_added",
    }  # fmt: skip


def upgraded(path: Path, old: str, new: str) -> dict[str, object]:
    before, after = (UpgradeSide(load(str(path), rabbitmq=version, lenient=True)) for version in (old, new))
    answer = explain_upgrade([(before, after)])
    assert answer.yes is not bool(answer.data["changes"])
    return answer.data


def test_an_upgrade_that_starts_losing_messages() -> None:
    data = upgraded(SCENARIOS / "upgrade-delivery-limit.yaml", "3.13", "4.0")
    changes = {item["what"]: (item["before"], item["after"]) for item in data["changes"]}  # type: ignore[attr-defined]
    assert changes["lost"] == ("0", "1")


def test_an_upgrade_that_changes_nothing() -> None:
    assert upgraded(SCENARIOS / "hello.yaml", "3.10", "4.3")["changes"] == []


def test_an_upgrade_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "transient.yaml"
    path.write_text("queues: {old: {durable: false}}\nsteps: [{publish: {routing_key: old}}]\n")
    data = upgraded(path, "4.2", "4.3")
    assert any("transient_nonexcl_queues" in item["after"] for item in data["changes"])  # type: ignore[attr-defined]
