"""A scenario's consumers, workers and steps on a broker that has other clients too, in that broker's time."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from routesim.broker import Broker
from routesim.named_tuples import NamedTuple
from routesim.run.agenda import RunAgenda
from routesim.run.budget import BUDGET_EVENTS, Budget, Stopped, kept_going
from routesim.run.expecting.checked import Checked
from routesim.run.folds.fold import Listener
from routesim.run.result import SERVED, StepError
from routesim.run.runner import Runner
from routesim.run.virtual_clock import VirtualClock
from routesim.scenario import Scenario
from routesim.steps import Consume, Crash, Restart, Step


class Ending(NamedTuple):
    """What the expectations came to, those of the end too, and what the broker closed. `left_at`: the step that was not over,
    from 0; `stopped`: why its clients had ceased to act."""

    expectations: list[Checked]
    errors: list[StepError]
    left_at: int | None
    stopped: str | None
    ok: bool


class SharedClock(VirtualClock):
    """Virtual time that somebody else lets pass. `hand_out` gives everybody what the broker has for them, and puts what is the
    scenario's into `inbox`."""

    always_at_rest = False

    def __init__(self, broker: Broker, hand_out: Callable[[], None]) -> None:
        agenda = RunAgenda()
        super().__init__(broker, agenda, Budget(broker, agenda, BUDGET_EVENTS, None, until_idle=False))
        self.hand_out = hand_out
        self.inbox: deque[Any] = deque()

    def gather(self) -> None:
        self.hand_out()

    def answered(self, step: Step) -> None:
        super().answered(step)
        self.hand_out()


class _Played(Runner):
    """Knows when one of its steps has restarted the broker."""

    restarted: bool | None = None  # in good order or not; None: it has not, or that is settled

    def apply(self, step: Step) -> bool:
        refused = super().apply(step)
        if type(step) is Restart:
            self.restarted = step.clean
        return refused


class Player:
    """Of one virtual host, on which all but the consumers is declared. `stopped`: why it acts no more, where it went round at
    one instant without an end; its connections are lost then."""

    def __init__(self, scenario: Scenario, broker: Broker, hand_out: Callable[[], None], listener: Listener | None) -> None:
        self.clock = SharedClock(broker, hand_out)
        self.runner = _Played(scenario, listener, keep=False, express=False, beside=self.clock)
        broker.listen = self.runner.listen
        self.connections = connections_of(scenario)
        processes = self.runner.processes
        self.channels = {*channels_of(scenario), *(() if processes is None else processes.by_channel)}
        self.course: Iterator[int] = iter(())
        self.wait_ms: int | None = None  # the steps go on then; None: they are over
        self.stopped: str | None = None

    def take(self, item: Any) -> None:
        """Something that the broker has for a client that is none of the others."""
        if self.stopped is None:
            self.clock.inbox.append(item)

    def begin(self) -> None:
        """Consumers consume, processes start, and the steps up to the first wait are carried out."""
        scenario = self.runner.scenario

        def go() -> None:
            self.runner.begin(each for each in scenario.declarations if isinstance(each.step, Consume))
            self.course = self.runner.course()
            self.wait_ms = next(self.course, None)

        self._kept_in_bounds(go)

    def turn(self) -> None:
        """Its clients react to what has come for them."""
        if self.clock.inbox:
            self._kept_in_bounds(self.runner.settle)

    def due_ms(self) -> int | None:
        """When it has something to do next, the broker's own timers aside."""
        own, wait = self.clock.agenda.due_ms(), self.wait_ms
        return own if wait is None else wait if own is None else min(own, wait)

    def advance(self, now_ms: int) -> None:
        """Time passes up to and including that instant, for its clients and the broker."""
        self._kept_in_bounds(lambda: self._advance(now_ms))

    def _advance(self, now_ms: int) -> None:
        runner, clock = self.runner, self.clock
        while self.wait_ms is not None and self.wait_ms <= now_ms:
            runner.carry_out_due(clock.pass_until(self.wait_ms))
            self.wait_ms = next(self.course, None)
        runner.carry_out_due(clock.pass_until(now_ms))

    def _kept_in_bounds(self, act: Callable[[], None]) -> None:
        if self.stopped is not None:
            return
        self.clock.budget.begin_instant()
        try:
            act()
        except Stopped as stopped:
            broker = self.clock.broker
            self.stopped = kept_going(broker, stopped.ended, self.clock.budget.beside, self.runner.published)
            self.wait_ms = None
            self.clock.inbox.clear()
            self.clock.agenda.forget(lambda _: True)
            broker.go_on()
            for connection in self.connections & broker.connections.keys():
                broker.apply(Crash(connection))
            self.clock.hand_out()
        else:
            self._note_failures()

    def _note_failures(self) -> None:
        """What the broker closed by itself of others is their affair."""
        failures = self.clock.broker.failures
        if failures:
            failures[:] = [failure for failure in failures if not failure.channel or failure.channel in self.channels]
            self.runner.note_failures(None, None)

    def take_restart(self) -> bool | None:
        """Whether a step has restarted the broker since this was asked last, and if in good order; None: none has."""
        restarted, self.runner.restarted = self.runner.restarted, None
        return restarted

    def finish(self) -> Ending:
        """To be called once, while the clients are still there."""
        runner = self.runner
        runner.check_end(SERVED)
        return Ending(runner.checked, runner.errors, runner.step, self.stopped, self.stopped is None and runner.holds())


def channels_of(scenario: Scenario) -> set[str]:
    """Those that its steps and consumers use."""
    return {*scenario.channels, *(consumer.channel for consumer in scenario.consumers.values()), *scenario.workers}


def connections_of(scenario: Scenario) -> set[str]:
    """The names of all connections that its clients may open."""
    plans = scenario.channels
    return {plans[name].connection if name in plans else name for name in channels_of(scenario)}
