"""How output is to look."""

from typing import TYPE_CHECKING

from routesim.named_tuples import NamedTuple

if TYPE_CHECKING:
    from routesim.report.trace.filtering import RowFilter


class OutputStyle(NamedTuple):
    """How to draw: `columns` None: as wide as it gets. `rows`: which events of a run are shown; None: all."""

    colour: bool
    columns: int | None
    quiet: bool
    rows: "RowFilter | None" = None
