"""The text of rounds equals that of filling in one value after the other, whatever grows by equal steps and whatever does not."""

from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routesim.run.batches import Batch, BatchRows, Numbered
from routesim.run.rounds_text import rounds_of_text

TIMES = st.integers(1, 900)
STARTS = st.one_of(st.integers(0, 30), st.integers(80, 1_020), st.integers(0, 10**7))
STEPS = st.one_of(st.integers(1, 12), st.sampled_from((20, 25, 50, 100, 1_000, 86_400_000)), st.integers(1, 5_000))


@st.composite
def columns(draw: st.DrawFn, times: int) -> tuple[str, Any]:
    """A variable, and what it is in each round."""
    start, step = draw(STARTS), draw(STEPS)
    numbers = range(start, start + step * times, step)
    prefix = draw(st.sampled_from(("m", "m1", "0", 'a"{0}', "ü", "")))
    return draw(
        st.sampled_from((
            ("copy0", numbers), ("at_ms", start), ("message", Numbered(prefix, numbers)),
            ("message", [f"{prefix}{number}" for number in numbers]), ("copy0", [number % 7 for number in numbers]),
        ))
    )  # fmt: skip


@st.composite
def rounds(draw: st.DrawFn) -> tuple[int, int, list[tuple[BatchRows, dict[str, Any]]]]:
    times, parts = draw(TIMES), []
    for _ in range(draw(st.integers(1, 3))):
        pieces, holes, numbers, found = [draw(st.sampled_from(("", "<")))], list[tuple[int, str]](), list[int](), dict[str, Any]()
        for _ in range(draw(st.integers(1, 4))):
            at = len(pieces)
            if draw(st.booleans()):
                numbers.append(at)
            else:
                name, column = draw(columns(times))
                holes.append((at, name))
                found[name] = found.get(name, column)
            pieces += ["", draw(st.sampled_from((",", "", "7", "\n")))]
        parts.append((BatchRows(tuple(pieces), tuple(holes), tuple(numbers), Batch(())), found))
    return draw(st.integers(0, 2_000)), times, parts


@given(rounds())
def test_values_that_grow_are_written_as_any(given: tuple[int, int, list[tuple[BatchRows, dict[str, Any]]]]) -> None:
    seq, times, parts = given
    assert "".join(rounds_of_text(seq, times, parts, quoted)) == one_by_one(*given)


def one_by_one(seq: int, times: int, parts: list[tuple[BatchRows, dict[str, Any]]]) -> str:
    text = []
    for number in range(times):
        for rows, found in parts:
            pieces = list(rows.pieces)
            values = dict(rows.holes)
            for at in range(len(pieces)):
                if at in rows.numbers:
                    seq += 1
                    pieces[at] = str(seq)
                elif at in values:
                    column = found[values[at]]
                    value = column if isinstance(column, int) else column[number]
                    pieces[at] = quoted(value) if isinstance(value, str) else str(value)
            text += pieces
    return "".join(text)


@given(st.sampled_from(("m", "{", "{0}", "a}")), st.integers(0, 20), st.integers(1, 5), st.integers(0, 9))
def test_numbered_is_the_list_of_its_texts(prefix: str, start: int, step: int, count: int) -> None:
    numbers = range(start, start + step * count, step)
    texts = [f"{prefix}{number}" for number in numbers]
    numbered = Numbered(prefix, numbers)
    assert list(numbered) == texts == [numbered[index] for index in range(len(numbered))]
    assert list(numbered[1:3]) == texts[1:3]
