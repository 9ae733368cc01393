"""What comes of a state: where each move leads, and what is broken there."""

from collections.abc import Container, Iterator

from routesim.explore.bounds import Bounds
from routesim.explore.looking.independence import Independence
from routesim.explore.looking.repeating import Repeats, repeated
from routesim.explore.moves import Move, moves
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
from routesim.scenario import Do, Scenario
from routesim.steps import DeclareExchange

Note = tuple[str, Broken]  # what is broken, by its name in a search


class Reached(NamedTuple):
    """Where a move leads. `broken`: in the state there, where it was not known; `never`: by the move itself; `exercised`: which
    rules of never were asked for the first time."""

    move: Move
    key: bytes
    broken: tuple[Note, ...] = ()
    never: tuple[Note, ...] = ()
    exercised: tuple[int, ...] = ()
    races: bool = False


class Looked(NamedTuple):
    """What was found in a state: `reached`, in the order in which moves are tried; whether all is over in it, and then what is
    broken, and which expectations hold, by number."""

    reached: tuple[Reached, ...]
    ends: bool
    broken: tuple[Note, ...] = ()
    holding: tuple[int, ...] = ()


class KnownMove(NamedTuple):
    """Where a move leads, and what it has to do with; None: perhaps with everything."""

    key: bytes
    signs: frozenset[str] | None


