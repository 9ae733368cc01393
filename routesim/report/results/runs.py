"""A run as cases: one for each expectation, route and rule of never, each step that failed, and the end of the run."""

from routesim.diagnostics import Diagnostic
from routesim.explain.failing.failures import failures, section_of
from routesim.explain.failing.losses import losses
from routesim.report.results import FAILED, NOTED, PASSED, Case, Suite
from routesim.report.summary.summary import verdict
from routesim.run import Result


def suite_of(result: Result) -> Suite:
    """What was promised of a run, and what of it was false."""
    failed = failures(result)
    by_place = {(item.code, _line(item), item.message): item for item in failed}
    cases = [
        _case(item.text, item.line, None if item.ok else by_place[section_of(item), item.line, item.text])
        for item in result.expectations
    ]
    cases += [_case(item.message, _line(item), item) for item in failed if item.code == "step"]
    end = next((item for item in failed if item.code == "end"), None)
    cases += [Case(item.message, NOTED, _line(item), item, item.message) for item in losses(result)]
    cases.append(_case(end.message if end else f"the run ends: {result.ended}", 0, end))
    return Suite(result.scenario.name, result.scenario.file, tuple(cases), verdict(result).text)


def _case(text: str, line: int, failure: Diagnostic | None) -> Case:
    name = f"{text} (line {line})" if line else text
    if failure is None:
        return Case(name, PASSED, line)
    return Case(name, FAILED, line, failure, f"found {failure.found}" + (f": {failure.why}" if failure.why else ""))


def _line(item: Diagnostic) -> int:
    return item.place.line if item.place else 0
