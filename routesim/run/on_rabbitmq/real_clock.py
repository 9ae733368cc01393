"""Real time, on a real broker.

How long a run to `idle` takes is asked of the embedded engine first, since no client can see what a broker still has to do.
What the clients do is timed by the scenario's own clock, so that what they do late does not add up; only the broker's
timers (TTLs, delays) go by the real one.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from routesim.events import Event
from routesim.run.agenda import Entry, RunAgenda
from routesim.scenario import PublishMany
from routesim.steps import Step

if TYPE_CHECKING:
    from routesim.rabbitmq.engine import RealBroker

MAX_REACTIONS = 100_000


class RealClock:
    """`idle_ms`: the virtual time at which the embedded engine found nothing left to do."""

    always_at_rest = False

    def __init__(self, broker: "RealBroker", idle_ms: int) -> None:
        self.broker = broker
        self.inbox = broker.outbox
        self.agenda = RunAgenda()
        self.slack_ms = broker.lateness_ms()  # a real clock is never exact
        self.idle_ms = idle_ms
        self.reactions = 0
        self.at_ms = 0  # the scenario's time, which the real one follows
        self.late_ms = 0  # how far what clients did has fallen behind it

    def now(self) -> int:
        return self.at_ms

    def start(self) -> None:
        self.broker.start_clock()

    def pass_until(self, until_ms: int | None) -> Iterator[Entry | None]:
        """What is due at the last instant may come a little late."""
        assert until_ms is not None  # `rest` knows when nothing is left
        broker, behind_ms, patience_ms = self.broker, max(0, self.broker.now - self.at_ms), self.broker.lateness_ms()
        while True:
            due_ms = self.agenda.due_ms()
            due_ms = due_ms if due_ms is not None and due_ms <= until_ms else None
            broker.wait(behind_ms + (until_ms + patience_ms + self.late_ms if due_ms is None else due_ms))
            if broker.outbox:  # a timer of the broker went off: consumers react at once
                self.at_ms = max(self.at_ms, min(broker.now - behind_ms, until_ms))
                yield None
            elif due_ms is not None:
                self.at_ms = max(self.at_ms, due_ms)
                yield self.agenda.pop()
            else:
                break
            self.late_ms = max(self.late_ms, broker.now - behind_ms - self.at_ms)
        yield None
        self.at_ms = until_ms

    def rest(self, limit_ms: int | None) -> Iterator[Entry | None]:
        yield from self.pass_until(max(self.at_ms, self.idle_ms if limit_ms is None else limit_ms))
        while limit_ms is None and self.agenda.keeps_going():
            yield from self.pass_until(max(self.at_ms + 1, self.agenda.due_ms() or 0))

    def begin_step(self) -> None:
        """Real clients take their time."""

    def publish_ahead(self, action: PublishMany, index: int) -> int:
        return index

    def published(self) -> None:
        """That the run comes to rest the embedded engine has found."""

    def gather(self) -> None:
        self.broker.settle()

    def answered(self, step: Step) -> None:
        self.broker.settle()
        self.reactions += 1
        if self.reactions > MAX_REACTIONS:
            from routesim.rabbitmq.problems import NotOnARealBroker

            raise NotOnARealBroker(f"its consumers have reacted {MAX_REACTIONS:,} times and do not come to rest")

    def stamped(self, event: Event) -> Event:
        return event._replace(at_ms=self.broker.now)
