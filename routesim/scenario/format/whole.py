"""The scenario format as tables: every section, step, rule and expectation with its fields, their kinds and their help.

The steps and the whole are here, the rest in `declared_format`, `worker_format`, `expected_format` and `celery_format`. The
loader reads by these tables, and the errors, the help and the JSON Schema come from them.
"""

from typing import Any

from routesim.scenario.format.declared import (
    BINDING,
    BROKER,
    CHANNEL,
    CONSUMER,
    EXCHANGE_NAME,
    ID,
    NAME,
    POLICY,
    PREFETCH,
    PUBLISH,
    TEXT,
    TOPOLOGY_FIELDS,
)
from routesim.scenario.format.expected import EXPECT, NEVER, ROUTE
from routesim.scenario.format.kinds import Boolean, Choice, Duration, Either, Field, Integer, Kind, ListOf, MapOf, Reader, Shape
from routesim.scenario.format.workers import SIGNAL, TASK, WORKER
from routesim.scenario.yaml.source import Mapping, Node, Sequence, Text


class Celery(Kind):
    """A part of the format that is in `celery_format`, which is imported when a scenario has Celery in it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def kind(self) -> Kind:
        from routesim.scenario.celery.celery_format import KINDS

        return KINDS[self.name]

    def read(self, reader: Reader, node: Node) -> Any:
        return self.kind().read(reader, node)


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
    **TOPOLOGY_FIELDS,
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
