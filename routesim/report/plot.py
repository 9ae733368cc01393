"""Curves over virtual time, and who ran what when, drawn with characters: one time axis, one small field for each curve.

Values only: a line is a tuple of cells. `write` paints them, in colour or not, with signs that the output's encoding has.
"""

from collections.abc import Iterable, Sequence
from typing import IO

from routesim.durations import duration_text
from routesim.named_tuples import NamedTuple
from routesim.report.ticks import column_ms, ticks
from routesim.report.trace.trace import ANSI, RESET
from routesim.tables import PLAIN, QUIET, Cell
from routesim.text import cut, encoding_of, fitted, shortened, visible, width

Line = tuple[Cell, ...]
TITLE, FIRST, SECOND, THIRD, FOURTH = "title", "first", "second", "third", "fourth"
COLOURS = {
    **ANSI, TITLE: "\x1b[1m", FIRST: "\x1b[36m", SECOND: "\x1b[33m", THIRD: "\x1b[32m", FOURTH: "\x1b[35m",
}  # fmt: skip
LABEL, VALUE = 10, 5  # columns left of the axis: the curve's name, and its highest value
LEAST = 12  # columns of a field, however narrow the page is
FULL, SIGNS_OF_A_PLOT = "█", " ▁▂▃▄▅▆▇█"


class Signs(NamedTuple):
    """`levels`: from empty to full; `ends`: what stands at the end of a run, by how it ended."""

    levels: str
    axis: str
    corner: str
    line: str
    tick: str
    begin: str
    fill: str
    single: str
    ends: dict[str, str]


UNICODE = Signs(
    SIGNS_OF_A_PLOT, "│", "└", "─", "┬", "├", "─", "┃",
    {"success": "┤", "failure": "✘", "retry": "↻", "rejected": "⊘", "revoked": "⊘", "ignored": "┤", "lost": "☠", "cancelled": "⊘",
     "running": "▸"},
)  # fmt: skip
ASCII = Signs(
    " .-+#", "|", "+", "-", "+", "[", "-", "I",
    {"success": "]", "failure": "x", "retry": "r", "rejected": "/", "revoked": "/", "ignored": "]", "lost": "!", "cancelled": "/",
     "running": ">"},
)  # fmt: skip
MEANINGS = {
    "failure": "failed", "retry": "to be retried", "rejected": "rejected", "revoked": "revoked", "lost": "killed with its worker",
    "cancelled": "cancelled", "running": "still running",
}  # fmt: skip


class Curve(NamedTuple):
    """Points are (instant in ms, value from then on), in the order of time; before the first one the value is 0."""

    label: str
    points: Sequence[tuple[int, int]]
    tone: str


class Span(NamedTuple):
    """A stretch of a row: `ends` is a name in `Signs.ends`, `end_ms` None: it goes on."""

    begin_ms: int
    end_ms: int | None
    label: str
    ends: str


class SpanRow(NamedTuple):
    """Stretches that do not overlap, in the order of time."""

    label: str
    spans: Sequence[Span]


class PlotField(NamedTuple):
    """What stands under one title; curves that are never above 0 are only named in it."""

    title: str
    curves: Sequence[Curve]
    rows: Sequence[SpanRow] = ()


def signs_for(encoding: str) -> Signs:
    """The finer signs where the encoding has them all."""
    try:
        "".join((*UNICODE[:8], *UNICODE.ends.values())).encode(encoding)
    except UnicodeEncodeError:
        return ASCII
    except LookupError:
        pass
    return UNICODE


def plot_lines(fields: Sequence[PlotField], end_ms: int, columns: int, signs: Signs) -> list[Line]:
    """All fields one below the other, from 0 to `end_ms`, and the time axis; no line is wider than `columns`."""
    room = max(columns - LABEL - VALUE - 2, LEAST)
    step = column_ms(end_ms, room)
    count = end_ms // step + 1
    high = _height([curve for field in fields for curve in field.curves])
    lines: list[Line] = []
    for field in fields:
        shown = [curve for curve in field.curves if any(value for _, value in curve.points)]
        lines.append(_title(field, shown, columns))
        for curve in shown:
            lines += _curve(curve, step, count, high, signs)
        lines += [_row(row, end_ms, step, count, signs) for row in field.rows]
    return [*lines, *_axis(end_ms, step, room, count, signs)]


def explained(fields: Sequence[PlotField], end_ms: int, columns: int, signs: Signs) -> str:
    """How the plot is to be read, in one sentence."""
    step = column_ms(end_ms, max(columns - LABEL - VALUE - 2, LEAST))
    said = [f"a column is {duration_text(step)} of virtual time"]
    if any(field.curves for field in fields):
        said.append("and shows the highest value in it")
    text = " ".join(said)
    rows = [row for field in fields for row in field.rows]
    if rows:
        text += f"; {signs.begin}{signs.ends['success']} and {signs.single} are runs"
        if any(piece.runs > 1 for row in rows for piece in _pieces(row.spans, end_ms, step)):
            text += ", a digit is so many in one column"
        ends = {span.ends for row in rows for span in row.spans}
        meanings: dict[str, list[str]] = {}
        for name, meaning in MEANINGS.items():
            if name in ends:
                meanings.setdefault(signs.ends[name], []).append(meaning)
        text += "".join(f", {sign} {' or '.join(some)}" for sign, some in meanings.items())
    return text


