"""Events as the rows of a trace: what happened, to which message, where, and why. One function a kind of event."""

from collections.abc import Callable
from typing import Any, TypeAlias

from routesim import events
from routesim.durations import seconds
from routesim.model import Binding
from routesim.replies import REPLY_SUCCESS
from routesim.report.trace.task_rows import TASK_ROWS, WORKER_ROWS
from routesim.tables import BAD, GOOD, HIT, MISS, NOTICE, PLAIN, QUIET
from routesim.values import plain

# Instant in ms, depth below what caused it, event, message, where, why, tone. A plain tuple: a trace has many.
Row: TypeAlias = tuple[int, int, str, str, str, str, str]
MAX_HOPS = 4  # of a path; of a longer one the first and the last are shown


def shown_key(key: str) -> str:
    return key if key else '""'


def shown_exchange(name: str) -> str:
    return name if name else "(default)"


def shown_binding(binding: Binding) -> str:
    text = f"{shown_exchange(binding.source)} → {binding.destination}"
    if binding.routing_key or not binding.arguments:
        text += f" by {shown_key(binding.routing_key)}"
    if binding.arguments:
        text += f" {_arguments(binding)}"
    return text


def _arguments(binding: Binding) -> str:
    return "{" + ", ".join(f"{key}: {shown_value(value)}" for key, value in binding.arguments.items()) + "}"


def shown_value(value: Any) -> str:
    """A header or argument as it would be written in a scenario."""
    inner = plain(value)
    if inner is None or isinstance(inner, bool):
        return {None: "null", True: "true", False: "false"}[inner]
    return inner if isinstance(inner, str) and not inner.isdigit() else f'"{inner}"' if isinstance(inner, str) else str(inner)


def shown_path(path: events.Path) -> str:
    """The binding that matched; over several hops all of them."""
    if not path:
        return ""
    if len(path) == 1 and isinstance(path[0], Binding):
        binding = path[0]
        if binding.arguments:
            return f"{shown_key(binding.routing_key)} {_arguments(binding)}" if binding.routing_key else _arguments(binding)
        return shown_key(binding.routing_key)
    hops = []
    for hop in path:
        if isinstance(hop, Binding):
            hops.append(f"{shown_key(hop.routing_key)} → {hop.destination}")
        else:
            hops.append(f"nothing matched → alternate {hop.destination}")
    if len(hops) > MAX_HOPS:
        hops[1:-1] = [f"… {len(hops) - 2} more"]
    return ", ".join(hops)


