"""Events in words, each in one place: what its row in a trace says, and how it reads as part of a sentence."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from routesim import events
from routesim.durations import seconds
from routesim.named_tuples import NamedTuple
from routesim.replies import REPLY_SUCCESS
from routesim.shown import path_sentence, publisher, shown_binding, shown_exchange, shown_key, shown_path
from routesim.tables import BAD, GOOD, HIT, MISS, NOTICE, PLAIN, QUIET


class Words(NamedTuple):
    """An event in words; a label or a tone that is not always the same is a function of the event.

    - `label`, `where`, `why`, `tone`: its row in a trace: how it is called there, where it happened, and what else is to be
      said. None: it never has a row;
    - `sentence`: what became of the message or task, as part of a sentence: `rejected by packer, not to be requeued`. None: it
      is no part of the story of a message or task;
    - `compared`: the event as a sentence by which two runs are compared, without what need not be the same in both;
    - `shown`: whether this one has a row: what another row says has none of its own.
    """

    label: str | Callable[[Any], str]
    where: Callable[[Any], str]
    why: Callable[[Any], str]
    tone: str | Callable[[Any], str] = PLAIN
    sentence: Callable[[Any], str] | None = None
    compared: Callable[[Any], str] | None = None
    shown: Callable[[Any], bool] | None = None


def tone_of(event: Any) -> str:
    tone = NARRATION[type(event)].tone
    return tone if isinstance(tone, str) else tone(event)


def sentence_of(event: Any) -> str | None:
    """What the event means for its message or task, as part of a sentence; None: it is no part of their story."""
    words = NARRATION.get(type(event))
    return None if words is None or words.sentence is None else words.sentence(event)


# Parts of sentences -----------------------------------------------------------------------------------------------------

BEEN_THERE = "it has been there, and not been rejected since"


_queue, _worker, _channel, _why, _text, _name = map(attrgetter, ("queue", "worker", "channel", "why", "text", "name"))


def _exchange(event: Any) -> str:
    return shown_exchange(event.exchange)


def _to_exchange(event: Any) -> str:
    return f"exchange '{event.exchange}'" if event.exchange else "the default exchange"


def _to_consumer(event: Any) -> str:
    return f"{event.queue} → {event.consumer}"


def _nothing(event: Any) -> str:
    return ""


# What is longer than a line ---------------------------------------------------------------------------------------------


def _enqueued_why(event: events.Enqueued) -> str:
    why = shown_path(event.path)
    if event.cause == "published" or event.cause == "dead-lettered":
        return (why or "by name") + _brought(event)
    if event.cause == "replayed":
        return f"replayed to the new binding {why}"
    return f"the delay is over, {why}" if event.cause == "delayed" else "direct reply-to"


def _brought(event: events.Enqueued) -> str:
    """What a dead letter brings along, where its queue reckons with it."""
    return f", delivery count {event.delivery_count}" if event.delivery_count else ""


def _enqueued(event: events.Enqueued) -> str:
    return f"put into {event.queue}: {_CAUSES.get(event.cause, '')}{path_sentence(event.path)}{_brought(event)}"


_CAUSES = {
    "replayed": "replayed from the exchange's history, ",
    "delayed": "its delay is over, ",
    "reply": "as a direct reply, ",
}


def _unroutable_why(event: events.Unroutable) -> str:
    who = publisher(event.channel)
    if event.confirmed:
        return f"{event.why}. Confirmed to {who or 'the publisher'}, but in no queue."
    return f"{event.why}. In no queue{f'; published by {who}' if who else ''}."


def _unroutable(event: events.Unroutable) -> str:
    who = publisher(event.channel)
    if event.confirmed:
        return f"reached no queue: {event.why}; {who or 'the publisher'} was told ack all the same"
    return f"reached no queue: {event.why}{f'; published by {who}' if who else ''}"


def _returned_why(event: events.Returned) -> str:
    who = publisher(event.channel)
    return f"{event.code} {event.text}: {event.why}{f', to {who}' if who else ''}"


def _delivery(event: events.Delivered | events.Got) -> str:
    why = f"tag {event.delivery_tag}"
    if event.auto_ack:
        why += ", auto-ack"
    return f"{why}, REDELIVERED" if event.redelivered else why


def _delivered(event: events.Delivered) -> str:
    again = " again" if event.redelivered else ""
    auto = ", acknowledged as it was sent" if event.auto_ack else ""
    return f"delivered{again} from {event.queue} to {event.consumer} (delivery tag {event.delivery_tag}{auto})"


def _if_redelivered(event: events.Delivered | events.Got) -> str:
    return NOTICE if event.redelivered else PLAIN


def _requeued_why(event: events.Requeued) -> str:
    return f"{event.why} by {event.by}" if event.why in ("nack", "reject", "recover") else f"{event.why}: {event.by}"


def _dropped_why(event: events.Dropped) -> str:
    reason = f"{event.reason}, returned once too often by {event.by}" if event.reason == "delivery_limit" else event.reason
    return f"{reason}: {event.why}"


_BEHIND = "but only the head of a queue expires:"


def overdue_why(event: events.Overdue) -> str:
    due = f"due at {seconds(event.due_ms)} s"
    if event.why == "unacked":
        return f"{due}, when a consumer had it; what is unacked does not expire"
    if event.why == "no timer":
        return f"{due}, but it came to the front by its priority, and then a classic queue sets no timer"
    return f"{due}, {_BEHIND} {event.before or 'another message'} stood before it until {seconds(event.at_ms)} s"


def still_overdue(event: events.Overdue) -> str:
    """The same of what waits there when the run ends, as part of a sentence."""
    if event.why == "behind":
        why = f"due at {seconds(event.due_ms)} s, {_BEHIND} {event.before or 'another message'} stands before it"
    else:
        why = overdue_why(event)
    return f"still in {event.queue}: {why}"


def _queue_declared(event: events.QueueDeclared) -> str:
    named = "" if event.broker_name == event.queue else f", named {event.broker_name} by the broker"
    return f"queue, {event.type}{named}"


def _qos(event: events.QosSet) -> str:
    return f"prefetch {event.prefetch} for {'the whole channel' if event.whole_channel else 'each new consumer'}"


def _transaction(event: events.Transaction) -> str:
    return event.do if event.do == "select" else f"{event.do}: {event.publishes} publishes, {event.answers} answers"


def _by_client(event: events.ConnectionClosed | events.ChannelClosed) -> bool:
    return event.code == REPLY_SUCCESS


def _received(event: events.TaskReceived) -> str:
    parts = [event.name]
    if event.redelivered:
        parts.append("redelivered")
    if event.retries:
        parts.append(f"retry {event.retries}")
    if event.due_ms is not None:
        parts.append(f"held until {seconds(event.due_ms)} s")
    return ", ".join(parts)


# The table --------------------------------------------------------------------------------------------------------------

NARRATION: dict[type, Words] = {
    # Publishing
    events.Published: Words(
        "published", _exchange, lambda event: shown_key(event.routing_key),
        sentence=lambda event: f"published to {_to_exchange(event)} with key {shown_key(event.routing_key)}",
    ),
    events.Enqueued: Words("enqueued", _queue, _enqueued_why, sentence=_enqueued),
    events.Unroutable: Words(
        "UNROUTABLE", _exchange, _unroutable_why, BAD, _unroutable,
        compared=lambda event: f"{event.message} reaches nobody", shown=lambda event: not event.returned,
    ),
    events.Returned: Words(
        "returned", _exchange, _returned_why, NOTICE,
        lambda event: f"returned to {publisher(event.channel) or 'its publisher'}: {event.code} {event.text}",
    ),
    events.Uncommitted: Words("held back", _channel, lambda event: "until the transaction is committed", QUIET),
    events.Unpublished: Words("NOT PUBLISHED", _nothing, _why, BAD, lambda event: f"not published: {event.why}"),
    events.Refused: Words("refused", _queue, _why, NOTICE, lambda event: f"refused by {event.queue}: {event.why}"),
    events.Confirmed: Words(
        "nacked", lambda event: "publisher", lambda event: "a queue refused the message",
        lambda event: NOTICE if event.answer == "nack" else PLAIN,
        lambda event: f"confirmed to its publisher: {event.answer}", shown=lambda event: event.answer != "ack",
    ),
    events.Delayed: Words(
        "delayed", lambda event: event.exchange, lambda event: f"until {seconds(event.until_ms)} s",
        sentence=lambda event: f"held back by exchange '{event.exchange}' until {seconds(event.until_ms)} s",
    ),
    # Deliveries and answers
    events.Delivered: Words(
        "delivered", _to_consumer, _delivery, _if_redelivered, _delivered,
        compared=lambda event: f"{event.consumer} gets {event.message}",
    ),
    events.Got: Words(
        lambda event: "got nothing" if event.message is None else "got",
        lambda event: f"{event.queue} → {event.channel}",
        lambda event: "basic.get: the queue is empty" if event.message is None else f"basic.get, {_delivery(event)}",
        lambda event: QUIET if event.message is None else _if_redelivered(event),
        lambda event: f"fetched from {event.queue} by basic.get on {event.channel} (delivery tag {event.delivery_tag})",
    ),
    events.Acked: Words(
        "acked", _queue, lambda event: f"by {event.by}", GOOD,
        lambda event: f"acknowledged by {event.by}: gone from {event.queue}",
    ),
    events.Rejected: Words(
        "rejected", _queue, lambda event: f"by {event.by}, requeue=false", NOTICE,
        lambda event: f"rejected by {event.by}, not to be requeued",
    ),
    events.Requeued: Words(
        "requeued", _queue, _requeued_why, NOTICE, lambda event: f"back in {event.queue}: {event.why} by {event.by}",
    ),
    events.RetryDelayed: Words(
        "delayed", _queue, lambda event: f"delayed retry: not ready before {seconds(event.until_ms)} s", NOTICE,
        lambda event: f"not ready in {event.queue} before {seconds(event.until_ms)} s (delayed retry)",
    ),
    # What the broker takes out of a queue
    events.DeadLettered: Words(
        "dead-lettered", lambda event: f"{event.queue} → {_exchange(event)}",
        lambda event: f"{event.reason}, key {shown_key(event.routing_key)}", NOTICE,
        lambda event: f"dead-lettered from {event.queue} ({event.reason}) to {_to_exchange(event)}, "
                      f"key {shown_key(event.routing_key)}",
    ),
    events.Dropped: Words(
        "DROPPED", _queue, _dropped_why, BAD, lambda event: f"dropped from {event.queue} ({event.reason}): {event.why}",
    ),
    events.Awaiting: Words(
        "kept back", _queue, lambda event: f"{event.reason}, at-least-once: {event.why}", NOTICE,
        lambda event: f"kept back in {event.queue} ({event.reason}): {event.why}",
    ),
    events.Overdue: Words(
        "overdue", _queue, overdue_why, NOTICE, lambda event: f"overdue in {event.queue}: {overdue_why(event)}",
    ),
    events.CycleCut: Words(
        "cycle cut", _queue, lambda event: BEEN_THERE, BAD, lambda event: f"kept out of {event.queue}: {BEEN_THERE}",
        shown=lambda event: not event.alone,  # else the row of the drop says so
    ),
    events.Purged: Words("purged", _queue, _nothing, BAD, lambda event: f"purged from {event.queue}"),
    events.Deleted: Words(
        "DELETED", _queue, lambda event: "gone with its queue", BAD, lambda event: f"deleted with its queue {event.queue}",
    ),
    events.LostAtRestart: Words(
        "LOST", _queue, lambda event: "transient: gone with the restart", BAD,
        lambda event: f"lost from {event.queue} when the broker restarted: it was transient",
    ),
    events.LostByConsumer: Words(
        "LOST", _to_consumer, lambda event: "auto-ack: the consumer crashed before it was done", BAD,
        lambda event: f"lost: {event.consumer} crashed while working on it, and it had been acknowledged when sent",
    ),
    # The topology
    events.ExchangeDeclared: Words("declared", _exchange, lambda event: f"exchange, {event.type}", QUIET),
    events.QueueDeclared: Words("declared", _queue, _queue_declared, QUIET),
    events.ExchangeDeleted: Words("exchange deleted", _exchange, _why, NOTICE),
    events.QueueDeleted: Words("queue deleted", _queue, _why, NOTICE),
    events.Bound: Words("bound", lambda event: event.binding.destination, lambda event: shown_binding(event.binding), QUIET),
    events.Unbound: Words(
        "unbound", lambda event: event.binding.destination,
        lambda event: f"{shown_binding(event.binding)}: {event.why}", QUIET,
    ),
    events.PolicySet: Words(
        "policy set", lambda event: event.policy, lambda event: "operator policy" * event.operator, QUIET,
    ),
    events.PolicyDeleted: Words("policy deleted", lambda event: event.policy, _nothing, QUIET),
    events.QueuePurged: Words("purged", _queue, lambda event: f"{event.messages} ready messages removed", QUIET),
    # Channels, consumers, connections
    events.ConsumerStarted: Words("consuming", _to_consumer, _nothing, QUIET),
    events.ConsumerCancelled: Words("consumer ended", _to_consumer, _why, QUIET),
    events.ConsumerActive: Words("active", _to_consumer, lambda event: "single active consumer", QUIET),
    events.QosSet: Words("qos", _channel, _qos, QUIET),
    events.Transaction: Words(lambda event: f"tx {event.do}", _channel, _transaction, QUIET),
    events.ChannelClosed: Words(
        lambda event: "channel closed" if _by_client(event) else "CHANNEL CLOSED", _channel, _text,
        lambda event: QUIET if _by_client(event) else BAD,
    ),
    events.ConnectionClosed: Words(
        lambda event: "closed" if _by_client(event) else "CONNECTION CLOSED", lambda event: event.connection, _text,
        lambda event: QUIET if _by_client(event) else BAD,
    ),
    events.ConnectionLost: Words("CRASHED", lambda event: event.connection, lambda event: "its connection is lost", BAD),
    events.Restarted: Words("RESTARTED", lambda event: "broker", lambda event: "clean" if event.clean else "killed", BAD),
    # Workers and tasks
    events.WorkerOnline: Words("online", _worker, _why, GOOD),
    events.WorkerOffline: Words("OFFLINE", _worker, _why, BAD),
    events.PoolResized: Words("pool", _worker, lambda event: f"{event.size} at once: {event.why}", QUIET),
    events.TaskSent: Words(
        "sent", _channel, _name, QUIET, lambda event: f"sent by {publisher(event.channel) or 'a step'}",
        shown=lambda event: False,  # the row of the publish says so
    ),
    events.TaskReceived: Words(
        "received", _worker, _received, QUIET, lambda event: f"received by {event.worker}",
        compared=lambda event: f"{event.worker} receives {event.task}",
    ),
    events.TaskStarted: Words(
        "started", _worker, lambda event: event.name if event.run == 1 else f"{event.name}, run {event.run}", QUIET,
        lambda event: f"started by {event.worker}", compared=lambda event: f"{event.worker} starts {event.task}",
    ),
    events.TaskSucceeded: Words(
        "succeeded", _worker, _name, GOOD, lambda event: f"succeeded on {event.worker}",
        compared=lambda event: f"{event.task} succeeds on {event.worker}",
    ),
    events.TaskFailed: Words(
        "FAILED", _worker, _why, BAD, lambda event: f"failed on {event.worker}: {event.why}",
        compared=lambda event: f"{event.task} fails on {event.worker}",
    ),
    events.TaskRetried: Words(
        "retried", _worker, lambda event: f"{event.name}, due at {seconds(event.due_ms)} s", NOTICE,
        lambda event: f"sent itself anew from {event.worker}",
        compared=lambda event: f"{event.task} is to be retried, says {event.worker}",
    ),
    events.TaskRejected: Words(
        "rejected", _worker, lambda event: f"{event.why}; {'back to its queue' if event.requeue else 'not requeued'}", NOTICE,
        lambda event: f"rejected by {event.worker}: {event.why}",
        compared=lambda event: f"{event.task} is rejected by {event.worker}",
    ),
    events.TaskRevoked: Words(
        "revoked", _worker, _why, NOTICE, lambda event: f"revoked by {event.worker}: {event.why}",
        compared=lambda event: f"{event.task} is discarded by {event.worker}: {event.why}",
    ),
    events.TaskIgnored: Words(
        "ignored", _worker, _name, QUIET, lambda event: f"ended on {event.worker} by Ignore: no state is recorded",
    ),
    events.ErrbackCalled: Words(
        "errback", _worker, lambda event: f"{event.name}(request, exc, traceback) is called", NOTICE,
        lambda event: f"its errback {event.name} was called by {event.worker}",
    ),
    events.TaskUnsettled: Words(
        "NOT ACKED", _worker, lambda event: f"{event.name}: its channel is gone, so it cannot be acknowledged: it will run again",
        BAD, lambda event: f"run by {event.worker}, which could not acknowledge it: its channel was gone",
    ),
    events.TaskInterrupted: Words(
        "interrupted", _worker, lambda event: f"{event.name}: {event.why}; not acknowledged, so its message comes back", NOTICE,
        lambda event: f"interrupted on {event.worker} ({event.why}): it was not acknowledged, so its message comes back",
    ),
    events.TaskLost: Words(
        "LOST", _worker, lambda event: f"{event.name}: acknowledged and not done, {event.why}; nothing will run it again", BAD,
        lambda event: f"lost with {event.worker} ({event.why}): it was acknowledged and not done, nothing will run it again",
        compared=lambda event: f"{event.task} is lost with {event.worker}",
    ),
    # The run
    events.SetBack: Words("SET BACK", lambda event: "broker", lambda event: f"to the snapshot {event.snapshot}", NOTICE),
    events.FailureOrdered: Words(
        "FAILURE", lambda event: event.what, lambda event: f"{event.failure}: {event.text}", BAD
    ),
    events.Warned: Words("warning", _nothing, _text, NOTICE),
    events.Expected: Words(
        lambda event: f"{HIT if event.ok else MISS} expected", lambda event: f"line {event.line}",
        lambda event: event.text if event.ok else f"{event.text}, but is {event.actual}",
        lambda event: GOOD if event.ok else BAD, shown=lambda event: event.step is not None,
    ),
}  # fmt: skip
