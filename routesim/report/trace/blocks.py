"""Rows of a trace that come again and again, alike but for times, messages and delivery tags: written as one text.

How the rows of a round look is asked of the trace itself, which draws them with signs in place of what differs: once with the
longest and once with the shortest, to see that nothing else depends on them. Whatever is not so plain goes event by event.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise, repeat
from operator import eq
from typing import Any

from routesim import events
from routesim.durations import LONG_MS, THOUSANDTHS, seconds
from routesim.named_tuples import NamedTuple
from routesim.report.trace.rows import Row, Rows
from routesim.report.trace.trace import Trace
from routesim.run.batches import Batch, BatchListener, BatchRows, Columns, Numbered, Prepared, replayed, rounds_from
from routesim.run.rounds_text import Rounds, rounds_of_text
from routesim.tables import BAD

ROW_PIECES = 4  # of text, about
LEAST_ROUNDS = 4  # fewer are not worth it
REMEMBERED = 200
LONGEST_TAG = 10  # digits
# Signs for a message and for a delivery tag; the times of the signs.
MESSAGE_SIGN, TAG_SIGN = "~", "^"
LONGEST_MS, SHORTEST_MS = LONG_MS - 1, 1
# Rows of these come one after the other without regard to those before (`rounds`), and how deep they stand depends on nothing
# but their copies.
PASSING = frozenset({events.Published, events.Enqueued, events.Delivered, events.Confirmed, events.Acked})
AT_ONCE = PASSING | {events.Rejected, events.Dropped}  # the same where a publish begins, and all that follows is of its message


class RoundShape(NamedTuple):
    """What the depths of a round depend on. `begins`: which of its parts begin an instant; none: all rounds are at one.
    `same`: of the copies of parts at one instant, whether two are the same; `known`: how deep a copy stands that was there
    before its round."""

    begins: tuple[bool, ...]
    same: tuple[bool, ...]
    known: int | None


class Drawn(NamedTuple):
    """How a round is drawn. `columns`: of each of the text what is shown there, of which part and variable; `last`: the last part
    that has a row; `published`, `copies`: how deep they stand afterwards (`Rows`), by their variables."""

    text: BatchRows
    columns: dict[str, tuple[str, int, str]]
    last: int
    published: int | None
    copies: dict[str, int]


class BatchTrace(Trace, BatchListener):
    """A trace that can be prepared for batches, of which all rows are shown."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.blocks = Blocks(self)

    __call__ = Trace.listen

    def prepare(self, batch: Sequence[Any]) -> Prepared:
        found, listen = Batch(batch), self.listen

        def emit(*values: Any) -> None:
            for event in found.fill(*values):
                listen(event)

        return Prepared(emit, BatchRows(("",) * (ROW_PIECES * len(batch)), (), (), found))

    def emit_rounds(self, times: int, parts: Rounds) -> None:
        for count, alike in self.blocks.stretches(times, parts):
            done = self.blocks.write(count, alike)
            for event in replayed(count - done, rounds_from(done, alike)):
                self.listen(event)


