"""The states of a search as a map: how deep each lies, what leads from one to another, where something is broken."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from routesim.named_tuples import NamedTuple

MOST_DRAWN = 400  # states; of more only how many there are at each depth is told


class BrokenStates(NamedTuple):
    """Where a property is broken: the shortest way there, as states, the first one among them; all such states, where the map has
    states, and how many there are at each depth."""

    name: str
    way: tuple[int, ...]
    states: frozenset[int]
    counts: tuple[int, ...]


class StateMap(NamedTuple):
    """`depths`: of each state after how many moves it is reached first; empty, as `edges` is, where there are too many. `edges`:
    from state to state, and whether by a failure. `ends`: states. `failures`: by depth, how many failures were tried there."""

    depths: tuple[int, ...]
    edges: tuple[tuple[int, int, bool], ...]
    ends: frozenset[int]
    broken: tuple[BrokenStates, ...]
    failures: tuple[int, ...]


def map_of(
    parents: Sequence[int], sources: Sequence[int], targets: Sequence[int], failing: Iterable[int], ends: Iterable[int],
    broken: Mapping[str, tuple[int, Iterable[int]]],
) -> StateMap:  # fmt: skip
    """`sources`, `targets`: of all moves that were tried; `failing`: which of them are failures; `broken`: of each property the
    state in which it is broken first, and all of them."""
    depths: list[int] = []
    for parent in parents:
        depths.append(0 if parent < 0 else depths[parent] + 1)
    deepest = max(depths, default=0)
    by_failure = set(failing)
    failures = Counter(depths[sources[number]] for number in by_failure)
    edges: dict[tuple[int, int], bool] = {}
    drawn = len(parents) <= MOST_DRAWN
    for number, way in enumerate(zip(sources, targets, strict=True)) if drawn else ():
        if way[0] != way[1]:
            edges[way] = edges.get(way, True) and number in by_failure
    found = []
    for name, (first, states) in broken.items():
        every = {first, *states}
        counts = Counter(depths[state] for state in every)
        shown = frozenset(every) if drawn else frozenset()
        found.append(BrokenStates(name, _way(parents, first), shown, tuple(counts[depth] for depth in range(deepest + 1))))
    return StateMap(
        tuple(depths) if drawn else (), tuple((*way, failure) for way, failure in edges.items()),
        frozenset(ends) if drawn else frozenset(), tuple(found), tuple(failures[depth] for depth in range(deepest + 1)),
    )  # fmt: skip


def _way(parents: Sequence[int], state: int) -> tuple[int, ...]:
    found = [state]
    while parents[found[-1]] >= 0:
        found.append(parents[found[-1]])
    return tuple(reversed(found))
