"""What a scenario declares. Values without behaviour; names and units are AMQP's and RabbitMQ's own."""

from typing import Any

from routesim.carried import Carried
from routesim.named_tuples import NamedTuple
from routesim.values import NO_ARGUMENTS, Table, plain

DEFAULT_EXCHANGE = ""
REPLY_TO = "amq.rabbitmq.reply-to"

# The channels that carry what a scenario does without naming one, each on a connection of its own.
DECLARE_CHANNEL = "(declare)"
PUBLISH_CHANNEL = "(publish)"
GET_CHANNEL = "(get)"


class Exchange(NamedTuple):
    name: str
    type: str = "direct"
    durable: bool = True
    auto_delete: bool = False
    internal: bool = False
    arguments: Table = {}


class Queue(NamedTuple):
    """`arguments` holds `x-queue-type` when a type was asked for. `server_named`: the broker draws the real name."""

    name: str
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    arguments: Table = {}
    server_named: bool = False


class Binding(NamedTuple):
    """From exchange `source` to a queue or exchange; `destination_type` is `queue` or `exchange`. What keeps many of them is the
    smaller where those without arguments have `NO_ARGUMENTS`."""

    source: str
    destination: str
    destination_type: str = "queue"
    routing_key: str = ""
    arguments: Table = NO_ARGUMENTS


class Policy(NamedTuple):
    """`apply_to` as in a definitions file; `operator` marks an operator policy."""

    name: str
    pattern: str
    definition: Table
    apply_to: str = "all"
    priority: float = 0
    operator: bool = False


class ChannelPlan(NamedTuple):
    """How a channel is opened: its connection, confirms on or off, and its `basic.qos(global=true)` limit."""

    name: str
    connection: str
    confirms: bool = True
    prefetch: int = 0


class Message(NamedTuple):
    """A message as a publisher sends it. `properties` are the basic properties without a field of their own here.

    Of a client's own message `body` is bytes, `delivery_mode` None where it was not sent, and `encoded` all properties as they
    came over the wire.
    """

    exchange: str = DEFAULT_EXCHANGE
    routing_key: str = ""
    body: str | bytes = ""
    headers: Table | None = None
    priority: int | None = None
    expiration: str | None = None
    delivery_mode: int | None = 2
    mandatory: bool = False
    properties: Table = {}
    encoded: bytes | None = None


class Rule(NamedTuple):
    """One rule of `on_message`: conditions (None: any), then what to do. Durations in ms; None: not given. `attempt` counts the
    deliveries of a message to this consumer, `round` with them those of all that consumers have published of it."""

    do: str = "ack"
    routing_key: str | None = None
    headers: Table | None = None
    redelivered: bool | None = None
    attempt: tuple[str, int] | None = None
    message: str | None = None
    chance: float | None = None
    takes: int | None = None
    after: int | None = None
    restart: int | None = None
    publish: tuple["Reply", ...] = ()
    carries: Carried | None = None
    round: tuple[str, int] | None = None


class Reply(NamedTuple):
    """A message that a rule publishes; `$…` placeholders are filled from the delivery."""

    message: Message
    id: str | None = None
    copy_headers: bool = False
    times: int = 1


class Consumer(NamedTuple):
    """`takes` in ms; `prefetch` None: no `basic.qos` is sent. `arguments` holds `x-priority` when one was asked for. `tag`: its
    consumer tag where that is not its name."""

    name: str
    queue: str
    channel: str
    prefetch: int | None = None
    auto_ack: bool = False
    exclusive: bool = False
    arguments: Table = {}
    start: bool = True
    takes: int = 0
    concurrency: int = 1
    on_message: tuple[Rule, ...] = (Rule(),)
    tag: str | None = None


class Run(NamedTuple):
    """A rule of a task: conditions (None: any), then how this run of it goes (None: as the task says). Durations in ms.
    `run` is the n-th run of this task id by any worker, `before` the virtual time at which the run begins."""

    retries: tuple[str, int] | None = None
    redelivered: bool | None = None
    run: tuple[str, int] | None = None
    id: str | None = None
    worker: str | None = None
    before: int | None = None
    chance: float | None = None
    takes: int | None = None
    ends: str | None = None
    countdown: int | None = None
    publish: tuple["Reply", ...] | None = None
    carries: Carried | None = None
    calls: tuple[Any, ...] | None = None


class Task(NamedTuple):
    """What a task does when a worker process runs it (rules/celery#2.1). Durations in ms; `rate_limit` in runs a second.

    `ends` is success, exception, retry, reject, requeue, ignore, kill_child or kill_worker; `acks` early or late; what the
    next three say counts for late acknowledgement only. `retry_headers` copy: a retry carries all headers over, `x-death`
    too, as Celery does; clean: without those that a broker has added. `calls` are signatures (`celery.signatures`) that the
    body calls at its end, `returns` its result, `options` what it brings to every call of it, as Celery spells it. `errback`:
    as what another task links for its failure it is called in that task's worker, or sent.
    `backoff`: the delay of the first retry in place of `countdown`, doubled with each one up to `backoff_max`; with `jitter`
    any number of whole seconds up to that.
    """

    name: str
    takes: int = 0
    ends: str = "success"
    countdown: int = 180_000
    backoff: int | None = None
    backoff_max: int = 600_000
    jitter: bool = True
    max_retries: int | None = 3
    time_limit: int | None = None
    soft_time_limit: int | None = None
    acks: str = "early"
    on_failure: str = "ack"
    on_timeout: str = "ack"
    on_worker_lost: str = "ack"
    rate_limit: float | None = None
    ignore_result: bool = False
    retry_headers: str = "copy"
    publish: tuple["Reply", ...] = ()
    runs: tuple[Run, ...] = ()
    calls: tuple[Any, ...] = ()
    returns: Any = None
    errback: str = "called"
    options: dict[str, Any] = {}


