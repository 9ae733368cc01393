"""Seeds as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routesim.run.sweeps.seeds import seeds_of


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("7", [7], "7"),
        ("0..3", [0, 1, 2, 3], "0..3"),
        ("1..3,20", [1, 2, 3, 20], "1..3,20"),
        ("20, 1 .. 3", [1, 2, 3, 20], "1..3,20"),
        ("5..5", [5], "5"),
        ("3,1..2,2..4", [1, 2, 3, 4], "1..4"),
    ],
)
def test_seeds(text: str, wanted: list[int], shown: str) -> None:
    found = seeds_of(text)
    assert (list(found), len(found), str(found)) == (wanted, len(wanted), shown)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), min_size=1, max_size=6))
def test_each_seed_once_in_order(parts: list[tuple[int, int]]) -> None:
    found = seeds_of(",".join(f"{low}..{low + more}" for low, more in parts))
    assert list(found) == sorted({seed for low, more in parts for seed in range(low, low + more + 1)})
    assert len(found) == len(list(found))
    assert list(seeds_of(str(found))) == list(found)


def test_a_great_many_cost_nothing() -> None:
    found = seeds_of("1..100000000000000")
    assert len(found) == 10**14
    assert next(iter(found)) == 1


@pytest.mark.parametrize("text", ["", "x", "1..", "..3", "1...3", "-1", "1,", "1;2", "1.5", "٣", "9" * 30, "1..2..3"])
def test_what_is_no_seed(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no seed and no range of seeds; write 7, 1\.\.1000 or 1\.\.10,20"):
        seeds_of(text)


def test_backwards() -> None:
    with pytest.raises(ValueError, match=r"'10\.\.1' runs backwards; write 1\.\.10"):
        seeds_of("10..1")
