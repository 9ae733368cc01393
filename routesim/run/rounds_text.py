"""The text of batches that come one after the other, over and over.

Most of their values are numbers that grow by the same step, round after round. So that each is not turned into text anew, as
many rounds as leave the last digits as they are make a block: its text is cut where the other digits go, and written again and
again with those alone filled in.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeAlias

from routesim.named_tuples import NamedTuple
from routesim.run.batches import TEXTS, BatchRows, Columns, Numbered

PIECES_AT_ONCE, PIECES_OF_A_BLOCK = 8_000, 40_000  # the processor's caches are to hold what is worked on
BLOCKS = (100, 10)  # rounds of one
LEAST_BLOCKS = 4  # fewer are not worth the cutting

Rounds: TypeAlias = Sequence[tuple[BatchRows, Columns]]


class Hole(NamedTuple):
    """A hole of a round: where it is among its pieces, and what comes into it in round after round."""

    at: int
    values: Sequence[Any]
    is_text: bool


class Cut(NamedTuple):
    """How the numbers of a block are cut, those that begin with these last digits and grow by that step: `last` digits of each,
    and what goes before them, in so many rounds (`runs`) so much `over` what it is in the first. `more`: how much it grows from
    block to block."""

    power: int
    last: list[str]
    runs: tuple[tuple[int, int], ...]
    more: int

    def before(self, first: int) -> list[str]:
        """What goes before the last digits, where it is this in the first round."""
        texts: list[str] = []
        for over, times in self.runs:
            texts += [str(first + over)] * times
        return texts


def rounds_of_text(seq: int, times: int, parts: Rounds, quoted: Callable[[str], str]) -> Iterator[str]:
    """The text of `BatchListener.emit_rounds`, in parts; its first line has the number `seq` + 1. `quoted` writes a text."""
    row, places = _holes(seq, times, parts, quoted)
    block = next((each for each in BLOCKS if each * len(row) <= PIECES_OF_A_BLOCK and times >= LEAST_BLOCKS * each), 0)
    begin = min(times, max([0, *(_short(place.values, block) for place in places)])) if block else times
    stop = times - (times - begin) % block if block else times
    yield from _round_by_round(row, places, range(begin), quoted)
    if begin < stop:
        yield from _block_by_block(row, places, range(begin, stop, block), quoted)
    yield from _round_by_round(row, places, range(stop, times), quoted)


def _holes(seq: int, times: int, parts: Rounds, quoted: Callable[[str], str]) -> tuple[list[str], list[Hole]]:
    """The pieces of a round, a hole ("") between every two texts; what is the same in every round is filled in."""
    row, places = [""], list[Hole]()
    count, line = sum(len(rows.numbers) for rows, _ in parts), seq
    for rows, columns in parts:
        holes = dict(rows.holes)
        for at, piece in enumerate(rows.pieces):
            column: Sequence[Any] | int
            if at in rows.numbers:
                line += 1
                column = range(line, line + times * count, count)
            elif at not in holes:
                row[-1] += piece
                continue
            else:
                column = columns[holes[at]]
            if isinstance(column, int):
                row[-1] += str(column)
                continue
            if type(column) is Numbered:
                opening, closing = quoted(f"{column.prefix}0").rsplit("0", 1)
                row[-1] += opening
                places.append(Hole(len(row), column.numbers, False))
                row += ["", closing]
            else:
                places.append(Hole(len(row), column, at in holes and holes[at] in TEXTS))
                row += ["", ""]
    return row, places


def _short(values: Sequence[Any], block: int) -> int:
    """In how many rounds, at first, a number has no more digits than those that stay as they are in a block."""
    return max(0, -((values.start - _power(values.step, block)) // values.step)) if isinstance(values, range) else 0


def _power(step: int, block: int) -> int:
    """The power of ten by multiples of which a number grows in a block, so that the digits below it stay as they are."""
    power = 10
    while step * block % (10 * power) == 0:
        power *= 10
    return power


def _cut(numbers: range, block: int) -> Cut:
    power = _power(numbers.step, block)
    return _cut_of(numbers.start % power, numbers.step, power, block)


@lru_cache(500)
def _cut_of(start: int, step: int, power: int, block: int) -> Cut:
    numbers, digits = range(start, start + block * step, step), len(str(power)) - 1
    runs = tuple((over, len(list(run))) for over, run in groupby(number // power for number in numbers))
    return Cut(power, [f"{number % power:0{digits}}" for number in numbers], runs, step * block // power)


def _round_by_round(row: list[str], places: list[Hole], rounds: range, quoted: Callable[[str], str]) -> Iterator[str]:
    """A column goes into the list of all pieces as one slice, and all its values are turned into text by one call: that takes
    little more than half the instructions of filling in one round after the other."""
    width, at_once = len(row), max(1, PIECES_AT_ONCE // len(row))
    for begin in range(rounds.start, rounds.stop, at_once):
        stop = min(begin + at_once, rounds.stop)
        pieces = row * (stop - begin)
        shown: dict[int, list[str]] = {}
        for at, values, is_text in places:
            texts = shown.get(id(values))
            if texts is None:
                texts = shown[id(values)] = list(map(quoted if is_text else str, values[begin:stop]))
            pieces[at::width] = texts
        yield "".join(pieces)


def _block_by_block(row: list[str], places: list[Hole], blocks: range, quoted: Callable[[str], str]) -> Iterator[str]:
    width, size = len(row), blocks.step
    pieces = row * size
    growing: dict[tuple[int, int], tuple[Cut, int, list[int]]] = {}
    others: dict[int, tuple[Hole, list[int]]] = {}
    for place in places:
        at, values, _ = place
        if not isinstance(values, range):
            others.setdefault(id(values), (place, []))[1].append(at)
            continue
        key, first = (values.start, values.step), values[blocks.start]
        if key not in growing:
            cut = _cut(values[blocks.start :], size)
            growing[key] = cut, first // cut.power, []
        after = row[at + 1]
        pieces[at + 1 :: width] = [text + after for text in growing[key][0].last]
        growing[key][2].append(at)
    for number, begin in enumerate(blocks):
        for cut, first, ats in growing.values():
            texts = cut.before(first + number * cut.more)
            for at in ats:
                pieces[at::width] = texts
        for place, ats in others.values():
            texts = list(map(quoted if place.is_text else str, place.values[begin : begin + size]))
            for at in ats:
                pieces[at::width] = texts
        yield "".join(pieces)
