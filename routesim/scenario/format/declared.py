"""What a scenario declares, sends and consumes, as tables of fields: from exchanges and queues to consumers and their rules."""

from routesim.exchanges import EXCHANGE_TYPES, NOT_SIMULATED
from routesim.scenario.format.amqp_values import Table
from routesim.scenario.format.counts import Count, HeaderValue, Seconds
from routesim.scenario.format.instead import flow
from routesim.scenario.format.kinds import Boolean, Choice, Duration, Integer, Number, Reader, TextKind, is_null
from routesim.scenario.format.shapes import Either, Field, ListOf, MapOf, Schema, Shape
from routesim.scenario.format.synonyms import OWN_STEPS, TRIED_ANSWERS
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.versions.deprecated import FEATURES

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
LARGEST_BODY = 1 << 29  # bytes: no RabbitMQ takes a larger one

PASSIVE = Field(Boolean(), "in a declare step: only asks whether it is there, 404 where it is not; default false")
EXCHANGE_FIELDS = {
    "type": Field(ANY_TYPE, "direct (default), fanout, topic, headers, or a plugin's type"),
    "durable": Field(Boolean(), "survives a restart of the broker; default true"),
    "auto_delete": Field(Boolean(), "deleted when its last binding as a source goes; default false"),
    "internal": Field(Boolean(), "cannot be published to, only bound to; default false"),
    "arguments": Field(TABLE, "alternate-exchange and the like"),
    "passive": PASSIVE,
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
        "channel": Field(NAME, "whose connection declares it, and so owns it where it is exclusive"),
        "passive": PASSIVE,
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


class PrioritySteps(ListOf):
    """Steps of priorities of Redis, in their order."""

    def read(self, reader: Reader, node: Node) -> list[int]:
        given: list[int] = super().read(reader, node)
        if given != sorted(set(given)):
            raise reader.error("wrong-value", "priority_steps are to ascend", node, f"write {sorted(set(given))}")
        return given


BROKER_SETTINGS = {
    "rabbitmq": {
        "consumer_timeout": Field(Duration(bare_ms=True), "how long an acknowledgement may take; default 30m"),
        "max_message_size": Field(Integer(1), "in bytes"),
        "default_queue_type": Field(QUEUE_TYPE, "what a queue without a type becomes"),
        "permit": Field(
            ListOf(Choice(*FEATURES), single=True), "deprecated features that it takes, as deprecated_features.permit.* does"
        ),
    },
    "redis": {
        "visibility_timeout": Field(Seconds(), "redis: unacked for so long, a message comes back; default 1h"),
        "restore_every": Field(
            Duration(),
            "redis: how often a consumer looks for those, unacked_restore_interval × throttle; default 100s",
        ),
        "priority_steps": Field(
            PrioritySteps(Integer(0, 9)), "redis: ascending, the first is served first; default [0, 3, 6, 9]"
        ),
        "restore_limit": Field(Integer(0), "redis: so many of them at a time, the newest; default: all"),
        "queue_order": Field(
            Choice("round_robin", "sorted", "priority"), "redis: which of its queues a consumer asks first; default round_robin"
        ),
    },
}
NO_TIME: Schema = {"anyOf": [{"const": 0}, {"type": "string", "pattern": r"^0+(\.0+)?(ms|s|m|h|d)?$"}]}
_ANY_OF: dict[str, Schema] = {
    kind: {"anyOf": [{"required": [name]} for name in fields]} for kind, fields in BROKER_SETTINGS.items()
}
BROKER = Shape(
    "broker",
    {
        **BROKER_SETTINGS["rabbitmq"],
        "kind": Field(Choice(*BROKER_SETTINGS), "rabbitmq (default), or redis: as kombu's transport for Celery uses it"),
        **BROKER_SETTINGS["redis"],
    },
    schema={
        "if": {"properties": {"kind": {"const": "redis"}}, "required": ["kind"]},
        "then": {"not": _ANY_OF["rabbitmq"], "properties": {"restore_every": {"not": NO_TIME}}},
        "else": {"not": _ANY_OF["redis"]},
    },
)

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
        "size": Field(Integer(0, LARGEST_BODY), "how many bytes the body has, in place of `body`"),
        "every": Field(Duration(), "time between two of them; default: none"),
        "after": Field(Duration(), "the first one so much later, while the steps go on; default: now"),
        "channel": Field(NAME, "the channel that publishes"),
    },
    optional=True,
    hints=OWN_STEPS,
    page="steps#publish",
)
REPLY = Shape("publish", {**MESSAGE_FIELDS, "headers": Field(
    Either("headers, or copy", lambda node: Choice("copy") if isinstance(node, Text) and not is_null(node) else TABLE),
    "copy carries the delivery's headers over",
)}, page="format#publish-of-a-rule")  # fmt: skip

