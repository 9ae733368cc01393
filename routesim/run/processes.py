"""The worker processes of a run: what they do is carried out, what they plan is put on the run's agenda."""

from collections import deque

from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.clients.actions import Actions, After, AfterBatch, Soon
from routesim.clients.worker import process
from routesim.clients.worker.timers import KEEP_NO_RUN_GOING, Timer
from routesim.clients.worker.worker_state import Shared, WorkerState
from routesim.events import TaskLost
from routesim.queues import DeliveringQueue, Delivery
from routesim.run.agenda import Entry, WorkerTimer
from routesim.run.clock import Clock
from routesim.run.folds.fold import Listener
from routesim.run.tasks.endless import EndlessRetries
from routesim.run.tasks.sent import tell_of_task
from routesim.scenario import Scenario
from routesim.steps import Step


class Processes:
    """`turns`: what processes do when all that is under way at this instant has arrived. `listen` hears their own events."""

    def __init__(self, scenario: Scenario, clock: Clock, seed: int, published: dict[str, int], listen: Listener | None) -> None:
        self.clock = clock
        self.listen = listen
        shared = Shared(scenario.tasks, seed, published, on_redis=scenario.settings.kind == "redis")
        self.chords = shared.chords
        self.by_name = {name: WorkerState(plan, shared, clock.slack_ms) for name, plan in scenario.workers.items()}
        self.by_channel = {name: state for state in self.by_name.values() for name in state.channels()}
        self.turns: deque[tuple[WorkerState, Timer]] = deque()
        self.endless = EndlessRetries(shared.endless, self.by_name.values())
        self.batched: list[tuple[int, WorkerState, Timer]] = []  # each after so many more things that clients are sent

    def start(self) -> None:
        """Those that start by themselves, in the order of the scenario."""
        for state in self.by_name.values():
            if state.plan.start:
                self._perform(state, process.begin(state, self.clock.now()))
                self._forget(state)

    def signal(self, name: str, do: str) -> None:
        state = self.by_name[name]
        self._perform(state, process.signal(state, do, self.clock.now()))
        self._forget(state)

    def react(self, received: Delivery[DeliveringQueue] | ConsumerEnded | ChannelEnded) -> bool:
        """Whether this is for a process, which has then done what it does at once."""
        if self.batched:
            self.batched = [(left - 1, state, timer) for left, state, timer in self.batched]
        found = self._react(received)
        while self.batched and self.batched[0][0] <= 0:
            _, state, timer = self.batched.pop(0)
            if timer.is_due_still(state):
                self._fire(state, timer)
        return found

    def _react(self, received: Delivery[DeliveringQueue] | ConsumerEnded | ChannelEnded) -> bool:
        if not isinstance(received, Delivery):
            state = self.by_channel.get(received.channel)
            if state is not None:
                now = self.clock.now()
                if isinstance(received, ChannelEnded):
                    self._perform(state, process.channel_ended(state, received, now))
                else:
                    self._perform(state, process.consumer_ended(state, received, now))
                self._forget(state)
            return state is not None
        state = self.by_channel.get(received.subscription.channel.name) if received.subscription is not None else None
        if state is not None:
            self._perform(state, process.receive(state, received, self.clock.now()))
        return state is not None

    def turn(self) -> bool:
        """The next turn of an event loop; False: nothing is waiting for one."""
        while self.turns:
            state, timer = self.turns.popleft()
            if timer.is_due_still(state):
                self._fire(state, timer)
                return True
        return False

    def fire(self, due: WorkerTimer) -> None:
        """The time of an entry of the agenda has come."""
        if due.is_due_still():
            self._fire(due.state, due.timer)

    def _fire(self, state: WorkerState, timer: Timer) -> None:
        self._perform(state, process.fire(state, timer, self.clock.now()))
        self._forget(state)

    def _perform(self, state: WorkerState, actions: Actions) -> None:
        clock, answer = self.clock, None
        while True:
            try:
                action = actions.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(action, After):
                entry = WorkerTimer(state, action.timer, not isinstance(action.timer, KEEP_NO_RUN_GOING))
                clock.agenda.schedule(clock.now() + action.ms, entry)
            elif isinstance(action, AfterBatch):
                self.batched.append((len(clock.inbox), state, action.timer))
            elif isinstance(action, Soon):
                self.turns.append((state, action.timer))
            elif isinstance(action, Step):
                tell_of_task(self.listen, clock.now(), action)
                answer = clock.broker.apply(action)
                clock.answered(action)
            elif type(action) is TaskLost:
                clock.broker.lost_by_worker(action)
            elif self.listen is not None:
                self.listen(clock.stamped(action))

    def _forget(self, state: WorkerState) -> None:
        """What the process expects no more must not keep the run going."""
        if not state.dropped:
            return
        state.dropped = False

        def dropped(entry: Entry) -> bool:
            return isinstance(entry, WorkerTimer) and entry.state is state and not entry.is_due_still()

        self.clock.agenda.forget(dropped)
