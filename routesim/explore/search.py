"""The search, breadth first: every state once, told apart by its fingerprint, the shortest course of events to each kept."""

import gc
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator

from routesim.explore.answer import BROKEN, HOLDS, UNDECIDED, VACUOUS, Counterexample, Explored, PropertyVerdict
from routesim.explore.bounds import Bounds
from routesim.explore.course import publishes
from routesim.explore.independence import Clues, Independence, clues_of
from routesim.explore.mapped import StateMap, map_of
from routesim.explore.moves import Move, make, moves, outcome, said
from routesim.explore.properties import (
    ALWAYS,
    AT_END,
    PROPERTIES,
    Broken,
    expect_broken,
    expectations_of,
    never_broken,
)
from routesim.explore.root import root_of
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.promises import said as rule_said
from routesim.scenario import Do, Scenario
from routesim.steps import DeclareExchange

HASH_BITS = 128
LOOK_EVERY = 256  # states between two looks at the bounds
COLLECTED = (100_000, 20, 100)


class HowFar(NamedTuple):
    """How far a search is; `frontier`: states that are still to be looked at."""

    states: int
    depth: int
    frontier: int


Watch = Callable[[HowFar], str]


class FirstBroken(NamedTuple):
    """Where a property was broken first; `goes_round`: what breaks it is that no end can be reached from there."""

    state: int
    broken: Broken
    goes_round: bool = False


class KnownMove(NamedTuple):
    """Where a move leads, and what it has to do with; None: perhaps with everything."""

    target: int
    signs: frozenset[str] | None


def digest(world: World) -> bytes:
    """128 bits that stand for the state."""
    return world.fingerprint()


def _by_chance(scenario: Scenario, root: World) -> bool:
    """Whether a move may fall out in several ways."""
    rules = (rule for consumer in scenario.consumers.values() for rule in consumer.on_message)
    draws = any(state.matcher.by_chance for state in root.broker.exchanges.values())
    return root.setting.races or draws or any(rule.chance is not None for rule in rules) or _declares(scenario)


def _declares(scenario: Scenario) -> bool:
    """Whether a step may declare an exchange that throws dice."""
    actions = (step.action for step in scenario.steps)
    return any(isinstance(each, DeclareExchange) for action in actions if isinstance(action, Do) for each in action.steps)


