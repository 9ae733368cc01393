"""The life of one message in a run: a story from its publish to its last state."""

from collections.abc import Iterator, Sequence
from typing import Any

from routesim import events
from routesim.diagnostics import did_you_mean
from routesim.durations import seconds
from routesim.explain.answer import Answer, CannotExplain
from routesim.narration import sentence_of, still_overdue, tone_of
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.tables import NOTICE, Cell, Section


def explain_message(scenario: Scenario, message: str, *, seed: int | None = None) -> Answer:
    """Runs the scenario and tells what happened to `message`. Raises `CannotExplain` when none has that id."""
    life: list[Any] = []

    def listen(event: Any) -> None:
        if getattr(event, "message", None) == message and sentence_of(event) is not None:
            life.append(event)

    result = Runner(scenario, listen, seed=seed).run()
    if not life:
        cure = did_you_mean(message, result.messages.of)
        raise CannotExplain(f"no message '{message}' was published in this run" + (f"; {cure}" if cure else ""))
    waiting = [item for queue in result.broker.queues.values() for item in _overdue(queue, message, result.broker.now)]
    data = [{"at_ms": event.at_ms, "event": events.EVENTS[type(event)], "text": sentence_of(event)} for event in life]
    data += [{"at_ms": item.at_ms, "event": events.EVENTS[type(item)], "text": still_overdue(item)} for item in waiting]
    states = {queue: state for queue, (_, state) in result.fates.of.get(message, {}).items()}
    ended = ", ".join(f"{state} in {queue}" for queue, state in states.items()) or "in no queue"
    copies = sum(isinstance(event, events.Enqueued) for event in life)
    headline = f"{message}: {ended}"
    hints = (f"It left {copies} copies in queues, {sum(isinstance(event, events.Delivered) for event in life)} deliveries.",)
    told = story(life)
    told.rows.extend((Cell(seconds(item.at_ms)), Cell(still_overdue(item), NOTICE)) for item in waiting)
    return Answer(headline, (told,), hints, {"message": message, "states": states, "story": data})


def _overdue(queue: QueueType, message: str, now: int) -> Iterator[events.Overdue]:
    """The copies of the message that are ready though they were to expire."""
    for copy in queue.ready():
        overdue = queue.waits_overdue(copy, now) if copy.message == message else None
        if overdue is not None:
            yield overdue


def story(life: Sequence[Any]) -> Section:
    """What happened to a message or task, one row an event; `life` are events that have a sentence."""
    rows, last = [], None
    for event in life:
        time = f"{seconds(event.at_ms)}" if event.at_ms != last else ""
        last = event.at_ms
        rows.append((Cell(time), Cell(sentence_of(event) or "", tone_of(event))))
    return Section("", ("time s", "what happened"), rows)
