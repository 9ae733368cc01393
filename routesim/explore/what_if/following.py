"""A scenario's moves in the order in which `run` carries them out, so that a run can be gone along, and left at any moment."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from routesim import events
from routesim.broker import uniform
from routesim.explore.bounds import Bounds
from routesim.explore.moves import Move, make, moves
from routesim.explore.root import root_of
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.scenario import Expect, Scenario

CHANCE = ": chance "  # parts a consumer from its chance, in what a draw is about


class Made(NamedTuple):
    """A move with what came of it: which steps began with it, and the events of the broker."""

    move: Move
    steps: range
    events: tuple[Any, ...]


class Following:
    """`path`: the moves so far, with what was drawn in them. Chance falls out as the seed says, as in a run."""

    def __init__(self, scenario: Scenario, bounds: Bounds, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self.drawn: Counter[str] = Counter()  # how often each has drawn so far
        self.world: World = root_of(scenario, bounds)
        self.path: list[Move] = []
        self.begun = 0  # so many steps have begun
        rules = (rule for consumer in scenario.consumers.values() for rule in consumer.on_message)
        exchanges = self.world.broker.exchanges.values()
        self.by_chance = any(rule.chance is not None for rule in rules) or any(each.matcher.by_chance for each in exchanges)
        self.places = {id(step): index for index, step in enumerate(scenario.steps)}
        self.handed: dict[tuple[str, int], int] = {}  # by channel and tag: the how-manieth delivery of all it is
        self.taken_up: dict[tuple[str, int], tuple[int, int]] = {}  # by consumer and job: when, and in which order

    def next_move(self) -> Move | None:
        """What happens next by itself; None: all is over."""
        own, _ = moves(self.world)
        return min(own, key=self._rank) if own else None

    def _rank(self, move: Move) -> tuple[int, ...]:
        """What `run` does first: jobs that are due by when they are and when they were begun, consumers that return, planned
        publishes, the next step, and only then time passes."""
        if move.kind == "finish":
            hand = self.world.hand(move.who)
            assert hand is not None
            job = [*hand.jobs][move.number]
            return (0, hand.due[job], *self.taken_up.get((move.who, job), (0, 0)))
        if move.kind in ("turn", "barrier"):
            return 3, self._step_of(move)
        return ({"return": 1, "later": 2}.get(move.kind, 4),)

    def _step_of(self, move: Move) -> int:
        """Which of the scenario's steps it carries out, from 0."""
        if move.kind == "barrier":
            stage = self.world.stage_now()
            return self.places[id(stage.barrier)] if stage is not None else 0
        turn = self.world.turn(move.who)
        return self.places[id(turn.step)] if turn is not None else 0

    def begins(self, move: Move | None) -> range:
        """The steps that begin before this move: its own, and expectations that stand before it. None: the run is over."""
        if move is not None and move.kind in ("turn", "barrier", "publish lost", "confirm lost"):
            step = self._step_of(move if move.kind == "barrier" else move._replace(kind="turn"))
            return range(self.begun, max(step + 1, self.begun))
        end = self.begun
        settled = self.world.wait_until is None and (move is None or move.kind == "time")
        while settled and end < len(self.scenario.steps) and isinstance(self.scenario.steps[end].action, Expect):
            end += 1
        return range(self.begun, end)

    def make(self, move: Move) -> Made:
        """Carries it out, a failure too."""
        begins = self.begins(move)
        self.begun = begins.stop
        move = move._replace(draws=self._draws(move) if self.by_chance else ())
        drawn = make(self.world, move).made
        self.drawn.update(self._whose(about) for _, _, about in drawn)
        self.path.append(move)
        heard = tuple(self.world.events)
        self._note(heard)
        return Made(move, begins, heard)

    def _draws(self, move: Move) -> tuple[int, ...]:
        """How chance falls out in a move, one draw after the other: what is drawn next may depend on those before."""
        given: tuple[int, ...] = ()
        while True:
            made = make(self.world.copy(), move._replace(draws=given)).made
            drawn = self.drawn.copy()
            for number, (_, outcomes, about) in enumerate(made):
                whose = self._whose(about)
                drawn[whose] += 1
                if number == len(given):
                    outcome = self._outcome(whose, drawn[whose], outcomes, about)
                    given = (*given, outcome)
                    if outcome:  # from here on it may be drawn about something else
                        break
            else:
                return given

    def _whose(self, about: str) -> str:
        return about.rpartition(CHANCE)[0]

    def _outcome(self, whose: str, times: int, outcomes: int, about: str) -> int:
        """What the seed says: of a consumer's chance 0 where it comes true, else which of the outcomes."""
        hand = self.world.hand(whose)
        if hand is None:
            return int(uniform(self.seed, times) * outcomes)
        return 0 if uniform(self.seed, times, 1 + hand.number) < float(about.rpartition(CHANCE)[2]) else 1

    def _note(self, heard: Sequence[Any]) -> None:
        """In which order jobs begin: that of their deliveries."""
        for event in heard:
            if type(event) is events.Delivered:
                self.handed[event.channel, event.delivery_tag] = len(self.handed)
        for hand in self.world.hands:
            for number, job in hand.jobs.items():
                key = hand.consumer.name, number
                if key not in self.taken_up:
                    place = self.handed.get((hand.consumer.channel, job.delivery.tag), 0)
                    self.taken_up[key] = len(self.path), place


def copied(following: Following) -> Following:
    """An equal one, which goes its own way."""
    other = object.__new__(Following)
    other.__dict__.update(following.__dict__)
    other.world, other.path = following.world.copy(), [*following.path]
    other.handed, other.taken_up, other.drawn = {**following.handed}, {**following.taken_up}, following.drawn.copy()
    return other
