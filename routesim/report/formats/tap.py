"""TAP 14, the Test Anything Protocol: a subtest for each scenario."""

import json

from routesim.report.formats.cases import Case, cases
from routesim.run import Result
from routesim.text import visible

INDENT = "    "


def frame(count: int) -> tuple[str, str]:
    return f"TAP version 14\n1..{count}\n", ""


def subtest(result: Result) -> str:
    found = cases(result)
    name = _description(result.scenario.name)
    lines = [f"# Subtest: {name}", f"{INDENT}1..{len(found)}"]
    for number, case in enumerate(found, 1):
        lines += [INDENT + line for line in _case(number, case, result.scenario.file)]
    # Without its number, which only whoever puts several scenarios together could know: TAP counts by itself.
    failed = any(case.failure is not None for case in found)
    return "\n".join([*lines, f"{'not ok' if failed else 'ok'} - {name}", ""])


def _case(number: int, case: Case, file: str) -> list[str]:
    where = f" (line {case.line})" if case.line else ""
    failure = case.failure
    lines = [f"{'ok' if failure is None else 'not ok'} {number} - {_description(case.name + where)}"]
    if failure is not None:
        # JSON's strings are YAML's.
        facts = {"message": case.name, "severity": "fail", "found": failure.found, "why": failure.why}
        lines += ["  ---", *(f"  {name}: {json.dumps(visible(text))}" for name, text in facts.items() if text)]
        lines += ["  at:", f"    file: {json.dumps(visible(file))}", *([f"    line: {case.line}"] if case.line else []), "  ..."]
    return lines


def _description(text: str) -> str:
    """A `#` would begin a directive such as TODO."""
    return visible(text).replace("\\", "\\\\").replace("#", "\\#")
