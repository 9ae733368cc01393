"""The life of one message in a run: a story from its publish to its last state."""

from collections.abc import Callable, Sequence
from typing import Any

from routesim import events
from routesim.diagnostics import did_you_mean
from routesim.durations import seconds
from routesim.explain.answer import Answer, CannotExplain, quoted
from routesim.model import Binding
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, Cell, Section


def explain_message(scenario: Scenario, message: str, *, seed: int | None = None) -> Answer:
    """Runs the scenario and tells what happened to `message`. Raises `CannotExplain` when none has that id."""
    told: list[Any] = []

    def listen(event: Any) -> None:
        if getattr(event, "message", None) == message and type(event) in SENTENCES:
            told.append(event)

    result = Runner(scenario, listen, seed=seed).run()
    if not told:
        cure = did_you_mean(message, result.messages.of)
        raise CannotExplain(f"no message '{message}' was published in this run" + (f"; {cure}" if cure else ""))
    data = [
        {"at_ms": event.at_ms, "event": events.EVENTS[type(event)], "text": SENTENCES[type(event)](event)[0]} for event in told
    ]
    states = {queue: state for queue, (_, state) in result.fates.of.get(message, {}).items()}
    ended = ", ".join(f"{state} in {queue}" for queue, state in states.items()) or "in no queue"
    copies = sum(isinstance(event, events.Enqueued) for event in told)
    headline = f"{message}: {ended}"
    hints = (f"It left {copies} copies in queues, {sum(isinstance(event, events.Delivered) for event in told)} deliveries.",)
    return Answer(headline, (story(told),), hints, {"message": message, "states": states, "story": data})


def story(told: Sequence[Any]) -> Section:
    """What happened to a message, one row an event; `told` are events that have a sentence."""
    rows, last = [], None
    for event in told:
        sentence, tone = sentence_of(event) or ("", PLAIN)
        time = f"{seconds(event.at_ms)}" if event.at_ms != last else ""
        last = event.at_ms
        rows.append((Cell(time), Cell(sentence, tone)))
    return Section("", ("time s", "what happened"), rows)


def sentence_of(event: Any) -> tuple[str, str] | None:
    """What an event means for the message, or for the task that it is, and its tone; None: it is about neither."""
    kind = type(event)
    if kind in SENTENCES:
        return SENTENCES[kind](event)
    if not hasattr(event, "task"):
        return None
    from routesim.explain.tasks import SENTENCES as TASK_SENTENCES  # few runs have tasks

    return TASK_SENTENCES[kind].format(event), PLAIN


def _place(name: str) -> str:
    return f"exchange '{name}'" if name else "the default exchange"


def _enqueued(event: events.Enqueued) -> tuple[str, str]:
    how = []
    for hop in event.path:
        if isinstance(hop, Binding):
            by = f"binding {quoted(hop.routing_key)}" if not hop.arguments else f"binding {hop.arguments}"
            how.append(f"{by} of '{hop.source}' matched")
        else:
            how.append(f"nothing of '{hop.source}' matched, so its alternate exchange '{hop.destination}' was asked")
    if not how:
        how = ["the routing key is the queue's name"]
    causes = {
        "replayed": "replayed from the exchange's history, ",
        "delayed": "its delay is over, ",
        "reply": "as a direct reply, ",
    }
    return f"put into {event.queue}: {causes.get(event.cause, '')}{'; '.join(how)}", PLAIN


def _delivered(event: events.Delivered) -> tuple[str, str]:
    again = " again" if event.redelivered else ""
    auto = ", acknowledged as it was sent" if event.auto_ack else ""
    return (
        f"delivered{again} from {event.queue} to {event.consumer} (delivery tag {event.delivery_tag}{auto})",
        NOTICE if again else PLAIN,
    )


def _got(event: events.Got) -> tuple[str, str]:
    return f"fetched from {event.queue} by basic.get on {event.channel} (delivery tag {event.delivery_tag})", PLAIN


def _requeued(event: events.Requeued) -> tuple[str, str]:
    return f"back in {event.queue}: {event.why} by {event.by}", NOTICE


def _dead_lettered(event: events.DeadLettered) -> tuple[str, str]:
    return (
        f"dead-lettered from {event.queue} ({event.reason}) to {_place(event.exchange)}, key {quoted(event.routing_key)}",
        NOTICE,
    )


def _unroutable(event: events.Unroutable) -> tuple[str, str]:
    told = "; the publisher was told ack all the same" if event.confirmed else ""
    return f"reached no queue: {event.why}{told}", BAD


def _fixed(text: Callable[[Any], str], tone: str = PLAIN) -> Callable[[Any], tuple[str, str]]:
    return lambda event: (text(event), tone)


SENTENCES: dict[type, Callable[[Any], tuple[str, str]]] = {
    events.Published: _fixed(lambda event: f"published to {_place(event.exchange)} with key {quoted(event.routing_key)}"),
    events.Enqueued: _enqueued,
    events.Unroutable: _unroutable,
    events.Returned: _fixed(lambda event: f"returned to its publisher: {event.code} {event.text}", NOTICE),
    events.Refused: _fixed(lambda event: f"refused by {event.queue}: {event.why}", NOTICE),
    events.Confirmed: _fixed(lambda event: f"confirmed to its publisher: {event.answer}"),
    events.Delayed: _fixed(lambda event: f"held back by exchange '{event.exchange}' until {seconds(event.until_ms)} s"),
    events.Delivered: _delivered,
    events.Got: _got,
    events.Acked: _fixed(lambda event: f"acknowledged by {event.by}: gone from {event.queue}", GOOD),
    events.Rejected: _fixed(lambda event: f"rejected by {event.by}, not to be requeued", NOTICE),
    events.Requeued: _requeued,
    events.RetryDelayed: _fixed(
        lambda event: f"not ready in {event.queue} before {seconds(event.until_ms)} s (delayed retry)", NOTICE
    ),
    events.DeadLettered: _dead_lettered,
    events.Dropped: _fixed(lambda event: f"dropped from {event.queue} ({event.reason}): {event.why}", BAD),
    events.Awaiting: _fixed(lambda event: f"kept back in {event.queue} ({event.reason}): {event.why}", NOTICE),
    events.CycleCut: _fixed(lambda event: f"kept out of {event.queue}: it has been there, and not been rejected since", BAD),
    events.Purged: _fixed(lambda event: f"purged from {event.queue}", BAD),
    events.Deleted: _fixed(lambda event: f"deleted with its queue {event.queue}", BAD),
    events.LostAtRestart: _fixed(lambda event: f"lost from {event.queue} when the broker restarted: it was transient", BAD),
    events.LostByConsumer: _fixed(
        lambda event: f"lost: {event.consumer} crashed while working on it, and it had been acknowledged when sent", BAD
    ),
}