class Rows:
    """Turns events into rows; remembers, within one instant, which event caused which."""

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
        if kind is events.StepStarted:
            self.in_steps = True
            self.clear()
            return None
        make = _ROWS.get(kind) or (_IN_STEPS.get(kind) if self.in_steps else None)
        if make is None:
            return None
        if event.at_ms != self.now:
            self.now = event.at_ms
            self.clear()
        row: Row | None = make(self, event)
        self.last_delivered = event.copy if kind is events.Delivered else -1
        return row

    def clear(self) -> None:
        self.base = 0
        self.commits = False
        self.published.clear()
        self.copies.clear()

    # Depths ----------------------------------------------------------------------------------------------------------

    def below_copy(self, copy: int, steps: int) -> int:
        """The depth of an answer: below its delivery when that has just been told, else a new beginning."""
        depth = self.copies.get(copy)
        self.base = depth + steps if depth is not None and self.last_delivered == copy else 0
        if depth is not None:
            self.copies[copy] = max(self.base - steps, 0)
        return self.base

    # Rows ------------------------------------------------------------------------------------------------------------

    def _published(self, event: events.Published) -> Row:
        self.published[event.message] = self.base = 0
        return (event.at_ms, 0, "published", event.message, shown_exchange(event.exchange), shown_key(event.routing_key), PLAIN)

    def _enqueued(self, event: events.Enqueued) -> Row:
        depth = self.copies[event.copy] = self.published.get(event.message, 0 if self.commits else -1) + 1
        why = shown_path(event.path)
        if event.cause == "replayed":
            why = f"replayed to the new binding {why}"
        elif event.cause == "delayed":
            why = f"the delay is over, {why}"
        elif event.cause == "reply":
            why = "direct reply-to"
        elif not why:
            why = "by name"
        return (event.at_ms, depth, "enqueued", event.message, event.queue, why, PLAIN)

    def _delivered(self, event: events.Delivered) -> Row:
        depth = self.copies.get(event.copy)
        if depth is None:
            depth = self.base
            self.copies[event.copy] = depth
        why = f"tag {event.delivery_tag}"
        if event.auto_ack:
            why += ", auto-ack"
        tone = PLAIN
        if event.redelivered:
            why += ", REDELIVERED"
            tone = NOTICE
        return (event.at_ms, depth + 1, "delivered", event.message, f"{event.queue} → {event.consumer}", why, tone)

    def _got(self, event: events.Got) -> Row:
        self.base = 0
        if event.message is None:
            return (event.at_ms, 0, "got nothing", "", f"{event.queue} → {event.channel}", "basic.get: the queue is empty", QUIET)
        why = f"basic.get, tag {event.delivery_tag}" + (", auto-ack" if event.auto_ack else "")
        if event.redelivered:
            why += ", REDELIVERED"
        return (
            event.at_ms,
            0,
            "got",
            event.message,
            f"{event.queue} → {event.channel}",
            why,
            NOTICE if event.redelivered else PLAIN,
        )

    def _acked(self, event: events.Acked) -> Row:
        return (event.at_ms, self.below_copy(event.copy, 2), "acked", event.message, event.queue, f"by {event.by}", GOOD)

    def _rejected(self, event: events.Rejected) -> Row:
        depth = self.below_copy(event.copy, 2)
        self.published[event.message] = depth
        return (event.at_ms, depth, "rejected", event.message, event.queue, f"by {event.by}, requeue=false", NOTICE)

    def _requeued(self, event: events.Requeued) -> Row:
        depth = self.below_copy(event.copy, 2)
        self.copies[event.copy] = max(depth - 2, 0)
        why = f"{event.why} by {event.by}" if event.why in ("nack", "reject", "recover") else f"{event.why}: {event.by}"
        return (event.at_ms, depth, "requeued", event.message, event.queue, why, NOTICE)

    def _retry_delayed(self, event: events.RetryDelayed) -> Row:
        depth = self.copies.get(event.copy, 0) + 2
        why = f"delayed retry: not ready before {seconds(event.until_ms)} s"
        return (event.at_ms, depth, "delayed", event.message, event.queue, why, NOTICE)

    def _dead_lettered(self, event: events.DeadLettered) -> Row:
        depth = self.copies.get(event.copy, -1) + 1
        if event.reason == "rejected":
            depth = self.published.get(event.message, depth - 1) + 1
        self.published[event.message] = depth
        why = f"{event.reason}, key {shown_key(event.routing_key)}"
        return (
            event.at_ms,
            depth,
            "dead-lettered",
            event.message,
            f"{event.queue} → {shown_exchange(event.exchange)}",
            why,
            NOTICE,
        )

    def _dropped(self, event: events.Dropped) -> Row:
        depth = self.copies.get(event.copy, -1) + 1
        reason = event.reason
        if reason == "rejected":
            depth = self.published.get(event.message, depth - 1) + 1
        elif reason == "delivery_limit":
            reason = f"delivery_limit, returned once too often by {event.by}"
        return (event.at_ms, depth, "DROPPED", event.message, event.queue, f"{reason}: {event.why}", BAD)

    def _awaiting(self, event: events.Awaiting) -> Row:
        return (
            event.at_ms,
            self.copies.get(event.copy, -1) + 1,
            "kept back",
            event.message,
            event.queue,
            f"{event.reason}, at-least-once: {event.why}",
            NOTICE,
        )

    def _cycle_cut(self, event: events.CycleCut) -> Row | None:
        if event.alone:  # the row of the drop says so
            return None
        depth = self.published.get(event.message, -1) + 1
        return (
            event.at_ms,
            depth,
            "cycle cut",
            event.message,
            event.queue,
            "it has been there, and not been rejected since",
            BAD,
        )

    def _unroutable(self, event: events.Unroutable) -> Row | None:
        if event.returned:
            return None
        told = " Confirmed to the publisher, but in no queue." if event.confirmed else " In no queue."
        return (event.at_ms, 1, "UNROUTABLE", event.message, shown_exchange(event.exchange), f"{event.why}.{told}", BAD)

    def _returned(self, event: events.Returned) -> Row:
        why = f"{event.code} {event.text}: {event.why}"
        return (event.at_ms, 1, "returned", event.message, shown_exchange(event.exchange), why, NOTICE)

    def _uncommitted(self, event: events.Uncommitted) -> Row:
        return (event.at_ms, 1, "held back", event.message, event.channel, "until the transaction is committed", QUIET)

    def _unpublished(self, event: events.Unpublished) -> Row:
        depth = 1 if event.message in self.published or self.base == 0 else 0
        return (event.at_ms, depth, "NOT PUBLISHED", event.message, "", event.why, BAD)

    def _transaction(self, event: events.Transaction) -> Row:
        self.commits = event.do == "commit"
        about = "" if event.do == "select" else f": {event.publishes} publishes, {event.answers} answers"
        return self._root(event, f"tx {event.do}", event.channel, f"{event.do}{about}")

    def _expected(self, event: events.Expected) -> Row | None:
        if event.step is None:
            return None
        why = event.text if event.ok else f"{event.text}, but is {event.actual}"
        return (event.at_ms, 0, f"{HIT if event.ok else MISS} expected", "", f"line {event.line}", why, GOOD if event.ok else BAD)

    def _refused(self, event: events.Refused) -> Row:
        return (event.at_ms, self.published.get(event.message, 0) + 1, "refused", event.message, event.queue, event.why, NOTICE)

    def _confirmed(self, event: events.Confirmed) -> Row | None:
        if event.answer == "ack":
            return None
        return (event.at_ms, 1, "nacked", event.message, "publisher", "a queue refused the message", NOTICE)

    def _delayed(self, event: events.Delayed) -> Row:
        return (event.at_ms, 1, "delayed", event.message, event.exchange, f"until {seconds(event.until_ms)} s", PLAIN)

    def _purged(self, event: events.Purged) -> Row:
        return (event.at_ms, 0, "purged", event.message, event.queue, "", BAD)

    def _deleted(self, event: events.Deleted) -> Row:
        return (event.at_ms, 1, "DELETED", event.message, event.queue, "gone with its queue", BAD)

    def _lost_at_restart(self, event: events.LostAtRestart) -> Row:
        return (event.at_ms, 1, "LOST", event.message, event.queue, "transient: gone with the restart", BAD)

    def _lost_by_consumer(self, event: events.LostByConsumer) -> Row:
        return (
            event.at_ms,
            1,
            "LOST",
            event.message,
            f"{event.queue} → {event.consumer}",
            "auto-ack: the consumer crashed before it was done",
            BAD,
        )

    def _root(self, event: Any, what: str, where: str, why: str, tone: str = QUIET) -> Row:
        self.base = 0
        return (event.at_ms, 0, what, "", where, why, tone)


