"""Chords at the end of a run: how far each came, and why a body never runs."""

from routesim.clients.worker.calls.chords import DONE, FAILED, LOST, CountedChord
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
            Cell(chord.state, TONES.get(chord.state, NOTICE)), Cell(visible(why_it_never_runs(chord))),
        ))  # fmt: skip
    return Section("Chords", ("chord", "body", "returned", "state", ""), rows) if rows else NONE


def why_it_never_runs(chord: CountedChord) -> str:
    if chord.state == FAILED:
        return f"{', '.join(chord.failed)} failed: {chord.body} never runs"
    gone = ", ".join(f"{id} ({why})" for id, why in chord.gone.items())
    return f"{gone} never return{'s' if len(chord.gone) == 1 else ''}: {chord.body} never runs" if chord.state == LOST else ""
