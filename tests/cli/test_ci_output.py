"""The formats for CI on the command line: into files, and for scenarios that cannot be used."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from kits.cli import routesim, sane

BAD = "queues: {q: }\nexpect: {queues: {q: {ready: 1}}}\n"
INVALID = "queues: {q: {durabel: true}}\n"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_report_in_a_file_is_whole(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "good.yaml").write_text("queues: {q: }\n")
    (tmp_path / "bad.yaml").write_text(BAD)
    done = sane(routesim("run", "good.yaml", "bad.yaml", "-f", "junit", "-o", "out.xml", "-j", jobs, cwd=tmp_path))
    assert done == (1, "", "")
    suites = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert [(suite.attrib["name"], suite.attrib["failures"]) for suite in suites] == [("good", "0"), ("bad", "1")]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_github_annotates_a_scenario_that_cannot_be_used(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "invalid.yaml").write_text(INVALID)
    done = sane(routesim("run", "bad.yaml", "invalid.yaml", "-f", "github", "-j", jobs, cwd=tmp_path))
    assert (done.status, done.err) == (2, "")
    assert done.out == (
        "::error file=invalid.yaml,line=1,col=14,title=unknown-key::a queue has no 'durabel'%0Adid you mean 'durable'?\n"
    )


@pytest.mark.parametrize("format", ["junit", "tap"])
def test_nothing_is_written_for_a_scenario_that_cannot_be_used(tmp_path: Path, format: str) -> None:
    (tmp_path / "invalid.yaml").write_text(INVALID)
    done = sane(routesim("run", "invalid.yaml", "-f", format, "-o", "out", cwd=tmp_path))
    assert (done.status, done.out) == (2, "")
    assert "durabel" in done.err
    assert not (tmp_path / "out").exists()