REASONS = ("rejected", "expired", "maxlen", "delivery_limit")
DEATHS = Shape(
    "deaths",
    {
        "queue": Field(NAME, "only deaths in this queue"),
        "reason": Field(Choice(*REASONS), "only deaths for this reason"),
        "count": Field(Count("how often"), "a number, or such as '>= 3'; default '>= 1'"),
    },
)


_DIED = Count("how often it has died")
_SOME_DEATHS = Either("deaths", lambda node: DEATHS if isinstance(node, Mapping) else _DIED)
ANY_DEATHS = Either("deaths", lambda node: ListOf(_SOME_DEATHS) if isinstance(node, Sequence) else _SOME_DEATHS.choose(node))
# What is asked of the headers of a delivered message, whoever asks.
CARRIED = {
    "deaths": Field(ANY_DEATHS, "how often it has died, by x-death: such as '>= 3', or {queue: work, count: '>= 3'}"),
    "delivery_count": Field(Count("x-delivery-count"), "x-delivery-count: a number, or such as '>= 3'; 0 without the header"),
    "acquired_count": Field(Count("x-acquired-count"), "x-acquired-count, the same"),
    "header": Field(
        MapOf(HeaderValue(), TextKind("a path such as x-death.0.count", empty=False)),
        "single values, by their path: x-retries: '>= 3', x-death.0.queue: work",
    ),
    "has_header": Field(ListOf(KEY, single=True), "headers that are there, whatever they hold"),
}

ANSWERS = ("ack", "reject", "requeue", "crash", "hold")
ANSWER = Choice(*ANSWERS, tried=TRIED_ANSWERS)
RULE = Shape(
    "a rule",
    {
        "routing_key": Field(KEY, "condition: a topic pattern"),
        "headers": Field(TABLE, "condition: these headers with these values"),
        "redelivered": Field(Boolean(), "condition: the flag of the delivery"),
        "attempt": Field(Count("n-th delivery of the message to this consumer"), "condition: a number, or such as '>= 3'"),
        "round": Field(
            Count("n-th delivery to this consumer, with all that consumers have published of the message"),
            "condition: as attempt, counted on over what consumers publish of the message",
        ),
        **{name: field._replace(doc=f"condition: {field.doc}") for name, field in CARRIED.items()},
        "message": Field(ID, "condition: the id of a message"),
        "chance": Field(Number(0, 1), "condition: drawn from the seed"),
        "do": Field(
            ANSWER,
            "the answer: ack (default), reject (for good), requeue, crash, or hold (none at all)",
        ),
        "takes": Field(Duration(), "how long this job takes"),
        "after": Field(Duration(), "with crash: so long into the job"),
        "restart": Field(Duration(), "with crash: the consumer comes back after so long"),
        "publish": Field(ListOf(REPLY, single=True), "a message sent before the answer"),
    },
    schema={
        "if": {"anyOf": [{"required": ["after"]}, {"required": ["restart"]}]},
        "then": {"properties": {"do": {"const": "crash"}}, "required": ["do"]},
    },
)
ON_MESSAGE = Either(
    f"{', '.join(ANSWERS)}, or a list of rules",
    lambda node: ListOf(RULE) if isinstance(node, Sequence) or is_null(node) else ANSWER if isinstance(node, Text) else None,
    lambda node: f"write [{flow(node)}]",
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
        "on_message": Field(
            ON_MESSAGE, "the answer: ack (default), reject, requeue, crash or hold; or rules, the first that fits counts"
        ),
    },
)

TOPOLOGY_FIELDS = {
    "exchanges": Field(MapOf(EXCHANGE, EXCHANGE_NAME), "name: options, or name: type"),
    "queues": Field(MapOf(QUEUE, TextKind("a name", shortstr=True)), "name: options"),
    "bindings": Field(ListOf(BINDING), "a list of bindings"),
}
