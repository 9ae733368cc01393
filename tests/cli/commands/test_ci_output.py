"""The formats for CI on the command line: into files, and for scenarios that cannot be used."""

import json
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


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("format", ["junit", "tap", "json", "ndjson", "html", "github"])
def test_a_scenario_that_cannot_be_used_is_in_every_report(tmp_path: Path, format: str, jobs: str) -> None:
    (tmp_path / "good.yaml").write_text("queues: {q: }\n")
    (tmp_path / "invalid.yaml").write_text(INVALID)
    done = sane(routesim("run", "good.yaml", "invalid.yaml", "-f", format, "-o", "out", "-j", jobs, cwd=tmp_path))
    assert (done.status, done.out) == (2, "")
    assert "durabel" in done.err
    written = (tmp_path / "out").read_text(encoding="utf-8")
    assert "durabel" in written
    assert "invalid.yaml" in written
    if format == "junit":
        (suite,) = ElementTree.fromstring(written)
        assert (suite.attrib["errors"], suite[0].attrib["line"], suite[0][0].attrib["type"]) == ("1", "1", "unknown-key")
    elif format in ("json", "ndjson"):
        (line,) = written.splitlines()
        found = json.loads(line)
        assert (found if format == "ndjson" else found["findings"][0])["code"] == "unknown-key"


@pytest.mark.parametrize("format", ["plain", "table"])
def test_nothing_is_written_for_people_but_to_stderr(tmp_path: Path, format: str) -> None:
    (tmp_path / "invalid.yaml").write_text(INVALID)
    for command in ("run", "check"):
        done = sane(routesim(command, "invalid.yaml", "-f", format, "-o", "out", cwd=tmp_path))
        assert (done.status, done.out) == (2, "")
        assert "durabel" in done.err
        assert not (tmp_path / "out").exists()


def test_stdin_is_no_file_to_annotate() -> None:
    for command in ("run", "check"):
        done = sane(routesim(command, "-", "-f", "github", stdin=INVALID.encode()))
        assert (done.status, done.err) == (2, "")
        assert done.out == "::error line=1,col=14,title=unknown-key::a queue has no 'durabel'%0Adid you mean 'durable'?\n"
    uris = json.loads(routesim("check", "-", "-f", "sarif", stdin=INVALID.encode()).out)["runs"][0]["results"][0]
    assert "locations" not in uris
