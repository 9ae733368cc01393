"""Numbers drawn by chance, one by one and many at once."""

from hypothesis import given
from hypothesis import strategies as st

from routesim.chance import DrawnAhead, uniform


@given(st.integers(0, 2**64), st.integers(0, 2**50), st.integers(1, 300), st.integers(0, 1000), st.floats(0, 1))
def test_many_at_once_are_the_same(seed: int, counter: int, count: int, stream: int, chance: float) -> None:
    numbers, draws = (
        [uniform(seed, counter + number, stream) for number in range(count)],
        DrawnAhead(seed, counter, count, stream),
    )
    for limit in (chance, 0.1, numbers[0], numbers[-1], 0, 1):
        assert list(draws.not_below(limit)) == [number >= limit for number in numbers]


def test_what_is_drawn_does_not_change() -> None:
    drawn = [uniform(seed, counter, stream) for seed, counter, stream in ((0, 1, 0), (7, 2, 3), (2**63, 10**9, 1))]
    assert drawn == [0.6248288744642898, 0.35492246814745765, 0.2556651751129341]
