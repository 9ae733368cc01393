"""The verbs of the section `steps`, as one table: the loader, the JSON Schema, the help and the page of all steps follow it."""

from collections.abc import Callable

from routesim import steps
from routesim.failure_kinds import FAILURES
from routesim.named_tuples import NamedTuple
from routesim.scenario.format.declared import (
    BINDING,
    EXCHANGE_NAME,
    ID,
    NAME,
    PREFETCH,
    PUBLISH,
    TEXT,
)
from routesim.scenario.format.expected import EXPECT
from routesim.scenario.format.kinds import Boolean, Choice, Duration, Integer, Kind
from routesim.scenario.format.shapes import Either, Field, Shape
from routesim.scenario.format.synonyms import OWN_STEPS
from routesim.scenario.format.whole import DECLARED
from routesim.scenario.format.workers import NOTED_CHORD, SIGNAL
from routesim.scenario.steps import building, checks
from routesim.scenario.steps.building import Build, StepContext
from routesim.scenario.steps.checks import Check, WrittenStep, one_of
from routesim.scenario.yaml.nodes import Mapping, Text


class Verb(NamedTuple):
    """`kind` is what stands after the verb, `help` what it does. `checks` are made in this order, then `build` is called.
    `gather` notes the names that the step brings, for a step may refer to what a later one declares."""

    kind: Kind
    help: str
    build: Build
    checks: tuple[Check, ...] = ()
    gather: Callable[[StepContext, WrittenStep], None] | None = None


FAILS = Integer(300, 600)
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
ONE_END = one_of("consumer", "channel", code="missing-key", problem="{verb} needs either consumer or channel")
ONE_DELETED = one_of("queue", "exchange", "policy", code="wrong-value", problem="delete takes one of queue, exchange or policy")
ANSWER = (ONE_END, checks.WHO_GOT_IT, checks.ONE_DELIVERY)


def behind(verb: str, fields: dict[str, Field]) -> Shape:
    """The mapping that stands behind a verb."""
    return Shape(verb, fields, hints={word: cure for word, cure in OWN_STEPS.items() if word not in fields}, page=f"steps#{verb}")


def name_or(shape: Shape) -> Either:
    return Either(
        "a name, or a mapping", lambda node: shape if isinstance(node, Mapping) else NAME if isinstance(node, Text) else None
    )


PURGE = name_or(behind("purge", {
    "queue": Field(NAME, "the queue", required=True),
    "channel": Field(NAME, "the channel; default: one of routesim's own"),
}))  # fmt: skip

BY_THE_BROKER = {
    "code": Field(FAILS, "the broker closes it, with this reply code, as it does for what no step can say"),
    "text": Field(TEXT, "what it says then"),
}
CLOSED = name_or(behind("close", {
    "name": Field(NAME, "a consumer, a channel or a connection", required=True),
    **BY_THE_BROKER,
    "blamed": Field(NAME, "the channel that is to blame, which ends before the others"),
}))  # fmt: skip
CLOSED_CHANNEL = name_or(behind("close_channel", {"channel": Field(NAME, "the channel", required=True), **BY_THE_BROKER}))

