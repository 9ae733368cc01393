"""What a format of runs is: a report for each scenario, and what stands around all of them."""

from collections.abc import Sequence
from typing import IO, ClassVar, Protocol

from routesim.report.results import Suite
from routesim.report.style import OutputStyle
from routesim.run import Listener, Result
from routesim.scenario import Scenario
from routesim.text import encoding_of


class HasSuites(Protocol):
    """What a command found, file by file."""

    @property
    def suites(self) -> Sequence[Suite]: ...


class RunReport:
    """One scenario's output: `listen` hears the events (None: it wants none), `finish` ends it."""

    needs_records: ClassVar[bool] = False  # it ends with more than the events
    blank_between: ClassVar[bool] = False  # an empty line stands between two scenarios
    sums_up: ClassVar[bool] = False  # a line at the end counts the verdicts of many
    shows_refused: ClassVar[bool] = False  # a file that cannot be used has its place in the output; else stderr alone says so
    listen: Listener | None = None

    def __init__(self, out: IO[str], scenario: Scenario, style: OutputStyle) -> None:
        self.out, self.style = out, style

    def finish(self, result: Result) -> None:
        """The run is over."""
        raise NotImplementedError

    @classmethod
    def frame(cls, count: int) -> tuple[str, str]:
        """What stands before and after the reports of so many scenarios."""
        return "", ""

    @classmethod
    def refused(cls, suite: Suite, encoding: str) -> str:
        """In place of the report of a file that cannot be used."""
        return ""

    @classmethod
    def write_refused(cls, out: IO[str], suites: Sequence[Suite]) -> None:
        """The whole output where files cannot be used, and therefore nothing runs."""
        before, after = cls.frame(len(suites))
        out.write(before)
        for suite in suites:
            out.write(cls.refused(suite, encoding_of(out)))
        out.write(after)


class SuiteReport(RunReport):
    """A report that is written at the end, from the run's results; the same for what any other command finds."""

    shows_refused = True

    @classmethod
    def suite(cls, suite: Suite, encoding: str) -> str:
        raise NotImplementedError

    @classmethod
    def refused(cls, suite: Suite, encoding: str) -> str:
        return cls.suite(suite, encoding)

    def finish(self, result: Result) -> None:
        from routesim.report.results.runs import suite_of

        self.out.write(self.suite(suite_of(result), encoding_of(self.out)))

    @classmethod
    def write(cls, out: IO[str], found: HasSuites, style: OutputStyle) -> None:
        """All results of a command at once."""
        before, after = cls.frame(len(found.suites))
        out.write(before)
        for suite in found.suites:
            out.write(cls.suite(suite, encoding_of(out)))
        out.write(after)
