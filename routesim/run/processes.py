"""The worker processes of a run: what they do is carried out, what they plan is put on the run's agenda."""

import heapq
from collections import deque
from typing import TYPE_CHECKING

from routesim.broker import ConsumerEnded
from routesim.clients.actions import Actions, After, Shared, Soon, What
from routesim.clients.process import Process
from routesim.queues import DeliveringQueue, Delivery
from routesim.run.express.express import TIMER
from routesim.steps import Step

if TYPE_CHECKING:
    from routesim.run.acting import Acting


class Processes:
    """`of` is each process by its name; `turns` what they do when all that is under way at this instant has arrived."""

    def __init__(self, acting: "Acting", seed: int, published: dict[str, int]) -> None:
        self.acting = acting
        scenario = acting.scenario
        shared = Shared(scenario.tasks, seed, published)
        self.of = {name: Process(plan, shared) for name, plan in scenario.workers.items()}
        self.by_channel = {name: process for process in self.of.values() for name in process.channels()}
        self.turns: deque[tuple[Process, What]] = deque()
        self.heartbeats = 0  # on the agenda: they keep no run going

    def start(self) -> None:
        """Those that start by themselves, in the order of the scenario."""
        for name, process in self.of.items():
            if process.plan.start:
                self.signal(name, "start")

    def signal(self, name: str, do: str) -> None:
        process = self.of[name]
        self._perform(process, process.signal(do, self.acting.now()))
        self._forget(process)

    def react(self, told: Delivery[DeliveringQueue] | ConsumerEnded) -> bool:
        """Whether this is for a process, which has then done what it does at once."""
        if isinstance(told, ConsumerEnded):
            process = self.by_channel.get(told.channel)
            if process is not None:
                self._perform(process, process.ended(told, self.acting.now()))
                self._forget(process)
            return process is not None
        process = self.by_channel.get(told.subscription.channel.name) if told.subscription is not None else None
        if process is not None:
            self._perform(process, process.receive(told, self.acting.now()))
        return process is not None

    def turn(self) -> bool:
        """The next turn of an event loop; False: nothing is waiting for one."""
        while self.turns:
            process, what = self.turns.popleft()
            if process.expects(what):
                self._fire(process, what)
                return True
        return False

    def fire(self, name: str, what: What) -> None:
        """The time of an entry of the agenda has come."""
        process = self.of[name]
        self.heartbeats -= what[0] == "heartbeat"
        if process.expects(what):
            self._fire(process, what)

    def _fire(self, process: Process, what: What) -> None:
        self._perform(process, process.fire(what, self.acting.now()))
        self._forget(process)

    def _perform(self, process: Process, doings: Actions) -> None:
        acting, answer = self.acting, None
        while True:
            try:
                doing = doings.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(doing, After):
                self.heartbeats += doing.what[0] == "heartbeat"
                acting.schedule(acting.now() + doing.ms, TIMER, process.plan.name, doing.what)
            elif isinstance(doing, Soon):
                self.turns.append((process, doing.what))
            elif isinstance(doing, Step):
                answer = acting.broker.apply(doing)
                acting.answered()
            else:
                acting.tell(doing)

    def _forget(self, process: Process) -> None:
        """What the process expects no more must not keep the run going."""
        if not process.dropped:
            return
        process.dropped = False
        name, agenda = process.plan.name, self.acting.agenda
        kept = [item for item in agenda if item[1] != TIMER or item[3][0] != name or process.expects(item[3][1])]
        if len(kept) != len(agenda):
            self.heartbeats = sum(item[1] == TIMER and item[3][1][0] == "heartbeat" for item in kept)
            heapq.heapify(kept)
            self.acting.agenda = kept
