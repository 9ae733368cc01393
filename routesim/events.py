"""What can happen in a broker and around it. A trace is a list of these; every report is a rendering of them.

Each event begins with `at_ms`, the virtual time. `copy` numbers the copies of messages in queues over a whole run: the
copy that a message leaves in one queue, each dead-lettered copy anew. `EVENTS` at the end names them all.
"""

from typing import NamedTuple, TypeAlias

from routesim.model import Binding


class Alternate(NamedTuple):
    """A hop from an exchange whose bindings all missed to its alternate exchange."""

    source: str
    destination: str


Path: TypeAlias = tuple[Binding | Alternate, ...]


class Published(NamedTuple):
    at_ms: int
    message: str
    exchange: str
    routing_key: str
    channel: str


class Enqueued(NamedTuple):
    """`cause`: published, dead-lettered, replayed (recent history), delayed (its delay is over) or reply (direct reply-to).
    `path` leads from the exchange to the queue; empty for the default exchange."""

    at_ms: int
    message: str
    queue: str
    copy: int
    cause: str
    path: Path


class Unroutable(NamedTuple):
    """A publish that reached no queue. `confirmed`: the publisher was told "ack" all the same."""

    at_ms: int
    message: str
    exchange: str
    routing_key: str
    why: str
    returned: bool
    confirmed: bool


class Returned(NamedTuple):
    """basic.return to the publisher of a mandatory message; `why` no queue took it."""

    at_ms: int
    message: str
    exchange: str
    routing_key: str
    code: int
    text: str
    why: str


class Uncommitted(NamedTuple):
    """Published in a transaction: it waits for the commit of its channel."""

    at_ms: int
    message: str
    channel: str


class Unpublished(NamedTuple):
    """Nothing became of a publish: rolled back, or refused by the broker with the text in `why`."""

    at_ms: int
    message: str
    why: str


class Refused(NamedTuple):
    """A queue at its limit did not take the message."""

    at_ms: int
    message: str
    queue: str
    why: str


class Confirmed(NamedTuple):
    """The publisher's confirm; `answer` is ack or nack. `queues`: how many took the message."""

    at_ms: int
    message: str
    answer: str
    queues: int


class Delayed(NamedTuple):
    at_ms: int
    message: str
    exchange: str
    until_ms: int


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


