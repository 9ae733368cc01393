"""The sections `routes` and `never` against what is declared and what happens.

A rule of `never` remembers only what it must to be decided: nothing for `reaches` and `lost`, and for `delivered` and `waits`
a number for each message that is still somewhere, or that still waits.
"""

from typing import Any

from routesim import events
from routesim.broker import Broker
from routesim.broker.asking import would_reach
from routesim.comparisons import holds
from routesim.durations import duration_text
from routesim.model import Binding
from routesim.run.expecting.checked import SHOWN_IDS, Checked, shown_value
from routesim.run.folds.fold import Fold, Hears
from routesim.scenario import ExpectedRoute, Never
from routesim.values import plain


def check_routes(broker: Broker, rows: tuple[ExpectedRoute, ...]) -> tuple[list[Checked], list[Binding]]:
    """Each row against what is declared now, and the bindings that were used."""
    if not rows:
        return [], []
    found: list[Checked] = []
    used: list[Binding] = []
    names = {queue: number for number, queue in enumerate(broker.queues)}
    asked = broker.copy()
    for row in rows:
        route = would_reach(asked, row.message, "")
        used += route.matched
        reached = sorted((queue.name for queue, _ in route.queues), key=names.__getitem__)
        text = f"{described(row)} reaches {shown_value(row.queues)}"
        found.append(Checked(row.line, text, set(reached) == set(row.queues), reached, row))
    return found, used


def described(row: ExpectedRoute) -> str:
    """The message of a row in words: `ship.shoes to shop`."""
    message = row.message
    parts = [message.routing_key or '""'] if message.routing_key or not message.headers else []
    parts += [f"{{{', '.join(f'{name}: {plain(value)}' for name, value in message.headers.items())}}}"] if message.headers else []
    return f"{' '.join(parts)} to {message.exchange or 'the default exchange'}"


def said(rule: Never) -> str:
    """The rule as a sentence: `no copy of m1 reaches parked`."""
    who = f"no copy of {', '.join(rule.messages)}" if rule.messages else "no message"
    queues = ", ".join(rule.queues)
    if rule.what == "reaches":
        return f"{who} reaches {queues}"
    if rule.what == "lost":
        return f"{who} is lost" + (f" from {queues}" if queues else "")
    operator, number = rule.limit or (">", 0)
    if rule.what == "delivered":
        return f"{who} is delivered {operator} {number} times" + (f" from {queues}" if queues else "")
    return f"{who} waits {operator} {duration_text(number)}" + (f" in {queues}" if queues else "")


class Watch(Fold):
    """A record of one rule of `never`: how often it was broken, by which messages, and what broke it first."""

    def __init__(self, rule: Never) -> None:
        self.rule = rule
        self.queues, self.messages = frozenset(rule.queues), frozenset(rule.messages)
        self.times = 0
        self.ids: dict[str, None] = {}
        self.witness: Any = None
        self.open: dict[str, int] = {}  # message -> its copies in queues
        self.deliveries: dict[str, dict[str, int]] = {}  # message -> queue -> how often
        self.entered: dict[int, Any] = {}  # copy -> the event that put it into its queue
        self.hears = _HEARS[rule.what]

    def checked(self, now: int) -> Checked:
        """The verdict at the end of the run, which is at `now`: a message that still waits counts as having waited until then.
        To be asked for once."""
        for event in self.entered.values():
            self._waited(event, event, now)
        self.entered.clear()
        actual = {"times": self.times, "messages": list(self.ids)}
        return Checked(self.rule.line, said(self.rule), not self.times, actual, self.rule, witness=self.witness)

    def asked(self, event: Any) -> bool:
        return not (self.messages and event.message not in self.messages) and not (
            self.queues and getattr(event, "queue", None) not in self.queues
        )

    def broken(self, event: Any, witness: Any = None) -> None:
        if not self.times:
            self.witness = witness or event
        self.times += 1
        if len(self.ids) < SHOWN_IDS:
            self.ids[event.message] = None

    def happened(self, event: Any) -> None:
        if self.asked(event):
            self.broken(event)

    def lost(self, event: Any) -> None:
        if type(event) is events.TaskLost and event.task in self.messages:
            event = event._replace(message=event.task)  # whichever message it was of
        if events.is_lost(event) and self.asked(event):
            self.broken(event)

    # Deliveries of a message from one queue: counted over all its copies, so that a loop of retries shows. -----------------

    def copied(self, event: events.Enqueued) -> None:
        if not self.messages or event.message in self.messages:
            self.open[event.message] = self.open.get(event.message, 0) + 1

    def delivered(self, event: events.Delivered | events.Got) -> None:
        if event.message is None or event.message not in self.open:
            return
        if not self.queues or event.queue in self.queues:
            by_queue = self.deliveries.setdefault(event.message, {})
            count = by_queue[event.queue] = by_queue.get(event.queue, 0) + 1
            if self.rule.limit is not None and holds(count, self.rule.limit):
                self.broken(event)
        if event.auto_ack:
            self.gone(event)

    def dead(self, event: events.DeadLettered) -> None:
        """Another copy follows: the message is still somewhere."""
        if event.message in self.open:
            self.open[event.message] -= 1

    def gone(self, event: Any) -> None:
        left = self.open.get(event.message)
        if left is None:
            return
        self.open[event.message] = left - 1
        if left <= 1:
            del self.open[event.message]
            self.deliveries.pop(event.message, None)

    # Waits ---------------------------------------------------------------------------------------------------------------

    def enters(self, event: events.Enqueued) -> None:
        if self.asked(event):
            self.entered[event.copy] = event

    def leaves(self, event: Any) -> None:
        since = self.entered.pop(event.copy, None) if event.copy is not None else None
        if since is not None:
            self._waited(since, event, event.at_ms)

    def _waited(self, since: Any, witness: Any, until_ms: int) -> None:
        if self.rule.limit is not None and holds(until_ms - since.at_ms, self.rule.limit):
            self.broken(since, (since, witness, until_ms))


_HEARS: dict[str, Hears] = {
    "reaches": {events.Enqueued: Watch.happened},
    "lost": dict.fromkeys(events.LOST, Watch.lost),
    "delivered": {
        events.Enqueued: Watch.copied, events.Delivered: Watch.delivered, events.Got: Watch.delivered,
        events.DeadLettered: Watch.dead, **dict.fromkeys(events.ENDED, Watch.gone),
    },
    "waits": {
        events.Enqueued: Watch.enters,
        **dict.fromkeys((events.Delivered, events.Got, events.DeadLettered, events.Awaiting, *events.ENDED), Watch.leaves),
    },
}  # fmt: skip
