"""The formats of a run's output. A new one is a file and a row in `FORMATS`."""

from collections.abc import Callable
from typing import IO, Protocol

from routesim.report.look import Look
from routesim.run import Listener, Outcome
from routesim.scenario import Scenario


class Report(Protocol):
    """One scenario's output: `listen` hears the events (None: it wants none), `finish` ends it."""

    @property
    def listen(self) -> Listener | None: ...

    def finish(self, result: Outcome) -> None: ...


class TableReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: Look) -> None:
        from routesim.report.trace import Trace

        self.out, self.look = out, look
        self.trace = Trace(out, scenario, colour=look.colour, columns=look.columns)
        self.listen = None if look.quiet else self.trace.listen

    def finish(self, result: Outcome) -> None:
        from routesim.report import table

        self.trace.unfold()
        if self.look.quiet:
            _quiet(self.out, result)
        else:
            table.write_summary(self.out, result, colour=self.look.colour, columns=self.look.columns or 200)


class PlainReport(TableReport):
    def finish(self, result: Outcome) -> None:
        from routesim.report.plain import write_summary

        self.trace.unfold()
        if self.look.quiet:
            _quiet(self.out, result)
        else:
            write_summary(self.out, result, colour=self.look.colour)


class JsonReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: Look) -> None:
        from routesim.report.lines import Lines

        self.out = out
        self.events: list[str] = []
        self.listen = None if look.quiet else Lines(self.events.append, end="")

    def finish(self, result: Outcome) -> None:
        from routesim.report.json import result_object

        self.out.write(result_object(result, self.events) + "\n")


class NdjsonReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: Look) -> None:
        from routesim.report.lines import Lines

        self.listen = None if look.quiet else Lines(out.write)

    def finish(self, result: Outcome) -> None:
        """Everything has been written."""


def _quiet(out: IO[str], result: Outcome) -> None:
    """Only what failed, and the verdict."""
    from routesim.report.plain import section_lines
    from routesim.report.summary import failed, verdict
    from routesim.report.text import encoding_of, fitted

    encoding = encoding_of(out)
    section = failed(result)
    for line in section_lines(section, colour=False) if section.rows else ():
        out.write(fitted(line, encoding) + "\n")
    out.write(fitted(verdict(result).text, encoding) + "\n")


FORMATS: dict[str, Callable[[IO[str], Scenario, Look], Report]] = {
    "table": TableReport,
    "plain": PlainReport,
    "json": JsonReport,
    "ndjson": NdjsonReport,
}
KEEPS_ALL = frozenset({"table", "plain", "json"})  # formats that end with more than the events
