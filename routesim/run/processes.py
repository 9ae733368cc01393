"""The worker processes of a run: what they do is carried out, what they plan is put on the run's agenda."""

from collections import deque

from routesim.broker import ConsumerEnded
from routesim.clients.actions import Actions, After, Shared, Soon, What
from routesim.clients.process import Process
from routesim.queues import DeliveringQueue, Delivery
from routesim.run.agenda import Entry, WorkerTimer
from routesim.run.clock import Clock
from routesim.run.folds.fold import Listener
from routesim.scenario import Scenario
from routesim.steps import Step


class Processes:
    """`turns`: what processes do when all that is under way at this instant has arrived. `listen` hears their own events."""

    def __init__(self, scenario: Scenario, clock: Clock, seed: int, published: dict[str, int], listen: Listener | None) -> None:
        self.clock = clock
        self.listen = listen
        shared = Shared(scenario.tasks, seed, published)
        self.by_name = {name: Process(plan, shared, clock.slack_ms) for name, plan in scenario.workers.items()}
        self.by_channel = {name: process for process in self.by_name.values() for name in process.channels()}
        self.turns: deque[tuple[Process, What]] = deque()

    def start(self) -> None:
        """Those that start by themselves, in the order of the scenario."""
        for name, process in self.by_name.items():
            if process.plan.start:
                self.signal(name, "start")

    def signal(self, name: str, do: str) -> None:
        process = self.by_name[name]
        self._perform(process, process.signal(do, self.clock.now()))
        self._forget(process)

    def react(self, received: Delivery[DeliveringQueue] | ConsumerEnded) -> bool:
        """Whether this is for a process, which has then done what it does at once."""
        if isinstance(received, ConsumerEnded):
            process = self.by_channel.get(received.channel)
            if process is not None:
                self._perform(process, process.ended(received, self.clock.now()))
                self._forget(process)
            return process is not None
        process = self.by_channel.get(received.subscription.channel.name) if received.subscription is not None else None
        if process is not None:
            self._perform(process, process.receive(received, self.clock.now()))
        return process is not None

    def turn(self) -> bool:
        """The next turn of an event loop; False: nothing is waiting for one."""
        while self.turns:
            process, what = self.turns.popleft()
            if process.expects(what):
                self._fire(process, what)
                return True
        return False

    def fire(self, due: WorkerTimer) -> None:
        """The time of an entry of the agenda has come."""
        if due.is_due_still():
            self._fire(due.process, due.timer)

    def _fire(self, process: Process, what: What) -> None:
        self._perform(process, process.fire(what, self.clock.now()))
        self._forget(process)

    def _perform(self, process: Process, actions: Actions) -> None:
        clock, answer = self.clock, None
        while True:
            try:
                action = actions.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(action, After):
                clock.agenda.schedule(clock.now() + action.ms, WorkerTimer(process, action.what))
            elif isinstance(action, Soon):
                self.turns.append((process, action.what))
            elif isinstance(action, Step):
                answer = clock.broker.apply(action)
                clock.answered()
            elif self.listen is not None:
                self.listen(clock.stamped(action))

    def _forget(self, process: Process) -> None:
        """What the process expects no more must not keep the run going."""
        if not process.dropped:
            return
        process.dropped = False

        def dropped(entry: Entry) -> bool:
            return isinstance(entry, WorkerTimer) and entry.process is process and not entry.is_due_still()

        self.clock.agenda.forget(dropped)