class Blocks:
    """Of one trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.known: dict[tuple[Any, ...], tuple[Drawn, list[BatchRows]]] = {}  # with what the identities in the key are of

    def stretches(self, times: int, parts: Rounds) -> Iterable[tuple[int, Rounds]]:
        """The rounds, with how many they are, that drive out copies which were there before; then those that drive out their
        own."""
        columns = parts[0][1]
        gone, first = _column(columns, "next_copy"), columns["copy0"]
        before = times
        if gone and isinstance(columns["at_ms"], int) and isinstance(first, range):
            before = next((index for index, copy in enumerate(gone) if copy >= first.start), times)
        if before:
            yield before, rounds_from(0, parts, before)
        if before < times:
            yield times - before, rounds_from(before, parts)

    def write(self, times: int, parts: Rounds) -> int:
        """Writes rounds from the first on, as `Trace.emit_rounds` is to do; returns how many there were."""
        trace = self.trace
        if times < LEAST_ROUNDS or not self._are_passed(parts):
            return 0
        shape = self._shape(parts)
        if shape is None:
            return 0
        key = (shape, *(id(rows) for rows, _ in parts))
        first_ms, begin, known = _value(parts[0][1], "at_ms", 0), 0, self.known.get(key)
        new_instant = shape.begins[0] and trace.last_ms >= 0 and first_ms not in (trace.last_ms, trace.rows.now)
        if known is None or not new_instant:
            for event in _round(parts, 0):
                trace.listen(event)
            begin = 1
        if known is None:
            drawn = self._drawn(parts, shape)
            if drawn is None:
                return begin
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            known = self.known[key] = (drawn, [rows for rows, _ in parts])
        if not self._fits(known[0], parts):
            return begin
        self._write(known[0], times, parts, begin, shape)
        return times

    # Whether it is plain -----------------------------------------------------------------------------------------------

    def _are_passed(self, parts: Rounds) -> bool:
        """Whether the trace shows all of these rows, and says nothing else of them."""
        trace = self.trace
        rounds = trace.rounds_over_time
        if trace.own_events is not None or rounds.publishers or rounds.tasks:
            return False
        return all(self._fit(columns[name]) for _, columns in parts for name in ("message", "next_message") if name in columns)

    def _fit(self, messages: Any) -> bool:
        """Whether these have room in their column, and each of them stands there as it is."""
        names, ways = self.trace.names, self.trace.rounds_over_time.ways
        if type(messages) is Numbered:
            together, longest = messages.prefix, max(len(messages[0]), len(messages[-1]))
        else:
            together, longest = "".join(messages), max(map(len, messages))
        if not together.isascii() or not together.isprintable() or longest > self.trace.widths[0]:
            return False
        return (names is None or names.more not in together) and (not ways or ways.keys().isdisjoint(messages))

    def _shape(self, parts: Rounds) -> RoundShape | None:
        """None: the rounds are not all alike."""
        kinds = {type(event) for rows, _ in parts for event in rows.batch.events}
        times = [columns["at_ms"] for _, columns in parts]
        if isinstance(times[0], int):
            return self._shape_at_once(*parts[0], times[0]) if len(parts) == 1 and kinds <= AT_ONCE else None
        ranges = [each for each in times if isinstance(each, range)]
        if not kinds <= PASSING or len(ranges) < len(times) or ranges[-1][-1] >= LONG_MS:
            return None
        starts, step = [each.start for each in ranges], ranges[0].step
        if starts[-1] >= starts[0] + step or any(each.step != step for each in ranges):
            return None
        begins = tuple(index == 0 or starts[index - 1] != start for index, start in enumerate(starts))
        same = _same(parts, begins)
        return None if same is None else RoundShape(begins, same, None)

    def _shape_at_once(self, rows: BatchRows, columns: Columns, at_ms: int) -> RoundShape | None:
        trace = self.trace
        if type(rows.batch.events[0]) is not events.Published or at_ms >= LONG_MS or trace.rounds or trace.folded:
            return None
        copies, first = trace.rows.copies if trace.rows.now == at_ms else {}, _value(columns, "copy0", 0)
        known = {1 if copy >= first else copies.get(copy) for copy in _column(columns, "next_copy")}
        return RoundShape((False,), (), next(iter(known), None)) if len(known) <= 1 else None

    def _fits(self, drawn: Drawn, parts: Rounds) -> bool:
        tags = [_column(parts[place][1], name) for what, place, name in drawn.columns.values() if what == "tag"]
        return all(max(column) < 10**LONGEST_TAG for column in tags)

    # How it is drawn ---------------------------------------------------------------------------------------------------

    def _drawn(self, parts: Rounds, shape: RoundShape) -> Drawn | None:
        """None: it is not as plain as that."""
        trace, state = self.trace, Rows()
        real = [rows.batch.fill(*(_value(columns, name, 1) for name in rows.batch.names)) for rows, columns in parts]
        if not shape.begins[0]:
            state.now = real[0][0].at_ms
            if shape.known is not None:
                state.copies[_value(parts[0][1], "next_copy", 1)] = shape.known
        pieces, columns, last = [""], dict[str, tuple[str, int, str]](), 0
        for place, ((rows, _), happened) in enumerate(zip(parts, real, strict=True)):
            begins = shape.begins[place]
            signed = zip(*(_signed(rows, wide, digits) for wide, digits in ((trace.widths[0], LONGEST_TAG), (1, 1))), strict=True)
            for named, event, signs in zip(rows.batch.events, happened, signed, strict=True):
                row = state.row(event)
                if row is None:
                    continue
                if row.tone is BAD and trace.why_not is not None and not trace.why_not.has_said(event):
                    return None
                cut = self._cut([(Rows().row(sign) or row)._replace(depth=row.depth) for sign in signs], begins=begins)
                if cut is None:
                    return None
                for what, constant in cut:
                    if what:
                        name = f"{what} {place} {len(columns)}"
                        of = (
                            "at_ms"
                            if what == "time"
                            else named.message.variable
                            if what == "message"
                            else named.delivery_tag.variable
                        )
                        columns[name] = (what, place, of)
                        pieces += ["", constant]
                    else:
                        pieces[-1] += constant
                begins, last = False, place
        holes = tuple((1 + 2 * index, name) for index, name in enumerate(columns))
        text = BatchRows(tuple(pieces), holes, (), parts[0][0].batch)
        first = parts[0][1]
        numbers = {name: _value(first, name, 1) for name in first if name.startswith("copy")}
        copies = {name: state.copies[number] for name, number in numbers.items() if number in state.copies}
        return Drawn(text, columns, last, state.published.get(_value(first, "message", 1)), copies)

    def _cut(self, rows: list[Row], *, begins: bool) -> list[tuple[str, str]] | None:
        """A row with the longest signs, cut at them: what is shown there, and what follows. None: with the shortest it looks
        different."""
        longest, shortest = (self._text(row, begins=begins) for row in rows)
        wide = self.trace.widths[0]
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

    def _text(self, row: Row, *, begins: bool) -> str:
        """The row as the trace would write it."""
        trace, written = self.trace, list[str]()
        kept = trace.write, trace.last_ms
        trace.write, trace.last_ms = written.append, 0 if begins else row.at_ms
        try:
            trace.add(row)
        finally:
            trace.write, trace.last_ms = kept
        return "".join(written)

    # Writing it --------------------------------------------------------------------------------------------------------

    def _write(self, drawn: Drawn, times: int, parts: Rounds, begin: int, shape: RoundShape) -> None:
        """The rounds from `begin` on; then the trace is as if it had heard them."""
        trace = self.trace
        if shape.begins[0]:
            trace.next_instant()
        columns = {name: (what, _column(parts[place][1], of)) for name, (what, place, of) in drawn.columns.items()}
        messages = [column for what, column in columns.values() if what == "message"]
        ends = {end for column in messages if type(column) is Numbered for end in _more_digits(column.numbers)}
        cuts = sorted({begin, times, *(end for end in ends if begin < end < times)})
        for start, stop in pairwise(cuts):
            for text in self._texts(drawn.text, columns, start, stop):
                trace.write(text)
        if not shape.begins[0]:
            self._remember(drawn, parts[0][1])
        for event in _round(parts, times - 1):
            trace.rows.row(event)
        trace.last_ms = _value(parts[drawn.last][1], "at_ms", times - 1)
        trace.rounds_over_time.hiding = False

    def _texts(self, text: BatchRows, columns: dict[str, tuple[str, Sequence[Any]]], start: int, stop: int) -> Iterable[str]:
        """Of these rounds, in which numbered messages are all equally long."""
        wide, pieces = self.trace.widths[0], list(text.pieces)
        shown: dict[int, Sequence[Any]] = {}
        cells: dict[str, Sequence[Any]] = {}
        for at, name in text.holes:
            what, column = columns[name]
            if id(column) not in shown:
                part = column[start:stop]
                if what == "time":
                    part = _times(part)
                elif what == "message" and type(column) is not Numbered:
                    part = [message.ljust(wide) for message in part]
                shown[id(column)] = part
            cells[name] = shown[id(column)]
            if type(column) is Numbered:
                pieces[at + 1] = " " * (wide - len(column[start])) + pieces[at + 1]
        return rounds_of_text(0, stop - start, [(text._replace(pieces=tuple(pieces)), cells)], str)

    def _remember(self, drawn: Drawn, columns: Columns) -> None:
        """What has happened at this instant."""
        rows = self.trace.rows
        if drawn.published is not None:
            rows.published.update(dict.fromkeys(_column(columns, "message"), drawn.published))
        for name, depth in drawn.copies.items():
            rows.copies.update(zip(_column(columns, name), repeat(depth)))


def _column(columns: Columns, name: str) -> Sequence[Any]:
    """One of which no value need be the same in every round; empty: there is none."""
    column = columns.get(name, ())
    assert not isinstance(column, int)
    return column


def _value(columns: Columns, name: str, number: int) -> Any:
    column = columns[name]
    return column if isinstance(column, int) else column[number]


def _round(parts: Rounds, number: int) -> Iterable[Any]:
    """The events of a round."""
    return chain.from_iterable(
        rows.batch.fill(*(_value(columns, name, number) for name in rows.batch.names)) for rows, columns in parts
    )


def _more_digits(numbers: range) -> Iterable[int]:
    """Where the numbers become longer."""
    for digits in range(len(str(numbers[0])), len(str(numbers[-1]))):
        yield -((numbers.start - 10**digits) // numbers.step)


def _times(column: Sequence[int]) -> list[str]:
    """Each before LONG_MS, as `seconds` has it."""
    whole = {each: f"{each:4}" for each in range(column[0] // 1000, column[-1] // 1000 + 1)}
    return [whole[at_ms // 1000] + THOUSANDTHS[at_ms % 1000] for at_ms in column]


def _signed(rows: BatchRows, wide: int, digits: int) -> tuple[Any, ...]:
    """The events of a batch with signs."""
    at_ms = SHORTEST_MS if digits == 1 else LONGEST_MS
    signs = {"at_ms": at_ms, "message": MESSAGE_SIGN * wide, "next_message": MESSAGE_SIGN * wide}
    return rows.batch.fill(*(signs.get(name, TAG_SIGN * digits if "tag" in name else 0) for name in rows.batch.names))


def _same(parts: Rounds, begins: Sequence[bool]) -> tuple[bool, ...] | None:
    """Of each two copies of parts at one instant, whether they are the same; None: in some rounds."""
    found, before = [], list[Sequence[int]]()
    for (_, columns), new in zip(parts, begins, strict=True):
        copies = [_column(columns, name) for name in columns if "copy" in name]
        before = [] if new else before
        for copy in copies:
            for other in before:
                same = _are_same(copy, other)
                if same is None:
                    return None
                found.append(same)
        before = before + copies
    return tuple(found)


def _are_same(first: Sequence[int], second: Sequence[int]) -> bool | None:
    """Whether these columns are the same in all rounds, or in none."""
    if isinstance(first, range) and isinstance(second, range) and first.step == second.step:
        return first.start == second.start
    return True if all(map(eq, first, second)) else None if any(map(eq, first, second)) else False
