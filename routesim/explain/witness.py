"""Why an expectation did not hold, by whoever watches a run with nothing but that question in mind."""

from collections import Counter
from typing import Any

from routesim import events
from routesim.broker import Broker
from routesim.broker.asking import content_of, would_reach
from routesim.broker.routing import Visit
from routesim.explain.answer import quoted
from routesim.explain.message import SENTENCES
from routesim.explain.tasks import TaskWitness
from routesim.explain.types import shown_table
from routesim.model import DEFAULT_EXCHANGE, Binding, Message
from routesim.run import Checked, Result
from routesim.scenario import Expectation, ExpectedRoute, PublishMany, Scenario
from routesim.steps import Bind

MAX_TOLD = 3
COUNTED: dict[type, str] = {
    events.Acked: "acked", events.Rejected: "rejected", events.Requeued: "requeued", events.Purged: "purged",
    events.Deleted: "deleted with it", events.LostAtRestart: "lost at the restart", events.Refused: "refused",
}  # fmt: skip


def told(event: Any, *, who: bool = True) -> str:
    """An event of a message as part of a sentence: `m3 at 0.600 s: rejected by packer …`."""
    sentence = SENTENCES[type(event)](event)[0]
    return f"{event.message} at {event.at_ms / 1000:.3f} s: {sentence}" if who else sentence


