"""What an exploration comes to, as values."""

from routesim.explore.bounds import Bounds, bounds_of
from routesim.explore.mapped import StateMap
from routesim.explore.moves import Move
from routesim.explore.properties import Broken
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario

HOLDS, BROKEN, VACUOUS, UNDECIDED = "holds", "broken", "vacuous", "not decided"


class Counterexample(NamedTuple):
    """The shortest course of events in which a property does not hold: its moves, each in words
    and with its time in ms, and what is broken then. `races`: what fell out in it otherwise than usual, where RabbitMQ leaves
    the outcome open."""

    broken: Broken
    moves: tuple[Move, ...]
    words: tuple[str, ...]
    times: tuple[int, ...]
    races: tuple[str, ...] = ()

    @property
    def failures(self) -> list[str]:
        """The failures in it, in words."""
        return [text for text, move in zip(self.words, self.moves, strict=True) if move.failure]


class Cure(NamedTuple):
    """A change after which a property holds, as it was tried: what is changed, and what it costs, "" nothing."""

    change: str
    costs: str


class PropertyVerdict(NamedTuple):
    """One property with its verdict, one of `HOLDS`, `BROKEN`, `VACUOUS` (no state asked it) and `UNDECIDED` (not all states are
    known). `line`: where it stands, 0: it is one of the table. `example`: why it is broken. `moments`: of how many moments at
    which the failure of the example may happen it is harmless in how many; None: not known."""

    name: str
    sentence: str
    verdict: str
    line: int = 0
    example: Counterexample | None = None
    moments: tuple[int, int] | None = None
    cures: tuple[Cure, ...] = ()


class Explored(NamedTuple):
    """`states`: different ones; `tried`: moves carried out; all states that take at most `whole_depth` moves are known. `why`:
    which bound ended it, "": it is complete. `ends`: states in which all is over. `by_depth`: after so many
    moves, from 0, how many states there are, and in how many of them something is broken. `counted`: what they
    are, where they are no states. `races`: moves of which RabbitMQ leaves the outcome open, as often as they were tried."""

    states: int
    tried: int
    ends: int
    whole_depth: int
    why: str
    asked: tuple[PropertyVerdict, ...]
    frontier: int = 0
    by_depth: tuple[tuple[int, int], ...] = ()
    counted: str = "states"
    races: int = 0
    map: StateMap | None = None

    @property
    def complete(self) -> bool:
        return not self.why

    @property
    def broken(self) -> list[PropertyVerdict]:
        return [item for item in self.asked if item.verdict == BROKEN]


class Exploration(NamedTuple):
    """A scenario with what its exploration came to. `budget`: which failures there might be, in words; `breaks`: what the
    scenario says that does not hold; `left_out`: what was not looked at."""

    file: str
    name: str
    budget: str
    breaks: tuple[str, ...]
    explored: Explored
    left_out: tuple[str, ...]
    hash_bits: int
    scenario: Scenario
    bounds: Bounds

    @property
    def as_said(self) -> bool:
        """Whether all that is broken is what the scenario says, and nothing that it says holds."""
        return all(item.name in self.breaks for item in self.explored.broken) and not self.missed

    @property
    def missed(self) -> list[str]:
        """What the scenario says that is broken, and is not, as far as all is known and was asked for: the command line may ask
        for other properties than the scenario does."""
        if not self.explored.complete:
            return []
        broken = {item.name for item in self.explored.broken}
        own = bounds_of(self.scenario).properties
        left_off = {name for name in own if name not in self.bounds.properties}
        return [name for name in self.breaks if name not in broken and name not in left_off]
