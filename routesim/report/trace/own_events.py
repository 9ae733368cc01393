"""The messages in which workers tell of themselves and of their tasks, and ask each other, as one quiet row of a trace each.

What they tell stands in the trace already, as what happened; a row for each copy and each listener would bury the story.
Formats for programs, step mode and the report keep every event.
"""

from typing import Any

from routesim import events
from routesim.durations import duration_text
from routesim.model import events_channel, mingle_channel
from routesim.report.trace.rows import Row
from routesim.scenario import Scenario
from routesim.tables import QUIET

MAX_MESSAGES = 10_000  # remembered, as one may be delivered later than it was sent
MAX_QUEUES = 3


class OwnEvents:
    """`row` is what there is to say of the last one, as soon as something else happens."""

    def __init__(self, scenario: Scenario) -> None:
        self.workers = {events_channel(name): (name, "tells") for name in scenario.workers}
        self.workers |= {mingle_channel(name): (name, "asks") for name in scenario.workers}
        from routesim.clients.worker.mingling import ANSWERS_MS  # every command is to start at once

        # Of a worker that finds others there.
        self.mingle = f"mingle: it starts {duration_text(ANSWERS_MS)} later, after the answers of"
        self.messages: set[str] = set()
        self.sent = ""
        self.last: Row | None = None
        self.queues: list[str] = []

    def concerns(self, event: Any) -> bool:
        """Whether it is the way of such a message. What goes wrong with one is not: that has a row of its own."""
        kind = type(event)
        if kind is events.Published:
            return event.channel in self.workers
        return (kind is events.Enqueued or kind is events.Delivered) and event.message in self.messages

    def note(self, event: Any, row: Row) -> None:
        """An event that `concerns` says yes to, and the row that it would have."""
        if type(event) is events.Published:
            if len(self.messages) > MAX_MESSAGES:
                self.messages.clear()
            self.messages.add(event.message)
            self.sent = event.message
            name, does = self.workers[event.channel]
            why = event.routing_key or self.mingle
            self.last = row._replace(event=does, message="", where=f"{name} → {row.where}", why=why, tone=QUIET)
            self.queues = []
        elif type(event) is events.Enqueued and self.last is not None and event.message == self.sent:
            self.queues.append(event.queue)

    def row(self) -> Row | None:
        """The row of the last one, once."""
        row, self.last = self.last, None
        if row is None or not self.queues:
            return row
        between = " " if row.why == self.mingle else " → "
        more = [f"{len(self.queues) - MAX_QUEUES} more"] if len(self.queues) > MAX_QUEUES else []
        return row._replace(why=f"{row.why}{between}{', '.join([*self.queues[:MAX_QUEUES], *more])}")
