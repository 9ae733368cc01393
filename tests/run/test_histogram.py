"""Counting values in bounded memory: exact up to a size, and the same however the values came."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routesim.run.sweeps import histogram
from routesim.run.sweeps.histogram import Histogram

SHARES = (0.5, 0.9, 0.99, 1.0)
VALUES = st.lists(st.integers(0, 5_000), min_size=1, max_size=200)


@pytest.fixture(params=[10_000, 8], ids=["exact", "coarse"])
def exact(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(histogram, "EXACT", request.param)
    size: int = request.param
    return size


def of(values: list[int]) -> Histogram:
    found = Histogram()
    for value in values:
        found.add(value)
    return found


def state(found: Histogram) -> object:
    return found.counts, found.bits, found.total, found.least, found.greatest


def nearest_rank(values: list[int], share: float) -> int:
    """The definition: the value at place ⌈share · n⌉, counted from 1."""
    return sorted(values)[max(1, -(-len(values) * round(share * 1000) // 1000)) - 1]


@given(values=VALUES)
def test_exact_for_few_values(values: list[int]) -> None:
    found = of(values)
    assert found.step == 1
    assert [found.at(share) for share in SHARES] == [nearest_rank(values, share) for share in SHARES]
    assert (found.least, found.greatest, found.total) == (min(values), max(values), len(values))


@pytest.mark.parametrize("size", [8, 3])
@given(values=VALUES)
def test_past_that_as_near_as_its_step_says(size: int, values: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histogram, "EXACT", size)
        found = of(values)
    assert len(found.counts) <= size
    for share in SHARES:
        true = nearest_rank(values, share)
        assert true - found.step < found.at(share) <= true or found.at(share) == found.least
    assert (found.least, found.greatest, found.total) == (min(values), max(values), len(values))
    if found.step > 1:  # no coarser than it has to be
        assert len({value // (found.step // 2) for value in values}) > size


@pytest.mark.parametrize("size", [10_000, 8])
@given(values=VALUES, cuts=st.lists(st.integers(0, 200), max_size=4), data=st.data())
def test_however_the_values_came(size: int, values: list[int], cuts: list[int], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histogram, "EXACT", size)
        whole, merged = of(values), Histogram()
        for begin, end in pairwise(sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})):
            merged.merge(of(shuffled[begin:end]))
    assert state(merged) == state(whole)


def test_nothing_and_many_at_once(exact: int) -> None:
    found = Histogram()
    found.merge(Histogram())
    assert (found.total, found.at(0.5)) == (0, 0)
    found.add(7, 3)
    found.add(9)
    assert (found.total, found.at(0.5), found.at(0.9)) == (4, 7, 9)
