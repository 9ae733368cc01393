"""Random walks through the courses of events, each reproducible by its number: for more states than can be known."""

from random import Random

from routesim.explore.answer import BROKEN, UNDECIDED, Explored, PropertyVerdict
from routesim.explore.bounds import Bounds
from routesim.explore.moves import Move, make, moves
from routesim.explore.properties import ALWAYS, AT_END, PROPERTIES, Broken, never_broken
from routesim.explore.root import root_of
from routesim.explore.search import HowFar, Watch, example_of
from routesim.explore.world import World
from routesim.run.expecting.promises import said as rule_said
from routesim.scenario import Scenario

DEEPEST = 10_000  # moves of one walk
DRAWS = 8  # of one move
FAILS = 0.1  # how often a failure happens where one may


class Walks:
    """`walks` of them, from the first number on; a walk is a function of the seed and its number. Of the counterexamples that are
    met the shortest is kept, which need not be the shortest that there is."""

    def __init__(self, scenario: Scenario, bounds: Bounds, walks: int, seed: int, watch: Watch | None = None) -> None:
        self.scenario, self.bounds, self.walks, self.seed, self.watch = scenario, bounds, walks, seed, watch
        self.asked = [name for name in bounds.properties if PROPERTIES[name].broken is not None]
        self.found: dict[str, tuple[list[Move], Broken]] = {}
        self.races = 0
        self.made = self.ends = self.deepest = 0

    def run(self) -> Explored:
        why = f"{self.walks:,} random walks with seed {self.seed}"
        for number in range(self.walks):
            self.walk(number)
            stopped = "" if self.watch is None else self.watch(HowFar(self.made, self.deepest, self.walks - number - 1))
            if stopped:
                why = f"{stopped}, after {number + 1:,} random walks with seed {self.seed}"
                break
        return Explored(
            self.made, self.made, self.ends, 0, why, tuple(self._verdicts()), 0, (), "states met in walks", self.races
        )

    def walk(self, number: int) -> None:
        """The walk of that number, to its end."""
        dice = Random(f"{self.seed} {number}")
        world, path = root_of(self.scenario, self.bounds), list[Move]()
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

    def _verdicts(self) -> list[PropertyVerdict]:
        sentences = {name: (PROPERTIES[name].sentence, 0) for name in self.bounds.properties}
        for number, rule in enumerate(self.scenario.never):
            sentences[f"never {number}"] = (f"never: {rule_said(rule)}", rule.line)
        verdicts = []
        for name, (sentence, line) in sentences.items():
            shown = name.split()[0]
            if name not in self.found:
                verdicts.append(PropertyVerdict(shown, sentence, UNDECIDED, line))
                continue
            path, broken = self.found[name]
            verdicts.append(PropertyVerdict(shown, sentence, BROKEN, line, example_of(self.scenario, self.bounds, path, broken)))
        return verdicts
