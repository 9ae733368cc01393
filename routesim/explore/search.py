"""The search, breadth first: every state once, told apart by its fingerprint, the shortest course of events to each kept."""

import gc
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator

from routesim.explore.answer import BROKEN, HOLDS, UNDECIDED, VACUOUS, Counterexample, Explored, PropertyVerdict
from routesim.explore.bounds import Bounds
from routesim.explore.course import publishes
from routesim.explore.looking.expanding import Expander, Looked, Note
from routesim.explore.mapped import StateMap, map_of
from routesim.explore.moves import Move, make, moves, outcome, said
from routesim.explore.properties import (
    PROPERTIES,
    Broken,
    expectations_of,
)
from routesim.explore.root import root_of
from routesim.explore.world import World
from routesim.garbage import look_seldom
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.promises import said as rule_said
from routesim.scenario import Scenario

HASH_BITS = 128
LOOK_EVERY = 256  # states between two looks at the bounds
COLLECTED = (100_000, 20, 100)


class HowFar(NamedTuple):
    """How far a search is; `frontier`: states that are still to be looked at."""

    states: int
    depth: int
    frontier: int


Frontier = deque[tuple[int, bytes, World]]  # states with their numbers and fingerprints
Watch = Callable[[HowFar], str]


class FirstBroken(NamedTuple):
    """Where a property was broken first; `goes_round`: what breaks it is that no end can be reached from there."""

    state: int
    broken: Broken
    goes_round: bool = False


def digest(world: World) -> bytes:
    """128 bits that stand for the state."""
    return world.fingerprint()


