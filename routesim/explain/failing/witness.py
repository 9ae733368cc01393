"""Why an expectation did not hold, by whoever watches a run with nothing but that question in mind."""

from collections import Counter
from typing import Any

from routesim import events
from routesim.broker import Broker
from routesim.carried import deaths_in
from routesim.durations import seconds
from routesim.explain.failing.task_witness import TaskWitness
from routesim.explain.routes.ways import Ways, missing_and_extra
from routesim.model import Message
from routesim.narration import sentence_of, still_overdue
from routesim.run import Checked, Result
from routesim.run.expecting.queue_facts import FACTS, is_of_argument, set_by
from routesim.run.expecting.ready_messages import NOT_READY, is_of_ready
from routesim.run.folds.fold import Fold
from routesim.scenario import Expectation, ExpectedRoute
from routesim.scenario.senders import Senders

MAX_EVENTS = 3  # of one ending
_NO_REASON = (events.Published, events.Confirmed, events.TaskSent, events.TaskReceived)
# What is counted of queues and consumers, as part of a sentence.
COUNTED: dict[type, str] = {
    events.Enqueued: "came in", events.Delivered: "delivered", events.Got: "delivered", events.Acked: "acked",
    events.Rejected: "rejected", events.Requeued: "requeued", events.DeadLettered: "dead-lettered", events.Dropped: "dropped",
    events.Purged: "purged", events.Deleted: "deleted with it", events.LostAtRestart: "lost at the restart",
    events.Refused: "refused",
}  # fmt: skip


def with_time(event: Any) -> str:
    """An event of a message as part of a sentence: `m3 at 0.600 s: rejected by packer …`."""
    return f"{event.message} at {seconds(event.at_ms)} s: {sentence_of(event)}"