def _simple(what: str, where: Callable[[Any], str], why: Callable[[Any], str], tone: str = QUIET) -> Callable[[Rows, Any], Row]:
    return lambda rows, event: rows._root(event, what, where(event), why(event), tone)


def _task(what: str, why: Callable[[Any], str], tone: str) -> Callable[[Rows, Any], Row]:
    return lambda rows, event: (event.at_ms, 0, what, event.task, event.worker, why(event), tone)


def _queue_declared(event: events.QueueDeclared) -> str:
    return event.type if event.broker_name == event.queue else f"{event.type}, named {event.broker_name} by the broker"


def _connection_closed(rows: Rows, event: events.ConnectionClosed) -> Row:
    by_client = event.code == REPLY_SUCCESS
    return rows._root(
        event, "closed" if by_client else "CONNECTION CLOSED", event.connection, event.text, QUIET if by_client else BAD
    )


def _text(event: Any) -> str:
    text: str = event.text
    return text


def _why(event: Any) -> str:
    text: str = event.why
    return text


def _consuming(event: Any) -> str:
    return f"{event.queue} → {event.consumer}"


_ROWS: dict[type, Callable[[Rows, Any], Row | None]] = {
    events.Published: Rows._published,
    events.Enqueued: Rows._enqueued,
    events.Delivered: Rows._delivered,
    events.Got: Rows._got,
    events.Acked: Rows._acked,
    events.Rejected: Rows._rejected,
    events.Requeued: Rows._requeued,
    events.RetryDelayed: Rows._retry_delayed,
    events.DeadLettered: Rows._dead_lettered,
    events.Dropped: Rows._dropped,
    events.Awaiting: Rows._awaiting,
    events.CycleCut: Rows._cycle_cut,
    events.Unroutable: Rows._unroutable,
    events.Returned: Rows._returned,
    events.Uncommitted: Rows._uncommitted,
    events.Unpublished: Rows._unpublished,
    events.Expected: Rows._expected,
    events.Refused: Rows._refused,
    events.Confirmed: Rows._confirmed,
    events.Delayed: Rows._delayed,
    events.Purged: Rows._purged,
    events.Deleted: Rows._deleted,
    events.LostAtRestart: Rows._lost_at_restart,
    events.LostByConsumer: Rows._lost_by_consumer,
    events.QueuePurged: _simple("purged", lambda event: event.queue, lambda event: f"{event.messages} ready messages removed"),
    events.QueueDeleted: _simple("queue deleted", lambda event: event.queue, _why, NOTICE),
    events.ExchangeDeleted: _simple("exchange deleted", lambda event: event.exchange, _why, NOTICE),
    events.ConsumerCancelled: _simple("consumer ended", _consuming, _why),
    events.ConsumerActive: _simple("active", _consuming, lambda event: "single active consumer"),
    events.QosSet: _simple(
        "qos", lambda event: event.channel,
        lambda event: f"prefetch {event.prefetch} for {'the whole channel' if event.whole_channel else 'each new consumer'}",
    ),
    events.Transaction: Rows._transaction,
    events.ChannelClosed: _simple("CHANNEL CLOSED", lambda event: event.channel, _text, BAD),
    events.ConnectionClosed: _connection_closed,
    events.ConnectionLost: _simple("CRASHED", lambda event: event.connection, lambda event: "its connection is lost", BAD),
    events.Restarted: _simple("RESTARTED", lambda event: "broker", lambda event: "clean" if event.clean else "killed", BAD),
    **{kind: _task(*row) for kind, row in TASK_ROWS.items()},
    **{kind: _simple(what, lambda event: event.worker, why, tone) for kind, (what, why, tone) in WORKER_ROWS.items()},
    events.PolicySet: _simple("policy set", lambda event: event.policy, lambda event: "operator policy" * event.operator),
    events.PolicyDeleted: _simple("policy deleted", lambda event: event.policy, lambda event: ""),
    events.Warned: _simple("warning", lambda event: "", _text, NOTICE),
    events.Unbound: _simple(
        "unbound", lambda event: event.binding.destination, lambda event: f"{shown_binding(event.binding)}: {event.why}"
    ),
}  # fmt: skip

# Shown only when a step asks for them: the topology at the top of a scenario is not a story.
_IN_STEPS: dict[type, Callable[[Rows, Any], Row | None]] = {
    events.ExchangeDeclared: _simple("declared", lambda event: event.exchange, lambda event: f"exchange, {event.type}"),
    events.QueueDeclared: _simple("declared", lambda event: event.queue, lambda event: f"queue, {_queue_declared(event)}"),
    events.Bound: _simple("bound", lambda event: event.binding.destination, lambda event: shown_binding(event.binding)),
    events.ConsumerStarted: _simple("consuming", _consuming, lambda event: ""),
}