class Search:
    """`watch` is called now and then, and says why to stop; "": go on."""

    expander: type[Expander] = Expander

    def __init__(self, scenario: Scenario, bounds: Bounds, watch: Watch | None = None) -> None:
        self.scenario, self.bounds, self.watch = scenario, bounds, watch
        self.known: dict[bytes, int] = {}
        self.parents = array("q")
        self.made: list[Move | None] = []
        self.sources, self.targets = array("q"), array("q")  # the moves between states
        self.ends: list[int] = []
        self.found: dict[str, FirstBroken] = {}
        self.met: dict[str, int] = {}  # how many states each property was asked of
        self.bad: dict[str, list[int]] = {}  # by property: the states that break it
        self.failed: list[tuple[int, Move]] = []  # the states that failures lead to
        self.failing = array("q")  # which of the moves between states are failures
        self.tried = self.races = self.expanded = 0
        self.holding: dict[int, list[int]] = {}  # by number of an expectation: the ends at which it held
        self.exercised: set[int] = set()  # rules of never about a message that there was
        self.properties = {name: PROPERTIES[name] for name in bounds.properties}
        self.expectations = expectations_of(scenario) if bounds.expect is not None else ()

    def run(self) -> Explored:
        """Until all states are known, or a bound is reached. Meanwhile the collector of garbage looks less often: there are many
        states, and few of them are garbage soon."""
        before = look_seldom(*COLLECTED)
        try:
            return self._run()
        finally:
            gc.set_threshold(*before)

    def _run(self) -> Explored:
        depth, why = self._search()
        expanded = self.expanded
        return Explored(
            len(self.known), self.tried, len(self.ends), depth if not why else max(depth - 1, 0), why,
            tuple(self._verdicts(complete=not why)), len(self.known) - expanded, tuple(self._by_depth()), races=self.races,
            map=self._map(),
        )  # fmt: skip

    def _search(self) -> tuple[int, str]:
        """Returns the depth that was come to, and which bound ended it."""
        expander = self.expander(self.scenario, self.bounds, self.known)
        frontier = self._begin(expander)
        return self._go_on(expander, frontier)

    def _begin(self, expander: Expander) -> Frontier:
        """With the first state."""
        root = expander.root
        key = digest(root)
        self._enter(key, -1, None, tuple(expander.broken_in(root)))
        return deque([(0, key, root)])

    def _go_on(self, expander: Expander, frontier: Frontier) -> tuple[int, str]:
        depth = last_of_depth = 0
        while frontier:
            index, key, world = frontier.popleft()
            if index > last_of_depth:
                depth += 1
                last_of_depth = len(self.parents) - 1
                expander.next_depth()
                ended = self._next_depth(expander, depth, [(index, key), *((number, of) for number, of, _ in frontier)])
                if ended is not None:
                    return ended
            why = self._bound(self.expanded, depth, len(frontier))
            if why:
                return depth, why
            looked, worlds = expander.expand(key, world)
            frontier.extend((target, key, worlds[key]) for target, key in self._merge(index, looked))
        return depth, ""

    def _next_depth(self, expander: Expander, depth: int, states: list[tuple[int, bytes]]) -> tuple[int, str] | None:
        """These are all states of a depth that is about to be looked at. Whoever looks at them, and at all that follow, returns
        the depth that was come to, and which bound ended it."""
        return None

    def _bound(self, expanded: int, depth: int, frontier: int) -> str:
        if len(self.known) >= self.bounds.max_states:
            return f"--max-states {self.bounds.max_states:,}"
        if expanded % LOOK_EVERY or self.watch is None:
            return ""
        return self.watch(HowFar(len(self.known), depth, frontier))

    def _merge(self, index: int, looked: Looked) -> list[tuple[int, bytes]]:
        """What was found in a state is noted. Returns the new states, with their numbers."""
        self.expanded += 1
        if looked.ends:
            self.ends.append(index)
            for name, broken in looked.broken:
                self._note(name, index, broken)
            for number in looked.holding:
                self.holding.setdefault(number, []).append(index)
        new = []
        for move, key, broken_there, never, exercised, races in looked.reached:
            target = self.known.get(key)
            if target is None:
                target = self._enter(key, index, move, broken_there)
                new.append((target, key))
            for name, broken in never:
                self._note(name, target, broken)
            self.exercised.update(exercised)
            self.races += races
            if move.failure:
                self.failed.append((target, move))
                self.failing.append(len(self.sources))
            self.sources.append(index)
            self.targets.append(target)
        self.tried += len(looked.reached)
        return new

    def _enter(self, key: bytes, parent: int, move: Move | None, notes: tuple[Note, ...]) -> int:
        index = len(self.parents)
        self.known[key] = index
        self.parents.append(parent)
        self.made.append(move)
        for name, broken in notes:
            self._note(name, index, broken)
        return index

    def _note(self, name: str, state: int, broken: Broken) -> None:
        self.found.setdefault(name, FirstBroken(state, broken))
        self.bad.setdefault(name, []).append(state)

    def _map(self) -> StateMap:
        found = {name: (first.state, self.bad.get(name, ())) for name, first in self.found.items()}
        return map_of(self.parents, self.sources, self.targets, self.failing, self.ends, found)

    def _by_depth(self) -> Iterator[tuple[int, int]]:
        depths = array("q")
        for parent in self.parents:
            depths.append(0 if parent < 0 else depths[parent] + 1)
        bad = {state for states in self.bad.values() for state in states}
        counts, broken = Counter(depths), Counter(depths[state] for state in bad)
        for depth in range(len(counts)):
            yield counts[depth], broken[depth]

    # Verdicts ----------------------------------------------------------------------------------------------------------

    def _verdicts(self, *, complete: bool) -> list[PropertyVerdict]:
        if "livelock" in self.properties and complete and "livelock" not in self.found:
            self._look_for_livelock()
        found = [self._verdict(name, item.sentence, 0, complete=complete) for name, item in self.properties.items()]
        for number, rule in enumerate(self.scenario.never):
            found.append(self._verdict(f"never {number}", f"never: {rule_said(rule)}", rule.line, complete=complete))
        for number, each in enumerate(self.expectations):
            found.append(self._expected(number, each.line, ".".join(each.path), complete=complete))
        return found

    def _verdict(self, name: str, sentence: str, line: int, *, complete: bool) -> PropertyVerdict:
        shown = name.split()[0]
        if name in self.found:
            example = self._example(self.found[name])
            return PropertyVerdict(shown, sentence, BROKEN, line, example, self._moments(name, example) if complete else None)
        if not complete:
            return PropertyVerdict(shown, sentence, UNDECIDED, line)
        return PropertyVerdict(shown, sentence, VACUOUS if self._vacuous(name) else HOLDS, line)

    def _vacuous(self, name: str) -> bool:
        """Whether no state has asked it: nothing is published, nobody consumes, or the run ends before it has come to rest."""
        if name.startswith("never "):
            return int(name.split()[1]) not in self.exercised
        if name.startswith("expect "):
            return not self.ends
        if name in ("lost", "lost-confirmed", "duplicated", "order", "order-by-key", "stuck") and not publishes(self.scenario):
            return True
        if name in ("duplicated", "order", "order-by-key", "stuck") and not self.scenario.consumers:
            return True
        return name == "stuck" and self.scenario.until != "idle"

    def _expected(self, number: int, line: int, path: str, *, complete: bool) -> PropertyVerdict:
        how = self.bounds.expect
        name, sentence = f"expect {number}", f"expect {path} holds at {'every end' if how == 'always' else 'some end'}"
        if how == "always":
            return self._verdict(name, sentence, line, complete=complete)
        if how == "reachable":
            sentence = f"an end at which expect {path} holds can be reached from everywhere"
            if complete:
                far = self._not_reaching(self.holding.get(number, []))
                if far is not None:
                    self._note(name, far, Broken("", f"no end at which {path} is as expected can be reached any more"))
            return self._verdict(name, sentence, line, complete=complete)
        if number in self.holding:
            return PropertyVerdict("expect", sentence, HOLDS, line)
        return PropertyVerdict("expect", sentence, BROKEN if complete else UNDECIDED, line)

    def _look_for_livelock(self) -> None:
        """A state from which no end can be reached."""
        far = self._not_reaching(self.ends)
        if far is not None:
            broken = Broken("", "from here on it never comes to an end, and what happens last happens again and again")
            self.found["livelock"] = FirstBroken(far, broken, goes_round=True)

    def _moments(self, name: str, example: Counterexample) -> tuple[int, int] | None:
        """At how many of the moments at which the example's last failure may happen it is harmless."""
        failure = next((move for move in reversed(example.moves) if move.failure), None)
        if failure is None or name not in self.bad:
            return None
        reaches = self._reaching(self.bad[name])
        same = [target for target, move in self.failed if (move.kind, move.who) == (failure.kind, failure.who)]
        return sum(not reaches[target] for target in same), len(same)

    def _not_reaching(self, goals: list[int]) -> int | None:
        """The first state from which none of these can be reached."""
        far = self._reaching(goals).find(0)
        return far if far >= 0 else None

    def _reaching(self, goals: list[int]) -> bytearray:
        """1 for each state from which one of these can be reached."""
        before: dict[int, list[int]] = {}
        for source, target in zip(self.sources, self.targets, strict=True):
            before.setdefault(target, []).append(source)
        reaches = bytearray(len(self.parents))
        todo = list(goals)
        for goal in goals:
            reaches[goal] = 1
        while todo:
            for source in before.get(todo.pop(), ()):
                if not reaches[source]:
                    reaches[source] = 1
                    todo.append(source)
        return reaches

    def _example(self, found: FirstBroken) -> Counterexample:
        path = []
        index = found.state
        while True:
            move = self.made[index]
            if move is None:
                break
            path.append(move)
            index = self.parents[index]
        path.reverse()
        return example_of(self.scenario, self.bounds, path, found.broken, goes_round=found.goes_round)


def example_of(
    scenario: Scenario, bounds: Bounds, path: list[Move], broken: Broken, *, goes_round: bool = False
) -> Counterexample:
    """The moves carried out once more, each in words; `goes_round`: and on, until a state comes again."""
    world, words, times = root_of(scenario, bounds), [], []
    races: list[str] = []
    for move in path:
        words.append(said(world, move))
        times.append(world.now)
        draws = make(world, move)
        words[-1] += outcome(world, draws)
        races += draws.told
    if goes_round:
        _go_round(world, path, words, times)
    return Counterexample(broken, tuple(path), tuple(words), tuple(times), tuple(races))


def _go_round(world: World, path: list[Move], words: list[str], times: list[int]) -> None:
    """Go on from a state from which there is no end, until one comes again."""
    seen = {digest(world)}
    while True:
        own, _ = moves(world)
        words.append(said(world, own[0]))
        times.append(world.now)
        draws = make(world, own[0])
        words[-1] += outcome(world, draws)
        path.append(own[0]._replace(draws=tuple(drawn for drawn, *_ in draws.made)))
        key = digest(world)
        if key in seen:
            return
        seen.add(key)
