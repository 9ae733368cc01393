"""One thing that happens, and what a kind of them is."""

from collections.abc import Callable

from routesim.explore.world import World
from routesim.named_tuples import NamedTuple


class Move(NamedTuple):
    """One thing that happens: its kind, whom it is about, and which of several (in the order in which the state has them).
    `failure`: the kind of failure that it spends, "": none. `draws`: how chance falls out in it."""

    kind: str
    who: str = ""
    number: int = 0
    failure: str = ""
    draws: tuple[int, ...] = ()


class MoveKind(NamedTuple):
    """`make` changes the state, `says` is what happens in words, asked for before."""

    make: Callable[[World, Move], None]
    says: Callable[[World, Move], str]
