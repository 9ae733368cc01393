"""Names that are wider than their column, shortened within themselves: one text a name, and no text for two names."""

from collections.abc import Collection, Iterator
from itertools import count

from routesim.tables import Cell, Section
from routesim.text import escaped, padded, shortened, visible, width, wrapped

ARROW = " → "  # between the names of one place
LEAST = 10  # columns; both ends in fewer tell no name from another
MOST = 100  # names; those that come later stay whole
INDENT = 2
NARROW = 14  # columns that a table leaves to names at least
BESIDE = 2  # columns between two of a table
NAMED = frozenset({"task", "name", "message", "queue", "consumer", "exchange", "publisher", "worker"})  # columns of tables
TITLE = "Names shortened above"


class ShortNames:
    """`more`: the sign for what is left out. No name that is shown whole has it."""

    def __init__(self, more: str) -> None:
        self.more = more
        self.escaped = "".join(map(escaped, more))
        self.given: dict[str, str] = {}
        self.taken: set[str] = set()

    def place(self, text: str, columns: int, short: int) -> str:
        """The names of a place, each of more than so many columns `short`; all whole where they have room together."""
        if width(text) <= columns:
            return self._whole(text)
        return ARROW.join(self.name(part, columns, short) for part in text.split(ARROW))

    def name(self, name: str, columns: int, short: int) -> str:
        if width(name) <= columns:
            return self._whole(name)
        if name not in self.given:
            if short < LEAST or len(self.given) >= MOST:
                return self._whole(name)
            text = self.given[name] = next(text for text in self._texts(name, short) if text not in self.taken)
            self.taken.add(text)
        return self.given[name]

    def _whole(self, text: str) -> str:
        return text.replace(self.more, self.escaped)

    def _texts(self, name: str, columns: int) -> Iterator[str]:
        """The name shortened; where another one looks so, more of its end or of its beginning, then a number for what is left
        out."""
        shown, most = visible(name), columns - len(self.more) - 1
        yield shortened(shown, columns, self.more)
        if shown.isascii():
            yield f"{shown[0]}{self.more}{shown[-most:]}"
            yield f"{shown[:most]}{self.more}{shown[-1]}"
        for number in count(2):
            yield shortened(shown, columns, f"{self.more}{number}{self.more}")

    def table(self, section: Section, columns: int) -> Section:
        """The section with its names shortened, the widest first, where it is wider than so many columns whatever its other texts
        do."""
        widths = [max(map(width, (name, *(row[at].text for row in section.rows)))) for at, name in enumerate(section.columns)]
        # Texts that are no names have lines, and give way first.
        firm = NAMED | set(section.right)
        least = [wide if name in firm else min(wide, NARROW) for name, wide in zip(section.columns, widths, strict=True)]
        over = sum(least) + BESIDE * len(widths) - columns
        limits = {at: widths[at] for at, name in enumerate(section.columns) if name in NAMED}
        while over > 0 and limits:
            widest = max(limits, key=limits.__getitem__)
            if limits[widest] <= NARROW:
                break
            limits[widest] -= 1
            over -= 1

        def within(at: int, cell: Cell) -> Cell:
            most = limits.get(at)
            # A text with the sign itself, or with commas, is of a row for many.
            if most is None or width(cell.text) <= most or self.more in cell.text or ", " in cell.text:
                return cell
            return cell._replace(text=self.name(cell.text, most, most))

        return section._replace(rows=[tuple(within(at, cell) for at, cell in enumerate(row)) for row in section.rows])

    def lines(self, columns: int, known: Collection[str] = ()) -> list[str]:
        """Each shortened name once, in full; without those that are known by now."""
        beside = max(map(width, self.taken), default=0) + 2
        lines = []
        for name, text in self.given.items():
            if name in known:
                continue
            full = visible(name)
            if INDENT + beside + width(full) < columns:
                lines.append(" " * INDENT + padded(text, beside) + full)
            else:
                lines += [" " * INDENT + text, *(" " * 2 * INDENT + line for line in wrapped(full, columns - 1 - 2 * INDENT))]
        return lines