class Search:
    """`watch` is called now and then, and says why to stop; "": go on."""

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
        self.steps: dict[int, dict[Move, KnownMove]] = {}  # of the states of this depth, as far as they have been looked at
        self.steps_before: dict[int, dict[Move, KnownMove]] = {}  # of the depth before
        self.incoming: dict[int, list[tuple[int, Move]]] = {}  # of the states of the next depth: from where, by which move
        self.last_of_depth = 0
        self.failing = array("q")  # which of the moves between states are failures
        self.tried = self.races = 0
        self.holding: dict[int, list[int]] = {}  # by number of an expectation: the ends at which it held
        self.exercised: set[int] = set()  # rules of never about a message that there was
        self.properties = {name: PROPERTIES[name] for name in bounds.properties}
        self.by_move = [(name, item) for name, item in self.properties.items() if item.when == ALWAYS]
        self.by_end = [(name, item) for name, item in self.properties.items() if item.when == AT_END]

    def run(self) -> Explored:
        """Until all states are known, or a bound is reached. Meanwhile the collector of garbage looks less often: there are many
        states, and few of them are garbage soon."""
        before = gc.get_threshold()
        gc.set_threshold(*COLLECTED)
        try:
            return self._run()
        finally:
            gc.set_threshold(*before)

    def _run(self) -> Explored:
        root = root_of(self.scenario, self.bounds)
        self.expectations = expectations_of(self.scenario) if self.bounds.expect is not None else ()
        self.by_chance = _by_chance(self.scenario, root)
        self.independence = Independence(self.scenario, root)
        self._enter(root, -1, None)
        frontier: deque[tuple[int, World]] = deque([(0, root)])
        depth, why, self.last_of_depth = 0, "", 0
        expanded = 0
        while frontier:
            index, world = frontier.popleft()
            if index > self.last_of_depth:
                depth += 1
                self.steps_before, self.steps = self.steps, {}
                self.last_of_depth = len(self.parents) - 1
            why = self._bound(expanded, depth, len(frontier))
            if why:
                frontier.appendleft((index, world))
                break
            expanded += 1
            self._expand(index, world, frontier)
        return Explored(
            len(self.known), self.tried, len(self.ends), depth if not why else max(depth - 1, 0), why,
            tuple(self._verdicts(complete=not why)), len(frontier), tuple(self._by_depth()), races=self.races, map=self._map(),
        )  # fmt: skip

    def _bound(self, expanded: int, depth: int, frontier: int) -> str:
        if len(self.known) >= self.bounds.max_states:
            return f"--max-states {self.bounds.max_states:,}"
        if expanded % LOOK_EVERY or self.watch is None:
            return ""
        return self.watch(HowFar(len(self.known), depth, frontier))

    def _expand(self, index: int, world: World, frontier: deque[tuple[int, World]]) -> None:
        own, failures = moves(world)
        if not own:
            self._end(index, world)
        # What happens by itself is tried first: of two ways as long, that with fewer failures is kept.
        todo = [*own, *failures][::-1]
        steps: dict[Move, KnownMove] = {}
        known = self._known_steps(index, todo)
        to_make = len(todo) - len(known)
        before = clues_of(world)
        while todo:
            move = todo.pop()
            self.tried += 1
            step = known.get(move)
            if step is None:
                # The last one may use up the state itself, where nothing of chance may be left to be tried from it.
                to_make -= 1
                copied = world.copy() if to_make > 0 or self.by_chance else world
                draws = make(copied, move)
                self.races += draws.races > 0
                if draws.made:
                    todo += [move._replace(draws=other) for other in draws.others()]
                    move = move._replace(draws=tuple(drawn for drawn, *_ in draws.made))
                step = KnownMove(self._target(copied, index, move, frontier), self._signs(copied, move, before))
            steps[move] = step
            if step.target > self.last_of_depth and step.signs is not None:
                self.incoming.setdefault(step.target, []).append((index, move))
            if move.failure:
                self.failed.append((step.target, move))
                self.failing.append(len(self.sources))
            self.sources.append(index)
            self.targets.append(step.target)
        if self.independence.known:
            self.steps[index] = steps

    def _target(self, world: World, parent: int, move: Move, frontier: deque[tuple[int, World]]) -> int:
        """The number of the state that a move has led to."""
        key = digest(world)
        target = self.known.get(key)
        if target is None:
            target = self._enter(world, parent, move, key)
            frontier.append((target, world))
        if self.scenario.never:
            self._exercise(world)
            for number, broken in never_broken(world):
                self._note(f"never {number}", target, broken)
        return target

    def _signs(self, world: World, move: Move, before: Clues) -> frozenset[str] | None:
        return None if move.draws or not self.independence.known else self.independence.signs(world, move, before)

    def _known_steps(self, index: int, todo: list[Move]) -> dict[Move, KnownMove]:
        """Where moves lead of which that is known without making them: those that could have come before the one that led here,
        and have nothing to do with it. Then it was made after them already."""
        found: dict[Move, KnownMove] = {}
        for parent, last in self.incoming.pop(index, ()):
            siblings = self.steps_before[parent]
            here = siblings[last].signs
            if here is None:
                continue
            for move in todo:
                sibling = siblings.get(move)
                if sibling is None or sibling.signs is None or move in found or not here.isdisjoint(sibling.signs):
                    continue
                after = (self.steps.get(sibling.target) or self.steps_before.get(sibling.target, {})).get(last)
                if after is not None:
                    found[move] = KnownMove(after.target, sibling.signs)
        return found

    def _enter(self, world: World, parent: int, move: Move | None, key: bytes | None = None) -> int:
        index = len(self.parents)
        self.known[key or digest(world)] = index
        self.parents.append(parent)
        self.made.append(move)
        for name, item in self.by_move:
            assert item.broken is not None
            broken = item.broken(world)
            if broken is not None:
                self._note(name, index, broken)
        if world.broker.livelock is not None:
            message, places = world.broker.livelock
            self._note("livelock", index, Broken(message, f"it goes round without time passing: {' → '.join(places)}"))
        return index

    def _note(self, name: str, state: int, broken: Broken) -> None:
        self.found.setdefault(name, FirstBroken(state, broken))
        self.bad.setdefault(name, []).append(state)

    def _end(self, index: int, world: World) -> None:
        self.ends.append(index)
        for name, item in self.by_end:
            assert item.broken is not None
            broken = item.broken(world)
            if broken is not None:
                self._note(name, index, broken)
        if not self.expectations:
            return
        failed = dict(expect_broken(world))
        for number in range(len(self.expectations)):
            if number not in failed:
                self.holding.setdefault(number, []).append(index)
            elif self.bounds.expect == "always":
                self._note(f"expect {number}", index, failed[number])

    def _exercise(self, world: World) -> None:
        for number, rule in enumerate(self.scenario.never):
            if number not in self.exercised:
                about = (getattr(event, "message", None) for event in world.events)
                if any(message in rule.messages if rule.messages else message for message in about):
                    self.exercised.add(number)

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
