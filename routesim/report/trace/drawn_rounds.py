"""How a round of batches looks in a trace.

That is asked of the trace itself, which draws the rows with signs in place of what differs from round to round: once with the
longest signs and once with the shortest, to see that nothing else depends on them.
"""

from collections.abc import Sequence
from typing import Any

from routesim.durations import LONG_MS, seconds
from routesim.named_tuples import NamedTuple
from routesim.report.trace.rounds import COMES_BACK, Way
from routesim.report.trace.rounds import Rounds as RoundsOverTime
from routesim.report.trace.rows import Row, Rows
from routesim.report.trace.trace import FOLD_AFTER, Trace
from routesim.run.batches import AT, Batch, BatchRows, replayed, rounds_from
from routesim.run.rounds_text import Rounds
from routesim.tables import BAD

LONGEST_TAG = 10  # digits
# Signs for a message and for a delivery tag; the times of the signs.
MESSAGE_SIGN, TAG_SIGN = "~", "^"
LONGEST_MS, SHORTEST_MS = LONG_MS - 1, 1


class RoundShape(NamedTuple):
    """What the depths of a round depend on. `begins`: which of its parts begin an instant; none: all rounds are at one.
    `same`: of the copies of parts at one instant, whether two are the same; `known`: how deep a copy stands that was there
    before its round."""

    begins: tuple[bool, ...]
    same: tuple[bool, ...]
    known: int | None


class ShownColumn(NamedTuple):
    """What is shown in round after round: a time, a message or a delivery tag, of that part and variable."""

    what: str
    place: int
    variable: str


class DrawnRound(NamedTuple):
    """How a round is drawn. `columns`: what comes into the holes of the text, by names; `published`, `copies`: how deep they
    stand afterwards (`Rows`), copies by their variables; `way`: that of the message, if it comes back, `comes_back`: how often.
    """

    text: BatchRows
    columns: dict[str, ShownColumn]
    published: int | None
    copies: dict[str, int]
    way: Way | None
    comes_back: int


def drawn_round(trace: Trace, parts: Rounds, shape: RoundShape) -> DrawnRound | None:
    """Drawn as the second of these rounds. None: it is not as plain as that."""
    state, over_time, comes_back = Rows(), RoundsOverTime(None), 0
    first: Any = parts[0][1]
    if not shape.begins[0]:
        state.now = first["at_ms"]
        if shape.known is not None:
            state.copies[first["next_copy"][1]] = shape.known
    pieces, columns = [""], dict[str, ShownColumn]()
    for place, (part, begins) in enumerate(zip(parts, shape.begins, strict=True)):
        batch, happened = part[0].batch, replayed(1, rounds_from(1, [part], 2))
        longest, shortest = _signed(batch, trace.widths[0], LONGEST_TAG, LONGEST_MS), _signed(batch, 1, 1, SHORTEST_MS)
        for named, event, *signs in zip(batch.events, happened, longest, shortest, strict=True):
            row = state.row(event)
            if row is None:
                continue
            comes_back += type(event) in COMES_BACK
            if comes_back > FOLD_AFTER or over_time.hides(event, row) or over_time.repeated:
                return None
            if row.tone is BAD and trace.why_not is not None and not trace.why_not.has_said(event):
                return None
            cut = _cut(trace, [(Rows().row(sign) or row)._replace(depth=row.depth) for sign in signs], begins=begins)
            if cut is None:
                return None
            placeholders: dict[str, Any] = {"time": AT, "message": named.message, "tag": getattr(named, "delivery_tag", None)}
            for what, constant in cut:
                if not what:
                    pieces[-1] += constant
                    continue
                columns[f"{what} {len(columns)}"] = ShownColumn(what, place, placeholders[what].variable)
                pieces += ["", constant]
            begins = False
    text = BatchRows(tuple(pieces), tuple((1 + 2 * index, name) for index, name in enumerate(columns)), (), parts[0][0].batch)
    message, numbers = first["message"][1], {name: first[name][1] for name in first if name.startswith("copy")}
    copies = {name: state.copies[number] for name, number in numbers.items() if number in state.copies}
    return DrawnRound(text, columns, state.published.get(message), copies, over_time.ways.get(message), comes_back)


def _signed(batch: Batch, wide: int, digits: int, at_ms: int) -> tuple[Any, ...]:
    """Its events with signs."""
    signs = {"at_ms": at_ms, "message": MESSAGE_SIGN * wide, "next_message": MESSAGE_SIGN * wide}
    return batch.fill(*(signs.get(name, TAG_SIGN * digits if "tag" in name else 0) for name in batch.names))


def _cut(trace: Trace, rows: Sequence[Row], *, begins: bool) -> list[tuple[str, str]] | None:
    """A row with the longest signs, cut at them: what is shown there, and what follows. None: with the shortest it looks
    different."""
    longest, shortest = (_text(trace, row, begins=begins) for row in rows)
    wide = trace.widths[0]
    signs = [("time", seconds(LONGEST_MS), f"{seconds(SHORTEST_MS):>8}")] if begins else []
    signs.append(("message", MESSAGE_SIGN * wide, MESSAGE_SIGN.ljust(wide)))
    if TAG_SIGN * LONGEST_TAG in rows[0].why:
        signs.append(("tag", TAG_SIGN * LONGEST_TAG, TAG_SIGN))
    cut, what, at = list[tuple[str, str]](), "", 0
    for following, sign, _ in signs:
        end = longest.rfind(sign) if following == "tag" else longest.find(sign, at)
        if end < at:
            return None
        cut.append((what, longest[at:end]))
        what, at = following, end + len(sign)
    cut.append((what, longest[at:]))
    short = {"": "", **{each: sign for each, _, sign in signs}}
    return cut if "".join(short[what] + constant for what, constant in cut) == shortest else None


def _text(trace: Trace, row: Row, *, begins: bool) -> str:
    """The row as the trace would write it."""
    written, kept = list[str](), (trace.write, trace.last_ms)
    trace.write, trace.last_ms = written.append, 0 if begins else row.at_ms
    try:
        trace.add(row)
    finally:
        trace.write, trace.last_ms = kept
    return "".join(written)
