"""What `explore` found, for a person: each property with its verdict, each counterexample step by step."""

from collections.abc import Iterator
from typing import IO

from routesim.durations import duration_text
from routesim.explore import BROKEN, UNDECIDED, VACUOUS, Exploration, PropertyVerdict
from routesim.report.formats.plain import painted, section_lines
from routesim.report.results.explored import Explorations, covered, moments_told, races_told, sum_of, told
from routesim.report.style import OutputStyle
from routesim.tables import BAD, GOOD, PLAIN, QUIET, Cell, Section
from routesim.text import encoding_of, fitted, visible, wrapped

INSIDE = 5
SIGNS = {BROKEN: "✘", UNDECIDED: "?", VACUOUS: "-"}


def write(out: IO[str], found: Explorations, style: OutputStyle) -> None:
    """One exploration after the other; where there are several, each is named."""
    encoding = encoding_of(out)
    lines: list[str] = []
    for number, item in enumerate(found.found):
        lines += [""] if number else []
        if len(found.found) + len(found.refused) > 1:
            lines += _text(f"{item.file}: {item.name}", 2, style)
        lines += _lines(item, style)
    out.write("".join(fitted(line, encoding) + "\n" for line in lines))


def _lines(item: Exploration, style: OutputStyle) -> Iterator[str]:
    found = item.explored
    for asked in found.asked:
        broken = asked.verdict == BROKEN
        sign = "!" if broken and asked.name in item.breaks else SIGNS.get(asked.verdict, "✔")
        note = {UNDECIDED: " (not decided)", VACUOUS: " (vacuous: no state has asked it)"}.get(asked.verdict, "")
        said = asked.sentence if asked.sentence.startswith(asked.name) else f"{asked.name}: {asked.sentence}"
        yield from _text(f"{sign}  {said}{note}", 3, style, BAD if broken else PLAIN)
        yield from _example(asked, style)
    yield ""
    right = item.as_said and found.complete
    verdict = "OK" if right else "NOT COMPLETE" if item.as_said else "BROKEN"
    how = f"{verdict}  {sum_of(item)}; {covered(found)}"
    if item.bounds.races and found.counted != "courses of events":
        how += f", {found.races:,} with an outcome that RabbitMQ leaves open"
    yield from _text(how, 4, style, GOOD if right else BAD)
    left = "; ".join(item.left_out)
    bits = f"States are told apart by {item.hash_bits} bits. " if found.counted == "states" else ""
    yield from _text(f"{bits}Not explored: {left}.", 2, style, QUIET)


def _text(text: str, inside: int, style: OutputStyle, tone: str = PLAIN, first: int = 0) -> Iterator[str]:
    """A paragraph, its first line that far inside, the others so far."""
    shown = visible(text)
    lines = [shown] if style.columns is None else wrapped(shown, style.columns - inside)
    for number, line in enumerate(lines):
        yield painted(Cell(" " * (inside if number else first) + line, tone), style.colour)


def _example(asked: PropertyVerdict, style: OutputStyle) -> Iterator[str]:
    example = asked.example
    if example is None:
        return
    yield from _text(told(asked), INSIDE, style, first=INSIDE)
    rows = []
    times = [duration_text(at_ms) for at_ms in example.times]
    room = None if style.columns is None else style.columns - INSIDE - 2 - max([4, *map(len, times)]) - len("  FAILURE  ")
    for at, move, words in zip(times, example.moves, example.words, strict=True):
        tone = BAD if move.failure else PLAIN
        lines = [visible(words)] if room is None else wrapped(visible(words), room)
        for number, line in enumerate(lines):
            begins = not number
            mark = "FAILURE" if move.failure and begins else ""
            rows.append((Cell(at if begins else "", QUIET), Cell(mark, BAD), Cell(line, tone)))
    course = section_lines(Section("", ("time", "", ""), rows, frozenset({"time"})), colour=style.colour) if rows else ()
    for line in course:
        yield " " * INSIDE + line
    yield from _text(moments_told(asked), INSIDE, style, first=INSIDE) if asked.moments is not None else ()
    yield from _text(races_told(asked), INSIDE, style, first=INSIDE) if races_told(asked) else ()
    for cure in asked.cures:
        costs = f"; it costs: {cure.costs}" if cure.costs else ""
        yield from _text(f"Tried, and then it holds: {cure.change}{costs}.", INSIDE + 2, style, first=INSIDE)
