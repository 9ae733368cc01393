"""A run that is gone along up to a failure which the scenario does not know, and goes on from there."""

from collections.abc import Sequence
from typing import Any

from routesim.broker import Broker
from routesim.events import StepStarted
from routesim.explore.bounds import Bounds
from routesim.explore.moves import Move
from routesim.explore.what_if.following import Following
from routesim.run.budget import Stopped
from routesim.run.folds.fold import Listener
from routesim.run.result import StepError
from routesim.run.runner import Runner
from routesim.scenario import Expect, Scenario
from routesim.steps import Step

MOST_MOVES = 20_000  # after the failure


class BranchRunner(Runner):
    """A run in moves. `declared`: the events before its first step; `path`: its moves, the last of which is the failure;
    `failed_at`: so many events had happened with it."""

    def __init__(
        self, scenario: Scenario, bounds: Bounds, declared: Sequence[Any], path: tuple[Move, ...], listener: Listener
    ) -> None:
        super().__init__(scenario, listener, express=False)
        self.declared, self.path, self.failed_at = declared, path, 0
        self.following = Following(scenario, bounds, self.seed)
        self.following.world.scribe = self._Refusals(self)
        self.broker = self.following.world.broker
        self.told = 0

    def _run(self) -> str:
        for event in self.declared:
            self._tell(event)
        for move in self.path:
            self._make(move)
        self.failed_at = self.told
        for _ in range(MOST_MOVES):
            own = self.following.next_move()
            if own is None:
                self._begin(self.following.begins(None))
                until = self.scenario.until
                return until if isinstance(until, str) else "time"
            self._make(own)
            if self.broker.livelock is not None:
                raise Stopped("livelock")
        raise Stopped("budget")

    def _make(self, move: Move) -> None:
        self._begin(self.following.begins(move))
        for event in self.following.make(move).events:
            self._tell(event)

    def _begin(self, steps: range) -> None:
        """These steps begin; those that are expectations are checked at once."""
        for index in steps:
            step = self.scenario.steps[index]
            self.step = index
            self._tell(StepStarted(self.broker.now, index, step.text))
            if isinstance(step.action, Expect):
                checked = len(self.checked)
                self._check(step.action.expectations, None)
                self.told += len(self.checked) - checked

    def _tell(self, event: Any) -> None:
        self.told += 1
        if self.listen is not None:
            self.listen(event)

    class _Refusals:
        """Notes what the broker refuses."""

        def __init__(self, runner: "BranchRunner") -> None:
            self.runner = runner

        def step(self, step: Step, broker: Broker) -> None:
            """Nothing is known yet."""

        def refused(self, code: int) -> None:
            runner = self.runner
            failures, step = runner.broker.failures, runner.step
            fails = None if step is None else runner.scenario.steps[step].fails
            text = failures[-1].text if failures else f"refused with {code}"
            runner.errors.append(StepError(step, code, text, code == fails))

        def passes(self, ms: int) -> None:
            """Time alone refuses nothing."""
