"""Events as the rows of a trace: its columns, and the depth of each event below what caused it."""

from collections.abc import Callable, Iterable
from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.narration import NARRATION, Words
from routesim.scenario import PublishMany, Scenario
from routesim.shown import shown_exchange
from routesim.steps import DeclareQueue
from routesim.values import raw


class Row(NamedTuple):
    """`depth`: how far it stands below what caused it. All between `depth` and `tone` are the texts of `COLUMNS`, in that
    order: the first one is indented, the last one is as long as it is."""

    at_ms: int
    depth: int
    event: str
    message: str
    where: str
    why: str
    tone: str

    @property
    def texts(self) -> tuple[str, ...]:
        texts: tuple[str, ...] = self[2:-1]
        return texts

    def line(self, between: str) -> str:
        """Its texts in one line."""
        return between.join(text for text in self.texts if text)


class Column(NamedTuple):
    """A column of texts, left-aligned: a field of `Row`, which is its title as well.

    - `element`: of HTML, in the trace of a page;
    - `expected`: texts that will stand there, as far as a scenario tells that before it runs: for the width, which is at least
      `least`, at most `widest` in a pipe, and at most 1/`share` of a terminal. None: the trace sees to its width.
    """

    field: str
    element: str
    expected: Callable[[Scenario], Iterable[str]] | None = None
    least: int = 0
    widest: int = 0
    share: int = 1


def _messages(scenario: Scenario) -> Iterable[str]:
    for step in scenario.steps:
        if isinstance(step.action, PublishMany):
            yield step.action.id(step.action.times - 1)
    for name, consumer in scenario.consumers.items():
        if any(rule.publish for rule in consumer.on_message):
            yield f"{name}-{10}"


def _places(scenario: Scenario) -> Iterable[str]:
    for name, consumer in scenario.consumers.items():
        yield f"{consumer.queue} → {name}"
    for declaration in scenario.declarations:
        if isinstance(declaration.step, DeclareQueue):
            queue = declaration.step.queue
            yield queue.name
            target = raw(queue.arguments.get("x-dead-letter-exchange"))
            if isinstance(target, str):
                yield f"{queue.name} → {shown_exchange(target)}"


COLUMNS = (
    Column("event", "b"),
    Column("message", "i", _messages, least=7, widest=60, share=8),
    Column("where", "span", _places, least=14, widest=60, share=4),
    Column("why", "small"),
)


def _maker(kind: Any, words: Words) -> Callable[[Any, int], Row]:
    """What makes the row of such an event, which stands at that depth. A trace has many: what is always the same is not asked
    for again."""
    label, where, why, tone, *_ = words
    about = next((kind._fields.index(name) for name in ("task", "message") if name in kind._fields), None)
    new = tuple.__new__  # as `Row` does it
    if isinstance(label, str) and about is not None:
        if isinstance(tone, str):
            return lambda event, depth: new(Row, (event[0], depth, label, event[about], where(event), why(event), tone))
        return lambda event, depth: new(Row, (event[0], depth, label, event[about], where(event), why(event), tone(event)))

    def make(event: Any, depth: int) -> Row:
        return Row(
            event[0], depth, label if isinstance(label, str) else label(event),
            "" if about is None else event[about] or "", where(event), why(event),
            tone if isinstance(tone, str) else tone(event),
        )  # fmt: skip

    return make


