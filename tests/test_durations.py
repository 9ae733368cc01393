"""Lengths of time as files have them and as people say them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routesim.durations import (
    LONGEST_MS,
    UNIT_NAMES,
    UNITS_MS,
    WITH_UNIT,
    duration_text,
    parse_duration,
    seconds,
    written_duration,
)

SIZES = {**{name: UNITS_MS[unit] for unit, name in UNIT_NAMES.items()}, "day": UNITS_MS["d"]}
lengths = st.integers(0, LONGEST_MS) | st.builds(
    lambda count, unit: count * unit, st.integers(0, 100), st.sampled_from(list(UNITS_MS.values()))
)


@given(lengths)
def test_what_a_file_has_is_read_back(ms: int) -> None:
    text = written_duration(ms)
    assert parse_duration(text) == ms
    assert re.fullmatch(WITH_UNIT, text)


@given(lengths)
def test_what_people_are_told_is_exact_and_has_no_idle_zeros(ms: int) -> None:
    """Units from large to small, each once, none of them 0 but for no time at all."""
    words = duration_text(ms).replace(",", "").split(" ")
    parts = [(float(count), SIZES[unit]) for count, unit in zip(words[::2], words[1::2], strict=True)]
    assert round(sum(count * size for count, size in parts)) == ms
    sizes = [size for _, size in parts]
    assert sizes == sorted(set(sizes), reverse=True)
    assert all(count for count, _ in parts) or parts == [(0.0, 1_000)]


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0 s"), (250, "250 ms"), (1_400, "1.4 s"), (59_999, "59.999 s"), (60_000, "1 min"), (90_500, "1 min 30.5 s"),
     (5_400_000, "1 h 30 min"), (86_400_000, "1 day"), (86_400_001, "1 day 1 ms"), (100_000_000, "1 day 3 h 46 min 40 s"),
     (172_800_000, "2 days"), (LONGEST_MS, "36,500 days")],
)  # fmt: skip
def test_for_people(ms: int, text: str) -> None:
    assert duration_text(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (30_000, "30s"), (90_000, "90s"), (300_000, "5m"), (86_400_000, "1d")],
)
def test_in_a_file(ms: int, text: str) -> None:
    assert written_duration(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0.000"), (1_400, "1.400"), (9_999_999, "9999.999"), (100_000_000, "100000"), (100_000_250, "100000.25")]
)
def test_instants(ms: int, text: str) -> None:
    assert seconds(ms) == text
