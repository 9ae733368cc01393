"""Which failures may happen at a moment of a run, and the run as it goes on after one of them."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from routesim.events import LOST, Expected, StepStarted, is_lost
from routesim.explore.bounds import Bounds, bounds_of
from routesim.explore.moves import Move, moves, said
from routesim.explore.root import NotExplored
from routesim.explore.what_if.branching import BranchRunner
from routesim.explore.what_if.following import Following, Made, copied
from routesim.failure_kinds import EXPLORED
from routesim.named_tuples import NamedTuple
from routesim.run import Result
from routesim.run.recording import Recording
from routesim.scenario import Scenario

MOST = 1 << 30  # failures, one after the other
OUTSIDE = (StepStarted, Expected)  # events that are no engine's


class NoWhatIf(Exception):
    """Nothing can be asked there; the text says why."""


class PossibleFailure(NamedTuple):
    """A failure that may happen: of which kind, in words, and when. `before`: so many moves come before it."""

    kind: str
    words: str
    at_ms: int
    move: Move
    before: int = 0


class Branch(NamedTuple):
    """A run that has gone on after a failure. `at`: so many of its events are over with the failure; `twice`: the work that was
    done more than once, by message and queue; `undone`: messages of which it never is though no event says so, and how that came;
    `course`: to ask once more."""

    course: "RunCourse"
    recording: Recording
    result: Result
    at: int
    twice: frozenset[tuple[str, str]]
    undone: tuple[tuple[str, str], ...]


class RunCourse(Protocol):
    """The course of a run, into which failures can be put."""

    def choices(self, since: int, at: int) -> list[PossibleFailure]:
        """What may fail once so many events have happened, up to so many; where they are the midst of what a broker does in one
        go, after that. Raises `NoWhatIf`."""

    def carried_out(self, choice: PossibleFailure) -> Branch:
        """The run as it goes on when that fails."""


class CourseInMoves:
    """The course of a run, by its events, as moves. `path`: those of a branch, which are known already, and with it `begin`: how
    many events come before the first of them."""

    def __init__(
        self, scenario: Scenario, heard: Sequence[Any], path: tuple[Move, ...] | None = None, begin: int | None = None
    ) -> None:
        self.scenario, self.heard, self.path = scenario, heard, path
        self.bounds: Bounds = bounds_of(scenario)._replace(
            failures=MOST, kinds=tuple((kind, MOST) for kind in EXPLORED), any_time=False, races=False
        )
        steps = (index for index, event in enumerate(heard) if type(event) is StepStarted)
        self.begin = next(steps, len(heard)) if begin is None else begin

    def choices(self, since: int, at: int) -> list[PossibleFailure]:
        found: dict[str, PossibleFailure] = {}
        for following in self._states(since, at):
            world = following.world
            for move in moves(world)[1]:
                words = said(world, move)
                found.setdefault(words, PossibleFailure(move.failure, words, world.now, move, len(following.path)))
        if not found:
            raise NoWhatIf("nothing that is simulated may fail here")
        return [*found.values()]

    def _states(self, since: int, at: int) -> list[Following]:
        """Those in which so many events have happened, at least one."""
        try:
            following = Following(self.scenario, self.bounds, self.scenario.seed)
        except NotExplored as problem:
            raise NoWhatIf(str(problem)) from None
        found = [copied(following)] if self.begin >= since else []
        for count in self._along(following, self.begin):
            if count > at and found:
                break
            if count >= since:
                found.append(copied(following))
        return found or [following]

    def _along(self, following: Following, count: int) -> Iterator[int]:
        """The moves of the run, each by how many events there are after it; `following` is the state then."""
        known = None if self.path is None else iter(self.path)
        while (move := following.next_move() if known is None else next(known, None)) is not None:
            after = self._counted(following.make(move), count)
            if after is None:
                if all(type(event) is Expected for event in self.heard[count:]):
                    return  # it would go on, but the run was ended
                raise NoWhatIf("the run goes its own way here, and no failure can be put into it")
            yield (count := after)

    def _counted(self, made: Made, at: int) -> int | None:
        """How many events of the run there are with those of the move; None: they are others."""
        heard = self.heard
        while made.steps and at < len(heard) and type(heard[at]) in OUTSIDE:
            if type(heard[at]) is StepStarted and heard[at].step >= made.steps.stop:
                break
            at += 1
        for event in made.events:
            if at >= len(heard) or not _alike(heard[at], event):
                return None
            at += 1
        return at

    def carried_out(self, choice: PossibleFailure) -> Branch:
        path = self._path(choice.before)
        recording = Recording()
        runner = BranchRunner(self.scenario, self.bounds, self.heard[: self.begin], (*path, choice.move), recording.hear)
        result = runner.run()
        world = runner.following.world
        facts, left = world.facts, world.somewhere()
        course = CourseInMoves(self.scenario, recording.events, tuple(runner.following.path), self.begin)
        twice = frozenset(work for work, times in facts.done.items() if times > 1)
        left |= {event.message for event in recording.events if type(event) in LOST and is_lost(event)}
        undone = tuple((name, how) for name, how in facts.gone.items() if not facts.is_done(name) and name not in left)
        result = result._replace(undone=tuple(name for name, _ in undone))
        return Branch(course, recording, result, runner.failed_at, twice, undone)

    def _path(self, length: int) -> tuple[Move, ...]:
        if self.path is not None:
            return self.path[:length]
        following = Following(self.scenario, self.bounds, self.scenario.seed)
        for _ in self._along(following, self.begin):
            if len(following.path) >= length:
                break
        return tuple(following.path[:length])


def _alike(heard: Any, event: Any) -> bool:
    """Whether both are the same thing that happens; that of a run may know more of it."""
    if type(heard) is not type(event) or heard.at_ms != event.at_ms:
        return False
    return all(getattr(heard, name, None) == getattr(event, name, None) for name in ("message", "queue", "consumer"))
