"""JUnit, GitHub's workflow commands and TAP: well-formed whatever the names, and with every failure at its line."""

import io
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from kits.report import FAILING, NASTY, hostile, result_of

from routesim.diagnostics import Diagnostic, Place
from routesim.report.formats import FORMATS, RUN, run_report, writer_of
from routesim.report.formats.github import annotation
from routesim.report.formats.reports import RunReport
from routesim.report.results.findings import refused
from routesim.report.results.runs import suite_of
from routesim.report.style import OutputStyle
from routesim.run import Result

PAIRS = [(format, shown) for format, writers in FORMATS.items() for shown in writers]
LINES = {"routes": [12], "expect": [8], "never": [14], "step": [10]}


def printed(format: str, *results: Result, encoding: str = "utf-8") -> str:
    data = io.BytesIO()
    with io.TextIOWrapper(data, encoding=encoding, newline="") as out:
        before, after = run_report(format).frame(len(results))
        out.write(before)
        for result in results:
            report = run_report(format)(out, result.scenario, OutputStyle(False, None, False))
            assert report.listen is None, "nothing is kept of the run"
            report.finish(result)
        out.write(after)
        out.flush()
        return data.getvalue().decode(encoding)


@pytest.mark.parametrize(("format", "shown"), PAIRS)
def test_what_the_table_of_formats_names_is_there(format: str, shown: str) -> None:
    writer = writer_of(format, shown)
    assert callable(writer)
    assert isinstance(writer, type) is (shown == RUN)
    if shown == RUN:
        assert issubclass(writer, RunReport)
        assert writer.shows_refused is (format not in ("table", "plain")), "programs hear of files that cannot be used"


def test_cases_are_the_expectations_the_failed_steps_and_the_end() -> None:
    found = suite_of(result_of(FAILING)).cases
    assert [(case.problem.code if case.problem else "", case.line) for case in found] == [
        ("routes", 12), ("expect", 8), ("", 11), ("never", 14), ("step", 10), ("", 0),
    ]  # fmt: skip


def test_a_run_without_expectations_is_a_case_too() -> None:
    assert [(case.name, case.problem) for case in suite_of(result_of("queues: {q: }\n")).cases] == [("the run ends: idle", None)]
    (end,) = suite_of(
        result_of("queues: {q: }\nconsumers: {c: {queue: q, on_message: requeue}}\nsteps: [publish: {routing_key: q}]\n")
    ).cases
    assert (end.name, end.problem is None) == ("the run comes to rest", False)


# JUnit ---------------------------------------------------------------------------------------------------------------

# What the schema of Jenkins' xUnit plugin (junit-10.xsd) allows and requires.
ALLOWED = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "disabled"}, set(), {"testsuite"}),
    "testsuite": ({"name", "errors", "failures", "skipped", "tests", "group", "time", "timestamp", "hostname", "id", "package", "file", "log", "url", "version"}, {"name", "tests", "failures", "errors"}, {"testcase", "properties", "system-out", "system-err"}),
    "testcase": ({"name", "assertions", "time", "timestamp", "classname", "status", "class", "file", "line", "score"}, {"name"}, {"failure", "error", "skipped"}),
    "failure": ({"type", "message"}, set(), set()),
}  # fmt: skip


