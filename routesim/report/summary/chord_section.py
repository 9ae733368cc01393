"""Chords at the end of a run: how far each came, and why a body never runs."""

from routesim.clients.worker.calls.chords import DONE, FAILED, LOST
from routesim.run import Result
from routesim.tables import BAD, GOOD, NOTICE, Cell, Section
from routesim.text import visible

TONES = {DONE: GOOD, FAILED: BAD, LOST: BAD}
NONE = Section("", (), [])  # where there is no chord


def chords(result: Result) -> Section:
    """Whose body was called, and whose never will be, with why."""
    if result.processes is None:
        return NONE
    rows = []
    for group, chord in result.processes.chords.by_group.items():
        size = "?" if chord.size is None else str(chord.size)
        rows.append((
            Cell(visible(group)), Cell(visible(chord.body)), Cell(f"{len(chord.parts)} of {size}"),
            Cell(chord.state, TONES.get(chord.state, NOTICE)), Cell(visible(chord.why_never)),
        ))  # fmt: skip
    return Section("Chords", ("chord", "body", "returned", "state", ""), rows) if rows else NONE
