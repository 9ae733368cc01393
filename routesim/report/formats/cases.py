"""A run as test cases: the shape that CI systems know."""

from typing import NamedTuple

from routesim.explain.failures import RunFailure, failures, kind_of
from routesim.run import Result


class Case(NamedTuple):
    """`kind`: expect, routes, never, step or end; `line` 0: no place; `failure` None: it passed."""

    name: str
    kind: str
    line: int
    failure: RunFailure | None


def cases(result: Result) -> list[Case]:
    """One for each expectation, route and rule of never, one for each step that failed, one for the end of the run."""
    failed = failures(result)
    by_place = {(item.kind, item.line, item.expected): item for item in failed}
    found = [
        Case(item.text, kind, item.line, None if item.ok else by_place[kind, item.line, item.text])
        for item in result.expectations
        for kind in (kind_of(item),)
    ]
    found += [Case(item.expected, item.kind, item.line, item) for item in failed if item.kind == "step"]
    end = next((item for item in failed if item.kind == "end"), None)
    found.append(Case("the run comes to rest" if end else f"the run ends: {result.ended}", "end", 0, end))
    return found
