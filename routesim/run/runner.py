"""A scenario carried out by the embedded engine: steps, virtual time, and consumers at work.

At one instant the broker's own timers come first, then the consumers' completions, then scheduled publishes, then the
next step. Whatever a step sets off at its instant is carried out before the next one begins.
"""

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from routesim import events
from routesim.broker import Broker, counts, open_messages
from routesim.model import Binding
from routesim.run.acting import Acting, StepError
from routesim.run.expecting.checked import Checked, shown_actual
from routesim.run.expecting.expectations import Evidence, check
from routesim.run.express.express import BUDGET_MS, COME_BACK, FINISH, PUBLISH, TIMER, BatchListener, Express
from routesim.run.folds.fold import Fold, Listener, fan_out
from routesim.run.folds.records import Deliveries, Fates, Gets, Messages, Publishers
from routesim.scenario import Do, Expect, PublishMany, Scenario, ScenarioStep, Signal, Wait
from routesim.scenario.engines import engine_of
from routesim.scenario.scenario import Expectation
from routesim.versions import rules

if TYPE_CHECKING:
    from routesim.run.expecting.promises import Watch
    from routesim.run.folds.task_records import TaskRecords
    from routesim.run.processes import Processes

BUDGET_EVENTS = 1_000_000
LOOK_EVERY = 1_000  # reactions between two looks at the budget


class Result(NamedTuple):
    """What a run came to. `kept_going`: what an endless run was about; `used`: bindings that a message or a route went by."""

    scenario: Scenario
    broker: Broker
    ended: str
    ok: bool
    messages: Messages
    deliveries: Deliveries
    gets: Gets
    fates: Fates
    publishers: Publishers
    expectations: list[Checked]
    errors: list[StepError]
    kept_going: str
    ending_expected: bool
    until: str | int
    max_events: int
    used: list[Binding]
    tasks: "TaskRecords | None" = None
    processes: "Processes | None" = None

    @property
    def clock_ms(self) -> int:
        return self.broker.now

    def counts(self) -> dict[str, int]:
        return counts(self.broker)


class Stopped(Exception):
    """The run is over before its steps are: `livelock` or `budget`."""

    def __init__(self, ended: str) -> None:
        self.ended = ended
        super().__init__(ended)


