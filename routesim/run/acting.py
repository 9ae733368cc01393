"""What a run is on either engine: steps applied one by one, consumers that react, what they have planned, what failed."""

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from routesim.broker import ConsumerEnded
from routesim.clients import ScriptedConsumer
from routesim.events import Event
from routesim.queues import DeliveringQueue, Delivery
from routesim.run.express.express import COME_BACK, FINISH
from routesim.run.folds.records import Listener
from routesim.scenario import Do, PublishMany, Scenario, Signal
from routesim.steps import Publish, Step

if TYPE_CHECKING:
    from routesim.broker import Broker
    from routesim.rabbitmq.engine import RealBroker
    from routesim.run.folds.task_records import TaskRecords
    from routesim.run.processes import Processes


class StepError(NamedTuple):
    """A closed channel or connection, or a step that failed; `step` None: outside the steps."""

    step: int | None
    code: int | None
    text: str
    expected: bool


class Acting:
    """`agenda`: what consumers and steps have planned, as (at_ms, rank, number, what). A subclass has the time."""

    broker: "Broker | RealBroker"
    listen: Listener | None = None

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        published: dict[str, int] = {}
        self.workers = {
            name: ScriptedConsumer(
                consumer, _connection(scenario, consumer.channel), f"{name} (publish)", seed, number, published
            )
            for number, (name, consumer) in enumerate(scenario.consumers.items())
        }
        self.processes = _processes(self, seed, published)
        self.tasks = _task_record(scenario)
        self.agenda: list[tuple[int, int, int, tuple[Any, ...]]] = []
        self.scheduled = 0
        self.step: int | None = None
        self.errors: list[StepError] = []
        self.failed_steps = False

    def now(self) -> int:
        """The scenario's time."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Carry out whatever the broker's clients do at this instant."""
        raise NotImplementedError

    def answered(self) -> None:
        """Called after each thing that a consumer sends."""
        raise NotImplementedError

    def tell(self, event: Event) -> None:
        """What a worker process says of itself."""
        if self.listen is not None:
            self.listen(event)

    def _nothing_planned(self) -> bool:
        """Heartbeats aside: they would go on for ever."""
        return len(self.agenda) == (0 if self.processes is None else self.processes.heartbeats)

    # Steps -------------------------------------------------------------------------------------------------------------

    def _start_processes(self) -> None:
        if self.processes is not None:
            self.processes.start()
            self._settle()

    def _signal(self, action: Signal) -> None:
        assert self.processes is not None
        self.processes.signal(action.worker, action.do)
        self._settle()

    def _do(self, action: Do) -> None:
        for each in action.steps:
            if self._apply(each):
                break

    def _publish_one(self, action: PublishMany, index: int) -> bool:
        return self._apply(Publish(action.channel, action.message, action.id(index)))

    def _apply(self, step: Step) -> bool:
        """Carry out one step and everything that it sets off at this instant; True when it was refused."""
        refused = self.broker.apply(step)
        self._settle()
        return refused is not None

    def schedule(self, at_ms: int, rank: int, *what: Any) -> None:
        self.scheduled += 1
        heapq.heappush(self.agenda, (at_ms, rank, self.scheduled, what))

    def _note_failures(self, step: int | None, fails: int | None) -> None:
        """What the broker closed during a step; the code that the step says it fails with is expected."""
        met = fails is None
        for failure in self.broker.failures:
            expected = not met and failure.code == fails
            met = met or expected
            self.errors.append(StepError(step, failure.code, failure.text, expected))
        self.broker.failures.clear()
        if not met:
            self.failed_steps = True
            self.errors.append(StepError(step, None, f"the step was to fail with {fails}, but did not", False))

    # Reactions ---------------------------------------------------------------------------------------------------------

    def _react(self, told: Delivery[DeliveringQueue] | ConsumerEnded) -> None:
        """The consumer that this is for does what it does at once."""
        if self.processes is not None and self.processes.react(told):
            return
        if isinstance(told, ConsumerEnded):
            self._ended(told)
            return
        worker = self.workers.get(told.subscription.name) if told.subscription else None
        if worker is not None:
            self._begin(worker, worker.receive(told))

    def _begin(self, worker: ScriptedConsumer, begun: list[tuple[int, int]]) -> None:
        """Jobs that take no time are finished at once, and so are those that can begin then."""
        todo = deque(begun)
        while todo:
            number, takes = todo.popleft()
            if number not in worker.jobs:
                continue
            if takes:
                self.schedule(self.now() + takes, FINISH, worker.consumer.name, number, worker.life)
            else:
                todo.extend(self._finish(worker, number))

    def _finish(self, worker: ScriptedConsumer, number: int) -> list[tuple[int, int]]:
        """The job's answer is sent; returns the jobs that begin with the hand that is free now."""
        back_after = worker.back_after(number)
        life = worker.life
        for step in worker.finish(number):
            self.broker.apply(step)
            self.answered()
        if back_after is not None:
            self.schedule(self.now() + back_after, COME_BACK, worker.consumer.name)
        return worker.begin() if worker.life == life else []

    def _ended(self, told: ConsumerEnded) -> None:
        worker = self.workers.get(told.consumer)
        if worker is None or not told.channel_lost:
            return
        # What it was at will never be finished: it must not keep the run alive.
        self.agenda = [item for item in self.agenda if item[1] != FINISH or item[3][0] != told.consumer]
        heapq.heapify(self.agenda)
        for delivery in worker.channel_lost():
            self.broker.lost_by_consumer(told.consumer, delivery.copy.message, delivery.queue.name, delivery.copy.serial)


def _processes(acting: Acting, seed: int, published: dict[str, int]) -> "Processes | None":
    if not acting.scenario.workers:
        return None
    from routesim.run.processes import Processes  # few scenarios need it, and every command is to start at once

    return Processes(acting, seed, published)


def _task_record(scenario: Scenario) -> "TaskRecords | None":
    if not scenario.workers:
        return None
    from routesim.run.folds.task_records import TaskRecords

    return TaskRecords(scenario.workers)


def _connection(scenario: Scenario, channel: str) -> str:
    plan = scenario.channels.get(channel)
    return plan.connection if plan else channel
