"""Sections and lines made to fit a screen: one line a row, what is too wide cut, what is too many counted."""

from routesim.tables import QUIET, Cell, Section
from routesim.text import cut, width
from routesim.text import shortened as shortened_name

INDENT, GAP = 2, 2  # as `plain.section_lines` draws them
LEAST = 6  # columns that a text keeps as long as another can give way


def fit(section: Section, columns: int, more: str = "…") -> Section:
    """The section with its texts cut so that no line of it is wider than the columns; numbers are never cut. Where even they
    have no room, columns are left out from the right."""
    section = _with_room(section, columns)
    widths = _widths(section)
    texts = [index for index, name in enumerate(section.columns) if name not in section.right]
    over = INDENT + sum(widths) + GAP * (len(widths) - 1) - columns
    for least in (LEAST, 1):
        for index in sorted(texts, key=lambda each: (-widths[each], -each)):
            gives = min(over, max(widths[index] - least, 0)) if over > 0 else 0
            widths[index] -= gives
            over -= gives
    names = tuple(cut(name, columns, more) for name, columns in zip(section.columns, widths, strict=True))
    rows = [tuple(cell._replace(text=_cut(cell.text, widths[at], more)) for at, cell in enumerate(row)) for row in section.rows]
    right = frozenset(new for new, old in zip(names, section.columns, strict=True) if old in section.right)
    return Section(section.title, names, rows, right)


def _cut(text: str, columns: int, more: str) -> str:
    """A name within itself, since names are told apart by both ends; several words at their end."""
    return cut(text, columns, more) if " " in text else shortened_name(text, columns, more)


def _with_room(section: Section, columns: int) -> Section:
    while len(section.columns) > 1:
        widths = _widths(section)
        least = [
            found if name in section.right else min(found, LEAST) for name, found in zip(section.columns, widths, strict=True)
        ]
        if INDENT + sum(least) + GAP * (len(least) - 1) <= columns:
            break
        section = section._replace(columns=section.columns[:-1], rows=[row[:-1] for row in section.rows])
    return section


def _widths(section: Section) -> list[int]:
    return [max([width(name), *(width(row[at].text) for row in section.rows)]) for at, name in enumerate(section.columns)]


def shortened(section: Section, lines: int, important: set[int], more: str = "…") -> Section:
    """At most so many rows, in their order: the `important` ones (by index) first, then the others; the last line counts what
    is left out."""
    rows = list(section.rows)
    if len(rows) <= lines:
        return section
    kept = sorted(sorted(range(len(rows)), key=lambda index: (index not in important, index))[: max(lines - 1, 0)])
    note = (Cell(f"{more} {len(rows) - len(kept)} more", QUIET), *(Cell("") for _ in section.columns[1:]))
    return section._replace(rows=[*(rows[index] for index in kept), note])
