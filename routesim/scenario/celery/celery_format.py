"""The `celery:` section and the steps `call`, `control` and `flower` as tables, like `format` for the rest.

A bare number is in seconds where Celery has the word (`countdown`, `expires`, `time_limit` …), and in milliseconds, as
everywhere in a scenario, where routesim has it (`takes`, `every`, `after` …).
"""

from typing import Any

from routesim.celery.pools import POOLS
from routesim.celery.setting_table import SETTINGS, said_of
from routesim.celery.transport_options import TRANSPORT_OPTIONS
from routesim.diagnostics import did_you_mean
from routesim.scenario.definitions.list_form import plain_data
from routesim.scenario.format.amqp_values import Table
from routesim.scenario.format.counts import Limit, Rate, Seconds
from routesim.scenario.format.declared import ANY_TYPE, BROKER_SETTINGS, KEY, NAME, TEXT
from routesim.scenario.format.kinds import Boolean, Choice, Duration, Integer, Kind, Reader, TextKind, is_null
from routesim.scenario.format.shapes import Either, Field, ListOf, MapOf, Shape
from routesim.scenario.format.workers import ENDS
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text


class Data(Kind):
    """Anything that JSON can hold: arguments of a task, and settings that mean nothing here."""

    expects = "a value"

    def read(self, reader: Reader, node: Node) -> Any:
        return plain_data(node)


class Later(Kind):
    """A list that is read where it ends up, in the ordinary sections; `what` its items are called there."""

    expects = "a list"

    def __init__(self, what: str) -> None:
        self.what = what

    def read(self, reader: Reader, node: Node) -> Node:
        if not isinstance(node, Sequence) and not is_null(node):
            raise self.wrong(reader, node)
        return node


class AppSettings(Shape):
    """Celery's settings. There are 200, so that no list of them helps."""

    def unknown(self, reader: Reader, key: Text) -> None:
        name = key.lower().removeprefix("celery_")
        cure = f"write {name}" if name in self.fields else did_you_mean(name, self.fields)
        reader.error("unknown-key", f"Celery has no setting '{key}'", key, cure or "Celery spells its settings in lower case")


class TransportOptions(Shape):
    """What kombu does not know it passes over, and so is an option of which nothing is known here."""

    def unknown(self, reader: Reader, key: Text) -> None:
        said = f"kombu has no option '{key}' in broker_transport_options that routesim knows"
        reader.warning("not-simulated", said, key, did_you_mean(key, self.fields) or "take it out where it makes no difference")


# Apps ----------------------------------------------------------------------------------------------------------------