class ExpectationWitness:
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
        self.ends: dict[str, list[Any]] = {"returned": [], "nacked": [], "lost": []}
        self.working = TaskWitness()
        self.lines = {id(item.step.binding): item.line for item in self.scenario.declarations if isinstance(item.step, Bind)}
        for checked in failed:
            self._ask(checked)

    def _ask(self, checked: Checked) -> None:
        about = checked.about
        if not isinstance(about, Expectation):
            return
        self.messages.update(item for item in _missing_and_extra(about.wanted, checked.actual) if item is not None)
        if about.path[0] == "queues":
            self.queues[about.path[1]] = Counter()
        elif about.path[0] == "consumers":
            self.consumers[about.path[1]] = Counter()
            consumer = self.scenario.consumers.get(about.path[1])
            if consumer is not None:
                self.queues.setdefault(consumer.queue, Counter())
        elif about.path[0] in ("messages", "tasks"):
            self.messages.add(about.path[1])

    # While it runs -----------------------------------------------------------------------------------------------------

    def hear(self, event: Any) -> None:
        kind = type(event)
        self.working.hear(event)
        message = getattr(event, "message", None)
        queue = getattr(event, "queue", None)
        if kind is events.Published:
            if self.first_published is None:
                self.first_published = message
            if message in self.messages or message == self.first_published:
                self.published[event.message] = event
        elif message is None:
            if kind in (events.QueueDeleted, events.ConsumerCancelled):
                self.gone[event.queue if kind is events.QueueDeleted else event.consumer] = event
        elif message in self.messages and kind in SENTENCES and kind is not events.Confirmed:
            self.last[message, queue] = self.last[message, None] = event
        if queue in self.queues:
            self._sum(self.queues[queue], event)
        who = getattr(event, "consumer", None) or getattr(event, "by", None)
        if who in self.consumers:
            self._sum(self.consumers[who], event)
        for name in _ends(event):
            self.ends[name].append(event) if len(self.ends[name]) < MAX_TOLD else None

    @staticmethod
    def _sum(counter: Counter[str], event: Any) -> None:
        kind = type(event)
        if kind is events.Enqueued:
            counter["came in"] += 1
        elif kind in (events.Delivered, events.Got):
            counter["delivered"] += 1
            counter["acked as they were sent"] += bool(event.auto_ack)
        elif kind in (events.DeadLettered, events.Dropped):
            counter[f"{'dropped' if kind is events.Dropped else 'dead-lettered'} ({event.reason})"] += 1
        elif kind in COUNTED:
            counter[COUNTED[kind]] += 1

    # The reasons -------------------------------------------------------------------------------------------------------

    def reason(self, broker: Broker, checked: Checked) -> str:
        """In the situation that `broker` is in now."""
        about = checked.about
        if isinstance(about, ExpectedRoute):
            return self._of_route(broker, about, checked.actual)
        section, *path = about.path
        missing, extra = _missing_and_extra(about.wanted, checked.actual)
        if section == "queues":
            return self._of_queue(broker, path[0], checked, missing, extra)
        if section == "consumers":
            return self._of_consumer(broker, path[0], checked, missing, extra)
        if section == "messages":
            return self._of_message(broker, path[0], path[1])
        if section == "tasks":
            return self.working.of_task(path[0]) or self._not_received(path[0])
        if section == "workers":
            return self.working.of_worker(path[0])
        return self._of_end(section, missing)

    def _not_received(self, task: str) -> str:
        event = self.last.get((task, None))
        return f"no worker received it; {told(event)}" if event is not None else f"{task} was not published"

    def _of_queue(self, broker: Broker, queue: str, checked: Checked, missing: str | None, extra: str | None) -> str:
        if queue not in broker.queues:
            gone = self.gone.get(queue)
            return f"deleted at {gone.at_ms / 1000:.3f} s: {gone.why}" if gone else "it is not declared by then"
        if isinstance(checked.actual, bool):
            return ""
        if missing is not None or extra is not None:
            return self._of_message(broker, missing or extra or "", queue)
        if isinstance(checked.actual, list):
            return "the same messages in another order"
        return self._sums(broker, queue)

    def _sums(self, broker: Broker, queue: str) -> str:
        sums = self.queues[queue]
        if not sums["came in"]:
            if self.first_published is None:
                return f"nothing was published, so nothing came into {queue}"
            return f"nothing came into {queue}; {self._not_reached(broker, self.first_published, queue)}"
        parts = [f"{count} {what}" for what, count in sums.items() if what != "came in" and count]
        return f"{sums['came in']} came into {queue}: {', '.join(parts) or 'nobody took them'}"

    def _of_consumer(self, broker: Broker, consumer: str, checked: Checked, missing: str | None, extra: str | None) -> str:
        queue = self.scenario.consumers[consumer].queue
        if not self.consumers[consumer]["delivered"]:
            gone = self.gone.get(consumer)
            if gone is not None:
                return f"cancelled at {gone.at_ms / 1000:.3f} s: {gone.why}"
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
        return told(event) if event is not None else self._not_reached(broker, message, queue)

    def _of_end(self, section: str, missing: str | None) -> str:
        if missing is not None:
            event = self.last.get((missing, None))
            if event is None:
                return f"{missing} was not published"
            note = ", for it was not mandatory" if type(event) is events.Unroutable and section == "returned" else ""
            return told(event) + note
        some = self.ends[section]
        return "; ".join(told(event) for event in some) if some else f"no message was {section}"

    # Where it did not go, or did ---------------------------------------------------------------------------------------

    def _not_reached(self, broker: Broker, message: str, queue: str) -> str:
        other = self.last.get((message, None))
        if type(other) is events.Unpublished:
            return told(other)
        published = self.published.get(message)
        if published is None:
            return f"{message} was not published"
        sent = sent_by(self.scenario, message) or Message(published.exchange, published.routing_key)
        return f"{message} did not reach {queue}: {self._no_way(broker, sent, queue)}"

    def _of_route(self, broker: Broker, row: ExpectedRoute, actual: list[str]) -> str:
        missing, extra = _missing_and_extra(row.queues, actual)
        if missing is not None:
            return f"{missing}: {self._no_way(broker, row.message, missing)}"
        path = next(path for queue, path in would_reach(broker.copy(), row.message, "").queues if queue.name == extra)
        hops = [
            f"binding {self._named(hop)} matches"
            if isinstance(hop, Binding)
            else f"nothing of '{hop.source}' matches, which leads to its alternate exchange '{hop.destination}'"
            for hop in path
        ]
        return f"{extra}: {', then '.join(hops) or 'the routing key is its name'}"

    def _no_way(self, broker: Broker, sent: Message, queue: str) -> str:
        """The nearest reason why a message does not reach a queue: the binding that would have led to it."""
        if sent.exchange == DEFAULT_EXCHANGE:
            return f"the default exchange takes {quoted(sent.routing_key)} for the name of a queue"
        if sent.exchange not in broker.exchanges:
            return f"there is no exchange '{sent.exchange}'"
        visits: list[Visit] = []
        route = would_reach(broker.copy(), sent, "", visits)
        if any(reached.name == queue for reached, _ in route.queues):
            return "its publish was not carried out as far as that"
        content = content_of(sent)
        seen = {visit.exchange for visit in visits}
        for exchange in seen:
            state = broker.exchanges[exchange]
            for binding in state.bindings.values():
                if binding.destination_type == "queue" and binding.destination == queue:
                    return f"binding {self._named(binding)}: {state.matcher.why(binding, '', content).text}"
        way = self._way(broker, seen, queue)
        if way is None:
            return f"no binding leads there from exchange '{sent.exchange}'"
        return f"binding {self._named(way)}: {broker.exchanges[way.source].matcher.why(way, '', content).text}"

    def _way(self, broker: Broker, seen: set[str], queue: str) -> Binding | None:
        """The binding by which a chain of exchanges that ends in the queue begins at one that the message came through."""
        todo, known = [("queue", queue)], {("queue", queue)}
        for end in todo:  # grows while it is walked
            for binding in broker.incoming.get(end, {}).values():
                if binding.source in seen:
                    return binding
                before = ("exchange", binding.source)
                if before not in known:
                    known.add(before)
                    todo.append(before)
        return None

    def _named(self, binding: Binding) -> str:
        shown = shown_table(binding.arguments) if binding.arguments else quoted(binding.routing_key)
        line = self.lines.get(id(binding))
        return f"{shown} of '{binding.source}'" + (f" (line {line})" if line else "")


def _missing_and_extra(wanted: Any, actual: Any) -> tuple[str | None, str | None]:
    """Of two lists of names, the first that one of them lacks."""
    if not isinstance(wanted, tuple) or not isinstance(actual, list):
        return None, None
    missing = next((item for item in wanted if item not in set(actual)), None)
    return missing, next((item for item in actual if item not in set(wanted)), None)


def _ends(event: Any) -> list[str]:
    kind, found = type(event), []
    if kind is events.Returned:
        found.append("returned")
    elif kind is events.Refused:
        found.append("nacked")
    elif events.is_lost(event):
        found.append("lost")
    return found


def _subscriptions(broker: Broker) -> list[Any]:
    return [subscription for channel in broker.channels.values() for subscription, _ in channel.subscriptions.values()]


def sent_by(scenario: Scenario, message: str) -> Message | None:
    """What the step that publishes it sends; None where a consumer does."""
    for step in scenario.steps:
        action = step.action
        if not isinstance(action, PublishMany):
            continue
        number = message.removeprefix(action.id_prefix)
        if message == action.id_prefix if action.first is None else (
            message.startswith(action.id_prefix) and number.isdecimal() and 0 <= int(number[:18]) - action.first < action.times
        ):  # fmt: skip
            return action.message
    return None
