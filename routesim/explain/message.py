"""The life of one message in a run: a story from its publish to its last state."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from routesim import events
from routesim.broker import Broker
from routesim.durations import seconds
from routesim.explain.answer import Answer, CannotExplain
from routesim.explain.known import instead
from routesim.narration import sentence_of, still_overdue, tone_of
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.scenario.yaml.source import SHOWN_STDIN
from routesim.tables import NOTICE, Cell, Section
from routesim.values import plain


def explain_message(scenario: Scenario, message: str, *, seed: int | None = None) -> Answer:
    """Runs the scenario and tells what happened to `message`. Raises `CannotExplain` when none has that id."""
    life: list[Any] = []

    notes: dict[int, str] = {}

    def listen(event: Any) -> None:
        if getattr(event, "message", None) == message and sentence_of(event) is not None:
            life.append(event)
            if isinstance(event, (events.Delivered, events.Got)):
                notes[id(event)] = _counted(runner.broker, event)

    runner = Runner(scenario, listen, seed=seed)
    result = runner.run()
    if not life:
        raise CannotExplain(f"no message '{message}' was published in this run" + instead(message, result.messages.of))
    waiting = [item for queue in result.broker.queues.values() for item in _overdue(queue, message, result.broker.now)]
    data = [{"at_ms": event.at_ms, "event": events.EVENTS[type(event)], "text": _told(event, notes)} for event in life]
    data += [{"at_ms": item.at_ms, "event": events.EVENTS[type(item)], "text": still_overdue(item)} for item in waiting]
    states = {queue: state for queue, (_, state) in result.fates.of.get(message, {}).items()}
    ended = ", ".join(f"{state} in {queue}" for queue, state in states.items()) or "in no queue"
    copies, deliveries = (sum(isinstance(event, kind) for event in life) for kind in (events.Enqueued, events.Delivered))
    headline = f"{message}: {ended}"
    hints: tuple[str, ...] = (
        f"It left {copies} {'copy' if copies == 1 else 'copies'} in queues,"
        f" {deliveries} {'delivery' if deliveries == 1 else 'deliveries'}.",
    )
    if result.tasks is not None and message in result.tasks.of:
        hints += (f"routesim explain task {scenario.file} {message} tells what became of the task.",)
    hints += _way(scenario, life)
    happened = story(life, notes)
    still = [(Cell(seconds(item.at_ms)), Cell(still_overdue(item), NOTICE)) for item in waiting]
    happened = happened._replace(rows=[*happened.rows, *still])
    return Answer(headline, (happened,), hints, {"message": message, "states": states, "story": data})


def _way(scenario: Scenario, life: list[Any]) -> tuple[str, ...]:
    """How to ask why it came to these queues and no others."""
    sent = next((event for event in life if isinstance(event, events.Published)), None)
    if sent is None or scenario.file == SHOWN_STDIN or scenario.settings.kind == "redis":
        return ()
    where = [sent.exchange, sent.routing_key] if sent.exchange else [sent.routing_key]
    return (f"routesim explain route {shlex.join([scenario.file, *where])} tells why a queue was not reached.",)


def _overdue(queue: QueueType, message: str, now: int) -> Iterator[events.Overdue]:
    """The copies of the message that are ready though they were to expire."""
    for copy in queue.ready():
        overdue = queue.waits_overdue(copy, now) if copy.message == message else None
        if overdue is not None:
            yield overdue


def _counted(broker: Broker, event: events.Delivered | events.Got) -> str:
    """The counts with which a quorum queue delivers a message: what it brought along as a dead letter is among them."""
    channel, queue = broker.channels.get(event.channel), broker.queues.get(event.queue)
    delivery = channel.unacked.get(event.delivery_tag or 0) if channel is not None else None
    if delivery is None or queue is None:
        return ""
    headers = plain(queue.headers(delivery.copy, got=isinstance(event, events.Got)))
    found = [f"{name} {headers[name]}" for name in ("x-delivery-count", "x-acquired-count") if headers.get(name)]
    return f", {', '.join(found)}" if found else ""


def _told(event: Any, notes: Mapping[int, str]) -> str:
    return f"{sentence_of(event) or ''}{notes.get(id(event), '')}"


def story(life: Sequence[Any], notes: Mapping[int, str] = MappingProxyType({})) -> Section:
    """What happened to a message or task, one row an event; `life` are events that have a sentence, `notes` what else is to be
    said of some, by their identity."""
    rows, last = [], None
    for event in life:
        time = f"{seconds(event.at_ms)}" if event.at_ms != last else ""
        last = event.at_ms
        rows.append((Cell(time), Cell(_told(event, notes), tone_of(event))))
    return Section("", ("time s", "what happened"), rows)
