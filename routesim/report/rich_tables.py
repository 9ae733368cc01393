"""Sections drawn as tables by rich, within so many columns."""

from functools import partial
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from routesim.report.summary.summary import sections, verdict
from routesim.report.trace.short_names import TITLE, ShortNames
from routesim.run import Result
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section
from routesim.text import encoding_of, fitted, least_width, width, wrapped

LEAST_TEXT = 20  # columns that a table must leave for what is no number
LEAST = 8  # columns of a text, however little room there is
BESIDE = 2  # columns between two
STYLES = {PLAIN: "", GOOD: "green", NOTICE: "yellow", BAD: "bold red", QUIET: "dim"}


def console(out: IO[str], *, colour: bool, columns: int) -> Console:
    """A console that asks nothing of its surroundings: width and colour are given."""
    return Console(
        file=out, width=columns, force_terminal=colour, color_system="standard" if colour else None, legacy_windows=False,
        safe_box=True, highlight=False, markup=False, emoji=False, soft_wrap=False, _environ={},
    )  # fmt: skip


def write_summary(
    out: IO[str], result: Result, *, colour: bool, columns: int, names: ShortNames | None = None
) -> None:  # fmt: skip
    """`names`: those that the trace has shortened, with their full text below it."""
    screen = console(out, colour=colour, columns=columns)
    encoding = encoding_of(out)
    names = names or ShortNames(fitted("…", encoding))
    known = set(names.given)
    for section in sections(result):
        screen.print()
        screen.print(drawn(names.table(section, columns), encoding, columns))
    if len(names.given) > len(known):
        screen.print()
        screen.print(sentence(TITLE, bold=True))
        screen.print()
        for line in names.lines(columns, known):
            screen.print(Text(fitted(line, encoding)), overflow="fold")
        screen.print()
    last = verdict(result)
    screen.print(Text(fitted(last.text, encoding), style=STYLES[last.tone]), overflow="fold")


def sentence(text: str, *, bold: bool = False) -> Text:
    return Text(text, style="bold" if bold else "", overflow="fold")


def compact(section: Section, columns: int) -> Section:
    """The section as it is, or, where its numbers would leave no room for the names, each row as a sentence."""
    if len(section.right) < 2:
        return section
    numbers = sum(len(name) + BESIDE for name in section.columns if name in section.right)
    texts = [
        (name, *(row[at].text for row in section.rows)) for at, name in enumerate(section.columns) if name not in section.right
    ]
    least = sum(BESIDE + max(least_width(text, parts=True) for text in each) for each in texts)
    if numbers + max(least, LEAST_TEXT) <= columns:
        return section
    rows = []
    for row in section.rows:
        named = [f"{name} {cell.text}" for name, cell in zip(section.columns[1:], row[1:], strict=True) if cell.text]
        rows.append((Cell(f"{row[0].text}: {', '.join(named)}"),))
    return Section(section.title, (), rows)


def drawn(section: Section, encoding: str = "utf-8", columns: int = 200) -> Group:
    """A section: its title, and a table; sentences as a table of one column without a head."""
    section = compact(section, columns)
    widths = _widths(section, columns)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=any(section.columns), header_style="dim", padding=(0, 1, 0, 0))
    for name, wide in zip(section.columns or ("",), widths, strict=True):
        right = name in section.right
        table.add_column(
            name, justify="right" if right else "left", overflow="fold", no_wrap=right, min_width=wide, max_width=wide
        )
    for row in section.rows:
        table.add_row(*(
            Text(_lines(fitted(cell.text, encoding), wide), style=STYLES[cell.tone], overflow="fold")
            for cell, wide in zip(row, widths, strict=True)
        ))  # fmt: skip
    return Group(sentence(section.title, bold=True), table) if section.title else Group(table)


def _lines(text: str, columns: int) -> str:
    """The text on as many lines as it takes, each as far to the right as its first."""
    words = text.lstrip(" ")
    indent = " " * (len(text) - len(words))
    return "\n".join(indent + line for line in wrapped(words, columns - len(indent)))


def _widths(section: Section, columns: int) -> list[int]:
    """How wide each column is so that the table is within so many columns: as wide as its texts where there is room. Numbers
    keep theirs; of texts the widest give way first: down to their longest word, then to the longest part of one, then further."""
    names = section.columns or ("",)
    texts = [[name, *(row[at].text for row in section.rows)] for at, name in enumerate(names)]
    widths = [max(map(width, each)) for each in texts]
    over = sum(widths) + BESIDE * len(widths) - columns
    for least in (least_width, partial(least_width, parts=True), lambda _: LEAST):
        if over <= 0:
            break
        leasts = [
            found if name in section.right else min(found, max(map(least, each)))
            for name, each, found in zip(names, texts, widths, strict=True)
        ]
        while over > 0 and (given := _give(widths, leasts, over)):
            over -= given
    return widths


def _give(widths: list[int], leasts: list[int], over: int) -> int:
    """Take from the widest of the columns that may give, at most down to the next widest; how much it was."""
    may = [at for at, least in enumerate(leasts) if widths[at] > least]
    if not may:
        return 0
    widest = max(may, key=lambda at: widths[at])
    following = max((widths[at] for at in may if at != widest), default=0)
    given = min(over, widths[widest] - leasts[widest], max(widths[widest] - following, 1))
    widths[widest] -= given
    return given
