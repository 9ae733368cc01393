"""The formats of a run's output. A new one is a file and a row in `FORMATS`."""

from collections.abc import Callable
from typing import IO, Protocol

from routesim.report.style import OutputStyle
from routesim.run import Listener, Result
from routesim.scenario import Scenario


class Report(Protocol):
    """One scenario's output: `listen` hears the events (None: it wants none), `finish` ends it."""

    @property
    def listen(self) -> Listener | None: ...

    def finish(self, result: Result) -> None: ...


class TableReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: OutputStyle) -> None:
        from routesim.report.trace.trace import Trace

        self.out, self.look = out, look
        self.trace = Trace(out, scenario, colour=look.colour, columns=look.columns)
        self.listen = None if look.quiet else self.trace.listen

    def finish(self, result: Result) -> None:
        from routesim.report.formats import table

        self.trace.end()
        if self.look.quiet:
            _quiet(self.out, result)
        else:
            table.write_summary(self.out, result, colour=self.look.colour, columns=self.look.columns or 200)


class PlainReport(TableReport):
    def finish(self, result: Result) -> None:
        from routesim.report.formats.plain import write_summary

        self.trace.end()
        if self.look.quiet:
            _quiet(self.out, result)
        else:
            write_summary(self.out, result, colour=self.look.colour)


class JsonReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: OutputStyle) -> None:
        from routesim.report.formats.ndjson import Lines

        self.out = out
        self.events: list[str] = []
        self.listen = None if look.quiet else Lines(self.events.append, end="")

    def finish(self, result: Result) -> None:
        from routesim.report.formats.json import result_object

        self.out.write(result_object(result, self.events) + "\n")


class NdjsonReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: OutputStyle) -> None:
        from routesim.report.formats.ndjson import Lines

        self.listen = None if look.quiet else Lines(out.write)

    def finish(self, result: Result) -> None:
        """Everything has been written."""


class JunitReport:
    listen = None

    def __init__(self, out: IO[str], scenario: Scenario, look: OutputStyle) -> None:
        self.out = out

    def finish(self, result: Result) -> None:
        from routesim.report.formats.junit import suite
        from routesim.text import encoding_of

        self.out.write(suite(result, encoding_of(self.out)))


class GithubReport(JunitReport):
    def finish(self, result: Result) -> None:
        from routesim.report.formats.github import annotations
        from routesim.text import encoding_of, fitted

        for line in annotations(result):
            self.out.write(fitted(line, encoding_of(self.out)) + "\n")


class TapReport(JunitReport):
    def finish(self, result: Result) -> None:
        from routesim.report.formats.tap import subtest
        from routesim.text import encoding_of, fitted

        self.out.write(fitted(subtest(result), encoding_of(self.out)))


class HtmlReport:
    def __init__(self, out: IO[str], scenario: Scenario, look: OutputStyle) -> None:
        from routesim.report.html.story import Recorder

        self.out, self.quiet = out, look.quiet
        self.recorder = Recorder(scenario)
        self.listen = None if look.quiet else self.recorder.hear

    def finish(self, result: Result) -> None:
        from routesim.report.html.page import escaped_for, run_of
        from routesim.text import encoding_of

        story = self.recorder.finished(result, kept=not self.quiet)
        self.out.write(escaped_for(run_of(story), encoding_of(self.out)))


def _quiet(out: IO[str], result: Result) -> None:
    """Only what failed, and the verdict."""
    from routesim.report.formats.plain import section_lines
    from routesim.report.summary.summary import failed, verdict
    from routesim.text import encoding_of, fitted

    encoding = encoding_of(out)
    section = failed(result)
    for line in section_lines(section, colour=False) if section.rows else ():
        out.write(fitted(line, encoding) + "\n")
    out.write(fitted(verdict(result).text, encoding) + "\n")


FORMATS: dict[str, Callable[[IO[str], Scenario, OutputStyle], Report]] = {
    "table": TableReport,
    "plain": PlainReport,
    "json": JsonReport,
    "ndjson": NdjsonReport,
    "junit": JunitReport,
    "github": GithubReport,
    "tap": TapReport,
    "html": HtmlReport,
}
KEEPS_ALL = frozenset({"table", "plain", "json", "html"})  # formats that end with more than the events
APART = frozenset({"table", "plain"})  # formats with an empty line between two scenarios


def frame(format: str, count: int) -> tuple[str, str]:
    """What stands before and after the reports of so many scenarios."""
    if format == "junit":
        from routesim.report.formats.junit import frame
    elif format == "tap":
        from routesim.report.formats.tap import frame
    elif format == "html":
        from routesim.report.html.page import frame
    else:
        return "", ""
    return frame(count)
