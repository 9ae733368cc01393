"""One model of results, for every format: what a command looked at, file by file, and what it found there.

A `Suite` is a file, or a scenario; a `Case` is one thing in it that was looked at.
"""

from routesim.diagnostics import Diagnostic
from routesim.named_tuples import NamedTuple

PASSED = "passed"  # as it should be
NOTED = "noted"  # something to know, that makes nothing fail
FAILED = "failed"
REFUSED = "refused"  # the file cannot be used
SKIPPED = "skipped"  # not looked at
FAILING = frozenset({FAILED, REFUSED})


class Case(NamedTuple):
    """`line` 0: of no line. `problem` None: there is nothing to say. `reason`: what is to be said beside the name, in one
    line: what is wrong, or why it was skipped."""

    name: str
    outcome: str = PASSED
    line: int = 0
    problem: Diagnostic | None = None
    reason: str = ""


class Suite(NamedTuple):
    """`verdict`: the sum of it in a sentence, where there is one."""

    name: str
    file: str
    cases: tuple[Case, ...]
    verdict: str = ""

    @property
    def refused(self) -> bool:
        return any(case.outcome == REFUSED for case in self.cases)

    @property
    def fails(self) -> bool:
        return any(case.outcome in FAILING for case in self.cases)

    def problems(self) -> list[Diagnostic]:
        return [case.problem for case in self.cases if case.problem is not None]

    def number_of(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)
