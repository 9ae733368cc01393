"""Random walks through the courses of events, each reproducible by its number: for more states than can be known."""

from collections.abc import Iterator
from itertools import islice
from pickle import HIGHEST_PROTOCOL, dumps, loads
from random import Random

from routesim.explore.answer import BROKEN, UNDECIDED, Explored, PropertyVerdict
from routesim.explore.bounds import Bounds
from routesim.explore.moves import Move, make, moves
from routesim.explore.parallel import Crew
from routesim.explore.properties import ALWAYS, AT_END, PROPERTIES, Broken, never_broken
from routesim.explore.root import root_of
from routesim.explore.search import HowFar, Watch, example_of
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.promises import said as rule_said
from routesim.run.sweeps.portions import SharedOut, in_order
from routesim.scenario import Scenario

DEEPEST = 10_000  # moves of one walk
DRAWS = 8  # of one move
FAILS = 0.1  # how often a failure happens where one may
LARGEST_PORTION, PORTIONS = 256, 64


class Portion(NamedTuple):
    """Walks with the numbers from `first` up to `end`, for whoever carries them out elsewhere; `scenario` is pickled."""

    scenario: bytes
    bounds: Bounds
    first: int
    end: int


class Walked:
    """The sum of some walks: it is merged with that of those that follow. `found`: of each property the shortest way in which it
    is broken, of two as short that of the earlier walk."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.asked = [name for name in bounds.properties if PROPERTIES[name].broken is not None]
        self.found: dict[str, tuple[list[Move], Broken]] = {}
        self.walks = self.made = self.ends = self.deepest = self.races = 0

    def merge(self, later: "Walked") -> None:
        self.walks += later.walks
        self.made += later.made
        self.ends += later.ends
        self.races += later.races
        self.deepest = max(self.deepest, later.deepest)
        for name, (path, broken) in later.found.items():
            self._note(name, path, broken)

    def walk(self, scenario: Scenario, number: int) -> None:
        """The walk of that number, to its end."""
        dice = Random(f"{self.bounds.seed} {number}")
        world, path = root_of(scenario, self.bounds), list[Move]()
        while len(path) < DEEPEST:
            own, failures = moves(world)
            if not own:
                self.ends += 1
                self._look(AT_END, world, path)
            if failures and (dice.random() < FAILS if own else dice.random() < 0.5):
                move = dice.choice(failures)
            elif own:
                move = dice.choice(own)
            else:
                break
            draws = make(world, move._replace(draws=tuple(dice.randrange(1 << 16) for _ in range(DRAWS))))
            path.append(move._replace(draws=tuple(drawn for drawn, *_ in draws.made)))
            self.made += 1
            self.races += draws.races > 0
            self._look(ALWAYS, world, path)
            for rule, broken in never_broken(world):
                self._note(f"never {rule}", path, broken)
        self.walks += 1
        self.deepest = max(self.deepest, len(path))

    def _look(self, when: str, world: World, path: list[Move]) -> None:
        for name in self.asked:
            item = PROPERTIES[name]
            broken = item.broken(world) if item.when == when and item.broken is not None else None
            if broken is not None:
                self._note(name, path, broken)

    def _note(self, name: str, path: list[Move], broken: Broken) -> None:
        if name not in self.found or len(path) < len(self.found[name][0]):
            self.found[name] = list(path), broken


class Walks:
    """`bounds.walks` of them; a walk is a function of the seed and its number, and so is their sum, whoever carries them out:
    `shared`, a crew, or this process. Of the counterexamples that are met the shortest is kept, which need not be the shortest
    that there is."""

    def __init__(
        self,
        scenario: Scenario,
        bounds: Bounds,
        watch: Watch | None = None,
        shared: SharedOut | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.scenario, self.bounds, self.watch, self.shared, self.crew = scenario, bounds, watch, shared, crew
        self.walks = bounds.walks or 0
        self.sum = Walked(bounds)
        self.stopped = ""

    def run(self) -> Explored:
        root_of(self.scenario, self.bounds)  # what cannot be explored is to be known before it is sent anywhere
        seed, found = self.bounds.seed, self.sum
        why = f"{self.walks:,} random walks with seed {seed}"
        if self.crew is not None:
            for part in self._by(self.crew):
                found.merge(part)
                if self._stops():
                    break
        elif self.shared is None:
            for number in range(self.walks):
                found.walk(self.scenario, number)
                if self._stops():
                    break
        else:
            for part in in_order(self.shared, walked, self._portions(), self._stops):
                found.merge(part)
                if self._stops():
                    break
        if self.stopped and found.walks < self.walks:
            why = f"{self.stopped}, after {found.walks:,} random walks with seed {seed}"
        verdicts = tuple(self._verdicts())
        states = "states met in walks"
        return Explored(found.made, found.made, found.ends, 0, why, verdicts, 0, (), states, found.races)

    def _stops(self) -> bool:
        if self.watch is not None and not self.stopped:
            found = self.sum
            self.stopped = self.watch(HowFar(found.made, found.deepest, self.walks - found.walks))
        return bool(self.stopped)

    def _by(self, crew: Crew) -> Iterator[Walked]:
        portions = self._portions()
        while questions := list(islice(portions, crew.count)):
            yield from crew.ask(walked, questions)

    def _portions(self) -> Iterator[Portion]:
        packed = dumps(self.scenario._replace(topology=None), HIGHEST_PROTOCOL)
        size = max(1, min(LARGEST_PORTION, self.walks // PORTIONS))
        for first in range(0, self.walks, size):
            yield Portion(packed, self.bounds, first, min(first + size, self.walks))

    def _verdicts(self) -> list[PropertyVerdict]:
        sentences = {name: (PROPERTIES[name].sentence, 0) for name in self.bounds.properties}
        for number, rule in enumerate(self.scenario.never):
            sentences[f"never {number}"] = (f"never: {rule_said(rule)}", rule.line)
        verdicts = []
        for name, (sentence, line) in sentences.items():
            shown = name.split()[0]
            if name not in self.sum.found:
                verdicts.append(PropertyVerdict(shown, sentence, UNDECIDED, line))
                continue
            path, broken = self.sum.found[name]
            verdicts.append(PropertyVerdict(shown, sentence, BROKEN, line, example_of(self.scenario, self.bounds, path, broken)))
        return verdicts


def walked(portion: Portion) -> Walked:
    """Carries out a portion."""
    scenario, found = loads(portion.scenario), Walked(portion.bounds)
    for number in range(portion.first, portion.end):
        found.walk(scenario, number)
    return found