class Acked(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int
    by: str
    delivery_tag: int


class Rejected(NamedTuple):
    """basic.reject or basic.nack with requeue=false; what becomes of the copy follows."""

    at_ms: int
    message: str
    queue: str
    copy: int
    by: str
    delivery_tag: int


class Requeued(NamedTuple):
    """Back in its queue; `why` is nack, reject, recover, channel closed, connection lost, restart …"""

    at_ms: int
    message: str
    queue: str
    copy: int
    by: str
    why: str


class RetryDelayed(NamedTuple):
    """What was requeued just now is ready again only at `until_ms`: a quorum queue's delayed retry (4.3+)."""

    at_ms: int
    message: str
    queue: str
    copy: int
    until_ms: int


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


class Dropped(NamedTuple):
    """Removed from `queue` and put nowhere; `why` says why no dead-letter exchange took it."""

    at_ms: int
    message: str
    queue: str
    copy: int
    reason: str
    why: str
    by: str


class Awaiting(NamedTuple):
    """An at-least-once dead letter that no queue has taken yet; its source keeps it and tries again."""

    at_ms: int
    message: str
    queue: str
    copy: int
    reason: str
    why: str


class CycleCut(NamedTuple):
    """A dead letter was kept out of `queue`, which it has been through without a rejection. `alone`: nothing else took it."""

    at_ms: int
    message: str
    queue: str
    alone: bool


class Purged(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int


class Deleted(NamedTuple):
    """A copy that went with its queue."""

    at_ms: int
    message: str
    queue: str
    copy: int


class LostAtRestart(NamedTuple):
    at_ms: int
    message: str
    queue: str
    copy: int


class LostByConsumer(NamedTuple):
    """An automatically acknowledged message whose consumer crashed while working on it."""

    at_ms: int
    message: str
    queue: str
    copy: int
    consumer: str


class ExchangeDeclared(NamedTuple):
    at_ms: int
    exchange: str
    type: str


class QueueDeclared(NamedTuple):
    """`broker_name` differs from `queue` where the broker drew the name."""

    at_ms: int
    queue: str
    type: str
    broker_name: str


class ExchangeDeleted(NamedTuple):
    at_ms: int
    exchange: str
    why: str


class QueueDeleted(NamedTuple):
    at_ms: int
    queue: str
    why: str
    messages: int


class Bound(NamedTuple):
    at_ms: int
    binding: Binding


class Unbound(NamedTuple):
    at_ms: int
    binding: Binding
    why: str


class PolicySet(NamedTuple):
    at_ms: int
    policy: str
    operator: bool


class PolicyDeleted(NamedTuple):
    at_ms: int
    policy: str
    operator: bool


class QueuePurged(NamedTuple):
    at_ms: int
    queue: str
    messages: int


class ConsumerStarted(NamedTuple):
    at_ms: int
    consumer: str
    queue: str
    channel: str


class ConsumerCancelled(NamedTuple):
    at_ms: int
    consumer: str
    queue: str
    why: str


class ConsumerActive(NamedTuple):
    """A single active consumer takes over."""

    at_ms: int
    consumer: str
    queue: str


class QosSet(NamedTuple):
    at_ms: int
    channel: str
    prefetch: int
    whole_channel: bool


class Transaction(NamedTuple):
    """select, commit or rollback; how many publishes and answers it is about."""

    at_ms: int
    channel: str
    do: str
    publishes: int
    answers: int


class ChannelClosed(NamedTuple):
    """The broker closed the channel with this reply code and text."""

    at_ms: int
    channel: str
    code: int
    text: str


class ConnectionClosed(NamedTuple):
    """The connection was closed, with its channels, with this reply code and text: by the broker, or by the client
    (`CLOSED_BY_CLIENT`)."""

    at_ms: int
    connection: str
    code: int
    text: str
    channels: tuple[str, ...]


class ConnectionLost(NamedTuple):
    at_ms: int
    connection: str
    channels: tuple[str, ...]


class WorkerOnline(NamedTuple):
    """A worker process has begun, or begun anew, to consume."""

    at_ms: int
    worker: str
    why: str


class WorkerOffline(NamedTuple):
    """A worker process has ended; `why`: warm shutdown, cold shutdown, killed, unrecoverable error."""

    at_ms: int
    worker: str
    why: str


class TaskReceived(NamedTuple):
    """A worker has got the message of a task. `due_ms`: it holds the message until then; None: no ETA."""

    at_ms: int
    task: str
    name: str
    worker: str
    retries: int
    redelivered: bool
    due_ms: int | None


class TaskStarted(NamedTuple):
    """`run`: the n-th time that a body of this task begins."""

    at_ms: int
    task: str
    name: str
    worker: str
    run: int


class TaskSucceeded(NamedTuple):
    at_ms: int
    task: str
    name: str
    worker: str


class TaskFailed(NamedTuple):
    at_ms: int
    task: str
    name: str
    worker: str
    why: str


class TaskRetried(NamedTuple):
    """Ended by sending itself anew; the new message is due at `due_ms`."""

    at_ms: int
    task: str
    name: str
    worker: str
    due_ms: int


class TaskRejected(NamedTuple):
    at_ms: int
    task: str
    name: str
    worker: str
    requeue: bool
    why: str


class TaskRevoked(NamedTuple):
    """It will not run, or runs no more; `why`: revoked, expired, terminated, cancelled."""

    at_ms: int
    task: str
    name: str
    worker: str
    why: str


class TaskIgnored(NamedTuple):
    """Ended by raising Ignore, or Reject(requeue=True) after an early acknowledgement: no state is recorded."""

    at_ms: int
    task: str
    name: str
    worker: str


class TaskUnsettled(NamedTuple):
    """A run came to its end and its acknowledgement could not be sent: the channel of the delivery is gone."""

    at_ms: int
    task: str
    name: str
    worker: str


class Restarted(NamedTuple):
    at_ms: int
    clean: bool


class Warned(NamedTuple):
    """Where this simulator knowingly differs from a version, or RabbitMQ only logs."""

    at_ms: int
    text: str


class StepStarted(NamedTuple):
    """The scenario's step number `step` (from 0) begins."""

    at_ms: int
    step: int
    text: str


class Expected(NamedTuple):
    """An expectation was checked; `step` None: at the end, or before the first step."""

    at_ms: int
    step: int | None
    line: int
    text: str
    ok: bool
    actual: str


EVENTS: dict[type, str] = {
    Published: "published",
    Enqueued: "enqueued",
    Unroutable: "unroutable",
    Returned: "returned",
    Uncommitted: "uncommitted",
    Unpublished: "unpublished",
    Refused: "refused",
    Confirmed: "confirmed",
    Delayed: "delayed",
    Delivered: "delivered",
    Got: "got",
    Acked: "acked",
    Rejected: "rejected",
    Requeued: "requeued",
    RetryDelayed: "retry_delayed",
    DeadLettered: "dead_lettered",
    Dropped: "dropped",
    Awaiting: "awaiting_dead_letter",
    CycleCut: "cycle_cut",
    Purged: "purged",
    Deleted: "deleted",
    LostAtRestart: "lost_at_restart",
    LostByConsumer: "lost_by_consumer",
    ExchangeDeclared: "exchange_declared",
    QueueDeclared: "queue_declared",
    ExchangeDeleted: "exchange_deleted",
    QueueDeleted: "queue_deleted",
    Bound: "bound",
    Unbound: "unbound",
    PolicySet: "policy_set",
    PolicyDeleted: "policy_deleted",
    QueuePurged: "queue_purged",
    ConsumerStarted: "consumer_started",
    ConsumerCancelled: "consumer_cancelled",
    ConsumerActive: "consumer_active",
    QosSet: "qos_set",
    Transaction: "transaction",
    ChannelClosed: "channel_closed",
    ConnectionClosed: "connection_closed",
    ConnectionLost: "connection_lost",
    WorkerOnline: "worker_online",
    WorkerOffline: "worker_offline",
    TaskReceived: "task_received",
    TaskStarted: "task_started",
    TaskSucceeded: "task_succeeded",
    TaskFailed: "task_failed",
    TaskRetried: "task_retried",
    TaskRejected: "task_rejected",
    TaskRevoked: "task_revoked",
    TaskIgnored: "task_ignored",
    TaskUnsettled: "task_unsettled",
    Restarted: "restarted",
    Warned: "warned",
    StepStarted: "step",
    Expected: "expected",
}

Event: TypeAlias = (
    Published | Enqueued | Unroutable | Returned | Uncommitted | Unpublished | Refused
    | Confirmed | Delayed | Delivered | Got | Acked | Rejected | Requeued | RetryDelayed
    | DeadLettered | Dropped | Awaiting | CycleCut | Purged | Deleted | LostAtRestart | LostByConsumer | ExchangeDeclared
    | QueueDeclared | ExchangeDeleted | QueueDeleted | Bound | Unbound | PolicySet | PolicyDeleted | QueuePurged
    | ConsumerStarted | ConsumerCancelled | ConsumerActive | QosSet | Transaction | ChannelClosed | ConnectionClosed
    | ConnectionLost | WorkerOnline | WorkerOffline | TaskReceived | TaskStarted | TaskSucceeded | TaskFailed | TaskRetried
    | TaskRejected | TaskRevoked | TaskIgnored | TaskUnsettled | Restarted | Warned | StepStarted | Expected
)  # fmt: skip