class Expander:
    """Looks at the states of a scenario, those of one depth after those of the depth before. `known`: the states that others have
    told of already."""

    def __init__(self, scenario: Scenario, bounds: Bounds, known: Container[bytes]) -> None:
        self.scenario, self.bounds, self.known = scenario, bounds, known
        self.root = root_of(scenario, bounds)
        self.by_chance = _by_chance(scenario, self.root)
        self.independence = Independence(scenario, self.root)
        self.repeats = Repeats(scenario, self.independence, self.root, by_chance=self.by_chance)
        self.expectations = expectations_of(scenario) if bounds.expect is not None else ()
        properties = [(name, PROPERTIES[name]) for name in bounds.properties]
        self.by_move = [(name, item) for name, item in properties if item.when == ALWAYS]
        self.by_end = [(name, item) for name, item in properties if item.when == AT_END]
        self.exercised: set[int] = set()
        self.steps: dict[bytes, dict[Move, KnownMove]] = {}  # of the states of this depth, as far as they have been looked at
        self.steps_before: dict[bytes, dict[Move, KnownMove]] = {}  # of the depth before
        self.incoming: dict[bytes, list[tuple[bytes, Move]]] = {}  # of states of this depth and the next: from where, by what
        self.fresh: set[bytes] = set()  # states of the next depth

    def next_depth(self) -> None:
        self.steps_before, self.steps = self.steps, {}
        self.fresh = set()

    def expand(self, key: bytes, world: World) -> tuple[Looked, dict[bytes, World]]:
        """A state, which is used up; and the new ones that it leads to."""
        own, failures = moves(world)
        over = not own
        broken, holding = self.at_end(world) if over else ((), ())
        # What happens by itself is tried first: of two ways as long, that with fewer failures is kept.
        todo = [*own, *failures][::-1]
        known = self._known_moves(key, todo)
        to_make = len(todo) - len(known)
        steps: dict[Move, KnownMove] = {}
        found: list[Reached] = []
        worlds: dict[bytes, World] = {}
        while todo:
            move = todo.pop()
            step = known.get(move)
            if step is not None:
                reached = Reached(move, step.key)
            elif (change := self.repeats.find(world, move)) is not None:
                to_make -= 1
                reached = self._reached(repeated(world, move, change), move, worlds)
                step = KnownMove(reached.key, change.signs)
            else:
                # The last one may use up the state itself, where nothing of chance may be left to be tried from it.
                to_make -= 1
                copied = world.copy() if to_make > 0 or self.by_chance else world
                draws, signs = self.repeats.make(copied, move)
                if draws.made:
                    todo += [move._replace(draws=other) for other in draws.others()]
                    move = move._replace(draws=tuple(drawn for drawn, *_ in draws.made))
                reached = self._reached(copied, move, worlds, races=draws.races > 0)
                step = KnownMove(reached.key, signs)
            found.append(reached)
            steps[move] = step
            if step.signs is not None and step.key in self.fresh:
                self.incoming.setdefault(step.key, []).append((key, move))
        if self.independence.known:
            self.steps[key] = steps
        return Looked(tuple(found), over, broken, holding), worlds

    def _reached(self, world: World, move: Move, worlds: dict[bytes, World], *, races: bool = False) -> Reached:
        key = world.fingerprint()
        broken: tuple[Note, ...] = ()
        if key not in self.known and key not in worlds:
            worlds[key] = world
            self.fresh.add(key)
            broken = tuple(self.broken_in(world))
        if not self.scenario.never:
            return Reached(move, key, broken, races=races)
        exercised = tuple(self._exercised(world))
        never = tuple((f"never {number}", each) for number, each in never_broken(world))
        return Reached(move, key, broken, never, exercised, races)

    def broken_in(self, world: World) -> Iterator[Note]:
        """What does not hold in a state that is met for the first time."""
        for name, item in self.by_move:
            assert item.broken is not None
            broken = item.broken(world)
            if broken is not None:
                yield name, broken
        if world.stem.livelock is not None:
            message, places = world.stem.livelock
            yield "livelock", Broken(message, f"it goes round without time passing: {' → '.join(places)}")

    def at_end(self, world: World) -> tuple[tuple[Note, ...], tuple[int, ...]]:
        """What is broken where all is over, and which expectations hold."""
        found: list[Note] = []
        for name, item in self.by_end:
            assert item.broken is not None
            broken = item.broken(world)
            if broken is not None:
                found.append((name, broken))
        failed = dict(expect_broken(world)) if self.expectations else {}
        if self.bounds.expect == "always":
            found += [(f"expect {number}", broken) for number, broken in sorted(failed.items())]
        return tuple(found), tuple(number for number in range(len(self.expectations)) if number not in failed)

    def _exercised(self, world: World) -> Iterator[int]:
        for number, rule in enumerate(self.scenario.never):
            if number not in self.exercised:
                about = (getattr(event, "message", None) for event in world.events)
                if any(message in rule.messages if rule.messages else message for message in about):
                    self.exercised.add(number)
                    yield number

    def _known_moves(self, key: bytes, todo: list[Move]) -> dict[Move, KnownMove]:
        """Where moves lead of which that is known without making them: those that could have come before the one that led here,
        and have nothing to do with it. Then it was made after them already."""
        found: dict[Move, KnownMove] = {}
        for parent, last in self.incoming.pop(key, ()):
            siblings = self.steps_before.get(parent)
            here = siblings[last].signs if siblings is not None else None
            if siblings is None or here is None:
                continue
            for move in todo:
                sibling = siblings.get(move)
                if sibling is None or sibling.signs is None or move in found or not here.isdisjoint(sibling.signs):
                    continue
                after = self._after(sibling.key, last, move)
                if after is not None:
                    found[move] = KnownMove(after, sibling.signs)
        return found

    def _after(self, state: bytes, last: Move, move: Move) -> bytes | None:
        """Where the last move leads from a state that this move led to, as far as that is known."""
        after = (self.steps.get(state) or self.steps_before.get(state, {})).get(last)
        return None if after is None else after.key


def _by_chance(scenario: Scenario, root: World) -> bool:
    """Whether a move may fall out in several ways."""
    rules = (rule for consumer in scenario.consumers.values() for rule in consumer.on_message)
    draws = any(state.matcher.by_chance for state in root.broker.exchanges.values())
    return root.setting.races or draws or any(rule.chance is not None for rule in rules) or _declares(scenario)


def _declares(scenario: Scenario) -> bool:
    """Whether a step may declare an exchange that throws dice."""
    actions = (step.action for step in scenario.steps)
    return any(isinstance(each, DeclareExchange) for action in actions if isinstance(action, Do) for each in action.steps)
