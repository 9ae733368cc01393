"""What can happen in a broker and around it. A trace is a list of these; every report is a rendering of them.

Each event begins with `at_ms`, the virtual time. `copy` numbers the copies of messages in queues over a whole run: the
copy that a message leaves in one queue, each dead-lettered copy anew. An event is declared once, with `event`; its words are
in `narration`.

This is one table, with no rule in it, and stays one file though it is long: its sections say where to look, every run needs
all of it as it starts, and a package would have to name each event a second time.
"""

from collections.abc import Callable
from typing import Protocol, Self, TypeAlias, TypeVar

from routesim.model import Binding
from routesim.named_tuples import NamedTuple

Declared = TypeVar("Declared", bound=type)


class Event(Protocol):
    """Any of the events: a named tuple that begins with its time."""

    @property
    def at_ms(self) -> int: ...

    def _replace(self, *, at_ms: int = ...) -> Self: ...


EVENTS: dict[type, str] = {}  # each class of event with its name in JSON, in the order of their declarations

# Groups of them, for whoever asks for several. Those that have a field in common are found by `having`.
ROUTED: set[type] = set()  # what follows from the route of a publish or a dead letter
REMOVED: set[type] = set()  # the broker took a copy out of its queue, and nobody acknowledged it
ENDED: set[type] = set()  # a copy is gone, and no other follows from it
LOST: set[type] = set()  # see `is_lost`; their names are columns of the ledger as well
CUTS_OFF: set[type] = set()  # channels are gone, and what was held on them

COPY_STATES: dict[type, str] = {}  # the state in which each of them leaves the copy that it is about


def event(name: str, *groups: set[type], state: str = "") -> Callable[[Declared], Declared]:
    """Declares a class of event. `name`: what it is called in JSON; `state`: of the copy that it is about."""

    def declare(declared: Declared) -> Declared:
        EVENTS[declared] = name
        if state:
            COPY_STATES[declared] = state
        for group in groups:
            group.add(declared)
        return declared

    return declare


class Alternate(NamedTuple):
    """A hop from an exchange whose bindings all missed to its alternate exchange."""

    source: str
    destination: str


Path: TypeAlias = tuple[Binding | Alternate, ...]


# Publishes, and what becomes of them ---------------------------------------------------------------------------------


@event("published", ROUTED)
class Published(NamedTuple):
    at_ms: int
    message: str
    exchange: str
    routing_key: str
    channel: str


@event("enqueued", ROUTED, state="ready")
class Enqueued(NamedTuple):
    """`cause`: published, dead-lettered, replayed (recent history), delayed (its delay is over) or reply (direct reply-to).
    `path` leads from the exchange to the queue; empty for the default exchange. `delivery_count`: the failed deliveries
    that a dead letter brings along and this queue reckons with (rules/routing#D22); with any it is redelivered."""

    at_ms: int
    message: str
    queue: str
    copy: int
    cause: str
    path: Path
    delivery_count: int = 0


@event("unroutable", ROUTED, LOST)
class Unroutable(NamedTuple):
    """A publish that reached no queue. `confirmed`: the publisher was told "ack" all the same. `channel` None: a delayed exchange
    published it."""

    at_ms: int
    message: str
    exchange: str
    routing_key: str
    why: str
    returned: bool
    confirmed: bool
    channel: str | None = None


@event("returned", ROUTED)
class Returned(NamedTuple):
    """basic.return to the publisher of a mandatory message; `why` no queue took it."""

    at_ms: int
    message: str
    exchange: str
    routing_key: str
    code: int
    text: str
    why: str
    channel: str | None = None


@event("uncommitted", ROUTED)
class Uncommitted(NamedTuple):
    """Published in a transaction: it waits for the commit of its channel."""

    at_ms: int
    message: str
    channel: str


@event("unpublished")
class Unpublished(NamedTuple):
    """Nothing became of a publish: rolled back, or refused by the broker with the text in `why`."""

    at_ms: int
    message: str
    why: str


@event("refused", ROUTED)
class Refused(NamedTuple):
    """A queue at its limit did not take the message."""

    at_ms: int
    message: str
    queue: str
    why: str