class Rows:
    """Makes rows of the events of one run, in their order.

    What sets off something else stands above it: a publish above what comes into queues by it, a delivery above its answer.
    That is known within one instant, and within one step of a scenario.
    """

    def __init__(self) -> None:
        self.now = -1
        self.in_steps = False
        self.base = 0  # the depth of what the current operation began with
        self.last_delivered = -1  # the copy of the row before, if that was a delivery
        self.commits = False
        self.published: dict[str, int] = {}
        self.copies: dict[int, int] = {}

    def row(self, event: Any) -> Row | None:
        """The row of an event; None for one that a trace does not show."""
        kind = type(event)
        found = _ROWS.get(kind) or (_IN_STEPS.get(kind) if self.in_steps else None)
        if found is None:
            if kind is events.StepStarted:
                self.in_steps = True
                self._clear()
            return None
        if event[0] != self.now:
            self.now = event[0]
            self._clear()
        make, depth_of, shown = found
        row = make(event, depth_of(self, event)) if shown is None or shown(event) else None
        self.last_delivered = event.copy if kind is events.Delivered else -1
        return row

    def _clear(self) -> None:
        self.base = 0
        self.commits = False
        self.published.clear()
        self.copies.clear()

    # Depths ----------------------------------------------------------------------------------------------------------

    def _beginning(self, event: Any) -> int:
        self.base = 0
        return 0

    def _published(self, event: events.Published) -> int:
        self.published[event.message] = self.base = 0
        return 0

    def _enqueued(self, event: events.Enqueued) -> int:
        depth = self.copies[event.copy] = self.published.get(event.message, 0 if self.commits else -1) + 1
        return depth

    def _delivered(self, event: events.Delivered) -> int:
        depth = self.copies.get(event.copy)
        if depth is None:
            depth = self.copies[event.copy] = self.base
        return depth + 1

    def _answer(self, event: events.Acked | events.Rejected | events.Requeued) -> int:
        """Two below the coming of its copy, and so one below the delivery, where that is the row before; else it begins
        anew, and what follows from it stands below that."""
        depth = self.copies.get(event.copy)
        self.base = depth + 2 if depth is not None and self.last_delivered == event.copy else 0
        if depth is not None:
            self.copies[event.copy] = max(self.base - 2, 0)
        return self.base

    def _rejected(self, event: events.Rejected) -> int:
        depth = self.published[event.message] = self._answer(event)
        return depth

    def _requeued(self, event: events.Requeued) -> int:
        depth = self._answer(event)
        self.copies[event.copy] = max(depth - 2, 0)
        return depth

    def _below_copy(self, event: Any) -> int:
        return self.copies.get(event.copy, -1) + 1

    def _removed(self, event: events.DeadLettered | events.Dropped) -> int:
        depth = self._below_copy(event)
        return self.published.get(event.message, depth - 1) + 1 if event.reason == "rejected" else depth

    def _dead_lettered(self, event: events.DeadLettered) -> int:
        depth = self.published[event.message] = self._removed(event)
        return depth

    def _unpublished(self, event: events.Unpublished) -> int:
        return 1 if event.message in self.published or self.base == 0 else 0

    def _transaction(self, event: events.Transaction) -> int:
        self.commits = event.do == "commit"
        return self._beginning(event)


# What is not in this table is a beginning.
_DEPTHS: dict[type, Callable[[Rows, Any], int]] = {
    events.Published: Rows._published,
    events.Enqueued: Rows._enqueued,
    events.Delivered: Rows._delivered,
    events.Acked: Rows._answer,
    events.Rejected: Rows._rejected,
    events.Requeued: Rows._requeued,
    events.RetryDelayed: lambda rows, event: rows.copies.get(event.copy, 0) + 2,
    events.DeadLettered: Rows._dead_lettered,
    events.Dropped: Rows._removed,
    events.Awaiting: Rows._below_copy,
    events.Overdue: Rows._below_copy,
    events.CycleCut: lambda rows, event: rows.published.get(event.message, -1) + 1,
    events.Refused: lambda rows, event: rows.published.get(event.message, 0) + 1,
    events.Unpublished: Rows._unpublished,
    events.Transaction: Rows._transaction,
    **dict.fromkeys(
        (events.Unroutable, events.Returned, events.Uncommitted, events.Confirmed, events.Delayed, events.Deleted,
         events.LostAtRestart, events.LostByConsumer),
        lambda rows, event: 1,
    ),
    **dict.fromkeys((events.Purged, events.Expected, *events.having("task")), lambda rows, event: 0),
}  # fmt: skip

_ALL = {
    kind: (_maker(kind, words), _DEPTHS.get(kind, Rows._beginning), words.shown) for kind, words in NARRATION.items()
}  # fmt: skip
# Shown only when a step asks for them: the topology at the top of a scenario is not a story.
_IN_STEPS = {
    kind: _ALL.pop(kind) for kind in (events.ExchangeDeclared, events.QueueDeclared, events.Bound, events.ConsumerStarted)
}
_ROWS = _ALL
