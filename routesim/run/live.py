"""A scenario carried out by a real broker: the same steps and the same consumers, in real time.

How long a run to `idle` takes is asked of the embedded engine first, since no client can see what a broker still has to do.
What the clients do is timed by the scenario's own clock, so that what they do late does not add up; only the broker's
timers (TTLs, delays) go by the real one.
"""

import heapq
from typing import TYPE_CHECKING, Any, NamedTuple

from routesim import events
from routesim.events import Event
from routesim.run.acting import Acting, StepError
from routesim.run.expecting.checked import Checked, shown_actual
from routesim.run.expecting.expectations import Evidence, check
from routesim.run.express.express import COME_BACK, FINISH, PUBLISH, TIMER
from routesim.run.folds.records import Deliveries, Fates, Gets, Listener, Messages, Publishers, Record, fan_out
from routesim.scenario import Do, Expect, PublishMany, Scenario, ScenarioStep, Signal, Wait
from routesim.scenario.scenario import Expectation

if TYPE_CHECKING:
    from routesim.rabbitmq.engine import RealBroker
    from routesim.run.folds.task_records import TaskRecords
    from routesim.run.processes import Processes

SEEN_STATES = ("ready", "unacked", "acked")
MAX_REACTIONS = 100_000


class LiveResult(NamedTuple):
    """What a run on a real broker came to, as far as its clients can tell; the fields of a `Result`.

    `unseen`: the expectations about what no client is told, which were not checked.
    """

    scenario: Scenario
    broker: "RealBroker"
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
    clock_ms: int
    unseen: list[Expectation]
    tasks: "TaskRecords | None" = None
    processes: "Processes | None" = None

    def counts(self) -> dict[str, int]:
        """Only what a client can count."""
        queues = self.broker.queues.values()
        held = sum(1 for line in self.broker.channels.values() for _ in line.outstanding())
        return {**self.broker.counted, "ready": sum(queue.ready_count() for queue in queues), "unacked": held}