TASK_QUEUE = Shape(
    "a task queue",
    {
        "exchange": Field(KEY, "its exchange; default: the app's default exchange"),
        "exchange_type": Field(ANY_TYPE, "direct (default), topic, fanout, headers"),
        "exchange_durable": Field(Boolean(), "default: durable"),
        "exchange_auto_delete": Field(Boolean(), "default: auto_delete"),
        "exchange_arguments": Field(Table(), "arguments of the exchange"),
        "routing_key": Field(KEY, "its binding key; default: its name"),
        "binding_key": Field(KEY, "another word for routing_key"),
        "binding_arguments": Field(Table(), "arguments of the binding"),
        "queue_arguments": Field(Table(), "x-queue-type, x-max-priority …"),
        "durable": Field(Boolean(), "default true"),
        "queue_durable": Field(Boolean(), "default: durable"),
        "auto_delete": Field(Boolean(), "default false"),
        "queue_auto_delete": Field(Boolean(), "default: auto_delete"),
        "exclusive": Field(Boolean(), "default false"),
        "max_priority": Field(Integer(0, 255), "x-max-priority"),
        "message_ttl": Field(Seconds(), "x-message-ttl"),
        "expires": Field(Seconds(), "x-expires"),
        "max_length": Field(Integer(0), "x-max-length"),
        "max_length_bytes": Field(Integer(0), "x-max-length-bytes"),
        "broadcast": Field(Boolean(), "kombu's Broadcast: every worker gets every message"),
    },
    optional=True,
)
ROUTE_OPTIONS = Shape(
    "a route of tasks",
    {
        "queue": Field(NAME, "the queue, one of task_queues or a new one"),
        "exchange": Field(KEY, "instead of the queue's"),
        "routing_key": Field(KEY, "instead of the queue's"),
        "priority": Field(Integer(0, 255), "of the message"),
        "delivery_mode": Field(Integer(1, 2), "2 persistent, 1 transient"),
    },
)
ROUTE = Either(
    "the name of a queue, or its options",
    lambda node: ROUTE_OPTIONS if isinstance(node, Mapping) else NAME if isinstance(node, Text) and not is_null(node) else None,
)
ROUTES = MapOf(ROUTE, TextKind("the name of a task, or a pattern with *", empty=False))
OPTION_KINDS: dict[str, Kind] = {
    "boolean": Boolean(),
    "seconds": Seconds(),
    "count": Integer(0, 1_000_000),
    "steps": BROKER_SETTINGS["redis"]["priority_steps"].kind,
    "order": BROKER_SETTINGS["redis"]["queue_order"].kind,
}
SETTING_KINDS: dict[str, Kind] = {
    "boolean": Boolean(),
    "number": Integer(0, 1_000_000),
    "seconds": Seconds(),
    "text": TEXT,
    "exchange type": ANY_TYPE,
    "rate": Rate(),
    "protocol": Integer(1, 2),
    "transport options": TransportOptions(
        "broker_transport_options",
        {name: Field(OPTION_KINDS[row.kind] if row.kind else Data(), said_of(row)) for name, row in TRANSPORT_OPTIONS.items()},
        optional=True,
        schema={"additionalProperties": True},
    ),
    "pool": Choice(*POOLS),
    "queue type": Choice("quorum", "classic"),
    "delivery mode": Integer(1, 2),
    "queues": MapOf(TASK_QUEUE, NAME),
    "routes": Either(
        "a mapping of names to queues, or a list of such mappings",
        lambda node: (
            ROUTES if isinstance(node, Mapping) or is_null(node) else ListOf(ROUTES) if isinstance(node, Sequence) else None
        ),
    ),
}
APP = AppSettings(
    "an app",
    {
        name: Field(SETTING_KINDS[setting.kind] if setting.kind else Data(), said_of(setting))
        for name, setting in SETTINGS.items()
    },
    optional=True,
)
_OF_APP = {"app": Field(NAME, "its app; may be left out where there is one")}
WORKER = Shape(
    "a Celery worker",
    {
        **_OF_APP,
        "queues": Field(ListOf(NAME, single=True), "what it consumes (-Q), in this order; default: all task_queues"),
        "concurrency": Field(Integer(1, 100_000), "processes of its pool (-c); default: worker_concurrency"),
        "prefetch_multiplier": Field(Integer(0, 65535), "default: worker_prefetch_multiplier"),
        "start": Field(Boolean(), "false: waits for a worker step"),
        "restart": Field(Duration(), "a supervisor starts it again so long after it died"),
        "pool": Field(Choice(*POOLS), "who runs its tasks (-P); default: worker_pool"),
        "remap_sigterm": Field(Boolean(), "started with REMAP_SIGTERM=SIGQUIT: its SIGTERM is a cold shutdown; default false"),
        "gossip": Field(Boolean(), "listens to the events of the other workers; default true"),
        "mingle": Field(Boolean(), "asks the other workers when it starts; default false (in Celery true)"),
        "heartbeat": Field(Boolean(), "an event every two seconds; default false (in Celery true)"),
        "events": Field(Boolean(), "publishes events of its tasks (-E); default: worker_send_task_events"),
    },
    optional=True,
)

# Tasks ---------------------------------------------------------------------------------------------------------------

_ROUTING = {
    "queue": Field(NAME, "instead of the route's"),
    "exchange": Field(KEY, "instead of the queue's"),
    "routing_key": Field(KEY, "instead of the queue's"),
    "priority": Field(Integer(0, 255), "of the message"),
}
_ARGUMENTS = {
    "args": Field(ListOf(Data()), "positional arguments"),
    "kwargs": Field(MapOf(Data(), TEXT), "arguments by name"),
}
SUBTASK = Shape(
    "a subtask",
    {"task": Field(NAME, "the name of the task", required=True), **_ARGUMENTS, **_ROUTING,
        "count": Field(Integer(1, 1000), "so many of them"),
    },
)  # fmt: skip
TASK = Shape(
    "a Celery task",
    {
        "app": Field(ListOf(NAME, single=True), "its app, or all that have it; the first one's settings count"),
        "takes": Field(Duration(), "how long its body runs; default 0"),
        "ends": Field(Choice(*ENDS), "how its body ends; default success"),
        "autoretry": Field(Boolean(), "an exception becomes a retry (autoretry_for)"),
        "countdown": Field(Seconds(), "of a retry; default: default_retry_delay"),
        "default_retry_delay": Field(Seconds(), "of a retry; default 180"),
        "max_retries": Field(Limit(), "default 3"),
        "time_limit": Field(Seconds(), "default: task_time_limit"),
        "soft_time_limit": Field(Seconds(), "default: task_soft_time_limit"),
        "acks_late": Field(Boolean(), "default: task_acks_late"),
        "acks_on_failure": Field(Boolean(), "default: task_acks_on_failure"),
        "acks_on_timeout": Field(Boolean(), "default: task_acks_on_timeout"),
        "acks_on_failure_or_timeout": Field(Boolean(), "both"),
        "reject_on_worker_lost": Field(Boolean(), "default: task_reject_on_worker_lost"),
        "retry_on_worker_lost": Field(Boolean(), "default: task_retry_on_worker_lost"),
        "rate_limit": Field(Rate(), "10/m and the like; default: task_default_rate_limit"),
        "ignore_result": Field(Boolean(), "default: task_ignore_result"),
        "retry_headers": Field(Choice("copy", "clean"), "clean: a retry goes without x-death and the like; default copy"),
        "expires": Field(Seconds(), "how long its messages live"),
        **_ROUTING,
        "runs": Field(Later("run"), "rules; the first that fits replaces what the task does"),
        "calls": Field(ListOf(SUBTASK, single=True), "what its body calls just before it ends"),
    },
    optional=True,
)

