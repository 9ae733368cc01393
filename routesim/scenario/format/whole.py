"""The sections of a scenario, each with its kind and its help.

What stands in them is in `declared`, `workers`, `expected`, `celery.celery_format` and, for the steps, `steps.verbs`. The loader
reads by these tables, and the errors, the help and the JSON Schema come from them.
"""

from typing import Any

from routesim.scenario.format.declared import BROKER, CHANNEL, CONSUMER, NAME, POLICY, TEXT, TOPOLOGY_FIELDS
from routesim.scenario.format.expected import EXPECT, NEVER, ROUTE
from routesim.scenario.format.explore_format import EXPLORE
from routesim.scenario.format.kinds import Choice, Duration, Integer, Kind, Reader
from routesim.scenario.format.shapes import Either, Field, ListOf, MapOf, Shape
from routesim.scenario.format.workers import TASK, WORKER
from routesim.scenario.yaml.nodes import Node, Text


class LazyCelery(Kind):
    """The section `celery`, whose format is imported when a scenario has Celery in it."""

    def kind(self) -> Kind:
        from routesim.scenario.celery.celery_format import CELERY

        return CELERY

    def read(self, reader: Reader, node: Node) -> Any:
        return self.kind().read(reader, node)


DECLARED = {
    **TOPOLOGY_FIELDS,
    "policies": Field(ListOf(POLICY), "a list of policies"),
    "operator_policies": Field(ListOf(POLICY), "a list of operator policies"),
    "consumers": Field(MapOf(CONSUMER, NAME), "name: options"),
}


def until_kind(node: Node) -> Kind | None:
    if isinstance(node, Text) and node[:1].isalpha():
        return Choice("idle", "steps")
    return Duration()


class StepList(Kind):
    """The steps are read by the loader, which knows which verb each is; here only that they are a list."""

    expects = "a list of steps"

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
        **DECLARED,
        "tasks": Field(MapOf(TASK, NAME), "what tasks do when a worker process runs them"),
        "workers": Field(MapOf(WORKER, NAME), "worker processes, as Celery's"),
        "channels": Field(MapOf(CHANNEL, NAME), "channels that share a connection or a prefetch"),
        "broker": Field(BROKER, "settings of the broker itself"),
        "celery": Field(LazyCelery(), "Celery apps: expanded into the other sections, see `routesim celery expand`"),
        "steps": Field(StepList(), "what happens, one verb each"),
        "expect": Field(EXPECT, "what must be so at the end"),
        "routes": Field(ListOf(ROUTE), "where a message would go, checked without running anything"),
        "never": Field(ListOf(NEVER), "what must not be so at any time"),
        "explore": Field(EXPLORE, "every course of events: `routesim explore`"),
        "until": Field(Either("idle, steps or a duration", until_kind), "when the run ends; default idle"),
    },
    page="format#the-sections",
)
