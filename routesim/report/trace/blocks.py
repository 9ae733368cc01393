"""Rows of a trace that come again and again, alike but for times, messages and delivery tags: written as one text.

How the rows of a round look is found out once (`drawn_rounds`). Whatever is not so plain goes event by event.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise, repeat
from operator import eq
from typing import Any

from routesim import events
from routesim.durations import LONG_MS, THOUSANDTHS
from routesim.report.trace.drawn_rounds import LONGEST_TAG, DrawnRound, RoundShape, drawn_round
from routesim.report.trace.rounds import COMES_BACK
from routesim.report.trace.trace import Trace
from routesim.run.batches import Batch, BatchListener, BatchRows, Columns, Numbered, Prepared, replayed, rounds_from
from routesim.run.rounds_text import Rounds, rounds_of_text

ROW_PIECES = 4  # of text, about
LEAST_ROUNDS = 4  # fewer are not worth it
REMEMBERED = 200
# Rows of these come one after the other without regard to those before (`rounds`), and how deep they stand depends on nothing
# but their copies.
PASSING = frozenset({events.Published, events.Enqueued, events.Delivered, events.Confirmed, events.Acked})
# The same where a publish begins, and all that follows is of its message.
AT_ONCE = PASSING | COMES_BACK | {events.Rejected, events.Dropped}


class BatchTrace(Trace, BatchListener):
    """A trace that can be prepared for batches, of which all rows are shown."""

    few = LEAST_ROUNDS

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
        # With what the identities in the key are of.
        self.known: dict[tuple[Any, ...], tuple[DrawnRound, list[BatchRows]]] = {}

    def stretches(self, times: int, parts: Rounds) -> Iterable[tuple[int, Rounds]]:
        """The rounds, with how many they are, that drive out copies which were there before; then those that drive out their
        own."""
        columns = parts[0][1]
        gone, first = _column(columns, "next_copy"), columns["copy0"]
        before = times
        if gone and isinstance(columns["at_ms"], int) and isinstance(first, range):
            before = next((index for index, copy in enumerate(gone) if copy >= first.start), times)
        if before == times:
            yield times, parts
            return
        if before:
            yield before, rounds_from(0, parts, before)
        yield times - before, rounds_from(before, parts)

    def write(self, times: int, parts: Rounds) -> int:
        """Writes rounds from the first on, as `BatchTrace.emit_rounds` is to do; returns how many there were."""
        trace = self.trace
        if times < LEAST_ROUNDS or not self._are_passed(parts):
            return 0
        shape = self._shape(parts)
        if shape is None:
            return 0
        key = (shape, *(id(rows) for rows, _ in parts))
        known, first, begin = self.known.get(key), list(replayed(1, rounds_from(0, parts, 1))), 0
        new_instant = shape.begins[0] and trace.last_ms >= 0 and first[0].at_ms not in (trace.last_ms, trace.rows.now)
        if known is None or not new_instant:
            for event in first:
                trace.listen(event)
            begin = 1
        if known is None:
            drawn = drawn_round(trace, parts, shape)
            if drawn is None:
                return begin
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            known = self.known[key] = (drawn, [rows for rows, _ in parts])
        if not _has_room(known[0], parts):
            return begin
        self._write(known[0], times - begin, rounds_from(begin, parts) if begin else parts, shape)
        return times

    # Whether it is plain -----------------------------------------------------------------------------------------------

    def _are_passed(self, parts: Rounds) -> bool:
        """Whether the trace shows all of these rows, and says nothing else of them."""
        trace = self.trace
        rounds = trace.rounds_over_time
        if trace.own_events is not None or trace.folded or rounds.publishers or rounds.tasks:
            return False
        return all(self._fit(columns[name]) for _, columns in parts for name in ("message", "next_message") if name in columns)

    def _fit(self, messages: Any) -> bool:
        """Whether these have room in their column, each of them stands there as it is, and none has come back so far."""
        trace = self.trace
        if type(messages) is Numbered:
            together, longest = messages.prefix, max(len(messages[0]), len(messages[-1]))
        else:
            together, longest = "".join(messages), max(map(len, messages))
        if not together.isascii() or not together.isprintable() or longest > trace.widths[0]:
            return False
        if trace.names is not None and trace.names.more in together:
            return False
        return all(back.keys().isdisjoint(messages) for back in (trace.rounds, trace.rounds_over_time.ways) if back)

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
        if type(rows.batch.events[0]) is not events.Published or at_ms >= LONG_MS:
            return None
        copies, first = trace.rows.copies if trace.rows.now == at_ms else {}, _column(columns, "copy0")[0]
        known = {1 if copy >= first else copies.get(copy) for copy in _column(columns, "next_copy")}
        return RoundShape((False,), (), next(iter(known), None)) if len(known) <= 1 else None

    # Writing it --------------------------------------------------------------------------------------------------------

    def _write(self, drawn: DrawnRound, times: int, parts: Rounds, shape: RoundShape) -> None:
        """These rounds; then the trace is as if it had heard them."""
        trace = self.trace
        if shape.begins[0]:
            trace.next_instant()
        columns = {name: (what, _column(parts[place][1], of)) for name, (what, place, of) in drawn.columns.items()}
        messages = [column for what, column in columns.values() if what == "message"]
        ends = {end for column in messages if type(column) is Numbered for end in _more_digits(column.numbers)}
        for start, stop in pairwise(sorted({0, times, *(end for end in ends if 0 < end < times)})):
            for text in self._texts(drawn.text, columns, start, stop):
                trace.write(text)
        if not shape.begins[0]:
            self._remember(drawn, parts[0][1])
        for event in replayed(1, rounds_from(times - 1, parts)):
            if trace.rows.row(event) is not None:
                trace.last_ms = event.at_ms
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

    def _remember(self, drawn: DrawnRound, columns: Columns) -> None:
        """What has happened at this instant."""
        trace, rows = self.trace, self.trace.rows
        messages = list(_column(columns, "message")) if drawn.published is not None or drawn.way is not None else []
        if drawn.published is not None:
            rows.published.update(dict.fromkeys(messages, drawn.published))
        for name, depth in drawn.copies.items():
            rows.copies.update(zip(_column(columns, name), repeat(depth)))
        if drawn.way is not None:
            trace.rounds.update(dict.fromkeys(messages, drawn.comes_back))
            trace.rounds_over_time.take_over(messages, drawn.way.copy(rows.now))


def _column(columns: Columns, name: str) -> Sequence[Any]:
    """One of which no value need be the same in every round; empty: there is none."""
    column = columns.get(name, ())
    assert not isinstance(column, int)
    return column


def _has_room(drawn: DrawnRound, parts: Rounds) -> bool:
    """Whether no delivery tag is longer than the longest sign."""
    tags = [_column(parts[place][1], name) for what, place, name in drawn.columns.values() if what == "tag"]
    return all(max(column) < 10**LONGEST_TAG for column in tags)


def _more_digits(numbers: range) -> Iterable[int]:
    """Where the numbers become longer."""
    for digits in range(len(str(numbers[0])), len(str(numbers[-1]))):
        yield -((numbers.start - 10**digits) // numbers.step)


def _times(column: Sequence[int]) -> list[str]:
    """Each before LONG_MS, as `seconds` has it."""
    whole = {each: f"{each:4}" for each in range(column[0] // 1000, column[-1] // 1000 + 1)}
    return [whole[at_ms // 1000] + THOUSANDTHS[at_ms % 1000] for at_ms in column]


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
