"""The end of a run as plain aligned text: for pipes, nothing cut, nothing wrapped, no colour unless it is asked for."""

from typing import IO

from routesim.report.summary.summary import sections, verdict
from routesim.report.trace.trace import ANSI, RESET
from routesim.run import Result
from routesim.tables import PLAIN, Cell, Section
from routesim.text import encoding_of, fitted, padded, width


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
