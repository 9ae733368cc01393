"""A scenario carried out: its steps, its publishes on time, clients that react, and expectations, to a result.

The engine is embedded or a real broker; how time passes there is its clock's affair. Whatever a step sets off at its instant is
carried out before the next one begins.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, cast

from routesim import events
from routesim.broker import Broker
from routesim.clients.scripted_consumer import ConsumerJob
from routesim.garbage import look_seldom
from routesim.model import Binding
from routesim.run.agenda import ConsumerReturns, Entry, NextPublish, RunAgenda, WorkerTimer
from routesim.run.budget import BUDGET_EVENTS, Budget, Stopped, kept_going
from routesim.run.clock import Clock
from routesim.run.consumers import Consumers
from routesim.run.expecting.checked import Checked, shown_actual
from routesim.run.expecting.expectations import Evidence, check
from routesim.run.express import express_for
from routesim.run.failures import Failures
from routesim.run.folds.fold import Fold, Listener, fan_out
from routesim.run.folds.losses import Losses
from routesim.run.folds.records import Deliveries, Fates, Gets, Messages, Publishers
from routesim.run.result import Result, StepError
from routesim.run.tasks.sent import tell_of_task
from routesim.run.virtual_clock import VirtualClock
from routesim.scenario import Do, Expect, NotedChord, PublishMany, Scenario, ScenarioStep, Signal, Wait
from routesim.scenario.engines import engine_of
from routesim.scenario.format.expected import ENDLESS
from routesim.scenario.scenario import Declaration, Expectation
from routesim.steps import Publish, Step
from routesim.versions import rules

if TYPE_CHECKING:
    from routesim.run.expecting.watches import Watches
    from routesim.run.folds.task_records import TaskRecords
    from routesim.run.on_rabbitmq.client_view import ClientView
    from routesim.run.on_rabbitmq.real_clock import RealClock
    from routesim.run.processes import Processes


class Runner:
    """One run. `listener` hears every event; `keep` decides whether everything is remembered for a full result, or only
    what the expectations ask for. `tick` is called now and then, for whoever shows progress. `express`: what is plain may
    go the fast way, unless `listener` wants to hear event by event. `real`: the clock of a real broker, instead of an embedded
    engine; `beside`: that of an embedded one which has other clients too, and on which all but the consumers is declared.
    """

    def __init__(
        self, scenario: Scenario, listener: Listener | None = None, *, seed: int | None = None, until: str | int | None = None,
        max_events: int = BUDGET_EVENTS, keep: bool = True, tick: Callable[[Broker], None] | None = None,
        express: bool = True, real: "RealClock | None" = None, beside: Clock | None = None,
    ) -> None:  # fmt: skip
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.until = scenario.until if until is None else until
        self.max_events = max_events
        self.step: int | None = None
        self.errors: list[StepError] = []
        self.refused_itself = False  # the step: what has failed first in it is its own
        self.failures = Failures()
        # Of workers, which connect again and again: what a step said of its first refusal holds for the same ones after it.
        self.refusals: set[tuple[int | None, str]] = set()
        self.unmet = {worker.fails: worker.name for worker in scenario.workers.values() if worker.fails is not None}
        self.refused_with = frozenset(self.unmet)
        self.failed_steps = False
        self.checked: list[Checked] = []
        self.routed: list[Binding] = []  # bindings that the table of routes used
        self.watches = [] if real is not None else _watches(scenario)
        records = self._records(keep)
        self.listen = fan_out(listener, records)
        self.clock: Clock = real or beside or self._virtual_clock(tick)
        self.view: ClientView | None = None if real is None else self._view(real)
        self.gather = None if self.clock.always_at_rest else self.clock.gather
        # Both kinds have what a run works with; nothing else is asked of a real one.
        self.broker = cast(Broker, self.clock.broker)
        self.agenda = self.clock.agenda
        self.published: dict[str, int] = {}  # by consumers and tasks, under each name
        self.consumers = Consumers(scenario, self.clock, self.seed, self.published, self.listen)
        self.processes = self._processes(self.published)
        if self.processes is not None and isinstance(self.clock, VirtualClock):
            self.clock.budget.endless = self.processes.endless
        if express and not scenario.workers and isinstance(self.clock, VirtualClock):
            clock = self.clock
            clock.express = express_for(clock.broker, clock.agenda, clock.budget, self.consumers.by_name, self.listen)

    def _records(self, keep: bool) -> list[Fold]:
        """What the run remembers of its events: everything, or what is asked for."""
        scenario, asked = self.scenario, _asked(self.scenario)
        mentioned = frozenset(item.path[1] for item in asked if item.path[0] == "messages")
        sections = {item.path[0] for item in asked}
        self.messages, self.gets, self.publishers = Messages(), Gets(), Publishers()
        self.deliveries = Deliveries(scenario.consumers)
        self.fates = Fates(None if keep else mentioned)
        self.tasks = _task_records(scenario) if keep or sections & {"tasks", "workers", "lost_tasks"} else None
        self.losses = Losses(scenario)
        records: list[Fold] = []
        if keep:
            records += [self.messages, self.gets]
        if keep or mentioned:
            records.append(self.fates)
        if keep or "consumers" in sections:
            records.append(self.deliveries)
        if keep or sections & {"returned", "nacked", "unroutable"}:
            records.append(self.publishers)
        if self.tasks is not None:
            records.append(self.tasks)
        records += self.watches
        if records or scenario.workers:  # else the run may go the fast way, and is made again if it turns out that somebody asks
            self.losses.complete = True
            records.append(self.losses)
        return records

    def _virtual_clock(self, tick: Callable[[Broker], None] | None) -> VirtualClock:
        scenario, agenda = self.scenario, RunAgenda()
        broker: Broker = engine_of(scenario.settings)(
            rules(scenario.rabbitmq), vhost=scenario.vhost, seed=self.seed, settings=scenario.settings,
            channel_plans=scenario.channels, listen=self.listen,
        )  # fmt: skip
        return VirtualClock(broker, agenda, Budget(broker, agenda, self.max_events, tick, until_idle=self.until == "idle"))

    def _view(self, real: "RealClock") -> "ClientView":
        from routesim.run.on_rabbitmq.client_view import ClientView  # needs the AMQP client

        real.broker.listen = self.listen
        return ClientView(real, self.fates)

    def _processes(self, published: dict[str, int]) -> "Processes | None":
        if not self.scenario.workers:
            return None
        from routesim.run.processes import Processes  # few scenarios need it, and every command is to start at once

        return Processes(self.scenario, self.clock, self.seed, published, self.listen)

    # The run -----------------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Meanwhile the collector of garbage looks less often: messages and deliveries are none."""
        before = look_seldom()
        try:
            return self._to_its_end()
        finally:
            gc.set_threshold(*before)

    def _to_its_end(self) -> Result:
        why = ""
        try:
            ended = self._run()
        except Stopped as stopped:
            ended = stopped.ended
            why = self._kept_going(ended)
        clock_ms = self.broker.now
        self.check_end(ended)
        ending_expected = any(item.path == ("ended",) and item.wanted == ended for item in self.scenario.expect)
        ok = self.holds() and (ended not in ENDLESS or ending_expected)
        used, real = ([*self.broker.used.values(), *self.routed], None) if self.view is None else ([], self.view.said())
        return Result(
            self.scenario, self.broker, ended, ok, clock_ms, self.messages, self.deliveries, self.gets, self.fates,
            self.publishers, self.checked, self.errors, why, ending_expected, self.until, self.max_events, used, self.tasks,
            self.processes, real, self.losses,
        )  # fmt: skip

    def holds(self) -> bool:
        """Whether all is as it is expected to be, so far."""
        return all(item.ok for item in self.checked) and not self.failed_steps and all(item.expected for item in self.errors)

    def check_end(self, ended: str) -> None:
        """All is over: what was to be refused, the expectations of the end, and what was never to happen."""
        self.note_failures(None, None)
        for code, worker in self.unmet.items():
            self.errors.append(StepError(None, None, f"worker '{worker}' was to be refused with {code}, but was not", False))
        self.step = None
        if self.view is not None:
            self.view.take()
        self._check(self.scenario.expect, ended)
        if self.watches:
            from routesim.run.expecting.watches import verdicts

            self._note_checked(verdicts(self.watches, self.broker.now))

    def _kept_going(self, ended: str) -> str:
        beside = self.clock.budget.beside if isinstance(self.clock, VirtualClock) else 0
        retried = self.processes.endless.nothing_else(self.broker) if self.processes is not None else ""
        return retried or kept_going(self.broker, ended, beside, self.published)

    def _run(self) -> str:
        limit = self.until if isinstance(self.until, int) else None
        self.begin(self.scenario.declarations)
        for until in self.course():
            self.carry_out_due(self.clock.pass_until(until if limit is None else min(until, limit)))
            if limit is not None and until > limit:
                assert self.step is not None
                self.note_failures(self.step, self.scenario.steps[self.step].fails)
                return "time"
        if self.until == "steps":
            return "steps"
        self.carry_out_due(self.clock.rest(limit))
        return "time" if limit is not None else "idle"

    def begin(self, declarations: Iterable[Declaration]) -> None:
        """What is there before the first step: declarations, consumers, processes that start by themselves."""
        for declaration in declarations:
            self.apply(declaration.step)
        self.clock.start()
        if self.processes is not None:
            self.processes.start()
            self.settle()
        self.note_failures(None, None)
        if self.scenario.routes and self.view is None:
            from routesim.run.expecting.promises import check_routes

            found, self.routed = check_routes(self.broker, self.scenario.routes)
            self._note_checked(found)

    def course(self) -> Iterator[int]:
        """Carries out the steps; yields each instant until which time is to pass, with all that is due, before it goes on."""
        for index, step in enumerate(self.scenario.steps):
            self.step = index
            self.clock.begin_step()
            if self.listen:
                self.listen(events.StepStarted(self.broker.now, index, step.text))
            if isinstance(step.action, Wait):
                yield self.clock.now() + step.action.ms
            else:
                self._carry_out(step)
            self.note_failures(index, step.fails)
        self.step = None

    # Steps -------------------------------------------------------------------------------------------------------------

    def _carry_out(self, step: ScenarioStep) -> None:
        action = step.action
        if isinstance(action, PublishMany):
            self._publish_many(action)
        elif isinstance(action, Expect):
            with self._countable(action.expectations) as expectations:
                self._check(expectations, None)
        elif isinstance(action, Signal):
            assert self.processes is not None
            self.processes.signal(action.worker, action.do)
            self.settle()
        elif isinstance(action, NotedChord):
            if self.processes is not None:
                self.processes.chords.expect(action.group, action.size)
        elif isinstance(action, Do):
            for each in action.steps:
                if self.apply(each):
                    self.refused_itself = True
                    break

    def _publish_many(self, action: PublishMany) -> None:
        now = self.clock.now()
        if action.after_ms:
            self._publish_later(action, 0, now + action.after_ms)
        elif action.every_ms and action.times > 1:
            self._publish_one(action, 0)
            self._publish_later(action, 1, now + action.every_ms)
        else:
            index = 0
            while (index := self.clock.publish_ahead(action, index)) < action.times and not self._publish_one(action, index):
                index += 1

    def _publish_later(self, action: PublishMany, index: int, at_ms: int) -> None:
        self.agenda.steps_publishing += 1
        self.agenda.schedule(at_ms, NextPublish(action, index, at_ms))

    def _publish_one(self, action: PublishMany, index: int) -> bool:
        return self.apply(Publish(action.channel, action.message, action.id(index)))

    def apply(self, step: Step) -> bool:
        """Carry out one step and everything that it sets off at this instant; True when it was refused."""
        if self.processes is not None:
            tell_of_task(self.listen, self.clock.now(), step)
        refused = self.broker.apply(step)
        self.settle()
        return refused is not None

    def note_failures(self, step: int | None, fails: int | None) -> None:
        """What the broker closed during a step; the code that the step says it fails with is expected, of a wait as often as it
        comes."""
        met, own = fails is None, self.refused_itself
        self.refused_itself = False
        waits = step is not None and isinstance(self.scenario.steps[step].action, Wait)
        for failure, more in self.failures.taken_from(self.broker.failures):
            expected = failure.code == fails and (waits or not met)
            met = met or expected
            if expected and step is not None and isinstance(self.scenario.steps[step].action, Signal):
                self.refusals.add((failure.code, failure.text))
            if not own:  # it is about a worker
                if failure.code in self.refused_with:
                    self.unmet.pop(failure.code, None)
                    expected = True
                expected = expected or (failure.code, failure.text) in self.refusals
            own = False
            self.errors.append(StepError(step, failure.code, failure.text, expected, more))
        if not met:
            self.failed_steps = True
            self.errors.append(StepError(step, None, f"the step was to fail with {fails}, but did not", False))

    # Reactions ---------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Clients react to what they were sent, one at a time, in the order of the deliveries."""
        broker, inbox, processes, react = self.broker, self.clock.inbox, self.processes, self.consumers.react
        if self.gather is not None:
            self.gather()
        while True:
            while inbox:
                received = inbox.popleft()
                if processes is None or not processes.react(received):
                    react(received)
                if broker.livelock is not None:
                    break
            if processes is None or broker.livelock is not None or not processes.turn():
                break
        if broker.livelock is not None:
            raise Stopped("livelock")

    def carry_out_due(self, entries: Iterator[Entry | None]) -> None:
        """Carries out what is due while time passes, each with what it sets off at its instant."""
        broker, end, settle = self.broker, self.consumers.end, self.settle
        for entry in entries:
            if type(entry) is ConsumerJob:
                end(entry)
            elif isinstance(entry, NextPublish):
                self._publish_next(entry)
            elif isinstance(entry, ConsumerReturns):
                broker.apply(entry.consumer.come_back())
            elif isinstance(entry, WorkerTimer):
                assert self.processes is not None
                self.processes.fire(entry)
            settle()
            if broker.failures:
                self.failures.look(broker.failures)

    def _publish_next(self, due: NextPublish) -> None:
        action, index, at_ms = due
        self._publish_one(action, index)
        while not action.every_ms and index + 1 < action.times:
            index += 1
            self._publish_one(action, index)
        if index + 1 < action.times:
            at_ms += action.every_ms  # counted from when it was due: what clients do late is not to add up
            self.agenda.schedule(at_ms, NextPublish(action, index + 1, at_ms))
        else:
            self.agenda.steps_publishing -= 1
            self.clock.published()

    # Expectations ------------------------------------------------------------------------------------------------------

    def _countable(self, expectations: tuple[Expectation, ...]) -> AbstractContextManager[tuple[Expectation, ...]]:
        return nullcontext(expectations) if self.view is None else self.view.counted(expectations)

    def _check(self, expectations: tuple[Expectation, ...], ended: str | None) -> None:
        evidence = Evidence(self.broker, self.deliveries, self.fates, self.publishers, ended, self.tasks, self.processes)
        look = check if self.view is None else self.view.check
        for expectation in expectations:
            found = look(expectation, evidence, self.step)
            if found is not None:
                self._note_checked([found])

    def _note_checked(self, found: list[Checked]) -> None:
        self.checked += found
        if self.listen is None:
            return
        for item in found:
            self.listen(events.Expected(self.broker.now, self.step, item.line, item.text, item.ok, shown_actual(item)))


def _task_records(scenario: Scenario) -> "TaskRecords | None":
    if not scenario.workers:
        return None
    from routesim.run.folds.task_records import TaskRecords

    return TaskRecords(scenario.workers)


def _watches(scenario: Scenario) -> "list[Watches]":
    if not scenario.never:
        return []
    from routesim.run.expecting.watches import watches_of  # few scenarios need it, and every command is to start at once

    return watches_of(scenario.never)


def _asked(scenario: Scenario) -> list[Expectation]:
    inside = [item for step in scenario.steps if isinstance(step.action, Expect) for item in step.action.expectations]
    return [*scenario.expect, *inside]
