"""What a run remembers of its events: one record a question."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.run.batches import MESSAGE, Batch, BatchRows, Columns, in_turn, values_of
from routesim.run.folds.fold import Fold, ManyFold

# In place of the values of a batch, to find out what a fold makes of it; `_column` tells whose values they are.
_SAMPLE: dict[str, Any] = {
    "at_ms": 0, "message": "message", "copy0": 0, "next_message": "next_message", "next_copy": -1, "next_tag": -1,
}  # fmt: skip


def _sample(batch: Batch) -> tuple[Any, ...]:
    return batch.fill(*(_SAMPLE[name] if name in _SAMPLE else int(name.removeprefix("tag")) for name in batch.names))


def _column(columns: Columns, name: str, number: int, times: int) -> Sequence[Any]:
    """The values of that copy or delivery tag of a sample."""
    return values_of(columns, f"next_{name}" if number < 0 else f"{name}{number}", times)


class Answers(NamedTuple):
    """How many deliveries a consumer has had, how many of them anew, and what became of them."""

    delivered: int
    redelivered: int
    acked: int
    rejected: int
    requeued: int
    cut_off: int
    open: int


class Deliveries(ManyFold):
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
        if len(holders) == 1:
            holders[0][1]["answer"] = answer
            del self.open[copy]
            return
        index = next((index for index, (consumer, _) in enumerate(holders) if consumer == by), 0)
        holders.pop(index)[1]["answer"] = answer
        if not holders:
            del self.open[copy]

    def hear_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """Copies that are delivered once: all of them first, then the answers that come for them."""
        delivered: dict[str, list[list[dict[str, Any]]]] = {}
        held: list[tuple[Sequence[int], str, list[dict[str, Any]]]] = []
        answered: list[tuple[Sequence[int], str, str]] = []
        for rows, columns in parts:
            batch, alone = rows.batch.of(_OF_DELIVERIES), Deliveries(())
            for event in _sample(batch):
                if type(event) is events.Delivered or event.copy in alone.open:
                    alone.hear(event)
                elif type(event) in _ANSWERS:
                    answered.append((_column(columns, "copy", event.copy, times), event.by, _ANSWERS[type(event)]))
                elif type(event) not in (events.DeadLettered, events.Dropped) or event.reason == "delivery_limit":
                    return self.hear_replayed(times, parts)
            if alone.auto:
                return self.hear_replayed(times, parts)
            for consumer, records in alone.of.items():
                for record in records:
                    tags = _column(columns, "tag", record["delivery_tag"], times)
                    column = [
                        {**record, "message": message, "delivery_tag": tag}
                        for message, tag in zip(values_of(columns, record["message"], times), tags, strict=True)
                    ]
                    delivered.setdefault(consumer, []).append(column)
                    held += [
                        (_column(columns, "copy", number, times), consumer, column)
                        for number, holders in alone.open.items()
                        if any(item is record for _, item in holders)
                    ]
        for consumer, fresh in delivered.items():
            self.of.setdefault(consumer, []).extend(in_turn(fresh))
        for copies, consumer, column in held:
            self.open.update((number, [(consumer, record)]) for number, record in zip(copies, column, strict=True))
        for copies, by, answer in answered:
            for number in copies:
                self._answer(number, by, answer)

    hears = {
        events.Delivered: _delivered,
        events.Acked: lambda self, event: self._answer(event.copy, event.by, "ack"),
        events.Rejected: lambda self, event: self._answer(event.copy, event.by, "reject"),
        events.Requeued: _requeued,
        events.DeadLettered: _died,
        events.Dropped: _died,
        events.LostByConsumer: _lost,
    }


_OF_DELIVERIES = frozenset(Deliveries.hears)
_ANSWERS: dict[type, str] = {events.Acked: "ack", events.Rejected: "reject"}


class Gets(Fold):
    """Every basic.get, in order."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def _got(self, event: events.Got) -> None:
        self.all.append({
            "queue": event.queue, "message": event.message, "delivery_tag": event.delivery_tag, "redelivered": event.redelivered,
        })  # fmt: skip

    hears = {events.Got: _got}


