"""What every explanation comes to: a headline, tables, hints, and the same as data."""

from typing import Any, NamedTuple

from routesim.tables import Section


class Answer(NamedTuple):
    """`hints` are sentences at the end; `data` is the whole answer as JSON; `yes` False: the answer is no (status 1)."""

    headline: str
    sections: tuple[Section, ...]
    hints: tuple[str, ...]
    data: dict[str, Any]
    yes: bool = True


class CannotExplain(Exception):
    """The question names something that is not there; the text says what there is."""


def quoted(text: str) -> str:
    return text if text else '""'


UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def lasting(ms: int) -> str:
    """A setting's duration in the largest unit in which it is a whole number: `5 min`, `1 d`."""
    return next((f"{ms // size:,} {unit}" for size, unit in UNITS if ms and ms % size == 0), f"{ms:,} ms")
