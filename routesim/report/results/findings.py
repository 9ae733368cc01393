"""What is found in files: by `check`, or, whatever the command, why a file cannot be used."""

from collections.abc import Iterable, Sequence
from typing import Any

from routesim.diagnostics import ERROR, SEVERITIES, Diagnostic
from routesim.named_tuples import NamedTuple
from routesim.report.results import FAILED, FAILING, NOTED, PASSED, REFUSED, Case, Suite


def found_in(file: str, findings: Iterable[Diagnostic], fail_on: str) -> Suite:
    """The findings of a file that can be used; from the severity `fail_on` up they are failures."""
    failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    cases = [_case(item, FAILED if item.severity in failing else NOTED) for item in findings]
    return Suite(file, file, tuple(cases or [Case("no findings", PASSED)]))


def refused(file: str, diagnostics: Iterable[Diagnostic]) -> Suite:
    """A file that cannot be used: its errors are why."""
    return Suite(file, file, tuple(_case(item, REFUSED if item.severity == ERROR else NOTED) for item in diagnostics))


def _case(item: Diagnostic, outcome: str) -> Case:
    line = item.place.line if item.place else 0
    return Case(f"{item.code} line {line}" if item.place else item.code, outcome, line, item, item.message)


def finding_object(case: Case) -> dict[str, Any]:
    """A finding as data. `line`, `column` 0: of the file as a whole."""
    item = case.problem
    assert item is not None
    file, line, column = item.place[:3] if item.place else (None, None, None)
    witness = {"told": item.witness.sentence, "scenario": item.witness.scenario} if item.witness else None
    return {
        "code": item.code, "severity": item.severity, "message": item.message, "cure": item.cure or None, "file": file,
        "line": line, "column": column, "witness": witness, "fails": case.outcome in FAILING,
    }  # fmt: skip


def file_object(suite: Suite) -> dict[str, Any]:
    """A file with its findings as data; one that cannot be used has the key `refused`."""
    findings = [finding_object(case) for case in suite.cases if case.problem is not None]
    return {"file": suite.file, **({"refused": True} if suite.refused else {}), "findings": findings}


class Findings(NamedTuple):
    """The suites of all files, in their order."""

    suites: Sequence[Suite]

    def counts(self) -> dict[str, int]:
        """How many there are of each severity."""
        severities = [item.severity for suite in self.suites for item in suite.problems()]
        return {severity: severities.count(severity) for severity in SEVERITIES}

    @property
    def data(self) -> dict[str, Any]:
        """Everything, for programs."""
        ok = not any(suite.fails for suite in self.suites)
        return {"ok": ok, "counts": self.counts(), "files": [file_object(suite) for suite in self.suites]}