# Who publishes -------------------------------------------------------------------------------------------------------

PRODUCER = Shape("a producer", _OF_APP, optional=True)
CRONTAB_FIELDS = Shape(
    "a crontab",
    {name: Field(TEXT, "*, 5, 1-5, */2, mon-fri, or several with commas") for name in (
        "minute", "hour", "day_of_month", "month_of_year", "day_of_week",
    )},
)  # fmt: skip
CRONTAB = Either(
    'five fields such as "0 3 * * *", or a mapping of them',
    lambda node: CRONTAB_FIELDS if isinstance(node, Mapping) else TEXT if isinstance(node, Text) else None,
)
ENTRY = Shape(
    "an entry of a schedule",
    {
        "task": Field(NAME, "the name of the task", required=True),
        "every": Field(Duration(), "the interval"),
        "crontab": Field(CRONTAB, "minute hour day_of_month month_of_year day_of_week"),
        **_ARGUMENTS,
        **_ROUTING,
        "expires": Field(Seconds(), "how long a message lives"),
    },
    schema={"oneOf": [{"required": ["every"]}, {"required": ["crontab"]}]},
)
BEAT = Shape("a beat", {**_OF_APP, "schedule": Field(MapOf(ENTRY, NAME), "its entries", required=True)})
FLOWER = Shape("flower", _OF_APP, optional=True)
CELERY = Shape(
    "celery",
    {
        "apps": Field(MapOf(APP, NAME), "name: settings, spelled as Celery spells them", required=True),
        "workers": Field(MapOf(WORKER, NAME), "name: options"),
        "tasks": Field(MapOf(TASK, NAME), "name: what its body does, and its options"),
        "producers": Field(MapOf(PRODUCER, NAME), "who calls tasks; there is always one named client"),
        "beats": Field(MapOf(BEAT, NAME), "who calls tasks by a schedule"),
        "flower": Field(FLOWER, "a monitor that listens to all events"),
        "starts": Field(TEXT, 'the time (UTC) at virtual 0, for crontab; default "2026-01-01 00:00:00"'),
    },
)

# Steps ---------------------------------------------------------------------------------------------------------------

CALL = Shape(
    "call",
    {
        "task": Field(NAME, "the name of the task", required=True),
        "by": Field(NAME, "the producer; default client"),
        "id": Field(TextKind("the id of a task", shortstr=True, empty=False), "default: its name with a number"),
        "count": Field(Integer(1, 10_000), "so many of them; default 1"),
        "every": Field(Duration(), "time between two of them; default: none"),
        "after": Field(Duration(), "the first one so much later, while the steps go on"),
        **_ARGUMENTS,
        "countdown": Field(Seconds(), "not to be run earlier than so long after the call"),
        "eta": Field(TEXT, "not to be run earlier: a time such as 2026-01-01T00:00:30"),
        "expires": Field(Seconds(), "not to be run later than so long after the call"),
        **_ROUTING,
        "time_limit": Field(Seconds(), "for this call alone"),
        "soft_time_limit": Field(Seconds(), "for this call alone"),
        "ignore_result": Field(Boolean(), "no result is sent"),
        "get": Field(Boolean(), "the caller waits for the result (rpc://)"),
        "commit": Field(Duration(), "the row that the task reads is there only so long after the call"),
        "on_commit": Field(Boolean(), "sent at the commit (delay_on_commit)"),
    },
)
# Commands to workers, each with the fields that it needs.
COMMANDS: dict[str, tuple[str, ...]] = {
    "revoke": ("id",),
    "rate_limit": ("task", "rate"),
    "ping": (),
    "shutdown": (),
    "enable_events": (),
    "disable_events": (),
    "cancel_consumer": ("queue",),
    "add_consumer": ("queue",),
}
CONTROL = Shape(
    "control",
    {
        "do": Field(Choice(*COMMANDS), "the command", required=True),
        "to": Field(ListOf(NAME, single=True), "these workers alone; default: all"),
        "by": Field(NAME, "who sends it; default client"),
        "id": Field(NAME, "with revoke: the id of the task"),
        "terminate": Field(Boolean(), "with revoke: kill it if it runs"),
        "task": Field(NAME, "with rate_limit: the name of the task"),
        "rate": Field(TEXT, "with rate_limit: 10/m and the like"),
        "queue": Field(NAME, "with add_consumer and cancel_consumer: the queue"),
        "timeout": Field(Seconds(), "with ping: how long it waits for answers; default 1"),
    },
)
STEP_KINDS: dict[str, Kind] = {"call": CALL, "control": CONTROL, "flower": Choice("stop", "start")}