class Autoscale(NamedTuple):
    """Between how many tasks at once a worker's pool runs."""

    max: int
    min: int


class Mingle(NamedTuple):
    """How a worker asks the others when it starts: a command through `exchange`, to which they answer on `queue`, bound to the
    worker's exchange for answers by the worker's name. `declares`: the steps before."""

    exchange: str
    queue: str
    declares: tuple[Any, ...] = ()


class TaskWorker(NamedTuple):
    """A worker process with a pool of `concurrency` children, as Celery's (rules/celery#2.2). Durations in ms.

    It consumes `queues` in this order on a channel of its own name; `prefetch_of` says whether its limit is one for the
    channel or one for each consumer. `declares` are the steps with which it begins each time; `control` the queue of its
    commands, `gossip` that of other workers' events, `replies` and `events` exchanges. `restart`: a supervisor starts it
    again so long after its death. `delays`: retries go through the queues of native delayed delivery. `tasks`: those that it
    knows, None for all; it drops the messages of others. `pool`: one of Celery's. `soft_shutdown`: so long a cold shutdown
    waits for what runs (with `soft_shutdown_on_idle` even when nothing does); `remap_sigterm`: SIGTERM is a cold shutdown.
    `no_ack`: queues of which it takes all that there is, without acknowledging. `consumer_arguments`: by queue. `fails`: the
    code with which the broker is to refuse it, whenever it connects. `app`: the settings by which it sends what its tasks call
    and what follows them; None: nothing of that happens. `persistent_results`: results survive a restart of the broker.
    `fetches_when_free`: on Redis it takes a message when a child is free for it. `deduplicates`: a task of late acknowledgement
    that has succeeded is not run when its message comes again. `reject_is_failure`: a body that raises Reject for good has
    failed too, as from Celery 5.7 on. `lowers_consumers`: what `reduces_prefetch` says holds for a limit of each consumer too,
    as up to Celery 5.6. `broker_heartbeat`: RabbitMQ closes the connection of a worker
    that sends nothing for two of them, as one does whose pool keeps the process busy.
    """

    name: str
    queues: tuple[str, ...]
    concurrency: int = 1
    prefetch: int = 0
    prefetch_of: str = "channel"
    eta_limit: int | None = None
    reduces_prefetch: bool = True
    cancels_on_loss: bool = False
    start: bool = True
    restart: int | None = None
    control: str | None = None
    replies: str | None = None
    events: str | None = None
    sends_events: bool = True
    gossip: str | None = None
    heartbeat: int | None = None
    results: bool = False
    delays: bool = False
    tasks: tuple[str, ...] | None = None
    pool: str = "prefork"
    soft_shutdown: int = 0
    soft_shutdown_on_idle: bool = False
    remap_sigterm: bool = False
    fetches_when_free: bool = False
    deduplicates: bool = False
    reject_is_failure: bool = True
    lowers_consumers: bool = False
    mingle: Mingle | None = None
    no_ack: tuple[str, ...] = ()
    consumer_arguments: dict[str, Table] = {}
    fails: int | None = None
    autoscale: Autoscale | None = None
    broker_heartbeat: int | None = None
    declares: tuple[Any, ...] = ()
    app: dict[str, Any] | None = None
    persistent_results: bool = False


def policy_body(policy: Policy) -> dict[str, Any]:
    """A policy as definitions files and the HTTP API have it, without its name."""
    definition = plain(policy.definition)
    return {"pattern": policy.pattern, "apply-to": policy.apply_to, "priority": policy.priority, "definition": definition}


def task_consumer(worker: str, queue: str) -> str:
    """The name, and the tag, of a worker's consumer of a queue."""
    return f"{worker}:{queue}"


def control_channel(worker: str) -> str:
    """On the worker's main connection: commands are not held up by the tasks' prefetch limit."""
    return f"{worker} (control)"


def gossip_channel(worker: str) -> str:
    """On the worker's main connection."""
    return f"{worker} (gossip)"


def mingle_channel(worker: str) -> str:
    """On the worker's main connection."""
    return f"{worker} (mingle)"


def events_channel(worker: str) -> str:
    """On a connection of its own."""
    return f"{worker} (events)"


def pool_channel(worker: str) -> str:
    """What the children publish: on a connection of its own."""
    return f"{worker} (pool)"


class BrokerSettings(NamedTuple):
    """Settings of the broker itself; times in ms, None: that version's default. `permit`: deprecated features that it takes.
    From `visibility_timeout` to `queue_order`, and `restore_limit`, for Redis alone."""

    consumer_timeout: int | None = None
    max_message_size: int | None = None
    default_queue_type: str | None = None
    kind: str = "rabbitmq"
    visibility_timeout: int | None = None
    restore_every: int | None = None
    priority_steps: tuple[int, ...] | None = None
    queue_order: str | None = None
    permit: tuple[str, ...] = ()
    restore_limit: int | None = None
