"""The search in several processes: each looks at the states that it has come to itself, and one process merges what they find, in
the order in which it would have found it alone.

So the answer is the same, whatever is how fast. A state itself never leaves its process: where one has too much to look at, it
tells another by which moves a state is reached.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pickle import HIGHEST_PROTOCOL, dumps, loads
from typing import Any, Protocol

from routesim.explore.bounds import Bounds
from routesim.explore.looking.expanding import Expander, Looked
from routesim.explore.moves import Move, make
from routesim.explore.search import Search, Watch, collecting_seldom
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario

ALONE = 32  # states a process in one depth: with fewer it is not worth asking others
ROUND = 128  # states that a process looks at before it tells
UNEVEN = 1.1  # how much more than its share a process may have


class Crew(Protocol):
    """Processes that are asked one after the other, and work at the same time."""

    @property
    def count(self) -> int: ...

    def ask(self, task: Callable[[Any], Any], questions: Sequence[Any]) -> list[Any]:
        """A question for each of the first so many, always the same process in the same place; their answers. `task` is a
        function of a module. Raises what it raises."""


class Beginning(NamedTuple):
    """`scenario` is pickled."""

    scenario: bytes
    bounds: Bounds


class Share(NamedTuple):
    """What a process is to look at in one depth, in this order; `ways`: the moves that lead to those that it does not have."""

    keys: list[bytes]
    ways: dict[bytes, list[Move]]


class ParallelSearch(Search):
    """As `Search`, with the very same answer."""

    def __init__(self, scenario: Scenario, bounds: Bounds, watch: Watch | None, crew: Crew) -> None:
        super().__init__(scenario, bounds, watch)
        self.crew = crew

    def _next_depth(self, depth: int, states: list[tuple[int, bytes]]) -> tuple[int, str] | None:
        """Once there is enough to share, others go on. Returns where all has ended; None: not yet begun."""
        if len(states) < ALONE * self.crew.count:
            return None
        packed = dumps(self.scenario._replace(topology=None), HIGHEST_PROTOCOL)
        self.crew.ask(begin, [Beginning(packed, self.bounds)] * self.crew.count)
        at = [(index, key, -1) for index, key in states]
        while at:
            found = self._shared_depth(depth, at)
            if isinstance(found, str):
                return depth, found
            at = found
            depth += 1
        return depth - 1, ""

    def _shared_depth(self, depth: int, states: list[tuple[int, bytes, int]]) -> list[tuple[int, bytes, int]] | str:
        """Each state with its number, its fingerprint and the process that has it, -1: none. Returns those of the next depth, or
        which bound has ended it."""
        has = self._shared_out([who for _, _, who in states])
        shares = [Share([], {}) for _ in range(self.crew.count)]
        for (index, key, had), who in zip(states, has, strict=True):
            shares[who].keys.append(key)
            if had != who:
                shares[who].ways[key] = self._way(index)
        told: list[deque[Looked]] = [deque() for _ in shares]
        questions: list[Share | None] = [*shares]
        new: list[tuple[int, bytes, int]] = []
        place = 0
        while place < len(states):
            for who, answer in enumerate(self.crew.ask(look, questions)):
                told[who].extend(answer)
            questions = [None] * self.crew.count
            while place < len(states) and told[has[place]]:
                why = self._bound(self.expanded, depth, len(self.known) - self.expanded - 1)
                if why:
                    return why
                who = has[place]
                new += [(target, key, who) for target, key in self._merge(states[place][0], told[who].popleft())]
                place += 1
        return new

    def _shared_out(self, had: list[int]) -> list[int]:
        """Who is to look at each: who has it, unless that is far more than its share. Neighbours stay together, of which one
        tells where the moves of the other lead."""
        count = self.crew.count
        most = int(len(had) / count * UNEVEN) + 1
        loads, found = [0] * count, list[int]()
        for place, who in enumerate(had):
            chosen = who if who >= 0 else place * count // len(had)
            if loads[chosen] >= most:
                chosen = min(range(count), key=loads.__getitem__)
            loads[chosen] += 1
            found.append(chosen)
        return found

    def _way(self, index: int) -> list[Move]:
        """The moves that lead to a state."""
        found: list[Move] = []
        while (move := self.made[index]) is not None:
            found.append(move)
            index = self.parents[index]
        return found[::-1]


class Looker:
    """What one of the processes has."""

    def __init__(self, scenario: Scenario, bounds: Bounds) -> None:
        self.known: set[bytes] = set()
        self.expander = Expander(scenario, bounds, self.known)
        self.worlds: dict[bytes, World] = {}  # that this process has come to in this depth
        self.todo: deque[tuple[bytes, World]] = deque()
        self.led: list[tuple[Move, World]] = []  # the last way that was gone, with the states on it

    def take(self, share: Share) -> None:
        """The next depth."""
        had, self.worlds = self.worlds, {}
        self.todo = deque((key, had[key] if key not in share.ways else self._led(share.ways[key])) for key in share.keys)
        self.led.clear()
        self.known.update(share.keys)
        self.expander.next_depth()

    def _led(self, way: list[Move]) -> World:
        """What is gone of it already, for a neighbour, is not gone again."""
        same = 0
        while same < min(len(way), len(self.led)) and self.led[same][0] == way[same]:
            same += 1
        del self.led[same:]
        world = self.led[-1][1] if self.led else self.expander.root
        for move in way[same:]:
            world = world.copy()
            make(world, move)
            self.led.append((move, world))
        return world.copy()

    def looks(self) -> Iterator[Looked]:
        while self.todo:
            looked, worlds = self.expander.expand(*self.todo.popleft())
            self.known.update(worlds)
            self.worlds.update(worlds)
            yield looked


_LOOKERS: list[Looker] = []  # of this process: one


def begin(beginning: Beginning) -> None:
    collecting_seldom()
    _LOOKERS[:] = [Looker(loads(beginning.scenario), beginning.bounds)]


def look(share: Share | None) -> list[Looked]:
    """At the next states; `share`: these are to come from now on."""
    (looker,) = _LOOKERS
    if share is not None:
        looker.take(share)
    return [looked for _, looked in zip(range(ROUND), looker.looks(), strict=False)]
