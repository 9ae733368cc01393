"""What every explanation comes to: a headline, tables, hints, and the same as data."""

from typing import Any

from routesim.named_tuples import NamedTuple
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
