"""Why an event of a run came about: why the message went there and nowhere else, by the situation of that very moment.

The run is carried out again up to the event: bindings, consumers and what they hold are those of then, not of the start.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from routesim import events
from routesim.broker import Broker
from routesim.broker.asking import content_of
from routesim.explain.answer import Answer, CannotExplain
from routesim.explain.failing.failures import failures
from routesim.explain.message import story
from routesim.explain.routes.route import explain_content
from routesim.model import Message
from routesim.narration import sentence_of
from routesim.queues import QueueType, Subscription
from routesim.run import Result, Runner
from routesim.scenario import sent_by
from routesim.tables import BAD, GOOD, QUIET, Cell, Section

MAX_EVENTS = 30  # of a story


class _There(Exception):
    """The run has come as far as it is needed."""


def explain_moment(result: Result, happened: Sequence[Any], index: int) -> Answer:
    """Why `happened[index]` happened; `happened` are the events of the run of `result` from the first one on.

    Raises `CannotExplain` for an event that is about no message and no task.
    """
    event = happened[index]
    message = getattr(event, "message", None) or getattr(event, "task", None)
    if message is None:
        raise CannotExplain("nothing to explain: that event is about no message")
    life = [item for item in happened[: index + 1] if _is_about(item, message)]
    so_far = story(life[-MAX_EVENTS:])._replace(title=f"{message} so far")
    if isinstance(event, events.Delivered):
        return _delivered(_broker_at(result, index), event, so_far)
    cause = _cause(happened, index, message) if type(event) in events.ROUTED else None
    if cause is None:
        sentence = sentence_of(event)
        return Answer(f"{message}: {sentence}" if sentence else message, (so_far,), (), {})
    return _routed(result, happened[cause], _broker_at(result, cause), so_far)


def _is_about(event: Any, message: str) -> bool:
    """A task's message bears the id of the task, unless it comes from a retry."""
    about = getattr(event, "message", None) == message or getattr(event, "task", None) == message
    return about and sentence_of(event) is not None


def explain_end(result: Result) -> Answer:
    """Why a run failed."""
    rows: list[tuple[Cell, ...]] = []
    for failure in failures(result):
        line = failure.place.line if failure.place else 0
        rows.append((Cell(f"line {line}" if line else "", QUIET), Cell(failure.message, BAD)))
        rows += [(Cell(name, QUIET), Cell(text)) for name, text in (("found", failure.found), ("because", failure.why)) if text]
    return Answer("The run failed", (Section("", ("", ""), rows),), (), {}, yes=False)


def _broker_at(result: Result, index: int) -> Broker:
    """The broker as it was when that event happened."""
    left = index

    def listen(event: Any) -> None:
        nonlocal left
        if not left:
            raise _There
        left -= 1

    runner = Runner(
        result.scenario, listen, seed=result.broker.seed, until=result.until, max_events=result.max_events, keep=False
    )
    with suppress(_There):
        runner.run()
    return runner.broker.copy()


def _cause(happened: Sequence[Any], index: int, message: str) -> int | None:
    """The publish or dead-lettering by which the event came about; None where a delay or a replay was it."""
    event = happened[index]
    if isinstance(event, events.Enqueued) and event.cause in ("delayed", "replayed", "reply"):
        return None
    died = isinstance(event, events.DeadLettered) or (isinstance(event, events.Enqueued) and event.cause == "dead-lettered")
    kind = events.DeadLettered if died else events.Published
    return next((at for at in range(index, -1, -1) if isinstance(happened[at], kind) and happened[at].message == message), None)


def _routed(result: Result, cause: events.Published | events.DeadLettered, broker: Broker, so_far: Section) -> Answer:
    sent = sent_by(result.scenario, cause.message) or Message(cause.exchange, cause.routing_key)
    if sent.routing_key != cause.routing_key:
        headers = {name: value for name, value in (sent.headers or {}).items() if name not in ("CC", "BCC")}
        sent = sent._replace(routing_key=cause.routing_key, headers=headers)
    content = content_of(sent._replace(exchange=cause.exchange))
    if cause.exchange not in broker.exchanges:
        return Answer(f"there is no exchange '{cause.exchange}'", (so_far,), (), {})
    found = explain_content(broker, result.scenario, content, message=cause.message, delay_over=True)
    headline = f"{cause.message}: {found.headline}"
    if isinstance(cause, events.DeadLettered):
        headline = f"{cause.message} left {cause.queue} as a dead letter ({cause.reason}): {found.headline}"
    return found._replace(headline=headline, sections=(*found.sections, so_far))


# Deliveries ----------------------------------------------------------------------------------------------------------


def _delivered(broker: Broker, event: events.Delivered, so_far: Section) -> Answer:
    queue = broker.queues.get(event.queue)
    headline = f"{event.message}: delivered from {event.queue} to {event.consumer}"
    if queue is None:
        return Answer(headline, (so_far,), (), {})
    rows = []
    for subscription in queue.subscriptions.values():
        held = sum(item.subscription is subscription for item in subscription.channel.unacked.values())
        limit = str(subscription.prefetch) if subscription.prefetch and not subscription.auto_ack else "none"
        chosen = subscription.name == event.consumer
        why = "chosen" if chosen else _not_chosen(queue, subscription, event.consumer)
        rows.append((Cell(subscription.name), Cell(str(held)), Cell(limit), Cell(why, GOOD if chosen else QUIET)))
    title = f"Consumers of {event.queue} then"
    columns = ("consumer", "holds", "prefetch", "why")
    return Answer(headline, (Section(title, columns, rows, frozenset({"holds", "prefetch"})), so_far), (), {})


def _not_chosen(queue: QueueType, other: Subscription, chosen: str) -> str:
    """Why this consumer did not get what `chosen` got."""
    first = next((item for item in queue.subscriptions.values() if item.name == chosen), None)
    if queue.keeps_log:
        return "reads the stream for itself"
    if queue.settings.single_active_consumer:
        return f"waits: {chosen} is the single active consumer"
    if other.credit <= 0:
        return "its prefetch is used up"
    if other.channel.at_limit():
        return "the limit of its channel is used up"
    if first is not None and other.priority < first.priority:
        return f"its priority {other.priority} is lower than {first.priority}"
    return "consumers of one priority take turns: it is not its turn"
