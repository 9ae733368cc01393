"""`routesim check` on the command line: formats, selection, exit statuses, witnesses that run."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from kits.cli import routesim, sane

FAULTY = """\
exchanges: {shop: topic, "[red]<b>\\e[31m": topic}
queues: {jobs: {arguments: {x-dead-letter-exchange: gone}}}
bindings: [{source: shop, destination: jobs, routing_key: job.*}]
"""


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    path = tmp_path / "faulty.yaml"
    path.write_text(FAULTY, encoding="utf-8")
    return str(path)


def test_findings_and_the_status(faulty: str) -> None:
    done = sane(routesim("check", faulty))
    assert done.status == 1
    assert re.search(r"faulty\.yaml:2:\d+: error\[dead-letter-nowhere\]", done.out)
    assert sane(routesim("check", faulty, "--select", "exchange-drops-some")).status == 0
    assert sane(routesim("check", faulty, "--select", "exchange-drops-some", "--fail-on", "note")).status == 1
    ignoring = sane(routesim("check", faulty, "--ignore", "dead-letter-nowhere", "--ignore", "exchange-drops-all"))
    assert ignoring.status == 0
    assert "error" not in ignoring.out


def test_a_healthy_file_is_silent_in_a_pipe_and_says_so_in_a_table() -> None:
    assert routesim("check", "scenarios/hello.yaml").out == ""
    assert routesim("check", "scenarios/hello.yaml", "--format", "table").out == "no findings\n"


def test_the_witness_runs(faulty: str, tmp_path: Path) -> None:
    target = tmp_path / "loss.yaml"
    done = sane(routesim("check", faulty, "--select", "dead-letter-nowhere", "--witness", str(target)))
    assert done.status == 1
    assert sane(routesim("run", "--quiet", str(target))).status == 0
    assert "wrote" in done.err
    assert routesim("check", faulty, "--witness", faulty).status == 2
    assert Path(faulty).read_text(encoding="utf-8") == FAULTY


def test_every_format_can_be_read_back(faulty: str) -> None:
    data = json.loads(routesim("check", faulty, "--format", "json").out)
    assert data["counts"]["error"] == 2
    assert not data["ok"]
    assert all(item["witness"]["scenario"] for item in data["files"][0]["findings"] if item["severity"] == "error")
    suites = ElementTree.fromstring(routesim("check", faulty, "--format", "junit").out)
    assert len(suites.findall(".//failure")) == 2
    assert len(suites.findall(".//testcase")) == sum(data["counts"].values())
    sarif = json.loads(routesim("check", faulty, "--format", "sarif").out)
    results = sarif["runs"][0]["results"]
    assert {item["ruleId"] for item in results} <= {rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]}
    assert results[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    lines = routesim("check", faulty, "--format", "github").out.splitlines()
    assert len(lines) == len(results)
    assert all(re.match(r"::(error|warning|notice) file=[^:,]+,line=\d+,col=\d+,title=[a-z-]+::", line) for line in lines)


@pytest.mark.parametrize("format", ["table", "plain", "json", "junit", "github", "sarif"])
def test_no_format_passes_on_what_a_terminal_would_act_on(faulty: str, format: str) -> None:
    done = sane(routesim("check", faulty, "--format", format, PYTHONIOENCODING="cp1252"))
    assert "\x1b" not in done.out
    assert done.status == 1


@pytest.mark.parametrize("wrong", [
    ("--select", "dead-letter-nowere"), ("--fail-on", "fatal"), ("--format", "xml"), ("--rabbitmq", "2.8"),
])  # fmt: skip
def test_what_is_not_understood(faulty: str, wrong: tuple[str, str]) -> None:
    done = sane(routesim("check", faulty, *wrong))
    assert done.status == 2
    assert done.err.startswith("error: ")


@pytest.mark.parametrize("format", ["table", "plain", "json", "junit", "github", "sarif"])
def test_a_file_that_cannot_be_used_takes_nothing_from_the_others(faulty: str, tmp_path: Path, format: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"vhosts": [{]}')
    done = sane(routesim("check", str(path), faulty, "--format", format))
    assert done.status == 2
    assert "dead-letter-nowhere" in done.out
    assert "broken.json" in (done.err if format in ("table", "plain") else done.out)
    alone = sane(routesim("check", str(path), "--format", format))
    assert alone.status == 2
    assert (alone.out == "") is (format in ("table", "plain"))
