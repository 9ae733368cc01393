"""What the processes of a search say to each other."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from routesim.explore.bounds import Bounds
from routesim.explore.looking.expanding import KnownMove, Looked, Note, Reached
from routesim.explore.moves import Move
from routesim.named_tuples import NamedTuple

ELSEWHERE = b""  # in the place of a fingerprint

Signs = frozenset[str]  # what a move had to do with


class Crew(Protocol):
    """Processes that work at the same time, each at one question."""

    @property
    def count(self) -> int: ...

    def ask(self, task: Callable[[Any], Any], questions: Sequence[Any]) -> list[Any]:
        """A question for each of the first so many, always the same process in the same place; their answers. `task` is a
        function of a module. Raises what it raises."""

    def give(self, who: int, task: Callable[[Any], Any], question: Any) -> None:
        """To one of them, which has answered what it was asked before."""

    def heard(self) -> list[tuple[int, Any]]:
        """Waits for an answer, and returns those that are there, with who gives it; none where nobody works."""


class Beginning(NamedTuple):
    """`who`: the place of the process that hears it. `scenario` is pickled."""

    who: int
    scenario: bytes
    bounds: Bounds


class Steps(NamedTuple):
    """Where the moves of a state lead, `ELSEWHERE` where another state tells it. `signs`: of each move, None where nothing is
    known of it; none at all where no move is known to have nothing to do with another."""

    moves: tuple[Move, ...]
    keys: tuple[bytes, ...]
    signs: tuple[Signs | None, ...]

    def known(self) -> dict[Move, KnownMove]:
        return dict(zip(self.moves, map(KnownMove, self.keys, self.signs), strict=True))

    def leads(self, move: Move) -> bytes | None:
        """None: it is not among its moves."""
        return self.keys[self.moves.index(move)] if move in self.moves else None


def steps_of(known: dict[Move, KnownMove]) -> Steps:
    return Steps(tuple(known), tuple([each.key for each in known.values()]), tuple([each.signs for each in known.values()]))


class Settled(NamedTuple):
    """Where a move leads of which a process has left to another to find that out."""

    state: bytes
    move: Move
    leads: KnownMove


class Share(NamedTuple):
    """A depth that is to be looked at: the fingerprints of all its states, in their order, and who has each. For the process
    that hears it: `ways`, the moves that lead to those that it does not have, by place; `settled`; and `steps`, of states of the
    depth before that others have looked at, and from which a move leads to one of its own."""

    keys: list[bytes]
    owners: bytes
    ways: dict[int, list[Move]]
    settled: list[Settled]
    steps: dict[bytes, Steps]


class Told(NamedTuple):
    """What was found in a state. `more`: by place, what is to be said of a move besides; `put_off`: for each move that leads
    `ELSEWHERE`, which move of which state leads there too."""

    steps: Steps
    ends: bool
    broken: tuple[Note, ...]
    holding: tuple[int, ...]
    more: dict[int, Reached]
    put_off: tuple[tuple[bytes, Move], ...]

    def looked(self) -> Looked:
        reached = [*map(Reached, self.steps.moves, self.steps.keys)]
        for place, each in self.more.items():
            reached[place] = each
        return Looked(tuple(reached), self.ends, self.broken, self.holding)