def write(out: IO[str], lines: Iterable[Line], *, colour: bool) -> None:
    encoding = encoding_of(out)
    for line in lines:
        cells = [
            f"{COLOURS[cell.tone]}{cell.text}{RESET}" if colour and cell.tone != PLAIN and cell.text.strip() else cell.text
            for cell in line
        ]
        text = "".join(cells)
        out.write(fitted(text if colour else text.rstrip(), encoding) + "\n")


def _height(curves: Sequence[Curve]) -> int:
    """Lines for each curve, so that a plot is no longer than a screen where that is possible."""
    count = sum(any(value for _, value in curve.points) for curve in curves)
    return 3 if count <= 4 else 2 if count <= 8 else 1


def _title(field: PlotField, shown: Sequence[Curve], columns: int) -> Line:
    title = cut(visible(field.title), columns)
    never = [curve.label for curve in field.curves if curve not in shown]
    note = f"  never any {' or '.join(never)}" if never else ""
    if width(title) + len(note) > columns:
        note = ""
    return (Cell(title, TITLE), Cell(note, QUIET))


def _curve(curve: Curve, step: int, count: int, high: int, signs: Signs) -> list[Line]:
    values = highest(curve.points, step, count)
    top = max(values)
    fine = len(signs.levels) - 1
    most = high * fine - 1  # a narrow gap parts it from the field above
    levels = [-(-value * most // top) for value in values]  # rounded up: what is there is seen
    lines: list[Line] = []
    for line in range(high):
        floor = (high - 1 - line) * fine
        text = "".join(signs.levels[min(max(level - floor, 0), fine)] for level in levels)
        label = f"  {curve.label}"[:LABEL] if line == 0 else ""
        value = _number(top) if line == 0 else "0" if line == high - 1 else ""
        lines.append((Cell(f"{label:<{LABEL}}{value:>{VALUE}} "), Cell(signs.axis, QUIET), Cell(text.rstrip(), curve.tone)))
    return lines


def highest(points: Sequence[tuple[int, int]], step: int, count: int) -> list[int]:
    """The highest value in each of `count` columns of `step` ms, a value that lasts from an earlier column included."""
    values, carried, place = [], 0, 0
    for column in range(count):
        end = (column + 1) * step
        top = carried if place >= len(points) or points[place][0] > column * step else 0
        while place < len(points) and points[place][0] < end:
            carried = points[place][1]
            top = max(top, carried)
            place += 1
        values.append(top)
    return values


def _number(value: int) -> str:
    """In at most four characters."""
    if value < 10_000:
        return str(value)
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value // size}{unit}"
    return str(value)


# Rows --------------------------------------------------------------------------------------------------------------------


class _Piece(NamedTuple):
    """Columns `first` to `last`; several runs that share one column are one piece."""

    first: int
    last: int
    span: Span
    runs: int


def _pieces(spans: Sequence[Span], end_ms: int, step: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    for span in spans:
        end = end_ms + 1 if span.end_ms is None else span.end_ms
        first = span.begin_ms // step
        last = max(first, (end - 1) // step)
        if pieces and first <= pieces[-1].last:
            before = pieces.pop()
            if before.first < first:
                pieces.append(before._replace(last=first - 1))
            else:
                pieces.append(before._replace(runs=before.runs + 1))
                first += 1
                if first > last:
                    continue
        pieces.append(_Piece(first, last, span, 1))
    return pieces


def _row(row: SpanRow, end_ms: int, step: int, count: int, signs: Signs) -> Line:
    cells = [Cell(f"  {row.label:<{LABEL + VALUE - 2}} "[: LABEL + VALUE + 1]), Cell(signs.axis, QUIET)]
    at = 0
    for piece in _pieces(row.spans, end_ms, step):
        if piece.first >= count:
            break
        cells.append(Cell(" " * (piece.first - at)))
        at = min(piece.last, count - 1) + 1
        cells.append(Cell(_drawn(piece, at - piece.first, signs), _tone(piece)))
    return tuple(cells)


def _drawn(piece: _Piece, columns: int, signs: Signs) -> str:
    end = signs.ends[piece.span.ends]
    if piece.runs > 1:
        return str(min(piece.runs, 9)).ljust(columns, signs.fill)
    if columns == 1:
        return signs.single if end == signs.ends["success"] else end
    label = shortened(visible(piece.span.label), columns - 2) if columns > 3 else ""
    label = "" if width(label) > columns - 2 or label == "…" else label
    return signs.begin + label + signs.fill * (columns - 2 - width(label)) + end


def _tone(piece: _Piece) -> str:
    return {"success": THIRD, "failure": "bad", "lost": "bad", "ignored": PLAIN, "running": PLAIN}.get(piece.span.ends, "notice")


# The axis ----------------------------------------------------------------------------------------------------------------


def _axis(end_ms: int, step: int, room: int, count: int, signs: Signs) -> list[Line]:
    marks, labels = [signs.line] * count, [" "] * (room + 1)
    free = 0
    for at_ms in ticks(end_ms, step, count):
        column, text = at_ms // step, duration_text(at_ms)
        if column < free or column + len(text) > room:
            continue
        marks[column] = signs.tick
        labels[column : column + len(text)] = text
        free = column + len(text) + 2
    margin = " " * (LABEL + VALUE + 1)
    return [
        (Cell(margin), Cell(signs.corner + "".join(marks), QUIET)),
        (Cell(margin + " "), Cell("".join(labels).rstrip(), QUIET)),
    ]
