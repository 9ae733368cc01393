"""Every rule finds its fault, with a witness that runs where it is an error, and is silent once the fault is mended."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.checking.findings import all_found, found, runs
from kits.checking.rule_cases import CASES, DLX

from routesim.check import RULES, check_file
from routesim.diagnostics import ERROR, WARNING
from routesim.explain.pages.codes import explain_error
from routesim.explain.pages.published import how_often
from routesim.explain.pages.rules import RULE_PAGES


def test_every_rule_has_a_case_and_a_page() -> None:
    assert {*CASES, "version-refuses"} == RULES.keys()
    for code in RULES:
        assert explain_error(code).data["code"] == code


@pytest.mark.parametrize("code", CASES)
def test_the_fault_is_found_and_the_mended_file_is_silent(code: str, tmp_path: Path) -> None:
    severity, faulty, mended = CASES[code]
    findings = found(tmp_path, faulty, asked=[code])
    assert code in findings, findings.keys()
    finding = findings[code]
    assert finding.severity == severity
    place = finding.place
    assert place is not None
    assert finding.source.strip(), "it points at a line that there is"
    if severity == ERROR:
        assert finding.witness is not None
    if finding.witness is not None:
        assert runs(finding)
    assert code not in found(tmp_path, mended, asked=[code])
    assert (code in found(tmp_path, faulty)) is not RULES[code].asked


@pytest.mark.parametrize("code", CASES)
def test_a_comment_on_the_line_silences_it(code: str, tmp_path: Path) -> None:
    finding = found(tmp_path, CASES[code][1], asked=[code])[code]
    assert finding.place is not None
    lines = (tmp_path / "topology.yaml").read_text(encoding="utf-8").split("\n")
    lines[finding.place.line - 1] += f"  # routesim: ignore[nothing-else, {code}]"
    assert code not in found(tmp_path, "\n".join(lines), asked=[code])
    lines[finding.place.line - 1] = lines[finding.place.line - 1].replace(code, "another-code")
    assert code in found(tmp_path, "\n".join(lines), asked=[code])


def test_a_silenced_item_is_left_out_of_what_is_told_together(tmp_path: Path) -> None:
    text = "queues:\n  q:\nexchanges:\n  a: topic\n  b: topic  # routesim: ignore[exchange-drops-all]\n  c: topic\n"
    (finding,) = all_found(tmp_path, text)
    assert finding.message.startswith("2 exchanges ('a', 'c') have no binding")


def test_under_another_version(tmp_path: Path) -> None:
    text = "{rabbitmq: '3.13', queues: {q: }, policies: [{name: ha, pattern: .*, definition: {ha-mode: all}}]}"
    finding = found(tmp_path, text, rabbitmq="4.1")["version-refuses"]
    assert finding.severity == ERROR
    assert runs(finding)
    assert "version-refuses" not in found(tmp_path, text)
    assert found(tmp_path, text)["version-will-refuse"].severity == WARNING


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=20).filter(
        lambda name: not name.startswith("amq.")
    )
)
@settings(max_examples=60, deadline=None)
def test_names_of_any_kind_have_witnesses_that_run(name: str) -> None:
    data = {
        "vhosts": [{"name": "/"}],
        "exchanges": [
            {
                "name": name,
                "vhost": "/",
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
        ],
        "queues": [{"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {DLX: "gone"}}],
        "bindings": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "definitions.json"
        path.write_text(json.dumps(data))
        findings = {finding.code: finding for finding in check_file(str(path))}
    for code in ("exchange-drops-all", "dead-letter-nowhere"):
        assert runs(findings[code])


@pytest.mark.parametrize("code", RULES)
def test_the_page_of_each_rule_says_how_often_it_is_found_and_when_to_ignore_it(code: str) -> None:
    page = RULE_PAGES[code]
    assert page.means
    assert page.cure
    assert page.ignore
    assert page.ignore.endswith(".")
    assert how_often(code)
    shown = {row[0].text: row[1].text for row in explain_error(code).sections[0].rows}
    assert shown["ignore it"] == page.ignore
    assert shown["found"] == how_often(code)