def checked_junit(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        allowed, required, children = ALLOWED[element.tag]
        assert required <= set(element.attrib) <= allowed
        assert {child.tag for child in element} <= children
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    return root


def test_junit_has_every_failure_at_its_line() -> None:
    root = checked_junit(printed("junit", result_of(FAILING), result_of("queues: {q: }\n", "other.yaml")))
    failed = [case for case in root.iter("testcase") if len(case)]
    assert {case.attrib["line"] for case in failed} == {str(line) for lines in LINES.values() for line in lines}
    assert [case.attrib["classname"] for case in root.iter("testcase")][-1] == "other.yaml"
    failure = next(case[0] for case in failed if case.attrib["line"] == "8")
    assert failure.text is not None
    assert failure.text.startswith("shop.yaml:8: queues.audit.ready is [m1]\n  found    []\n  because  m1 did not reach audit: ")


@pytest.mark.parametrize("name", NASTY, ids=ascii)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_no_name_breaks_junit(name: str, encoding: str) -> None:
    text = printed("junit", hostile(name), encoding=encoding)
    root = checked_junit(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ufffe]", text)
    assert len(root.findall("testsuite/testcase/failure")) == 5
    if name.isprintable():  # nothing is lost
        assert root[0].attrib["name"] == name


# GitHub --------------------------------------------------------------------------------------------------------------


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """As the runner reads them; every other line must be plain."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(error|warning|notice) (.*?)::(.*)", line)
        assert "##[" not in line or match
        if match is None:
            assert not line.lstrip().startswith("::")
            continue
        pairs = (part.partition("=") for part in match[2].split(","))
        properties = {name: unescaped(value) for name, _, value in pairs}
        assert set(properties) <= {"file", "line", "col", "title"}
        found.append((match[1], properties, unescaped(match[3])))
    return found


def unescaped(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_github_annotates_the_line_of_each_failure() -> None:
    text = printed("github", result_of(FAILING), result_of("queues: {q: }\n"))
    found = commands(text)
    assert sorted(int(properties["line"]) for _, properties, _ in found) == [8, 10, 12, 14]
    assert {properties["file"] for _, properties, _ in found} == {"shop.yaml"}
    kind, properties, message = next(item for item in found if item[1]["line"] == "8")
    assert (kind, properties["title"]) == ("error", "A shop: queues.audit.ready is [m1]")
    assert message.startswith("found []\nbecause m1 did not reach audit: binding #.shoes of 'shop' (line 5): ")
    assert [line.split()[0] for line in text.splitlines() if not line.startswith("::")] == ["FAILED", "OK"]


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_no_name_breaks_github(name: str) -> None:
    found = commands(printed("github", hostile(name)))
    assert len(found) == 5
    assert all(message.startswith("found ") for _, _, message in found)
    if name.isprintable():
        assert {properties["file"] for _, properties, _ in found} == {f"{name}.yaml"}


def test_github_annotates_what_is_wrong_with_a_scenario() -> None:
    problem = Diagnostic("warning", "unknown-queue", "no queue 'a:b,c%'", Place("a.yaml", 3, 7), "did you mean 'a'?")
    suite = refused("a.yaml", [problem, Diagnostic("note", "x", "y")])
    assert [annotation(item, suite) for item in suite.problems()] == [
        "::warning file=a.yaml,line=3,col=7,title=unknown-queue::no queue 'a:b,c%25'%0Adid you mean 'a'?",
        "::notice title=x::y",
    ]


# TAP -----------------------------------------------------------------------------------------------------------------


def points_of(text: str) -> list[list[tuple[bool, str, dict[str, object]]]]:
    """The subtests of a TAP 14 document, each with its test points and their YAML."""
    lines = text.splitlines()
    assert lines[0] == "TAP version 14"
    plan = int(lines[1].removeprefix("1.."))
    subtests: list[list[tuple[bool, str, dict[str, object]]]] = []
    points: list[tuple[bool, str, dict[str, object]]] = []
    planned, block = 0, None
    for line in lines[2:]:
        inner = line[4:] if line.startswith("    ") else None
        if inner is None and line.startswith("# Subtest: "):
            points = []
        elif inner is None:
            match = re.fullmatch(r"(not )?ok - ((?:[^\\#]|\\[\\#])*)", line)
            assert match, line
            assert (not match[1]) is all(ok for ok, _, _ in points)
            assert planned == len(points)
            subtests.append(points)
        elif inner.startswith("1.."):
            planned = int(inner[3:])
        elif inner == "  ---":
            block = ""
        elif inner == "  ...":
            points[-1][2].update(yaml.safe_load(block or ""))
            block = None
        elif block is not None:
            block += f"{inner}\n"
        else:
            match = re.fullmatch(r"(not )?ok (\d+) - ((?:[^\\#]|\\[\\#])*)", inner)
            assert match, inner
            assert int(match[2]) == len(points) + 1
            points.append((not match[1], re.sub(r"\\(.)", r"\1", match[3]), {}))
    assert plan == len(subtests)
    return subtests


def test_tap_has_every_failure_at_its_line() -> None:
    first, second = points_of(printed("tap", result_of(FAILING), result_of("queues: {q: }\n")))
    failed = [facts for ok, _, facts in first if not ok]
    assert [facts["at"] for facts in failed] == [{"file": "shop.yaml", "line": line} for line in (12, 8, 14, 10)]
    assert str(failed[1]["why"]).startswith("m1 did not reach audit: ")
    assert [ok for ok, _, _ in second] == [True]


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_no_name_breaks_tap(name: str) -> None:
    (points,) = points_of(printed("tap", hostile(name)))
    assert sum(not ok for ok, _, _ in points) == 5


@pytest.mark.skipif(shutil.which("prove") is None, reason="needs Perl's prove")
@pytest.mark.parametrize(("text", "status"), [(FAILING, 1), ("queues: {q: }\n", 0)])
def test_another_reader_of_tap_comes_to_the_same_verdict(text: str, status: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tap"
    # Perl's harness knows the format up to 13; nothing above it is used on the outside.
    path.write_text(printed("tap", result_of(text)).replace("version 14", "version 13"), encoding="utf-8")
    assert subprocess.run(["prove", "-e", "cat", str(path)], capture_output=True, check=False).returncode == status
