"""TAP 14, the Test Anything Protocol: a subtest for each scenario."""

import json

from routesim.report.formats.reports import SuiteReport
from routesim.report.results import FAILING, Case, Suite
from routesim.text import fitted, visible

INDENT = "    "


class Tap(SuiteReport):
    @classmethod
    def frame(cls, count: int) -> tuple[str, str]:
        return f"TAP version 14\n1..{count}\n", ""

    @classmethod
    def suite(cls, suite: Suite, encoding: str) -> str:
        name = _description(suite.name)
        lines = [f"# Subtest: {name}", f"{INDENT}1..{len(suite.cases)}"]
        for number, case in enumerate(suite.cases, 1):
            lines += [INDENT + line for line in _point(number, case, suite.file)]
        # Without its number, which only whoever puts several scenarios together could know: TAP counts by itself.
        return fitted("\n".join([*lines, f"{'not ok' if suite.fails else 'ok'} - {name}", ""]), encoding)


def _point(number: int, case: Case, file: str) -> list[str]:
    lines = [f"{'not ok' if case.outcome in FAILING else 'ok'} {number} - {_description(case.name)}"]
    item = case.problem
    if item is None:
        return lines
    # JSON's strings are YAML's.
    severity = "fail" if case.outcome in FAILING else "comment"
    facts = {"message": item.message, "severity": severity, "found": item.found, "why": item.why, "cure": item.cure}
    lines += ["  ---", *(f"  {name}: {json.dumps(visible(text))}" for name, text in facts.items() if text)]
    lines += ["  at:", f"    file: {json.dumps(visible(file))}", *([f"    line: {case.line}"] if case.line else []), "  ..."]
    return lines


def _description(text: str) -> str:
    """A `#` would begin a directive such as TODO."""
    return visible(text).replace("\\", "\\\\").replace("#", "\\#")
