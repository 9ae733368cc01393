"""Tables and sentences as values: what is to be shown, and how much it wants to be seen. `report` draws them."""

from collections.abc import Sequence

from routesim.named_tuples import NamedTuple

PLAIN, GOOD, NOTICE, BAD, QUIET = "plain", "good", "notice", "bad", "quiet"
HIT, MISS = "✔", "✘"


class Cell(NamedTuple):
    text: str
    tone: str = PLAIN


class Section(NamedTuple):
    """A titled table; `right` names the columns of numbers. Without columns its rows are sentences. By its `key` whoever wants
    this one finds it among others: a title is for people."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    right: frozenset[str] = frozenset()
    key: str = ""


def mark(hit: bool) -> Cell:
    return Cell(HIT, GOOD) if hit else Cell(MISS, BAD)
