"""What `check` found: for a terminal, a pipe, a script, JUnit, GitHub's annotations, and SARIF."""

import json
from collections.abc import Callable, Sequence
from typing import IO, Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from routesim import __version__
from routesim.check import SEVERITIES, Finding
from routesim.explain.pages.errors import PAGES
from routesim.report.formats import diagnostics
from routesim.text import encoding_of, fitted, visible

SARIF_LEVELS = {"error": "error", "warning": "warning", "note": "note"}
GITHUB_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Findings(NamedTuple):
    """The findings of every file, and from which severity on they count as failures."""

    of: Sequence[tuple[str, Sequence[Finding]]]
    fail_on: str

    def all(self) -> list[Finding]:
        return [finding for _, found in self.of for finding in found]

    def fails(self, finding: Finding) -> bool:
        return SEVERITIES.index(finding.severity) <= SEVERITIES.index(self.fail_on)

    def counts(self) -> dict[str, int]:
        severities = [finding.severity for finding in self.all()]
        return {severity: severities.count(severity) for severity in SEVERITIES}


def write_table(out: IO[str], findings: Findings, *, colour: bool) -> None:
    encoding = encoding_of(out)
    for finding in findings.all():
        text = diagnostics.full(finding.diagnostic, colour=colour, encoding=encoding)
        if finding.witness is not None:
            gutter = " " * (len(str(finding.diagnostic.place.line if finding.diagnostic.place else 0)) + 1)
            text += f"{gutter}= witness: {visible(finding.witness.told)}\n"
        out.write(fitted(text, encoding) + "\n")
    counts = [f"{count} {severity}{'s' if count != 1 else ''}" for severity, count in findings.counts().items() if count]
    out.write((", ".join(counts) if counts else "no findings") + "\n")


def write_plain(out: IO[str], findings: Findings, *, colour: bool) -> None:
    """A line a finding; nothing where nothing is found."""
    encoding = encoding_of(out)
    for finding in findings.all():
        text = diagnostics.one_line(finding.diagnostic)
        if finding.witness is not None:
            text += f"; witness: {visible(finding.witness.told)}"
        out.write(fitted(text, encoding) + "\n")


def write_json(out: IO[str], findings: Findings, *, colour: bool) -> None:
    files = [
        {"file": file, "findings": [_data(finding, findings.fails(finding)) for finding in found]} for file, found in findings.of
    ]
    ok = not any(findings.fails(finding) for finding in findings.all())
    out.write(json.dumps({"format": 1, "ok": ok, "counts": findings.counts(), "files": files}, ensure_ascii=True) + "\n")


def _data(finding: Finding, fails: bool) -> dict[str, Any]:
    item = finding.diagnostic
    place = item.place
    return {
        "code": item.code, "severity": item.severity, "message": item.message, "cure": item.cure or None,
        "file": place.file if place else None, "line": place.line if place else None, "column": place.column if place else None,
        "witness": finding.witness._asdict() if finding.witness else None, "fails": fails,
    }  # fmt: skip


def write_junit(out: IO[str], findings: Findings, *, colour: bool) -> None:
    """A suite a file, a case a finding; a file without findings is one case that passes."""
    encoding = encoding_of(out)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for file, found in findings.of:
        failures = sum(findings.fails(finding) for finding in found)
        name = quoteattr(visible(file))
        lines.append(f'  <testsuite name={name} tests="{max(1, len(found))}" failures="{failures}">')
        if not found:
            lines.append(f'    <testcase classname={name} name="no findings"/>')
        for finding in found:
            lines += _case(file, finding, findings.fails(finding))
        lines.append("  </testsuite>")
    out.write(fitted("\n".join([*lines, "</testsuites>"]), encoding) + "\n")


def _case(file: str, finding: Finding, fails: bool) -> list[str]:
    text = diagnostics.one_line(finding.diagnostic)
    if finding.witness is not None:
        text += f"; witness: {visible(finding.witness.told)}"
    place = finding.diagnostic.place
    name = quoteattr(f"{finding.code} line {place.line}" if place else finding.code)
    body = f"<system-out>{escape(text)}</system-out>"
    if fails:
        message, kind = quoteattr(visible(finding.diagnostic.message)), quoteattr(finding.code)
        body = f"<failure message={message} type={kind}>{escape(text)}</failure>"
    return [f"    <testcase classname={quoteattr(visible(file))} name={name}>", f"      {body}", "    </testcase>"]


def write_github(out: IO[str], findings: Findings, *, colour: bool) -> None:
    """Workflow commands: GitHub shows them at the lines of a change."""
    encoding = encoding_of(out)
    for finding in findings.all():
        item, place = finding.diagnostic, finding.diagnostic.place
        where = {"file": place.file, "line": place.line, "col": place.column} if place else {}
        properties = ",".join(f"{key}={_property(value)}" for key, value in {**where, "title": item.code}.items())
        parts = [item.message, *([f"Cure: {item.cure}"] if item.cure else [])]
        if finding.witness is not None:
            parts.append(f"Witness: {finding.witness.told}")
        out.write(fitted(f"::{GITHUB_LEVELS[item.severity]} {properties}::{_message('. '.join(parts))}", encoding) + "\n")


def _message(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(value: object) -> str:
    return _message(str(value)).replace(":", "%3A").replace(",", "%2C")


def write_sarif(out: IO[str], findings: Findings, *, colour: bool) -> None:
    codes = sorted({finding.code for finding in findings.all()})
    rules = [
        {
            "id": code, "shortDescription": {"text": PAGES[code].means}, "help": {"text": PAGES[code].cure},
        } for code in codes if code in PAGES
    ]  # fmt: skip
    results = [_result(finding) for finding in findings.all()]
    driver = {"name": "routesim", "version": __version__, "rules": rules}
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    out.write(json.dumps(log, ensure_ascii=True, indent=1) + "\n")


def _result(finding: Finding) -> dict[str, Any]:
    item, place = finding.diagnostic, finding.diagnostic.place
    text = item.message + (f". {item.cure}" if item.cure else "")
    if finding.witness is not None:
        text += f". Witness: {finding.witness.told}"
    result: dict[str, Any] = {"ruleId": item.code, "level": SARIF_LEVELS[item.severity], "message": {"text": text}}
    if place is not None:
        region = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
        location = {"artifactLocation": {"uri": place.file.replace("\\", "/")}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result


FINDING_FORMATS: dict[str, Callable[..., None]] = {
    "table": write_table,
    "plain": write_plain,
    "json": write_json,
    "junit": write_junit,
    "github": write_github,
    "sarif": write_sarif,
}
