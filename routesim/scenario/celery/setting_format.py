"""An app's settings as a table of fields, and the options of tasks, which settings may hold too."""

from datetime import tzinfo

from routesim.celery.pools import POOLS
from routesim.celery.setting_table import SETTINGS, said_of
from routesim.celery.transport_options import TRANSPORT_OPTIONS
from routesim.diagnostics import did_you_mean
from routesim.scenario.format.amqp_values import Table
from routesim.scenario.format.canvases import DELIVERY_MODE, ROUTING, Data
from routesim.scenario.format.counts import Limit, Rate, Seconds
from routesim.scenario.format.declared import ANY_TYPE, BROKER_SETTINGS, KEY, NAME, TEXT
from routesim.scenario.format.kinds import FALSE, TRUE, Boolean, Choice, Integer, Kind, Reader, TextKind, is_null
from routesim.scenario.format.shapes import Either, Field, ListOf, MapOf, Shape
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text


class TimeZone(Kind):
    """The name of a time zone, read as the zone."""

    expects = "the name of a time zone, such as Europe/Berlin"

    def read(self, reader: Reader, node: Node) -> tzinfo | None:
        if is_null(node):
            return None
        from zoneinfo import ZoneInfo, available_timezones  # few scenarios name one

        if not isinstance(node, Text):
            raise self.wrong(reader, node)
        try:
            return ZoneInfo(node)
        except (ValueError, OSError, LookupError):
            known = available_timezones()
            cure = did_you_mean(node, known) if known else "this system has no time zones: install the package tzdata"
            raise reader.error("wrong-value", f"there is no time zone '{node}'", node, cure) from None


# Tasks ---------------------------------------------------------------------------------------------------------------

# What a task says of itself, or an annotation of it.
BACKOFF = Either(
    "true, or a number of seconds",
    lambda node: Boolean() if isinstance(node, Text) and node in TRUE | FALSE else Seconds() if isinstance(node, Text) else None,
)
TASK_OPTIONS = {
    "autoretry": Field(Boolean(), "an exception becomes a retry (autoretry_for)"),
    "countdown": Field(Seconds(), "of a retry; default: default_retry_delay"),
    "retry_backoff": Field(BACKOFF, "with autoretry: true, or the delay of the first retry; each later one has twice that"),
    "retry_backoff_max": Field(Seconds(), "the longest of these delays; default 600"),
    "retry_jitter": Field(Boolean(), "with retry_backoff: any whole number of seconds up to the delay; default true"),
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
    **ROUTING,
    **DELIVERY_MODE,
}


class Annotation(Shape):
    """An attribute of tasks that means nothing here may still change what they do."""

    def unknown(self, reader: Reader, key: Text) -> None:
        cure = did_you_mean(key, self.fields) or "take it out where it makes no difference"
        reader.warning("not-simulated", f"{key} in task_annotations is not simulated", key, cure)


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
        "delivery_mode": Field(Integer(1, 2), "of what is sent to its exchange; default: task_default_delivery_mode"),
        "no_ack": Field(Boolean(), "workers take all that there is, and acknowledge nothing"),
        "consumer_arguments": Field(Table(), "x-priority and the like, of its consumers"),
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
RETRYING = {"autoretry", "countdown", "retry_headers", "retry_backoff", "retry_backoff_max", "retry_jitter"}
ANNOTATION = Annotation(
    "an annotation of tasks",
    {name: field for name, field in TASK_OPTIONS.items() if name not in RETRYING},
    optional=True,
    schema={"additionalProperties": True},
)
ANNOTATIONS = MapOf(ANNOTATION, TextKind("the name of a task, or *", empty=False))
OPTION_KINDS: dict[str, Kind] = {
    "boolean": Boolean(),
    "seconds": Seconds(),
    "count": Integer(0, 1_000_000),
    "steps": BROKER_SETTINGS["redis"]["priority_steps"].kind,
    "order": BROKER_SETTINGS["redis"]["queue_order"].kind,
}
SETTING_KINDS: dict[str, Kind] = {
    "boolean": Boolean(),
    "time zone": TimeZone(),
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
    "annotations": Either(
        "a mapping of names to options, or a list of such mappings",
        lambda node: (
            ANNOTATIONS
            if isinstance(node, Mapping) or is_null(node)
            else ListOf(ANNOTATIONS)
            if isinstance(node, Sequence)
            else None
        ),
    ),
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
