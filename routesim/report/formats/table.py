"""For a person at a terminal: runs as rich tables, findings with the lines that they are about."""

from typing import IO

from routesim.report.formats.diagnostics import full
from routesim.report.formats.plain import PlainReport
from routesim.report.results.findings import Findings
from routesim.report.style import OutputStyle
from routesim.run import Result
from routesim.text import encoding_of, fitted


class TableReport(PlainReport):
    def summary(self, result: Result) -> None:
        from routesim.report.rich_tables import write_summary

        columns = self.style.columns or 200
        write_summary(self.out, result, colour=self.style.colour, columns=columns, names=self.trace.names)


def write_findings(out: IO[str], found: Findings, style: OutputStyle) -> None:
    """What is found in files that can be used, and how much of it."""
    encoding = encoding_of(out)
    usable = Findings([suite for suite in found.suites if not suite.refused])
    for suite in usable.suites:
        for item in suite.problems():
            out.write(fitted(full(item, colour=style.colour, encoding=encoding, columns=style.columns), encoding) + "\n")
    counts = [f"{count} {severity}{'s' if count != 1 else ''}" for severity, count in usable.counts().items() if count]
    if usable.suites:
        out.write((", ".join(counts) or "no findings") + "\n")
