"""Sections drawn as tables by rich, within so many columns; and as a picture."""

import re
from io import StringIO
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from routesim.report.summary.summary import sections, verdict
from routesim.run import Result
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import encoding_of, fitted

LEAST_TEXT = 20  # columns that a table must leave for what is no number
STYLES = {PLAIN: "", GOOD: "green", NOTICE: "yellow", BAD: "bold red", QUIET: "dim"}


def console(out: IO[str], *, colour: bool, columns: int) -> Console:
    """A console that asks nothing of its surroundings: width and colour are given."""
    return Console(
        file=out, width=columns, force_terminal=colour, color_system="standard" if colour else None, legacy_windows=False,
        safe_box=True, highlight=False, markup=False, emoji=False, soft_wrap=False, _environ={},
    )  # fmt: skip


def write_summary(out: IO[str], result: Result, *, colour: bool, columns: int) -> None:
    screen = console(out, colour=colour, columns=columns)
    encoding = encoding_of(out)
    for section in sections(result):
        screen.print()
        screen.print(drawn(section, encoding, columns))
    last = verdict(result)
    screen.print(Text(fitted(last.text, encoding), style=STYLES[last.tone]), overflow="fold")


def recording(columns: int) -> Console:
    """A console that remembers, for `svg_of`."""
    return Console(
        record=True, width=columns, file=StringIO(), color_system="standard", force_terminal=True, highlight=False, markup=False,
        emoji=False, _environ={},
    )  # fmt: skip


def svg_of(screen: Console) -> str:
    """What was printed, as an SVG without references to fonts elsewhere."""
    svg = screen.export_svg(title="routesim", unique_id="routesim")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def sentence(text: str, *, bold: bool = False) -> Text:
    return Text(text, style="bold" if bold else "", overflow="fold")


def compact(section: Section, columns: int) -> Section:
    """The section as it is, or, where its numbers would leave no room for the names, each row as a sentence."""
    numbers = sum(len(name) + 2 for name in section.right)
    if len(section.right) < 2 or numbers + LEAST_TEXT <= columns:
        return section
    rows = []
    for row in section.rows:
        named = [f"{name} {cell.text}" for name, cell in zip(section.columns[1:], row[1:], strict=True) if cell.text]
        rows.append((Cell(f"{row[0].text}: {', '.join(named)}"),))
    return Section(section.title, (), rows)


def drawn(section: Section, encoding: str = "utf-8", columns: int = 200) -> Group:
    """A section: its title, and a table; sentences as a table of one column without a head."""
    section = compact(section, columns)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=any(section.columns), header_style="dim", padding=(0, 1, 0, 0))
    for name in section.columns or ("",):
        right = name in section.right
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in section.rows:
        table.add_row(*(Text(fitted(cell.text, encoding), style=STYLES[cell.tone], overflow="fold") for cell in row))
    return Group(sentence(section.title, bold=True), table) if section.title else Group(table)