class Runner(Acting):
    """One run. `listener` hears every event; `keep` decides whether everything is remembered for a full result, or only
    what the expectations ask for. `tick` is called now and then, for whoever shows progress. `express`: what is plain may
    go the fast way, when nobody listens or a `BatchListener` does."""

    def __init__(
        self, scenario: Scenario, listener: Listener | None = None, *, seed: int | None = None, until: str | int | None = None,
        max_events: int = BUDGET_EVENTS, keep: bool = True, tick: Callable[[Broker], None] | None = None,
        express: bool = True,
    ) -> None:  # fmt: skip
        self.seed = scenario.seed if seed is None else seed
        super().__init__(scenario, self.seed)
        self.until = scenario.until if until is None else until
        self.max_events = max_events
        self.tick = tick
        asked = _asked(scenario)
        self.messages, self.gets = Messages(), Gets()
        self.deliveries = Deliveries(scenario.consumers)
        self.publishers = Publishers()
        mentioned = frozenset(item.path[1] for item in asked if item.path[0] == "messages")
        self.fates = Fates(None if keep else mentioned)
        sections = {item.path[0] for item in asked}
        records: list[Fold] = []
        if keep:
            records += [self.messages, self.gets]
        if keep or mentioned:
            records.append(self.fates)
        if keep or "consumers" in sections:
            records.append(self.deliveries)
        if keep or sections & {"returned", "nacked"}:
            records.append(self.publishers)
        if self.tasks is not None and (keep or sections & {"tasks", "workers"}):
            records.append(self.tasks)
        self.watches = _watches(scenario)
        records += self.watches
        self.listen = fan_out(listener, records)
        self.broker: Broker = engine_of(scenario.settings)(
            rules(scenario.rabbitmq), vhost=scenario.vhost, seed=self.seed, settings=scenario.settings,
            channel_plans=scenario.channels, listen=self.listen,
        )  # fmt: skip
        narrated = listener is None or isinstance(listener, BatchListener)
        plain = express and narrated and not records and not scenario.workers and type(self.broker) is Broker
        self.express = Express(self, listener) if plain else None  # type: ignore[arg-type]
        self.publishes_left = 0
        self.checked: list[Checked] = []
        self.routed: list[Binding] = []  # bindings that the table of routes used
        self.reactions = 0
        self.look_every = max(1, min(LOOK_EVERY, max_events // 10))
        self.instant = (0, 0)  # the instant looked at last, and how much had happened when it began
        self.budget_from: tuple[int, int, int] | None = None

    # The run -----------------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        kept_going = ""
        try:
            ended = self._run()
        except Stopped as stopped:
            ended = stopped.ended
            kept_going = self._kept_going(ended)
        self._note_failures(None, None)
        self.step = None
        for expectation in self.scenario.expect:
            self._check(expectation, ended)
        self._note_checked([watch.checked(self.broker.now) for watch in self.watches])
        ending_expected = any(item.path == ("ended",) and item.wanted == ended for item in self.scenario.expect)
        ok = all(item.ok for item in self.checked) and not self.failed_steps and all(item.expected for item in self.errors)
        if ended in ("livelock", "budget") and not ending_expected:
            ok = False
        return Result(
            self.scenario, self.broker, ended, ok, self.messages, self.deliveries, self.gets, self.fates, self.publishers,
            self.checked, self.errors, kept_going, ending_expected, self.until, self.max_events,
            [*self.broker.used.values(), *self.routed], self.tasks, self.processes,
        )  # fmt: skip

    def _run(self) -> str:
        limit = self.until if isinstance(self.until, int) else None
        for declaration in self.scenario.declarations:
            self._apply(declaration.step)
        self._start_processes()
        self._note_failures(None, None)
        if self.scenario.routes:
            from routesim.run.expecting.promises import check_routes

            found, self.routed = check_routes(self.broker, self.scenario.routes)
            self._note_checked(found)
        for index, step in enumerate(self.scenario.steps):
            self.step = index
            if self.listen:
                self.listen(events.StepStarted(self.broker.now, index, step.text))
            if isinstance(step.action, Wait):
                until = self.broker.now + step.action.ms
                self._pass_time(until if limit is None else min(until, limit))
                if limit is not None and until > limit:
                    self._note_failures(index, step.fails)
                    return "time"
            else:
                self._carry_out(step)
            self._note_failures(index, step.fails)
        self.step = None
        if self.until == "steps":
            return "steps"
        self.budget_from = (open_messages(self.broker), _happened(self.broker), self.broker.now)
        self._pass_time(limit)
        return "time" if limit is not None else "idle"

    def _carry_out(self, step: ScenarioStep) -> None:
        action = step.action
        if isinstance(action, PublishMany):
            self._publish_many(action)
        elif isinstance(action, Expect):
            for expectation in action.expectations:
                self._check(expectation, None)
        elif isinstance(action, Signal):
            self._signal(action)
        elif isinstance(action, Do):
            self._do(action)

    def _publish_many(self, action: PublishMany) -> None:
        if action.after_ms:
            self.publishes_left += 1
            self.schedule(self.broker.now + action.after_ms, PUBLISH, action, 0)
            return
        if action.every_ms and action.times > 1:
            self._publish_one(action, 0)
            self.publishes_left += 1
            self.schedule(self.broker.now + action.every_ms, PUBLISH, action, 1)
            return
        index = 0
        while index < action.times:
            # So many publishes are no endless run, but what one of them sets off may be.
            self.instant = (self.broker.now, _happened(self.broker))
            if self._publish_one(action, index):
                break
            index += 1
            if self.express is not None and action.times - index > 1:
                index = self.express.burst(action, index)

    # Reactions ---------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Consumers react to what they were sent, one at a time, in the order of the deliveries."""
        broker, outbox = self.broker, self.broker.outbox
        while True:
            while outbox:
                self._react(outbox.popleft())
                if broker.livelock is not None:
                    break
            if self.processes is None or broker.livelock is not None or not self.processes.turn():
                break
        if broker.livelock is not None:
            raise Stopped("livelock")

    def answered(self) -> None:
        self._look_at_budget()
        if self.broker.livelock is not None:
            raise Stopped("livelock")

    def now(self) -> int:
        return self.broker.now

    # Time --------------------------------------------------------------------------------------------------------------

    def _pass_time(self, until_ms: int | None) -> None:
        """Let time pass up to and including `until_ms`; None: until nothing is left that keeps the run going."""
        broker = self.broker
        while True:
            if self.express is not None and self.agenda:
                self.express.pass_time(until_ms)
            own = self.agenda[0][0] if self.agenda else None
            if until_ms is None and self._nothing_planned() and broker.idle():
                return
            due = broker.due()
            at_ms = own if due is None else due if own is None else min(own, due)
            if at_ms is None or (until_ms is not None and at_ms > until_ms):
                break
            broker.advance(at_ms)
            self._settle()
            while self.agenda and self.agenda[0][0] == at_ms:
                self._fire(heapq.heappop(self.agenda))
            self._look_at_budget()
        if until_ms is not None:
            broker.advance(until_ms)
            self._settle()

    def _fire(self, entry: tuple[int, int, int, tuple[Any, ...]]) -> None:
        _, rank, _, what = entry
        if rank == FINISH:
            worker = self.workers[what[0]]
            if worker.life == what[2] and what[1] in worker.jobs:
                self._begin(worker, self._finish(worker, what[1]))
        elif rank == COME_BACK:
            self.broker.apply(self.workers[what[0]].come_back())
        elif rank == TIMER and self.processes is not None:
            self.processes.fire(*what)
        else:
            action, index = what
            self._publish_one(action, index)
            while not action.every_ms and index + 1 < action.times:
                index += 1
                self._publish_one(action, index)
            if index + 1 < action.times:
                self.schedule(self.broker.now + action.every_ms, PUBLISH, action, index + 1)
            else:
                self.publishes_left -= 1
                self.budget_from = None
        self._settle()

    # Budget ------------------------------------------------------------------------------------------------------------

    def _look_at_budget(self) -> None:
        """Stops a run that does not come to rest: after the last publish, or at one instant that never ends."""
        self.reactions += 1
        if self.reactions % self.look_every and self.broker.now < BUDGET_MS:
            return
        if self.tick is not None:
            self.tick(self.broker)
        broker, happened = self.broker, _happened(self.broker)
        if broker.now != self.instant[0]:
            self.instant = (broker.now, happened)
        if happened - self.instant[1] > self.max_events:
            raise Stopped("budget")
        if self.step is not None or self.publishes_left or self.until != "idle":
            return
        count = open_messages(broker)
        if self.budget_from is None or count < self.budget_from[0]:
            self.budget_from = (count, happened, broker.now)
        _, events_then, ms_then = self.budget_from
        if happened - events_then > self.max_events or broker.now - ms_then > BUDGET_MS:
            raise Stopped("budget")

    def _kept_going(self, ended: str) -> str:
        broker = self.broker
        if ended == "livelock" and broker.livelock is not None:
            message, places = broker.livelock
            return f"message {message} came back 1,000 times without time passing: {' → '.join(places)}"
        open_in = [
            f"{queue.ready_count() + queue.unacked} in {queue.name}"
            for queue in broker.queues.values()
            if queue.ready_count() + queue.unacked
        ]
        some = ", ".join(open_in[:4]) + (" …" if len(open_in) > 4 else "")
        return (
            f"messages still go round ({some}): "
            f"{broker.ledger.redelivered} redeliveries, {broker.ledger.dead_lettered} dead-lettered so far"
        )

    # Errors and expectations -------------------------------------------------------------------------------------------

    def _check(self, expectation: Expectation, ended: str | None) -> None:
        evidence = Evidence(self.broker, self.deliveries, self.fates, self.publishers, ended, self.tasks, self.processes)
        self._note_checked([check(expectation, evidence, self.step)])

    def _note_checked(self, found: list[Checked]) -> None:
        self.checked += found
        if self.listen is None:
            return
        for item in found:
            self.listen(events.Expected(self.broker.now, self.step, item.line, item.text, item.ok, shown_actual(item)))


def _happened(broker: Broker) -> int:
    """How much has happened: every publish, copy, delivery and answer counts."""
    ledger = broker.ledger
    return (
        ledger.published + ledger.enqueued + ledger.dead_letter_copies + ledger.delivered + ledger.acked + ledger.redelivered
        + ledger.dead_lettered
    )  # fmt: skip


def _watches(scenario: Scenario) -> "list[Watch]":
    if not scenario.never:
        return []
    from routesim.run.expecting.promises import Watch  # few scenarios need it, and every command is to start at once

    return [Watch(rule) for rule in scenario.never]


def _asked(scenario: Scenario) -> list[Expectation]:
    inside = [item for step in scenario.steps if isinstance(step.action, Expect) for item in step.action.expectations]
    return [*scenario.expect, *inside]
