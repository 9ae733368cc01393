"""What one of the processes of a search has, and does."""

from collections import deque
from collections.abc import Iterator
from pickle import loads
from typing import Any

from routesim.explore.looking.expanding import Expander, Looked, Reached
from routesim.explore.moves import Move, make
from routesim.explore.parallel.telling import ELSEWHERE, Beginning, Share, Signs, Steps, Told
from routesim.explore.search import COLLECTED
from routesim.explore.world import World
from routesim.garbage import look_seldom

ROUND = 128  # states that a process looks at before it tells


class SharingExpander(Expander):
    """One that does not look at all states of a depth. What others have found out, or will before their merger needs it, is not
    found out again. `elsewhere`: the places in this depth of the states that others look at; `place`: of that in hand;
    `put_off`: the moves of it of which others tell where they lead, and which move from which state leads there too."""

    elsewhere: dict[bytes, int]
    place: int
    put_off: dict[Move, tuple[bytes, Move]]

    def _after(self, state: bytes, last: Move, move: Move) -> bytes | None:
        found = super()._after(state, last, move)
        if found is None and self.elsewhere.get(state, self.place) < self.place:
            found = ELSEWHERE
        if found == ELSEWHERE:
            self.put_off[move] = state, last
        return found

    def take(self, share: Share, own: set[bytes], elsewhere: dict[bytes, int]) -> None:
        """The next depth."""
        self.next_depth()
        self.elsewhere = elsewhere
        self.incoming = {key: ways for key, ways in self.incoming.items() if key in own}
        for key, move, leads in share.settled:
            self.steps_before[key][move] = leads
            if leads.key in own:
                self.incoming.setdefault(leads.key, []).append((key, move))
        for key, steps in share.steps.items():
            known = self.steps_before[key] = steps.known()
            for move, leads in known.items():
                if leads.key in own:
                    self.incoming.setdefault(leads.key, []).append((key, move))


class Looker:
    """`todo`: the states that are still to be looked at, by place, with their fingerprints, and where it is not had, the moves
    that lead there."""

    def __init__(self, beginning: Beginning) -> None:
        self.who = beginning.who
        self.known: set[bytes] = set()
        self.expander = SharingExpander(loads(beginning.scenario), beginning.bounds, self.known)
        self.worlds: dict[bytes, World] = {}  # that this process has come to in this depth
        self.todo: deque[tuple[int, bytes, World | list[Move]]] = deque()
        self.led: list[tuple[Move, World]] = []  # the last way that was gone, with the states on it
        self.same: dict[Move | Signs | None, Any] = {}  # of equal ones the first: told again and again, it is short in a pickle

    def take(self, share: Share) -> None:
        had, self.worlds = self.worlds, {}
        own, elsewhere = set[bytes](), dict[bytes, int]()
        self.todo.clear()
        for place, (key, who) in enumerate(zip(share.keys, share.owners, strict=True)):
            if who == self.who:
                own.add(key)
                self.todo.append((place, key, share.ways.get(place) or had[key]))
            else:
                elsewhere[key] = place
        self.led.clear()
        self.known.update(share.keys)
        self.expander.take(share, own, elsewhere)

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

    def looks(self) -> Iterator[Told]:
        expander = self.expander
        while self.todo:
            expander.place, key, world = self.todo.popleft()
            expander.put_off = {}
            looked, worlds = expander.expand(key, self._led(world) if isinstance(world, list) else world)
            self.known.update(worlds)
            self.worlds.update(worlds)
            yield self._told(key, looked)

    def _told(self, key: bytes, looked: Looked) -> Told:
        same, more = self.same, dict[int, Reached]()
        for place, each in enumerate(looked.reached):
            if each.broken or each.never or each.exercised or each.races:
                more[place] = each
        moves = tuple([same.setdefault(each.move, each.move) for each in looked.reached])
        keys = tuple([each.key for each in looked.reached])
        known = self.expander.steps.get(key, {})
        signs = tuple([same.setdefault(step.signs, step.signs) for step in known.values()])
        put_off = self.expander.put_off
        others = tuple([put_off[move] for move, leads in zip(moves, keys, strict=True) if leads == ELSEWHERE]) if put_off else ()
        return Told(Steps(moves, keys, signs), looked.ends, looked.broken, looked.holding, more, others)


_LOOKERS: list[Looker] = []  # of this process: one


def begin(beginning: Beginning) -> None:
    look_seldom(*COLLECTED)
    _LOOKERS[:] = [Looker(beginning)]


def look(share: Share | None) -> list[Told]:
    """At the next states; `share`: these are to come from now on."""
    (looker,) = _LOOKERS
    if share is not None:
        looker.take(share)
    return [found for _, found in zip(range(ROUND), looker.looks(), strict=False)]
