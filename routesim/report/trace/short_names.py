"""Names that are wider than their column, shortened within themselves: one text a name, and no text for two names."""

from collections.abc import Iterator
from itertools import count

from routesim.text import escaped, padded, shortened, visible, width, wrapped

ARROW = " → "  # between the names of one place
LEAST = 10  # columns; both ends in fewer tell no name from another
MOST = 100  # names; those that come later stay whole
INDENT = 2
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

    def lines(self, columns: int) -> list[str]:
        """Each shortened name once, in full."""
        beside = max(map(width, self.taken), default=0) + 2
        lines = []
        for name, text in self.given.items():
            full = visible(name)
            if INDENT + beside + width(full) < columns:
                lines.append(" " * INDENT + padded(text, beside) + full)
            else:
                lines += [" " * INDENT + text, *(" " * 2 * INDENT + line for line in wrapped(full, columns - 1 - 2 * INDENT))]
        return lines