VERBS: dict[str, Verb] = {
    "publish": Verb(
        PUBLISH, "sends a message, or many", building.publish, (checks.WHERE_PUBLISHED, checks.BODY_OR_SIZE),
        building.ids_and_channel,
    ),
    "wait": Verb(Duration(), "lets time pass", building.wait),
    "get": Verb(
        behind("get", {
            "queue": Field(NAME, "the queue", required=True),
            "channel": Field(NAME, "the channel"),
            "auto_ack": Field(Boolean(), "acknowledged as soon as sent"),
        }),
        "fetches one message from a queue (basic.get)", building.get, (checks.QUEUE,), building.channel,
    ),
    "ack": Verb(behind("ack", {**DELIVERY, "multiple": MULTIPLE}), "acknowledges a delivery, or several", building.ack, ANSWER),
    "nack": Verb(
        behind("nack", {**DELIVERY, "multiple": MULTIPLE, "requeue": REQUEUE}),
        "turns a delivery down, or several", building.nack, ANSWER,
    ),
    "reject": Verb(
        behind("reject", {**DELIVERY, "requeue": REQUEUE}), "turns one delivery down", building.reject, ANSWER
    ),
    "recover": Verb(
        behind("recover", {**CHANNEL_OR_CONSUMER, "requeue": Field(Boolean(), "default true")}),
        "puts back all that a channel has not acknowledged (basic.recover)", building.recover, (ONE_END, checks.WHO_GOT_IT),
    ),
    "qos": Verb(
        behind("qos", {
            "channel": Field(NAME, "the channel", required=True),
            "prefetch": Field(PREFETCH, "the limit; 0: none", required=True),
            "global": Field(Boolean(), "for the whole channel instead of each new consumer"),
        }),
        "limits the unacknowledged messages of a channel (basic.qos)", building.qos, (), building.channel,
    ),
    "tx": Verb(
        behind("tx", {
            "channel": Field(NAME, "the channel", required=True),
            "do": Field(Choice("select", "commit", "rollback"), "select, commit or rollback", required=True),
        }),
        "begins, commits or rolls back a transaction", building.tx, (), building.channel_without_confirms,
    ),
    "start": Verb(NAME, "starts a consumer, or a worker process", building.start, (checks.CONSUMER_OR_WORKER,)),
    "stop": Verb(
        NAME, "cancels a consumer (basic.cancel), or shuts a worker process down when what runs is done (warm)", building.stop,
        (checks.CONSUMER_OR_WORKER,),
    ),
    "consume": Verb(NAME, "starts a consumer", building.consume, (checks.CONSUMER,)),
    "cancel": Verb(NAME, "cancels a consumer", building.cancel, (checks.CONSUMER,)),
    "open": Verb(
        NAME, "opens a channel, as `channels:` plans it; without it a channel is opened when it is first used",
        building.open_channel, (), building.named_channel,
    ),
    "confirm": Verb(
        NAME, "lets the broker confirm what is published on a channel from now on (confirm.select)", building.confirm, (),
        building.named_channel,
    ),
    "flow": Verb(
        behind("flow", {
            "channel": Field(NAME, "the channel", required=True),
            "active": Field(Boolean(), "false: nothing is delivered, until true", required=True),
        }),
        "whether the client reads what it is sent on a channel", building.flow, (), building.channel,
    ),
    "close_channel": Verb(
        CLOSED_CHANNEL, FAILURES["close_channel"].effect, building.close_channel, (checks.CHANNEL_TO_CLOSE,),
    ),
    "crash": Verb(NAME, FAILURES["crash"].effect, building.crash, (checks.CLIENT,)),
    "close": Verb(CLOSED, FAILURES["close"].effect, building.close, (checks.CLIENT,)),
    "restart": Verb(
        Choice("broker", "clean", "kill", hint="only the broker restarts: write `crash: NAME`, then `start: NAME`"),
        "the broker stops and starts again: broker or clean, or kill", building.restart,
    ),
    "worker": Verb(SIGNAL, "what befalls a worker process", building.worker, (checks.WORKER,)),
    "chord": Verb(NOTED_CHORD, "a caller notes how many tasks of a chord must return, in the result backend", building.chord),
    "declare": Verb(
        behind("declare", {
            **DECLARED,
            "channel": Field(NAME, "the channel that declares exchanges, queues and bindings; default: one of routesim's own"),
        }),
        "declares what the sections at the top may declare, in their form", building.declare, (),
        building.declared_names,
    ),
    "delete": Verb(
        behind("delete", {
            "queue": Field(NAME, "a queue"),
            "exchange": Field(EXCHANGE_NAME, "an exchange"),
            "policy": Field(NAME, "a policy"),
            "if_unused": Field(Boolean(), "only without consumers or bindings"),
            "if_empty": Field(Boolean(), "only without ready messages"),
            "channel": Field(NAME, "the channel"),
        }),
        "deletes a queue, an exchange or a policy", building.delete, (ONE_DELETED, checks.DELETED),
    ),
    "bind": Verb(BINDING, "binds a queue or an exchange", building.binds(steps.Bind)),
    "unbind": Verb(BINDING, "takes a binding away", building.binds(steps.Unbind)),
    "purge": Verb(
        PURGE, "removes the ready messages of a queue: its name, or its name and the channel", building.purge, (checks.QUEUE,),
        building.channel,
    ),
    "expire": Verb(NAME, FAILURES["expire"].effect, building.expire, (checks.QUEUE,)),
    "expect": Verb(EXPECT, "says what must be so now", building.expect, (checks.ENDED_AT_THE_END,)),
}  # fmt: skip

# Steps of Celery's, expanded into the others: rows of `celery.celery_steps.VERBS`, imported when a scenario has one of them.
CELERY_VERBS = ("call", "control", "flower", "beat")
NAMES = (*VERBS, *CELERY_VERBS)


def kind_of(verb: str) -> Kind:
    """What stands after a verb, Celery's included."""
    if verb in VERBS:
        return VERBS[verb].kind
    from routesim.scenario.celery.celery_format import STEP_KINDS

    return STEP_KINDS[verb]