@event("confirmed", ROUTED)
class Confirmed(NamedTuple):
    """The publisher's confirm; `answer` is ack or nack. `queues`: how many took the message."""

    at_ms: int
    message: str
    answer: str
    queues: int


@event("delayed", ROUTED)
class Delayed(NamedTuple):
    at_ms: int
    message: str
    exchange: str
    until_ms: int


# Copies: delivered, answered, come back, gone ------------------------------------------------------------------------


@event("delivered", state="unacked")
class Delivered(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int
    consumer: str
    channel: str
    delivery_tag: int
    redelivered: bool
    auto_ack: bool


@event("got", state="unacked")
class Got(NamedTuple):
    """basic.get; `message` None: the queue was empty."""

    at_ms: int
    message: str | None
    queue: str
    copy: int | None
    channel: str
    delivery_tag: int | None
    redelivered: bool | None
    auto_ack: bool


@event("acked", ENDED, state="acked")
class Acked(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int
    by: str
    delivery_tag: int


@event("rejected")
class Rejected(NamedTuple):
    """basic.reject or basic.nack with requeue=false; what becomes of the copy follows."""

    at_ms: int
    message: str
    queue: str
    copy: int
    by: str
    delivery_tag: int


@event("requeued", state="ready")
class Requeued(NamedTuple):
    """Back in its queue; `why` is nack, reject, recover, channel closed, connection lost, restart …"""

    at_ms: int
    message: str
    queue: str
    copy: int
    by: str
    why: str


@event("retry_delayed")
class RetryDelayed(NamedTuple):
    """What was requeued just now is ready again only at `until_ms`: a quorum queue's delayed retry (4.3+)."""

    at_ms: int
    message: str
    queue: str
    copy: int
    until_ms: int


@event("dead_lettered", ROUTED, REMOVED, state="dead-lettered")
class DeadLettered(NamedTuple):
    """Removed from `queue` and put into at least one other; what follows names them. `reason` as in `x-death`."""

    at_ms: int
    message: str
    queue: str
    copy: int
    reason: str
    exchange: str
    routing_key: str
    by: str


@event("dropped", REMOVED, ENDED, LOST, state="dropped")
class Dropped(NamedTuple):
    """Removed from `queue` and put nowhere; `why` says why no dead-letter exchange took it."""

    at_ms: int
    message: str
    queue: str
    copy: int
    reason: str
    why: str
    by: str


@event("awaiting_dead_letter", state="kept back")
class Awaiting(NamedTuple):
    """An at-least-once dead letter that no queue has taken yet. Its source keeps it, neither ready nor unacked, to try again."""

    at_ms: int
    message: str
    queue: str
    copy: int
    reason: str
    why: str


@event("overdue")
class Overdue(NamedTuple):
    """A copy that was to expire at `due_ms` and did not leave its queue before now; what becomes of it follows.

    `why`: behind (another copy, of message `before`, stood between it and the head), no timer (it came to the front by its
    priority), unacked (a consumer had it then).
    """

    at_ms: int
    message: str
    queue: str
    copy: int
    due_ms: int
    why: str
    before: str | None


@event("cycle_cut")
class CycleCut(NamedTuple):
    """A dead letter was kept out of `queue`, which it has been through without a rejection. `alone`: nothing else took it."""

    at_ms: int
    message: str
    queue: str
    alone: bool


@event("purged", REMOVED, ENDED, state="purged")
class Purged(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int


@event("deleted", REMOVED, ENDED, LOST, state="deleted")
class Deleted(NamedTuple):
    """A copy that went with its queue."""

    at_ms: int
    message: str
    queue: str
    copy: int


@event("lost_at_restart", REMOVED, ENDED, LOST, state="lost")
class LostAtRestart(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int


@event("lost_by_consumer", LOST, state="lost")
class LostByConsumer(NamedTuple):
    """An automatically acknowledged message whose consumer crashed while working on it."""

    at_ms: int
    message: str
    queue: str
    copy: int
    consumer: str


# Topology and policies -----------------------------------------------------------------------------------------------


@event("exchange_declared")
class ExchangeDeclared(NamedTuple):
    at_ms: int
    exchange: str
    type: str


@event("queue_declared")
class QueueDeclared(NamedTuple):
    """`broker_name` differs from `queue` where the broker drew the name."""

    at_ms: int
    queue: str
    type: str
    broker_name: str


@event("exchange_deleted")
class ExchangeDeleted(NamedTuple):
    at_ms: int
    exchange: str
    why: str


@event("queue_deleted")
class QueueDeleted(NamedTuple):
    at_ms: int
    queue: str
    why: str
    messages: int


@event("bound")
class Bound(NamedTuple):
    at_ms: int
    binding: Binding


@event("unbound")
class Unbound(NamedTuple):
    at_ms: int
    binding: Binding
    why: str


@event("policy_set")
class PolicySet(NamedTuple):
    at_ms: int
    policy: str
    operator: bool


@event("policy_deleted")
class PolicyDeleted(NamedTuple):
    at_ms: int
    policy: str
    operator: bool


@event("queue_purged")
class QueuePurged(NamedTuple):
    at_ms: int
    queue: str
    messages: int


# Consumers, channels, connections ------------------------------------------------------------------------------------


@event("consumer_started")
class ConsumerStarted(NamedTuple):
    at_ms: int
    consumer: str
    queue: str
    channel: str


@event("consumer_cancelled")
class ConsumerCancelled(NamedTuple):
    at_ms: int
    consumer: str
    queue: str
    why: str


@event("consumer_active")
class ConsumerActive(NamedTuple):
    """A single active consumer takes over."""

    at_ms: int
    consumer: str
    queue: str


@event("qos_set")
class QosSet(NamedTuple):
    at_ms: int
    channel: str
    prefetch: int
    whole_channel: bool


@event("transaction")
class Transaction(NamedTuple):
    """select, commit or rollback; how many publishes and answers it is about."""

    at_ms: int
    channel: str
    do: str
    publishes: int
    answers: int


@event("channel_closed", CUTS_OFF)
class ChannelClosed(NamedTuple):
    """The broker closed the channel with this reply code and text."""

    at_ms: int
    channel: str
    code: int
    text: str


@event("connection_closed", CUTS_OFF)
class ConnectionClosed(NamedTuple):
    """The connection was closed, with its channels, with this reply code and text: by the broker, or by the client
    (`CLOSED_BY_CLIENT`)."""

    at_ms: int
    connection: str
    code: int
    text: str
    channels: tuple[str, ...]


@event("connection_lost", CUTS_OFF)
class ConnectionLost(NamedTuple):
    at_ms: int
    connection: str
    channels: tuple[str, ...]


# Worker processes and tasks ------------------------------------------------------------------------------------------


@event("worker_online")
class WorkerOnline(NamedTuple):
    """A worker process has begun, or begun anew, to consume."""

    at_ms: int
    worker: str
    why: str


@event("worker_offline")
class WorkerOffline(NamedTuple):
    """A worker process has ended; `why`: warm shutdown, cold shutdown, killed, unrecoverable error."""

    at_ms: int
    worker: str
    why: str


@event("pool_resized")
class PoolResized(NamedTuple):
    """The pool of a worker runs so many tasks at once from now on. `why`: autoscale, or a command."""

    at_ms: int
    worker: str
    size: int
    why: str


@event("task_sent")
class TaskSent(NamedTuple):
    """A message of a task is about to be published, by a call or by a retry: it bears the task's name and id in its headers.
    `channel`: whose publish it is."""

    at_ms: int
    task: str
    name: str
    message: str
    channel: str


@event("task_received")
class TaskReceived(NamedTuple):
    """A worker has got a message of a task, copy `copy` out of `queue`. `due_ms`: it holds the message until then; None: no
    ETA."""

    at_ms: int
    task: str
    name: str
    worker: str
    retries: int
    redelivered: bool
    due_ms: int | None
    message: str
    queue: str
    copy: int


@event("task_started")
class TaskStarted(NamedTuple):
    """`run`: the n-th time that a body of this task begins."""

    at_ms: int
    task: str
    name: str
    worker: str
    run: int


@event("task_succeeded")
class TaskSucceeded(NamedTuple):
    at_ms: int
    task: str
    name: str
    worker: str


@event("task_failed")
class TaskFailed(NamedTuple):
    at_ms: int
    task: str
    name: str
    worker: str
    why: str


@event("task_retried")
class TaskRetried(NamedTuple):
    """Ended by sending itself anew: `message` is the new one, and due at `due_ms`."""

    at_ms: int
    task: str
    name: str
    worker: str
    due_ms: int
    message: str


@event("task_rejected")
class TaskRejected(NamedTuple):
    at_ms: int
    task: str
    name: str
    worker: str
    requeue: bool
    why: str


@event("task_revoked")
class TaskRevoked(NamedTuple):
    """It will not run, or runs no more; `why`: revoked, expired, terminated, cancelled."""

    at_ms: int
    task: str
    name: str
    worker: str
    why: str


@event("task_ignored")
class TaskIgnored(NamedTuple):
    """Ended by raising Ignore, or Reject(requeue=True) after an early acknowledgement: no state is recorded."""

    at_ms: int
    task: str
    name: str
    worker: str


@event("errback_called")
class ErrbackCalled(NamedTuple):
    """A worker calls what is linked to the failure of a task: in the process that saw it, without a message."""

    at_ms: int
    task: str
    name: str
    worker: str


@event("task_unsettled")
class TaskUnsettled(NamedTuple):
    """A run came to its end and its acknowledgement could not be sent: the channel of the delivery is gone."""

    at_ms: int
    task: str
    name: str
    worker: str


@event("task_interrupted")
class TaskInterrupted(NamedTuple):
    """A run ended with its child or its worker before the task was done. Its message is not acknowledged, so that it comes back
    sooner or later, or has come back already. `why`: what became of the worker."""

    at_ms: int
    task: str
    name: str
    worker: str
    why: str


@event("task_lost", LOST)
class TaskLost(NamedTuple):
    """What a worker had of a task is gone with it: the message was acknowledged before the task was done, so that no broker
    sends it again, and nobody is told. `why`: what became of the worker. It is the work that is lost: the balance of messages
    has the copy among those that are acknowledged."""

    at_ms: int
    task: str
    name: str
    worker: str
    why: str
    message: str
    queue: str
    copy: int


# The broker as a whole, and the run itself ---------------------------------------------------------------------------


@event("restarted", CUTS_OFF)
class Restarted(NamedTuple):
    at_ms: int
    clean: bool


@event("set_back")
class SetBack(NamedTuple):
    """All is as it was when the snapshot of that name was taken; time goes on from there."""

    at_ms: int
    snapshot: str


@event("failure")
class FailureOrdered(NamedTuple):
    """Somebody has ordered a failure, by its name in the table of failures. `what`: what it befalls."""

    at_ms: int
    failure: str
    what: str
    text: str


@event("warned")
class Warned(NamedTuple):
    """Where this simulator knowingly differs from a version, or RabbitMQ only logs."""

    at_ms: int
    text: str


@event("step")
class StepStarted(NamedTuple):
    """The scenario's step number `step` (from 0) begins."""

    at_ms: int
    step: int
    text: str


@event("expected")
class Expected(NamedTuple):
    """An expectation was checked; `step` None: at the end, or before the first step."""

    at_ms: int
    step: int | None
    line: int
    text: str
    ok: bool
    actual: str


# Asked of events -----------------------------------------------------------------------------------------------------


def having(field: str) -> frozenset[type]:
    """The events with a field of that name, such as `task`."""
    return frozenset(declared for declared in EVENTS if field in declared.__annotations__)


def is_lost(event: Event) -> bool:
    """Whether a message, or a copy of one, ended with it without its publisher knowing and without a consumer that was done
    with it, be it that the consumer had acknowledged it too early. What a broker sends back to its publisher is not lost."""
    return type(event) in LOST and not (isinstance(event, Unroutable) and event.returned)


LOST_STATES = {COPY_STATES[kind] for kind in LOST if kind in COPY_STATES}  # what became of a copy that is lost
