"""Virtual time: it passes in no time, from one instant at which something is due to the next."""

from collections.abc import Iterator

from routesim.broker import Broker
from routesim.events import Event
from routesim.run.agenda import Entry, RunAgenda
from routesim.run.budget import Budget, Stopped
from routesim.run.express import Express
from routesim.scenario import PublishMany
from routesim.steps import Ack, Get, Nack, Publish, Reject, Step

ABOUT_MESSAGES = frozenset({Publish, Get, Ack, Nack, Reject})  # what comes of them is in the ledger


class VirtualClock:
    """The clock of an embedded engine. At one instant the broker's own timers come first, then the agenda's entries.

    `express`: the fast way, where there is one.
    """

    always_at_rest = True
    slack_ms = 0

    def __init__(self, broker: Broker, agenda: RunAgenda, budget: Budget) -> None:
        self.broker = broker
        self.inbox = broker.outbox
        self.agenda = agenda
        self.budget = budget
        self.express: Express | None = None

    def now(self) -> int:
        return self.broker.now

    def start(self) -> None:
        """It is 0 until the first wait."""

    def begin_step(self) -> None:
        self.broker.go_on()

    def pass_until(self, until_ms: int | None) -> Iterator[Entry | None]:
        broker, agenda, heap = self.broker, self.agenda, self.agenda.heap
        while True:
            agenda.tidy()
            if self.express is not None and heap:
                self.express.pass_time(until_ms)
            if until_ms is None and len(heap) <= agenda.heartbeats and broker.idle():
                return
            own, due = heap[0][0] if heap else None, broker.due()
            at_ms = own if due is None else due if own is None else min(own, due)
            if at_ms is None or (until_ms is not None and at_ms > until_ms):
                break
            broker.advance(at_ms)
            if broker.outbox or broker.livelock is not None:
                yield None
            while heap and heap[0][0] == at_ms:
                yield agenda.pop()
            self.budget.react()
        if until_ms is not None:
            broker.advance(until_ms)
            yield None

    def rest(self, limit_ms: int | None) -> Iterator[Entry | None]:
        self.budget.begin_rest()
        return self.pass_until(limit_ms)

    def publish_ahead(self, action: PublishMany, index: int) -> int:
        if self.express is not None and action.times - index > 1:
            index = self.express.burst(action, index)
        # So many publishes are no endless run, but what one of them sets off may be.
        self.budget.begin_instant()
        return index

    def published(self) -> None:
        self.budget.begin_anew()

    def gather(self) -> None:
        """The embedded engine is always at rest."""

    def answered(self, step: Step) -> None:
        if type(step) not in ABOUT_MESSAGES:
            self.budget.beside += 1
        self.budget.react()
        if self.broker.livelock is not None:
            raise Stopped("livelock")

    def stamped(self, event: Event) -> Event:
        return event
