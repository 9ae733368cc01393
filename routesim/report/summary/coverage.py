"""How many of the bindings were used, and which were not."""

from typing import IO

from routesim.report.formats.plain import section_lines
from routesim.run.expecting.coverage import Covered
from routesim.shown import shown_binding
from routesim.tables import QUIET, Cell, Section
from routesim.text import encoding_of, fitted, visible


def write_coverage(out: IO[str], found: list[Covered], wanted: float | None) -> bool:
    """Prints it; False when less than `wanted` percent are used. Where there are no bindings, all are used."""
    unused = [item for item in found if not item.used]
    used = len(found) - len(unused)
    percent = 100.0 if not found else 100 * used / len(found)
    enough = wanted is None or percent >= wanted
    # What is not all must not read as 100 %, nor what is too little as enough.
    shown = f"{int(percent * 10) / 10:.1f}".removesuffix(".0")
    limit = "" if enough else f"; at least {wanted:g} % were asked for"
    rows = [
        (Cell(visible(shown_binding(item.binding))), Cell(f"{visible(item.file)}:{item.line}" if item.line else "", QUIET))
        for item in unused
    ]
    lines = [f"Bindings used: {used} of {len(found)}, {shown} %{limit}"]
    lines += section_lines(Section("", ("not used", "where"), rows), colour=False) if rows else []
    for line in lines:
        out.write(fitted(line, encoding_of(out)) + "\n")
    return enough
