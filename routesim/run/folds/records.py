"""What a run remembers of its events: one record a question."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import Fold


class Answers(NamedTuple):
    """How many deliveries a consumer has had, how many of them anew, and what became of them."""

    delivered: int
    redelivered: int
    acked: int
    rejected: int
    requeued: int
    cut_off: int
    open: int


class Deliveries(Fold):
    """Every delivery of every consumer, with its answer: ack, reject, requeue, crash, auto, or None while open.

    `queues`: of consumers that no scenario declares.
    """

    def __init__(self, consumers: Iterable[str]) -> None:
        self.queues: dict[str, str] = {}
        self.of: dict[str, list[dict[str, Any]]] = {name: [] for name in consumers}
        self.open: dict[int, list[tuple[str, dict[str, Any]]]] = {}  # copy -> who has it
        self.auto: dict[tuple[str, int], dict[str, Any]] = {}

    def answers(self) -> dict[str, Answers]:
        """Of each consumer."""
        found = {}
        for name, deliveries in self.of.items():
            count = Counter(item["answer"] for item in deliveries)
            again = sum(item["redelivered"] for item in deliveries)
            acked = count["ack"] + count["auto"]
            found[name] = Answers(len(deliveries), again, acked, count["reject"], count["requeue"], count["crash"], count[None])
        return found

    def _delivered(self, event: events.Delivered) -> None:
        record = {
            "message": event.message, "delivery_tag": event.delivery_tag, "redelivered": event.redelivered,
            "answer": "auto" if event.auto_ack else None,
        }  # fmt: skip
        self.of.setdefault(event.consumer, []).append(record)
        if event.auto_ack:
            self.auto[event.consumer, event.copy] = record
        else:
            self.open.setdefault(event.copy, []).append((event.consumer, record))

    def _requeued(self, event: events.Requeued) -> None:
        answered = event.why in ("nack", "reject", "recover")
        self._answer(event.copy, event.by, "requeue" if answered else "crash")

    def _died(self, event: events.DeadLettered | events.Dropped) -> None:
        if event.reason == "delivery_limit":  # it was to be requeued, once too often
            self._answer(event.copy, event.by, "requeue" if event.by in self.of else "crash")

    def _lost(self, event: events.LostByConsumer) -> None:
        record = self.auto.get((event.consumer, event.copy))
        if record is not None:
            record["answer"] = "crash"

    def _answer(self, copy: int, by: str, answer: str) -> None:
        holders = self.open.get(copy)
        if not holders:
            return
        index = next((index for index, (consumer, _) in enumerate(holders) if consumer == by), 0)
        holders.pop(index)[1]["answer"] = answer
        if not holders:
            del self.open[copy]

    hears = {
        events.Delivered: _delivered,
        events.Acked: lambda self, event: self._answer(event.copy, event.by, "ack"),
        events.Rejected: lambda self, event: self._answer(event.copy, event.by, "reject"),
        events.Requeued: _requeued,
        events.DeadLettered: _died,
        events.Dropped: _died,
        events.LostByConsumer: _lost,
    }


class Gets(Fold):
    """Every basic.get, in order."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def _got(self, event: events.Got) -> None:
        self.all.append({
            "queue": event.queue, "message": event.message, "delivery_tag": event.delivery_tag, "redelivered": event.redelivered,
        })  # fmt: skip

    hears = {events.Got: _got}


class Messages(Fold):
    """What became of every publish."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, Any]] = {}
        self.unpublished: dict[str, str] = {}

    def _unpublished(self, event: events.Unpublished) -> None:
        self.unpublished[event.message] = event.why

    def _published(self, event: events.Published) -> None:
        self.of[event.message] = {
            "exchange": event.exchange, "routing_key": event.routing_key, "queues": [], "returned": False, "confirm": None,
            "channel": event.channel,
        }  # fmt: skip

    def _enqueued(self, event: events.Enqueued) -> None:
        if event.cause in ("published", "reply") and event.message in self.of:
            self.of[event.message]["queues"].append(event.queue)

    def _returned(self, event: events.Returned) -> None:
        self.of[event.message]["returned"] = True

    def _confirmed(self, event: events.Confirmed) -> None:
        self.of[event.message]["confirm"] = event.answer

    hears = {
        events.Published: _published,
        events.Enqueued: _enqueued,
        events.Returned: _returned,
        events.Confirmed: _confirmed,
        events.Unpublished: _unpublished,
    }


class Fates(Fold):
    """The state of a message's newest copy in each queue that it reached, with the reason where it matters.

    `only`: the messages asked for; None: all.
    """

    def __init__(self, only: frozenset[str] | None = None) -> None:
        self.only = only
        self.of: dict[str, dict[str, tuple[int, str]]] = {}

    def _state_changes(self, event: Any) -> None:
        message = event.message
        if message is None or (self.only is not None and message not in self.only):
            return
        reached = self.of.setdefault(message, {})
        if event.queue in reached and reached[event.queue][0] > event.copy:
            return
        state = events.COPY_STATES[type(event)]
        if state in ("dropped", "dead-lettered", "kept back"):
            state = f"{state}: {event.reason}"
        elif state == "unacked" and event.auto_ack:
            state = "acked"
        reached[event.queue] = (event.copy, state)

    hears = dict.fromkeys(events.COPY_STATES, _state_changes)

    def state(self, message: str, queue: str) -> str | None:
        found = self.of.get(message, {}).get(queue)
        return found[1] if found else None


class Publishers(Fold):
    """The ids that came back, those that a queue refused, and those that reached no queue without coming back."""

    def __init__(self) -> None:
        self.returned: list[str] = []
        self.nacked: list[str] = []
        self.unroutable: list[str] = []

    def _confirmed(self, event: events.Confirmed) -> None:
        if event.answer == "nack":
            self.nacked.append(event.message)

    def _unroutable(self, event: events.Unroutable) -> None:
        if not event.returned:
            self.unroutable.append(event.message)

    hears = {
        events.Unroutable: _unroutable,
        events.Returned: lambda self, event: self.returned.append(event.message),
        events.Confirmed: _confirmed,
    }
