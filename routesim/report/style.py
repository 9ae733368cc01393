"""How output is to look."""

from typing import NamedTuple


class OutputStyle(NamedTuple):
    """How to draw: `columns` None: as wide as it gets."""

    colour: bool
    columns: int | None
    quiet: bool
