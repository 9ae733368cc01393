"""The search by several processes, as seen by the one that merges what they find."""

from collections import deque
from pickle import HIGHEST_PROTOCOL, dumps

from routesim.explore.bounds import Bounds
from routesim.explore.looking.expanding import Expander, KnownMove, Reached
from routesim.explore.moves import Move, make
from routesim.explore.parallel import looker
from routesim.explore.parallel.shares import shared_out
from routesim.explore.parallel.telling import ELSEWHERE, Beginning, Crew, Settled, Share, Steps, Told, steps_of
from routesim.explore.properties import never_broken
from routesim.explore.search import FirstBroken, Search, Watch
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario

ALONE = 32  # states a process in one depth: with fewer it is not worth asking others


NOBODY = -1  # of the processes


class StateAt(NamedTuple):
    """A state of a depth: its number, its fingerprint, and who has it, as bits."""

    number: int
    key: bytes
    had: int


class DepthSteps:
    """What is known of a depth, for whoever looks at the next one: `steps`, by state, with who has looked at it; `settled`: for
    each process."""

    def __init__(self, count: int) -> None:
        self.steps: dict[bytes, tuple[int, Steps]] = {}
        self.settled: list[list[Settled]] = [[] for _ in range(count)]

    def leads(self, state: bytes, move: Move) -> bytes | None:
        """Where a move leads from a state; None: nobody has told."""
        return self.steps[state][1].leads(move)

    def for_others(self, owner: dict[bytes, int]) -> list[dict[bytes, Steps]]:
        """For each process the steps of states that others have looked at, and that lead to one that it is to look at."""
        found: list[dict[bytes, Steps]] = [{} for _ in self.settled]
        for state, (own, steps) in self.steps.items():
            for key in steps.keys:
                who = owner.get(key, own)
                if who != own:
                    found[who][state] = steps
        return found


class ParallelSearch(Search):
    """As `Search`, with the very same answer."""

    def __init__(self, scenario: Scenario, bounds: Bounds, watch: Watch | None, crew: Crew) -> None:
        super().__init__(scenario, bounds, watch)
        self.crew = crew

    def _search(self) -> tuple[int, str]:
        found = super()._search()
        for name, first in self.found.items():
            self.found[name] = self._in_words(name, first)
        return found

    def _next_depth(self, expander: Expander, depth: int, states: list[tuple[int, bytes]]) -> tuple[int, str] | None:
        """Once there is enough to share, others go on. Returns where all has ended; None: not yet begun."""
        count = self.crew.count
        if len(states) < ALONE * count:
            return None
        packed = dumps(self.scenario._replace(topology=None), HIGHEST_PROTOCOL)
        self.crew.ask(looker.begin, [Beginning(who, packed, self.bounds) for who in range(count)])
        at, before = [StateAt(number, key, 0) for number, key in states], DepthSteps(count)
        before.steps = {key: (NOBODY, steps_of(known)) for key, known in expander.steps_before.items()}
        while at:
            found, before = DepthSteps(count), before
            try:
                why, at = self._shared_depth(depth, at, before, found)
            finally:
                while self.crew.heard():
                    pass
            if why:
                return depth, why
            before = found
            depth += 1
        return depth - 1, ""

    def _shared_depth(self, depth: int, states: list[StateAt], before: DepthSteps, now: DepthSteps) -> tuple[str, list[StateAt]]:
        """Returns which bound has ended it, and the states of the next depth."""
        has = shared_out([state.had for state in states], self.crew.count)
        self._share(states, has, before)
        told: list[deque[Told]] = [deque() for _ in range(self.crew.count)]
        left = [has.count(who) for who in range(self.crew.count)]
        new: list[int] = []
        having: dict[bytes, int] = {}
        place = 0
        while place < len(states):
            for who, answer in self.crew.heard():
                told[who].extend(answer)
                left[who] -= len(answer)
                if left[who]:
                    self.crew.give(who, looker.look, None)
            while place < len(states) and told[has[place]]:
                why = self._bound(self.expanded, depth, len(self.known) - self.expanded - 1)
                if why:
                    return why, []
                who = has[place]
                new += self._merged(states[place], who, told[who].popleft(), now, having)
                place += 1
        return "", [StateAt(number, key, bits) for number, (key, bits) in zip(new, having.items(), strict=True)]

    def _share(self, states: list[StateAt], has: list[int], before: DepthSteps) -> None:
        """Everybody hears of the next depth."""
        keys = [state.key for state in states]
        steps = before.for_others(dict(zip(keys, has, strict=True)))
        ways: list[dict[int, list[Move]]] = [{} for _ in steps]
        for place, (state, who) in enumerate(zip(states, has, strict=True)):
            if not state.had >> who & 1:
                ways[who][place] = self._way(state.number)
        for who in range(self.crew.count):
            share = Share(keys, bytes(has), ways[who], before.settled[who], steps[who])
            self.crew.give(who, looker.look, share)

    def _merged(self, state: StateAt, who: int, told: Told, now: DepthSteps, having: dict[bytes, int]) -> list[int]:
        """What a process tells of a state is noted: `having`, who has each new state, as bits. Returns the new ones' numbers."""
        bit, keys = 1 << who, told.steps.keys
        if told.put_off:
            told = self._settled(state, who, told, now)
        if told.steps.signs:
            now.steps[state.key] = who, told.steps
        new = self._merge(state.number, told.looked())
        having.update((key, 0) for _, key in new)
        for key in keys:
            if key in having:
                having[key] |= bit
        return [number for number, _ in new]

    def _settled(self, state: StateAt, who: int, told: Told, now: DepthSteps) -> Told:
        """Where all its moves lead."""
        steps, more = told.steps, told.more
        others, keys = iter(told.put_off), list[bytes]()
        for place, (move, key, signs) in enumerate(zip(*steps, strict=True)):
            if key == ELSEWHERE:
                leads = now.leads(*next(others))
                if leads is None:  # nobody has made it
                    made = self._made(state, move)
                    more, leads = {**more, place: made}, made.key
                now.settled[who].append(Settled(state.key, move, KnownMove(leads, signs)))
                key = leads
            keys.append(key)
        return told._replace(steps=Steps(steps.moves, tuple(keys), steps.signs), more=more)

    def _way(self, index: int) -> list[Move]:
        """The moves that lead to a state."""
        found: list[Move] = []
        while (move := self.made[index]) is not None:
            found.append(move)
            index = self.parents[index]
        return found[::-1]

    def _made(self, state: StateAt, move: Move) -> Reached:
        expander, world = self._come_to(state.number)
        make(world, move)
        return Reached(move, world.fingerprint(), tuple(expander.broken_in(world)))

    def _come_to(self, number: int) -> tuple[Expander, World]:
        """By the way that is kept."""
        expander = Expander(self.scenario, self.bounds, ())
        for move in self._way(number):
            make(expander.root, move)
        return expander, expander.root

    def _in_words(self, name: str, first: FirstBroken) -> FirstBroken:
        """As it is told of the way that is kept: a process may have come there by another one."""
        expander, world = self._come_to(first.state)
        told = {f"never {number}": broken for number, broken in never_broken(world)}
        told |= dict((*expander.broken_in(world), *expander.at_end(world)[0]))
        return first._replace(broken=told.get(name, first.broken))
