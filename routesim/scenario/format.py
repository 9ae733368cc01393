"""The scenario format as tables: every section, step, rule and expectation with its fields, their kinds and their help.

The loader reads by these tables, and the errors, the help and the JSON Schema come from them.
"""

from typing import Any

from routesim.exchanges import EXCHANGE_TYPES, NOT_SIMULATED
from routesim.scenario.compare import Count, CountOrIds, Lasts, Limit, Over, Rate, Yes
from routesim.scenario.kinds import (
    Boolean,
    Choice,
    Duration,
    Either,
    Field,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Number,
    Reader,
    Shape,
    Table,
    TextKind,
    is_null,
)
from routesim.scenario.source import Mapping, Node, Sequence, Text


class Celery(Kind):
    """A part of the format that is in `celery_format`, which is imported when a scenario has Celery in it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def kind(self) -> Kind:
        from routesim.scenario.celery_format import KINDS

        return KINDS[self.name]

    def read(self, reader: Reader, node: Node) -> Any:
        return self.kind().read(reader, node)


NAME = TextKind("a name", shortstr=True, empty=False)
KEY = TextKind("a key", shortstr=True)
EXCHANGE_NAME = TextKind('the name of an exchange ("" is the default exchange)', shortstr=True)
ID = TextKind("the id of a message", shortstr=True, empty=False)
TEXT = TextKind()
EXCHANGE_TYPE = Choice(*EXCHANGE_TYPES, *NOT_SIMULATED)
ANY_TYPE = TextKind("an exchange type", shortstr=True, empty=False)
QUEUE_TYPE = Choice("classic", "quorum", "stream")
PREFETCH = Integer(0, 65535)
TABLE = Table()

EXCHANGE_FIELDS = {
    "type": Field(ANY_TYPE, "direct (default), fanout, topic, headers, or a plugin's type"),
    "durable": Field(Boolean(), "survives a restart of the broker; default true"),
    "auto_delete": Field(Boolean(), "deleted when its last binding as a source goes; default false"),
    "internal": Field(Boolean(), "cannot be published to, only bound to; default false"),
    "arguments": Field(TABLE, "alternate-exchange and the like"),
}
EXCHANGE_OPTIONS = Shape("an exchange", EXCHANGE_FIELDS, optional=True)
EXCHANGE = Either(
    "the type of an exchange, or its options",
    lambda node: EXCHANGE_OPTIONS if isinstance(node, Mapping) or is_null(node) else ANY_TYPE if isinstance(node, Text) else None,
)

QUEUE = Shape(
    "a queue",
    {
        "type": Field(TextKind("classic, quorum or stream", shortstr=True), "classic (default), quorum or stream"),
        "durable": Field(Boolean(), "survives a restart of the broker; default true"),
        "exclusive": Field(Boolean(), "belongs to one connection and goes with it; default false"),
        "auto_delete": Field(Boolean(), "deleted when its last consumer goes; default false"),
        "arguments": Field(TABLE, "x-dead-letter-exchange, x-message-ttl, x-max-length …"),
        "server_named": Field(Boolean(), "the broker draws the name; the scenario goes on saying this one"),
        "channel": Field(NAME, "whose connection owns an exclusive queue"),
    },
    optional=True,
)
BINDING = Shape(
    "a binding",
    {
        "source": Field(EXCHANGE_NAME, "the exchange", required=True),
        "destination": Field(TextKind("a name", shortstr=True), "the queue or exchange", required=True),
        "destination_type": Field(Choice("queue", "exchange"), "queue (default) or exchange"),
        "routing_key": Field(KEY, 'the binding key; default ""'),
        "arguments": Field(TABLE, "criteria of a headers exchange, x-match"),
        "channel": Field(NAME, "the channel that binds"),
    },
)
POLICY = Shape(
    "a policy",
    {
        "name": Field(NAME, "its name", required=True),
        "pattern": Field(TEXT, "a regular expression that is searched in the names of queues and exchanges", required=True),
        "apply-to": Field(TEXT, "queues, exchanges or all (default)"),
        "priority": Field(Number(), "the highest that fits applies alone; default 0"),
        "definition": Field(TABLE, "message-ttl, dead-letter-exchange, max-length …", required=True),
        "vhost": Field(TEXT, "as in a definitions file"),
    },
)
CHANNEL = Shape(
    "a channel",
    {
        "connection": Field(NAME, "several channels may share one; default: one of its own"),
        "prefetch": Field(PREFETCH, "basic.qos(global=true) when it opens: a limit for the whole channel"),
        "confirms": Field(Boolean(), "the broker confirms each publish; default true"),
    },
    optional=True,
)
BROKER = Shape(
    "broker",
    {
        "consumer_timeout": Field(Duration(), "how long an acknowledgement may take; default 30m"),
        "max_message_size": Field(Integer(1), "in bytes"),
        "default_queue_type": Field(QUEUE_TYPE, "what a queue without a type becomes"),
        "kind": Field(Choice("rabbitmq", "redis"), "rabbitmq (default), or redis: as kombu's transport for Celery uses it"),
        "visibility_timeout": Field(Duration(), "redis: unacked for so long, a message comes back; default 1h"),
        "restore_every": Field(
            Duration(),
            "redis: how often a consumer looks for those, unacked_restore_interval × throttle; default 100s",
        ),
        "priority_steps": Field(ListOf(Integer(0, 9)), "redis: ascending, the first is served first; default [0, 3, 6, 9]"),
        "queue_order": Field(
            Choice("round_robin", "sorted", "priority"), "redis: which of its queues a consumer asks first; default round_robin"
        ),
    },
)
# Which settings belong to which kind of broker; a name in none belongs to all of them.
BROKER_OF = {
    "consumer_timeout": "rabbitmq",
    "max_message_size": "rabbitmq",
    "default_queue_type": "rabbitmq",
    "visibility_timeout": "redis",
    "restore_every": "redis",
    "priority_steps": "redis",
    "queue_order": "redis",
}

PROPERTIES = {
    "content_type": Field(KEY, "basic property"),
    "content_encoding": Field(KEY, "basic property"),
    "correlation_id": Field(KEY, "basic property"),
    "reply_to": Field(KEY, "basic property; amq.rabbitmq.reply-to for direct reply-to"),
    "message_id": Field(KEY, "basic property; default: the id"),
    "timestamp": Field(Integer(0), "basic property, in seconds"),
    "type": Field(KEY, "basic property"),
    "user_id": Field(KEY, "basic property; must be the connection's user, guest"),
    "app_id": Field(KEY, "basic property"),
    "cluster_id": Field(KEY, "basic property"),
}
MESSAGE_FIELDS = {
    "exchange": Field(EXCHANGE_NAME, 'default "", the default exchange'),
    "routing_key": Field(KEY, 'default ""'),
    "body": Field(TEXT, 'default ""'),
    "id": Field(ID, "the message's name in the scenario; default m1, m2 …"),
    "headers": Field(TABLE, "CC and BCC as in RabbitMQ"),
    "priority": Field(Integer(0, 255), "matters where the queue has priorities"),
    "expiration": Field(TextKind("a number of milliseconds", shortstr=True), "ms as text, RabbitMQ's own form"),
    "delivery_mode": Field(Integer(0, 255), "2 persistent (default), 1 transient"),
    "mandatory": Field(Boolean(), "return the message when no queue takes it"),
    **PROPERTIES,
    "count": Field(Integer(1, 1_000_000_000), "so many of them; default 1"),
}
PUBLISH = Shape(
    "publish",
    {
        **MESSAGE_FIELDS,
        "every": Field(Duration(), "time between two of them; default: none"),
        "after": Field(Duration(), "the first one so much later, while the steps go on; default: now"),
        "channel": Field(NAME, "the channel that publishes"),
    },
    optional=True,
)
REPLY = Shape("publish", {**MESSAGE_FIELDS, "headers": Field(
    Either("headers, or copy", lambda node: Choice("copy") if isinstance(node, Text) and not is_null(node) else TABLE),
    "copy carries the delivery's headers over",
)})  # fmt: skip

ANSWERS = ("ack", "reject", "requeue", "crash", "hold")
RULE = Shape(
    "a rule",
    {
        "routing_key": Field(KEY, "condition: a topic pattern"),
        "headers": Field(TABLE, "condition: these headers with these values"),
        "redelivered": Field(Boolean(), "condition: the flag of the delivery"),
        "attempt": Field(Count("n-th delivery of the message to this consumer"), "condition: a number, or such as '>= 3'"),
        "message": Field(ID, "condition: the id of a message"),
        "chance": Field(Number(0, 1), "condition: drawn from the seed"),
        "do": Field(Choice(*ANSWERS), "the answer; default ack"),
        "takes": Field(Duration(), "how long this job takes"),
        "after": Field(Duration(), "with crash: so long into the job"),
        "restart": Field(Duration(), "with crash: the consumer comes back after so long"),
        "publish": Field(ListOf(REPLY, single=True), "a message sent before the answer"),
    },
)
ON_MESSAGE = Either(
    f"{', '.join(ANSWERS)}, or a list of rules",
    lambda node: ListOf(RULE) if isinstance(node, Sequence) else Choice(*ANSWERS) if isinstance(node, Text) else None,
)
CONSUMER = Shape(
    "a consumer",
    {
        "queue": Field(NAME, "what it consumes", required=True),
        "prefetch": Field(PREFETCH, "unacked messages at once; 0 (default): no limit"),
        "auto_ack": Field(Boolean(), "acknowledged as soon as sent"),
        "exclusive": Field(Boolean(), "the only consumer of its queue"),
        "priority": Field(Integer(-(2**31), 2**31 - 1), "x-priority: higher ones are served first"),
        "arguments": Field(TABLE, "x-stream-offset and the like"),
        "channel": Field(NAME, "shares this channel"),
        "start": Field(Boolean(), "false: waits for a consume step"),
        "takes": Field(Duration(), "how long a job takes"),
        "concurrency": Field(Integer(1, 100_000), "jobs at once; default 1"),
        "on_message": Field(ON_MESSAGE, "the answer; default ack"),
    },
)

_DECLARED_FIELDS = {
    "exchanges": Field(MapOf(EXCHANGE, EXCHANGE_NAME), "name: options, or name: type"),
    "queues": Field(MapOf(QUEUE, TextKind("a name", shortstr=True)), "name: options"),
    "bindings": Field(ListOf(BINDING), "a list of bindings"),
}


# Tasks and worker processes ------------------------------------------------------------------------------------------

ENDS = ("success", "exception", "retry", "reject", "requeue", "ignore", "kill_child", "kill_worker")
RUN_COURSE = {
    "takes": Field(Duration(), "how long the body runs; default 0"),
    "ends": Field(Choice(*ENDS), "how the body ends; default success"),
    "countdown": Field(Duration(), "of a retry; default 3m"),
    "publish": Field(ListOf(REPLY, single=True), "what the body publishes just before it ends"),
}
RUN = Shape(
    "a run",
    {
        "retries": Field(Count("how often it was retried"), "condition: a number, or such as '>= 3'"),
        "redelivered": Field(Boolean(), "condition: the flag of the delivery"),
        "run": Field(Count("n-th run of this task id"), "condition: a number, or such as '>= 3'"),
        "id": Field(ID, "condition: the id of the task"),
        "worker": Field(NAME, "condition: which worker runs it"),
        "before": Field(Duration(), "condition: it begins before this virtual time"),
        "chance": Field(Number(0, 1), "condition: drawn from the seed"),
        **RUN_COURSE,
    },
)
TASK = Shape(
    "a task",
    {
        **RUN_COURSE,
        "max_retries": Field(Limit(), "retries before it ends in an exception; default 3"),
        "time_limit": Field(Duration(), "hard: the child is killed"),
        "soft_time_limit": Field(Duration(), "an exception in the body"),
        "acks": Field(Choice("early", "late"), "when the message is acknowledged: at the start (default) or at the end"),
        "on_failure": Field(Choice("ack", "reject"), "late only: after an exception; default ack"),
        "on_timeout": Field(Choice("ack", "requeue"), "late only: after the hard time limit; default ack"),
        "on_worker_lost": Field(Choice("ack", "requeue", "retry"), "after the child's death; requeue late only; default ack"),
        "rate_limit": Field(Rate(), "in each worker: 10/s, 100/m, 5/h or a bare number a second"),
        "ignore_result": Field(Boolean(), "no result is sent; default false"),
        "retry_headers": Field(
            Choice("copy", "clean"), "copy (default): x-death and the like travel with a retry, as with Celery"
        ),
        "runs": Field(ListOf(RUN), "rules; the first that fits says how this run goes"),
    },
    optional=True,
)
WORKER = Shape(
    "a worker",
    {
        "queues": Field(ListOf(NAME, single=True), "what it consumes, in this order", required=True),
        "concurrency": Field(Integer(1, 100_000), "children that run tasks; default 1"),
        "prefetch": Field(Integer(0), "unacked messages at once; 0 (default): no limit"),
        "prefetch_of": Field(Choice("channel", "consumer"), "one limit for all queues (default), or one for each"),
        "eta_limit": Field(Integer(1), "the prefetch limit grows no further, however many tasks are held for their ETA"),
        "reduces_prefetch": Field(Boolean(), "after a reconnection it takes less while old tasks run; default true"),
        "cancels_on_loss": Field(Boolean(), "a lost connection ends running tasks of late acknowledgement; default false"),
        "start": Field(Boolean(), "false: waits for a worker step"),
        "restart": Field(Duration(), "it is started again so long after its death; default: never"),
        "control": Field(NAME, "the queue of its commands, consumed without acknowledgement"),
        "replies": Field(EXCHANGE_NAME, "the exchange for answers to commands"),
        "events": Field(EXCHANGE_NAME, "the exchange for its events"),
        "sends_events": Field(Boolean(), "task events from the start; default true, where it has an exchange for them"),
        "gossip": Field(NAME, "the queue of other workers' events, consumed without acknowledgement and only listened to"),
        "heartbeat": Field(Duration(), "a worker.heartbeat so often"),
        "results": Field(Boolean(), "results go to a task's reply_to; default false"),
        "delays": Field(Boolean(), "retries wait in the queues of native delayed delivery; default false"),
        "declares": Field(
            Shape("declares", {key: _DECLARED_FIELDS[key] for key in ("exchanges", "queues", "bindings")}),
            "what it declares each time it connects, the queues for its connection",
        ),
    },
)
SIGNAL = Shape(
    "a worker step",
    {
        "name": Field(NAME, "which worker", required=True),
        "do": Field(
            Choice("start", "warm", "cold", "kill", "disconnect", "kill_child"),
            "start, warm (TERM), cold (QUIT), kill (SIGKILL), disconnect (by the broker), kill_child (all that run)",
            required=True,
        ),
    },
)

# Expectations --------------------------------------------------------------------------------------------------------

STATES = ("ready", "unacked", "acked", "dead-lettered", "dropped", "purged", "deleted", "lost")
REASONS = ("rejected", "expired", "maxlen", "delivery_limit")
STATE = Choice(*STATES, *(f"{state}: {reason}" for state in ("dropped", "dead-lettered") for reason in REASONS))
ENDINGS = ("idle", "steps", "time", "livelock", "budget")
EXPECT_QUEUE = Shape(
    "the expectation of a queue",
    {
        "ready": Field(CountOrIds(), "a count, or message ids in order"),
        "unacked": Field(CountOrIds(), "a count, or message ids in order"),
        "exists": Field(Boolean(), "false: it has been deleted"),
    },
)
EXPECT_CONSUMER = Shape(
    "the expectation of a consumer",
    {
        "delivered": Field(CountOrIds(), "a count, or message ids in order"),
        "redelivered": Field(Count("a count"), "deliveries with the redelivered flag"),
        "acked": Field(Count("a count"), "answers"),
        "rejected": Field(Count("a count"), "answers"),
        "requeued": Field(Count("a count"), "answers"),
    },
)
TASK_STATES = ("PENDING", "RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED", "REJECTED")
EXPECT_TASK = Shape(
    "the expectation of a task",
    {
        "state": Field(Choice(*TASK_STATES), "as a monitor would show it"),
        "runs": Field(Count("a count"), "how often its body began"),
        "received": Field(Count("a count"), "how often a worker got it"),
        "retries": Field(Count("a count"), "how often it sent itself anew"),
    },
)
EXPECT_WORKER = Shape(
    "the expectation of a worker",
    {
        **{
            name: Field(Count("a count"), f"tasks {name}")
            for name in ("received", "started", "succeeded", "failed", "retried", "rejected", "revoked")
        },
        "active": Field(Count("a count"), "tasks that run now"),
        "reserved": Field(Count("a count"), "tasks that wait for a child or for their rate limit now"),
        "held": Field(Count("a count"), "tasks that wait for their ETA now"),
        "prefetch": Field(Count("a count"), "the limit that it has sent last"),
        "online": Field(Boolean(), "whether it is connected"),
    },
)
EXPECT = Shape(
    "expect",
    {
        "queues": Field(MapOf(EXPECT_QUEUE, NAME), "what is left in each queue"),
        "consumers": Field(MapOf(EXPECT_CONSUMER, NAME), "what each consumer did"),
        "messages": Field(MapOf(MapOf(STATE, NAME), ID), "the state of a message's newest copy in each queue"),
        "tasks": Field(MapOf(EXPECT_TASK, ID), "what became of each task, by its id"),
        "workers": Field(MapOf(EXPECT_WORKER, NAME), "what each worker process did, and what it is at"),
        "returned": Field(CountOrIds(), "messages that came back as unroutable"),
        "nacked": Field(CountOrIds(), "messages that a queue refused"),
        "lost": Field(Count("a count"), "copies that ended nowhere without anybody knowing"),
        "ended": Field(Choice(*ENDINGS), "how the run ended"),
    },
)

ROUTE = Shape(
    "a route",
    {
        "exchange": Field(EXCHANGE_NAME, 'where it is published; default "", the default exchange'),
        "routing_key": Field(KEY, 'default ""'),
        "headers": Field(TABLE, "CC and BCC as in RabbitMQ"),
        "queues": Field(ListOf(NAME, single=True), "what it must reach, no more and no less; [] for none", required=True),
    },
)
NEVER = Shape(
    "a rule of never",
    {
        "reaches": Field(ListOf(NAME, single=True), "no copy ever gets into one of these queues"),
        "lost": Field(Yes(), "true: no copy ends nowhere without anybody knowing"),
        "delivered": Field(Over("deliveries of a message from one queue"), "such as '> 3'"),
        "waits": Field(Lasts("time from entering a queue to the first delivery"), "such as '> 10s'"),
        "messages": Field(ListOf(ID, single=True), "only these messages; default: all"),
        "queues": Field(ListOf(NAME, single=True), "with lost, delivered and waits: only in these queues; default: all"),
    },
)

# Steps ---------------------------------------------------------------------------------------------------------------

CHANNEL_OR_CONSUMER = {
    "channel": Field(NAME, "the channel of the delivery"),
    "consumer": Field(NAME, "the consumer that got the delivery"),
}
DELIVERY = {
    **CHANNEL_OR_CONSUMER,
    "message": Field(ID, "the newest delivery of this message"),
    "delivery_tag": Field(Integer(0), "the tag of the delivery; 0 with multiple: all of them"),
}
MULTIPLE = Field(Boolean(), "all up to this one")
REQUEUE = Field(Boolean(), "default true; false: dead-letter or drop")
_DECLARED = {
    **_DECLARED_FIELDS,
    "policies": Field(ListOf(POLICY), "a list of policies"),
    "operator_policies": Field(ListOf(POLICY), "a list of operator policies"),
    "consumers": Field(MapOf(CONSUMER, NAME), "name: options"),
}
CELERY_STEPS: dict[str, Kind] = {verb: Celery(verb) for verb in ("call", "control", "flower")}
STEPS: dict[str, Kind] = {
    "publish": PUBLISH,
    "wait": Duration(),
    "get": Shape("get", {
        "queue": Field(NAME, "the queue", required=True),
        "channel": Field(NAME, "the channel"),
        "auto_ack": Field(Boolean(), "acknowledged as soon as sent"),
    }),
    "ack": Shape("ack", {**DELIVERY, "multiple": MULTIPLE}),
    "nack": Shape("nack", {**DELIVERY, "multiple": MULTIPLE, "requeue": REQUEUE}),
    "reject": Shape("reject", {**DELIVERY, "requeue": REQUEUE}),
    "recover": Shape("recover", {**CHANNEL_OR_CONSUMER, "requeue": Field(Boolean(), "default true")}),
    "qos": Shape("qos", {
        "channel": Field(NAME, "the channel", required=True),
        "prefetch": Field(PREFETCH, "the limit; 0: none", required=True),
        "global": Field(Boolean(), "for the whole channel instead of each new consumer"),
    }),
    "tx": Shape("tx", {
        "channel": Field(NAME, "the channel", required=True),
        "do": Field(Choice("select", "commit", "rollback"), "select, commit or rollback", required=True),
    }),
    "consume": NAME,
    "cancel": NAME,
    "crash": NAME,
    "close": NAME,
    "restart": Choice("clean", "kill"),
    "worker": SIGNAL,
    "declare": Shape("declare", _DECLARED),
    "delete": Shape("delete", {
        "queue": Field(NAME, "a queue"),
        "exchange": Field(EXCHANGE_NAME, "an exchange"),
        "policy": Field(NAME, "a policy"),
        "if_unused": Field(Boolean(), "only without consumers or bindings"),
        "if_empty": Field(Boolean(), "only without ready messages"),
        "channel": Field(NAME, "the channel"),
    }),
    "bind": BINDING,
    "unbind": BINDING,
    "purge": NAME,
    "expect": EXPECT,
    **CELERY_STEPS,
}  # fmt: skip
FAILS = Integer(300, 600)

# The whole -----------------------------------------------------------------------------------------------------------

STEP_LIST = "a list of steps"


def is_celery(root: Mapping) -> bool:
    """There is something of Celery to expand."""
    steps = root.get("steps")
    return "celery" in root or (
        isinstance(steps, Sequence)
        and any(isinstance(step, Mapping) and not CELERY_STEPS.keys().isdisjoint(step) for step in steps)
    )


def until_kind(node: Node) -> Kind | None:
    if isinstance(node, Text) and node[:1].isalpha():
        return Choice("idle", "steps")
    return Duration()


class StepList(Kind):
    """The steps are read by the loader, which knows which verb each is; here only that they are a list."""

    expects = STEP_LIST

    def read(self, reader: object, node: Node) -> Node:
        return node


SCENARIO = Shape(
    "a scenario",
    {
        "name": Field(TEXT, "default: the file's name"),
        "description": Field(TEXT, "what this scenario shows"),
        "rabbitmq": Field(TEXT, "whose rules apply, e.g. 4.1; default: the newest known"),
        "seed": Field(Integer(0, 2**63 - 1), "the only source of randomness; default 0"),
        "definitions": Field(ListOf(TEXT, single=True), "RabbitMQ definitions files, beside this file"),
        "vhost": Field(NAME, "which one of a definitions file; default /"),
        **_DECLARED,
        "tasks": Field(MapOf(TASK, NAME), "what tasks do when a worker process runs them"),
        "workers": Field(MapOf(WORKER, NAME), "worker processes, as Celery's"),
        "channels": Field(MapOf(CHANNEL, NAME), "channels that share a connection or a prefetch"),
        "broker": Field(BROKER, "settings of the broker itself"),
        "celery": Field(Celery("celery"), "Celery apps: expanded into the other sections, see `routesim celery expand`"),
        "steps": Field(StepList(), "what happens, one verb each"),
        "expect": Field(EXPECT, "what must be so at the end"),
        "routes": Field(ListOf(ROUTE), "where a message would go, checked without running anything"),
        "never": Field(ListOf(NEVER), "what must not be so at any time"),
        "until": Field(Either("idle, steps or a duration", until_kind), "when the run ends; default idle"),
    },
)