class Messages(ManyFold):
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

    def hear_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """Publishes, each with all that it makes of its message."""
        published = []
        for rows, columns in parts:
            batch, alone = rows.batch.of(_OF_MESSAGES), Messages()
            if not batch.events:
                continue
            if type(batch.events[0]) is not events.Published or any(event.message != MESSAGE for event in batch.events):
                return self.hear_replayed(times, parts)
            for event in _sample(batch):
                alone.hear(event)
            (record,) = alone.of.values()
            queues = record["queues"]
            published.append([(message, {**record, "queues": queues.copy()}) for message in values_of(columns, "message", times)])
        if published:
            self.of.update(in_turn(published))

    hears = {
        events.Published: _published,
        events.Enqueued: _enqueued,
        events.Returned: _returned,
        events.Confirmed: _confirmed,
        events.Unpublished: _unpublished,
    }


_OF_MESSAGES = frozenset(Messages.hears)


class Fates(ManyFold):
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
        reached[event.queue] = (event.copy, self._state(event))

    @staticmethod
    def _state(event: Any) -> str:
        state = events.COPY_STATES[type(event)]
        if state in ("dropped", "dead-lettered", "kept back"):
            return f"{state}: {event.reason}"
        return "acked" if state == "unacked" and event.auto_ack else state

    def hear_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """Copies of messages that are new, then the deliveries of copies, then what ends them."""
        if self.only is not None:
            named = ("message", "next_message")
            columns = [values_of(found, name, times) for _, found in parts for name in named if name in found]
            if not all(self.only.isdisjoint(column) for column in columns):
                self.hear_replayed(times, parts)
            return
        fresh: list[tuple[tuple[str, ...], Sequence[str], list[list[tuple[int, str]]]]] = []
        changes: dict[type, list[tuple[Any, Columns]]] = {kind: [] for kind in _CHANGES}
        for rows, found in parts:
            publishes = type(rows.batch.events[0]) is events.Published
            alone = Fates()
            for event in _sample(rows.batch.of(_OF_FATES)):
                if publishes and event.message == _SAMPLE["message"]:
                    alone.hear(event)
                elif type(event) in changes and not getattr(event, "redelivered", False):
                    changes[type(event)].append((event, found))
                else:
                    return self.hear_replayed(times, parts)
            for reached in alone.of.values():
                copies = [[(copy, state) for copy in _column(found, "copy", number, times)] for number, state in reached.values()]
                fresh.append((tuple(reached), values_of(found, "message", times), copies))
        if not self._are_new([messages for _, messages, _ in fresh]):
            return self.hear_replayed(times, parts)
        if fresh:
            self.of.update(in_turn([
                [(message, dict(zip(queues, reached, strict=True))) for message, *reached in zip(messages, *copies, strict=True)]
                for queues, messages, copies in fresh
            ]))  # fmt: skip
        for changed in changes.values():
            for event, found in changed:
                changed_copies = zip(
                    values_of(found, event.message, times), _column(found, "copy", event.copy, times), strict=True
                )
                self._change(changed_copies, event.queue, self._state(event))
        return None

    def _are_new(self, columns: list[Sequence[str]]) -> bool:
        """Whether none of these messages is known, and none comes twice."""
        if len(columns) > 1 and len({message for column in columns for message in column}) < sum(map(len, columns)):
            return False
        return all(self.of.keys().isdisjoint(column) for column in columns)

    def _change(self, copies: Iterable[tuple[str, int]], queue: str, state: str) -> None:
        for message, copy in copies:
            reached = self.of.setdefault(message, {})
            if queue not in reached or reached[queue][0] <= copy:
                reached[queue] = (copy, state)

    hears = dict.fromkeys(events.COPY_STATES, _state_changes)

    def state(self, message: str, queue: str) -> str | None:
        found = self.of.get(message, {}).get(queue)
        return found[1] if found else None


_OF_FATES = frozenset(Fates.hears)
_CHANGES = (events.Delivered, events.Acked, events.Dropped)  # in the order in which they befall a copy


class Publishers(ManyFold):
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

    def hear_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """What is confirmed is not remembered."""
        told = [event for rows, _ in parts for event in rows.batch.of(_OF_PUBLISHERS).events]
        if any(type(event) is not events.Confirmed or event.answer != "ack" for event in told):
            self.hear_replayed(times, parts)

    hears = {
        events.Unroutable: _unroutable,
        events.Returned: lambda self, event: self.returned.append(event.message),
        events.Confirmed: _confirmed,
    }


_OF_PUBLISHERS = frozenset(Publishers.hears)