class ExpectationWitness(Fold):
    """Remembers of a run what these failed expectations are about: two messages of each, and sums of queues and consumers."""

    def __init__(self, result: Result, failed: list[Checked]) -> None:
        self.scenario = result.scenario
        self.messages: set[str] = set()
        self.queues: dict[str, Counter[str]] = {}
        self.consumers: dict[str, Counter[str]] = {}
        self.last: dict[tuple[str, str | None], Any] = {}  # (message, queue; None: any) -> the last event of it
        self.published: dict[str, events.Published] = {}
        self.first_published: str | None = None
        self.gone: dict[str, Any] = {}  # queue or consumer -> why it is not there
        self.ends: dict[str, list[Any]] = {"returned": [], "nacked": [], "unroutable": [], "lost": []}
        self.working = TaskWitness()
        self.ways, self.senders = Ways(self.scenario), Senders(self.scenario)
        for checked in failed:
            self._ask(checked)

    def _ask(self, checked: Checked) -> None:
        about = checked.about
        if not isinstance(about, Expectation):
            return
        self.messages.update(item for item in missing_and_extra(about.wanted, checked.actual) if item is not None)
        if about.path[0] == "queues":
            self.queues[about.path[1]] = Counter()
            self.messages.update(about.path[3:4])  # of a ready message
        elif about.path[0] == "consumers":
            self.consumers[about.path[1]] = Counter()
            consumer = self.scenario.consumers.get(about.path[1])
            if consumer is not None:
                self.queues.setdefault(consumer.queue, Counter())
        elif about.path[0] in ("messages", "tasks"):
            self.messages.add(about.path[1])

    # While it runs -----------------------------------------------------------------------------------------------------

    def hear(self, event: Any) -> None:
        super().hear(event)
        self.working.hear(event)
        message, queue = getattr(event, "message", None), getattr(event, "queue", None)
        if message in self.messages and type(event) not in _NO_REASON and sentence_of(event):
            self.last[message, queue] = self.last[message, None] = event
        if queue in self.queues:
            _count(self.queues[queue], event)
        who = getattr(event, "consumer", None) or getattr(event, "by", None)
        if who in self.consumers:
            _count(self.consumers[who], event)
        if events.is_lost(event):
            self._end("lost", event)

    def _published(self, event: events.Published) -> None:
        if self.first_published is None:
            self.first_published = event.message
        if event.message in self.messages or event.message == self.first_published:
            self.published[event.message] = event

    def _queue_deleted(self, event: events.QueueDeleted) -> None:
        self.gone[event.queue] = event

    def _consumer_cancelled(self, event: events.ConsumerCancelled) -> None:
        self.gone[event.consumer] = event

    def _end(self, name: str, event: Any) -> None:
        if len(self.ends[name]) < MAX_EVENTS:
            self.ends[name].append(event)

    def _unroutable(self, event: events.Unroutable) -> None:
        if not event.returned:
            self._end("unroutable", event)

    hears = {
        events.Published: _published,
        events.QueueDeleted: _queue_deleted,
        events.ConsumerCancelled: _consumer_cancelled,
        events.Unroutable: _unroutable,
        events.Returned: lambda self, event: self._end("returned", event),
        events.Refused: lambda self, event: self._end("nacked", event),
    }

    # The reasons -------------------------------------------------------------------------------------------------------

    def reason(self, broker: Broker, checked: Checked) -> str:
        """In the situation that `broker` is in now."""
        about = checked.about
        if isinstance(about, ExpectedRoute):
            return self._of_route(broker, about, checked.actual)
        section, *path = about.path
        missing, extra = missing_and_extra(about.wanted, checked.actual)
        if section == "queues":
            return self._of_queue(broker, path[0], checked, missing, extra)
        if section == "consumers":
            return self._of_consumer(broker, path[0], checked, missing, extra)
        if section == "messages":
            return self._of_message(broker, path[0], path[1])
        if section == "tasks":
            return self._of_task(path[0])
        if section == "lost_tasks":
            return self._of_task(task) if (task := missing or extra) is not None else self.working.of_lost()
        if section == "workers":
            return self.working.of_worker(path[0])
        return self._of_end(section, missing)

    def _of_task(self, task: str) -> str:
        return self.working.of_task(task) or self._not_received(task)

    def _not_received(self, task: str) -> str:
        event = self.last.get((task, None))
        return f"no worker received it; {with_time(event)}" if event is not None else f"{task} was not published"

    def _of_queue(self, broker: Broker, queue: str, checked: Checked, missing: str | None, extra: str | None) -> str:
        if queue not in broker.queues:
            gone = self.gone.get(queue)
            return f"deleted at {seconds(gone.at_ms)} s: {gone.why}" if gone else "it is not declared by then"
        if is_of_ready(checked.about):
            return self._of_ready(broker, queue, checked)
        if is_of_argument(checked.about):
            return set_by(checked.about, broker)
        if checked.about.path[2] in FACTS:
            return ""
        if isinstance(checked.actual, bool):
            return ""
        if missing is not None or extra is not None:
            return self._of_message(broker, missing or extra or "", queue)
        if isinstance(checked.actual, list):
            return "the same messages in another order"
        return self._sums(broker, queue)

    def _of_ready(self, broker: Broker, queue: str, checked: Checked) -> str:
        """Where the message is, or what x-death says where deaths are counted."""
        message, field = checked.about.path[3:5]
        if checked.actual == NOT_READY:
            return self._of_message(broker, message, queue)
        state = broker.queues[queue]
        headers = next((state.headers(copy) for copy in state.ready() if copy.message == message), {})
        return f"x-death: {', '.join(deaths_in(headers)) or 'none'}" if field.startswith("deaths") else ""

    def _sums(self, broker: Broker, queue: str) -> str:
        sums = self.queues[queue]
        if not sums["came in"]:
            if self.first_published is None:
                return f"nothing was published, so nothing came into {queue}"
            return f"nothing came into {queue}; {self._not_reached(broker, self.first_published, queue)}"
        parts = [f"{count} {what}" for what, count in sums.items() if what != "came in" and count]
        overdue = self._overdue(broker, queue)
        return f"{sums['came in']} came into {queue}: {', '.join(parts) or 'nobody took them'}" + (
            f"; {overdue}" if overdue else ""
        )

    def _of_consumer(self, broker: Broker, consumer: str, checked: Checked, missing: str | None, extra: str | None) -> str:
        queue = self.scenario.consumers[consumer].queue
        if not self.consumers[consumer]["delivered"]:
            gone = self.gone.get(consumer)
            if gone is not None:
                return f"cancelled at {seconds(gone.at_ms)} s: {gone.why}"
            started = any(item.name == consumer for item in _subscriptions(broker))
            return self._sums(broker, queue) if started else f"{consumer} does not consume"
        if missing is not None or extra is not None:
            return self._of_message(broker, missing or extra or "", queue)
        if isinstance(checked.actual, list):
            return "the same messages, in another order or not so often"
        sums = self.consumers[consumer]
        parts = [f"{count} {what}" for what, count in sums.items() if what != "delivered" and count]
        return f"{sums['delivered']} delivered from {queue}: {', '.join(parts) or 'none answered'}"

    def _of_message(self, broker: Broker, message: str, queue: str) -> str:
        event = self.last.get((message, queue))
        if event is None:
            return self._not_reached(broker, message, queue)
        overdue = self._overdue(broker, queue, message)
        return with_time(event) + (f"; {overdue}" if overdue else "")

    def _overdue(self, broker: Broker, queue: str, message: str | None = None) -> str:
        """Why a message, or any, is still in the queue though it was to expire; nothing where none is."""
        there = broker.queues.get(queue)
        for copy in there.ready() if there is not None else ():
            overdue = there.waits_overdue(copy, broker.now) if message in (None, copy.message) and there is not None else None
            if overdue is not None:
                return still_overdue(overdue) if message is not None else f"{copy.message} is {still_overdue(overdue)}"
        return ""

    def _of_end(self, section: str, missing: str | None) -> str:
        if missing is not None:
            event = self.last.get((missing, None))
            if event is None:
                return f"{missing} was not published"
            note = ", for it was not mandatory" if type(event) is events.Unroutable and section == "returned" else ""
            return with_time(event) + note
        some = self.ends[section]
        told = "; ".join(with_time(event) for event in some) if some else f"no message was {section}"
        return told + (self._not_lost() if section == "lost" else "")

    def _not_lost(self) -> str:
        """What one may have taken for lost: whoever published it knows."""
        for section, why in (("returned", "came back to its publisher"), ("nacked", "was refused, and its publisher told")):
            if self.ends[section]:
                return f"; {self.ends[section][0].message} {why}, so it is not lost: expect `{section}`"
        return ""

    def _not_reached(self, broker: Broker, message: str, queue: str) -> str:
        other = self.last.get((message, None))
        if type(other) is events.Unpublished:
            return with_time(other)
        published = self.published.get(message)
        if published is None:
            return f"{message} was not published"
        sent = self.senders.of(message) or Message(published.exchange, published.routing_key)
        return f"{message} did not reach {queue}: {self.ways.not_there(broker, sent, queue)}"

    def _of_route(self, broker: Broker, row: ExpectedRoute, actual: list[str]) -> str:
        missing, extra = missing_and_extra(row.queues, actual)
        if missing is not None:
            return f"{missing}: {self.ways.not_there(broker, row.message, missing)}"
        return f"{extra}: {self.ways.there(broker, row.message, extra or '')}"


def _count(counter: Counter[str], event: Any) -> None:
    name = COUNTED.get(type(event))
    if name is None:
        return
    counter[f"{name} ({event.reason})" if isinstance(event, (events.DeadLettered, events.Dropped)) else name] += 1
    if isinstance(event, (events.Delivered, events.Got)):
        counter["acked as they were sent"] += bool(event.auto_ack)


def _subscriptions(broker: Broker) -> list[Any]:
    return [subscription for channel in broker.channels.values() for subscription, _ in channel.subscriptions.values()]