class LiveRunner(Acting):
    """One run. `idle_ms`: the virtual time at which the embedded engine found nothing left to do."""

    def __init__(self, scenario: Scenario, broker: "RealBroker", listener: Listener | None = None, *, idle_ms: int) -> None:
        super().__init__(scenario, scenario.seed)
        self.broker: RealBroker = broker
        self.idle_ms = idle_ms
        self.messages, self.gets, self.publishers = Messages(), Gets(), Publishers()
        self.deliveries = Deliveries(scenario.consumers)
        self.fates = Fates(None)
        records: list[Record] = [self.messages, self.gets, self.fates, self.deliveries, self.publishers]
        if self.tasks is not None:
            records.append(self.tasks)
        self.listen = fan_out(listener, records)
        broker.listen = self.listen
        self.reactions = 0
        self.at_ms = 0  # the scenario's time, which the real one follows
        self.late_ms = 0  # how far what clients did has fallen behind it
        for process in self.processes.of.values() if self.processes is not None else ():
            process.slack_ms = broker.lateness_ms()
        self.checked: list[Checked] = []
        self.unseen: list[Expectation] = []

    def run(self) -> LiveResult:
        from routesim.rabbitmq.observing import take_contents

        ended = self._run()
        self._note_failures(None, None)
        self.step = None
        clock_ms = self.broker.now
        take_contents(self.broker)
        self._ready_fates()
        for expectation in self.scenario.expect:
            self._check(expectation, ended)
        ending_expected = any(item.path == ("ended",) and item.wanted == ended for item in self.scenario.expect)
        ok = all(item.ok for item in self.checked) and not self.failed_steps and all(item.expected for item in self.errors)
        return LiveResult(
            self.scenario, self.broker, ended, ok, self.messages, self.deliveries, self.gets, self.fates, self.publishers,
            self.checked, self.errors, "", ending_expected, clock_ms, self.unseen,
            self.tasks, self.processes,
        )  # fmt: skip

    def _run(self) -> str:
        scenario = self.scenario
        limit = scenario.until if isinstance(scenario.until, int) else None
        for declaration in scenario.declarations:
            self._apply(declaration.step)
        self.broker.start_clock()
        self._start_processes()
        self._note_failures(None, None)
        for index, step in enumerate(scenario.steps):
            self.step = index
            if self.listen:
                self.listen(events.StepStarted(self.broker.now, index, step.text))
            if isinstance(step.action, Wait):
                ms = step.action.ms if limit is None else min(step.action.ms, limit - self.at_ms)
                self._pass_time(ms)
                if limit is not None and ms < step.action.ms:
                    self._note_failures(index, step.fails)
                    return "time"
            else:
                self._carry_out(step)
            self._note_failures(index, step.fails)
        self.step = None
        if scenario.until == "steps":
            return "steps"
        self._pass_time(max(0, (self.idle_ms if limit is None else limit) - self.at_ms))
        if limit is not None:
            return "time"
        while not self._nothing_planned():
            self._pass_time(max(1, self.agenda[0][0] - self.at_ms))
        return "idle"

    def _carry_out(self, step: ScenarioStep) -> None:
        action = step.action
        if isinstance(action, PublishMany):
            self._publish_many(action)
        elif isinstance(action, Expect):
            from routesim.rabbitmq.observing import count_ready

            named = {item.path[1] for item in action.expectations if item.path[0] == "queues"}
            count_ready(self.broker, named)
            for expectation in action.expectations:
                self._check(_countable(expectation), None)
            for queue in self.broker.queues.values():
                queue.count = None
        elif isinstance(action, Signal):
            self._signal(action)
        elif isinstance(action, Do):
            self._do(action)

    def _publish_many(self, action: PublishMany) -> None:
        if action.after_ms:
            for index in range(action.times):
                self.schedule(self.at_ms + action.after_ms + index * action.every_ms, PUBLISH, action, index)
            return
        if action.every_ms and action.times > 1:
            for index in range(1, action.times):
                self.schedule(self.at_ms + index * action.every_ms, PUBLISH, action, index)
            self._publish_one(action, 0)
            return
        for index in range(action.times):
            if self._publish_one(action, index):
                break

    # Reactions ---------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        self.broker.settle()
        while True:
            while self.broker.outbox:
                self._react(self.broker.outbox.popleft())
            if self.processes is None or not self.processes.turn():
                break

    def answered(self) -> None:
        self.broker.settle()
        self.reactions += 1
        if self.reactions > MAX_REACTIONS:
            from routesim.rabbitmq.problems import NotOnARealBroker

            raise NotOnARealBroker(f"its consumers have reacted {MAX_REACTIONS:,} times and do not come to rest")

    def now(self) -> int:
        return self.at_ms

    def tell(self, event: Event) -> None:
        """At the time that it is for the broker, as all that it is told between."""
        super().tell(event._replace(at_ms=self.broker.now))

    # Time --------------------------------------------------------------------------------------------------------------

    def _pass_time(self, ms: int) -> None:
        """Let time pass, its last instant included: what is due then may come a little late."""
        until_ms, behind_ms = self.at_ms + ms, max(0, self.broker.now - self.at_ms)
        patience_ms = self.broker.lateness_ms()
        while True:
            due_ms = self.agenda[0][0] if self.agenda else until_ms + 1
            self.broker.wait(behind_ms + (due_ms if due_ms <= until_ms else until_ms + patience_ms + self.late_ms))
            if self.broker.outbox:  # a timer of the broker went off: consumers react at once
                self.at_ms = max(self.at_ms, min(self.broker.now - behind_ms, until_ms))
                self._settle()
            elif due_ms <= until_ms:
                self.at_ms = max(self.at_ms, due_ms)
                self._fire(heapq.heappop(self.agenda))
            else:
                break
            self.late_ms = max(self.late_ms, self.broker.now - behind_ms - self.at_ms)
        self._settle()
        self.at_ms = until_ms

    def _fire(self, entry: tuple[int, int, int, tuple[Any, ...]]) -> None:
        _, rank, _, what = entry
        if rank == FINISH:
            worker = self.workers[what[0]]
            if worker.life == what[2] and what[1] in worker.jobs:
                self._begin(worker, self._finish(worker, what[1]))
            self._settle()
        elif rank == COME_BACK:
            self._apply(self.workers[what[0]].come_back())
        elif rank == TIMER and self.processes is not None:
            self.processes.fire(*what)
            self._settle()
        else:
            self._publish_one(*what)

    # Errors and expectations -------------------------------------------------------------------------------------------

    def _ready_fates(self) -> None:
        """What was found at the end is ready, and where it has been says its x-death; what was rejected is known no more."""
        held = {(item.copy.message, item.queue.name) for line in self.broker.channels.values() for item in line.unacked.values()}
        for message, reached in self.fates.of.items():
            for gone in [name for name, (_, state) in reached.items() if state == "unacked" and (message, name) not in held]:
                del reached[gone]
        for name, queue in self.broker.queues.items():
            for copy in queue.ready():
                reached = self.fates.of.setdefault(copy.message, {})
                reached[name] = (copy.serial, "ready")
                deaths = (copy.content.headers or {}).get("x-death")
                for death in deaths if isinstance(deaths, list) else ():
                    here = self.broker.queues.get(death["queue"])
                    still = here is not None and any(item.message == copy.message for item in here.ready())
                    if not still and (copy.message, death["queue"]) not in held:
                        reached[death["queue"]] = (0, f"dead-lettered: {death['reason']}")

    def _check(self, expectation: Expectation, ended: str | None) -> None:
        evidence = Evidence(self.broker, self.deliveries, self.fates, self.publishers, ended, self.tasks, self.processes)
        found = check(expectation, evidence) if expectation.path[0] != "lost" else None
        if found is None or (not found.ok and self._cannot_be_seen(expectation)):
            self.unseen.append(expectation)
            return
        self.checked.append(found)
        if self.listen:
            self.listen(events.Expected(self.broker.now, self.step, found.line, found.text, found.ok, shown_actual(found)))

    def _cannot_be_seen(self, expectation: Expectation) -> bool:
        """Whether a state of a message is one that no client is told of, and nothing seen speaks against it."""
        if expectation.path[0] != "messages":
            return False
        wanted = str(expectation.wanted).partition(":")[0]
        seen = self.fates.state(*expectation.path[1:])
        return wanted not in SEEN_STATES and (seen is None or (seen == "ready" and expectation.path[2] not in self.broker.queues))


def _countable(expectation: Expectation) -> Expectation:
    """In mid-run the ready messages are only counted: to see which they are they would have to be taken out."""
    if expectation.path[0] == "queues" and expectation.path[2] == "ready" and _is_list(expectation.wanted):
        return expectation._replace(wanted=("==", len(expectation.wanted)))
    return expectation


def _is_list(wanted: Any) -> bool:
    return isinstance(wanted, tuple) and not (len(wanted) == 2 and isinstance(wanted[1], int))
