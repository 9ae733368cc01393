"""SARIF 2.1.0: what is found in files, for GitHub's code scanning and editors."""

import json
from typing import IO, Any
from urllib.parse import quote

from routesim import __version__
from routesim.diagnostics import Diagnostic
from routesim.explain.pages.errors import PAGES
from routesim.report.formats.github import STDIN
from routesim.report.results.findings import Findings
from routesim.report.style import OutputStyle

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(out: IO[str], found: Findings, style: OutputStyle) -> None:
    problems = [item for suite in found.suites for item in suite.problems()]
    rules = [
        {"id": code, "shortDescription": {"text": PAGES[code].means}, "help": {"text": PAGES[code].cure}}
        for code in sorted({item.code for item in problems})
        if code in PAGES
    ]
    driver = {"name": "routesim", "version": __version__, "rules": rules}
    runs = [{"tool": {"driver": driver}, "results": [_result(item) for item in problems]}]
    out.write(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, ensure_ascii=True, indent=1) + "\n")


def _result(item: Diagnostic) -> dict[str, Any]:
    """The severities are SARIF's levels."""
    parts = [item.message, *([item.cure] if item.cure else [])]
    parts += [f"Witness: {item.witness.sentence}"] if item.witness is not None else []
    result: dict[str, Any] = {"ruleId": item.code, "level": item.severity, "message": {"text": ". ".join(parts)}}
    place = item.place
    if place is not None and place.file != STDIN:  # which is no URI
        region = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
        location = {"artifactLocation": {"uri": quote(place.file.replace("\\", "/"), safe="/:")}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result
