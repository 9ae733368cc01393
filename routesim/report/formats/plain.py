"""Plain aligned text: for pipes, nothing cut, nothing wrapped, no colour unless it is asked for."""

from collections import Counter
from typing import IO, TYPE_CHECKING

from routesim.report.formats.diagnostics import one_line
from routesim.report.formats.reports import RunReport
from routesim.report.results import FAILED, SKIPPED, Case
from routesim.report.results.findings import Findings
from routesim.report.style import OutputStyle
from routesim.report.summary.summary import failed, sections, verdict
from routesim.report.trace.blocks import BatchTrace
from routesim.report.trace.trace import ANSI, RESET, Trace
from routesim.run import Result
from routesim.scenario import Scenario
from routesim.tables import BAD, GOOD, PLAIN, QUIET, Cell, Section
from routesim.text import encoding_of, fitted, padded, visible, width

if TYPE_CHECKING:
    from routesim.report.results.verdicts import Verdicts

MAX_VERDICTS = 50  # of more, only those that differ are listed


class PlainReport(RunReport):
    """The trace as it grows, then the summary."""

    needs_records = blank_between = sums_up = True

    def __init__(self, out: IO[str], scenario: Scenario, style: OutputStyle) -> None:
        super().__init__(out, scenario, style)
        shown = style.rows  # are chosen one by one
        drawn = Trace if shown is not None else BatchTrace
        self.trace = drawn(out, scenario, colour=style.colour, columns=style.columns, shown=shown, shorten=True)
        self.listen = None if style.quiet else self.trace if isinstance(self.trace, BatchTrace) else self.trace.listen

    def finish(self, result: Result) -> None:
        if self.listen is not None:
            self.trace.end()
        if self.style.quiet:
            write_failures(self.out, result)
        else:
            self.summary(result)

    def summary(self, result: Result) -> None:
        write_summary(self.out, result, colour=self.style.colour)


def write_failures(out: IO[str], result: Result) -> None:
    """Only what failed, and the verdict."""
    encoding = encoding_of(out)
    section = failed(result)
    for line in section_lines(section, colour=False) if section.rows else ():
        out.write(fitted(line, encoding) + "\n")
    out.write(fitted(verdict(result).text, encoding) + "\n")


def write_findings(out: IO[str], found: Findings, style: OutputStyle) -> None:
    """A line a finding of files that can be used; nothing where nothing is found."""
    encoding = encoding_of(out)
    for suite in found.suites:
        for item in suite.problems() if not suite.refused else ():
            out.write(fitted(one_line(item), encoding) + "\n")


def write_verdicts(out: IO[str], found: "Verdicts", style: OutputStyle) -> None:
    """A line a scenario, the two sides of a difference beside each other, and the sum. The table is the same: names are long."""
    encoding = encoding_of(out)
    cases = [(suite.file, case) for suite in found.suites if not suite.refused for case in suite.cases]
    many = len(cases) > MAX_VERDICTS
    lines = [line for file, case in cases if not many or case.outcome == FAILED for line in _verdict(file, case, style.colour)]
    if many:
        reasons = Counter(case.reason for _, case in cases if case.outcome == SKIPPED)
        lines += [f"-  {count} skipped: {visible(reason)}" for reason, count in reasons.most_common()]
    if len(cases) > 1:
        groups = found.groups.items()
        lines += [
            f"✘  {len(files)} differ in: {visible(what)} ({visible(rule)})" for (what, rule), files in groups if len(files) > 1
        ]
    if cases or not found.refused:
        lines.append(found.verdict())
    out.write("".join(fitted(line, encoding) + "\n" for line in lines))


def _verdict(file: str, case: Case, colour: bool) -> list[str]:
    name, item = visible(file), case.problem
    if item is None:
        return [f"-  {name}: skipped: {visible(case.reason)}" if case.outcome == SKIPPED else f"✔  {name}"]
    rows = [
        (Cell("simulated", QUIET), Cell(visible(item.expected), GOOD)),
        (Cell("RabbitMQ", QUIET), Cell(visible(item.found), BAD)),
        (Cell("rule", QUIET), Cell(visible(item.why))),
    ]
    return section_lines(Section(f"✘  {name}: {visible(item.message)}", ("", ""), rows), colour=colour)


def write_summary(out: IO[str], result: Result, *, colour: bool) -> None:
    encoding = encoding_of(out)
    for section in sections(result):
        out.write("\n")
        for line in section_lines(section, colour=colour):
            out.write(fitted(line, encoding) + "\n")
    out.write(fitted("\n" + painted(verdict(result), colour), encoding) + "\n")


def section_lines(section: Section, *, colour: bool) -> list[str]:
    lines = [f"\x1b[1m{section.title}{RESET}" if colour else section.title] if section.title else []
    widths = [max([width(name), *(width(row[index].text) for row in section.rows)]) for index, name in enumerate(section.columns)]
    if any(section.columns):
        names = (
            f"{name:>{columns}}" if name in section.right else f"{name:<{columns}}"
            for name, columns in zip(section.columns, widths, strict=True)
        )
        lines.append("  " + "  ".join(names).rstrip())
    for row in section.rows:
        cells = []
        for index, cell in enumerate(row):
            columns = widths[index] if index < len(widths) else 0
            right = index < len(section.columns) and section.columns[index] in section.right
            text = cell.text.rjust(columns) if right else padded(cell.text, columns)
            cells.append(painted(Cell(text, cell.tone), colour))
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def painted(cell: Cell, colour: bool) -> str:
    """The text in the colour of its tone."""
    return f"{ANSI[cell.tone]}{cell.text}{RESET}" if colour and cell.tone != PLAIN and cell.text.strip() else cell.text
