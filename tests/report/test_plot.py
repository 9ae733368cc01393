"""Plots of characters: what they show of a curve, that they fit any page, and which signs they use."""

import random
from itertools import pairwise

import pytest

from routesim.report.plot import ASCII, UNICODE, Curve, Line, PlotField, Span, SpanRow, explained, highest, plot_lines, signs_for
from routesim.report.ticks import column_ms, ticks
from routesim.text import width

WIDTHS = (20, 40, 80, 200)
ENDS = (0, 1, 7, 999, 1_000, 59_999, 3_600_000, 31 * 86_400_000)
HOSTILE = "\x1b[31mred\x07\n漢字" * 9


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(cell.text for cell in line) for line in lines]


def value_at(points: list[tuple[int, int]], at_ms: int) -> int:
    return next((value for at, value in reversed(points) if at <= at_ms), 0)


@pytest.mark.parametrize("seed", range(30))
def test_a_column_shows_the_highest_value_in_it(seed: int) -> None:
    chance = random.Random(seed)
    instants = sorted(chance.sample(range(200), chance.randrange(1, 30)))
    points = [(at, chance.randrange(5)) for at in instants]
    step = chance.choice((1, 3, 10, 50))
    count = 199 // step + 1
    expected = [max(value_at(points, at) for at in range(column * step, (column + 1) * step)) for column in range(count)]
    assert highest(points, step, count) == expected


@pytest.mark.parametrize("end_ms", ENDS)
@pytest.mark.parametrize("columns", [12, 24, 63, 180])
def test_the_end_is_in_the_last_column_and_little_room_is_wasted(end_ms: int, columns: int) -> None:
    step = column_ms(end_ms, columns)
    count = end_ms // step + 1
    assert 1 <= count <= columns
    assert step == 1 or count * 2 > columns
    instants = ticks(end_ms, step, columns)
    assert instants[0] == 0
    assert all(at // step < count for at in instants)
    assert all(other - one >= step for one, other in pairwise(instants))


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("end_ms", ENDS)
@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_line_is_wider_than_the_page(columns: int, end_ms: int, signs: object) -> None:
    assert signs in (UNICODE, ASCII)
    chosen = UNICODE if signs is UNICODE else ASCII
    points = [(at, at % 7) for at in range(0, end_ms + 1, max(1, end_ms // 50))]
    spans = [Span(at, min(at + max(1, end_ms // 9), end_ms), HOSTILE, "success") for at in range(0, end_ms, max(1, end_ms // 4))]
    field = PlotField(HOSTILE, (Curve("reserved", points, "first"), Curve("held", (), "second")), (SpanRow("child 1", spans),))
    lines = text_of(plot_lines([field], end_ms, max(columns, 30), chosen))
    assert all(width(line) <= max(columns, 30) for line in lines), max(lines, key=width)
    assert all(line.isprintable() for line in lines)


def test_what_is_there_is_seen_and_what_is_not_is_not() -> None:
    curve = Curve("ready", [(0, 0), (10, 1), (20, 0), (30, 1_000)], "first")
    lines = text_of(plot_lines([PlotField("q", (curve,))], 39, 57, UNICODE))
    bottom = next(line for line in lines if line.lstrip().startswith("0 │")).split("│")[1].ljust(40)
    assert bottom[:10].strip() == ""
    assert set(bottom[10:20]) == {"▁"}
    assert bottom[20:30].strip() == ""
    assert set(bottom[30:40]) == {"█"}


def test_runs_in_one_column_are_counted_and_their_ends_are_told() -> None:
    spans = [
        Span(0, 1, "a", "success"),
        Span(1, 2, "b", "success"),
        Span(100, 500, "job", "failure"),
        Span(500, None, "last", "running"),
    ]
    field = PlotField("w", (), (SpanRow("child 1", spans),))
    lines = text_of(plot_lines([field], 999, 57, UNICODE))
    row = next(line for line in lines if "child 1" in line).split("│")[1]
    assert row.startswith("2")
    assert "├job" in row
    assert row[: row.index("├last")].rstrip().endswith("✘")
    assert row.rstrip().endswith("▸")
    said = explained([field], 999, 57, UNICODE)
    assert "✘ failed" in said
    assert "▸ still running" in said
    assert "☠" not in said


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", UNICODE), ("cp437", ASCII), ("ascii", ASCII), ("latin-1", ASCII)])
def test_the_signs_are_those_of_the_encoding(encoding: str, expected: object) -> None:
    assert signs_for(encoding) is expected
    everything = "".join((*ASCII[:8], *ASCII.ends.values()))
    assert everything.isascii()


def test_signs_of_ends_differ_where_it_matters() -> None:
    for signs in (UNICODE, ASCII):
        apart = [signs.ends[name] for name in ("success", "failure", "retry", "lost", "running", "rejected")]
        assert len(set(apart)) == len(apart)
        assert all(width(sign) == 1 for sign in signs.ends.values())
