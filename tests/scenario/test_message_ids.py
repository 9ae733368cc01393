"""Which ids of messages are taken: ranges of numbers say the same as each of their names."""

from hypothesis import given
from hypothesis import strategies as st

from routesim.scenario.sections.ids import Ids

SMALL = st.integers(0, 30)


@given(st.lists(st.one_of(SMALL.map(lambda number: (number, 0)), st.tuples(SMALL, st.integers(1, 6))), max_size=12), SMALL)
def test_a_range_of_ids_is_as_each_of_its_ids(added: list[tuple[int, int]], asked: int) -> None:
    """A pair of a first number and how many from there on; 0: the id is written out."""
    ids, taken = Ids(), set[int]()
    for first, count in added:
        numbers = set(range(first, first + max(count, 1)))
        fresh = ids.add_range("m", first, count) if count else ids.add(f"m{first}")
        assert fresh == taken.isdisjoint(numbers)
        taken |= numbers
    assert (f"m{asked}" in ids) == (asked in taken)
