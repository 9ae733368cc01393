"""What may be called, in steps and in the bodies of tasks: a task, a chain, a group or a chord.

A bare number is in seconds where Celery has the word (`countdown`, `expires`, `time_limit` …).
"""

from typing import Any

from routesim.scenario.definitions.list_form import plain_data
from routesim.scenario.format.counts import Seconds
from routesim.scenario.format.declared import KEY, NAME, TEXT
from routesim.scenario.format.kinds import Boolean, Integer, Kind, Reader, TextKind, is_null
from routesim.scenario.format.shapes import Field, ListOf, MapOf, Shape
from routesim.scenario.yaml.nodes import Mapping, Node, Text


class Data(Kind):
    """Anything that JSON can hold: arguments of a task, and settings that mean nothing here."""

    expects = "a value"

    def read(self, reader: Reader, node: Node) -> Any:
        return plain_data(node)


class Canvas(Kind):
    """A task by its name or with options, a chain, a group or a chord: the names of the schema are in `SHAPES`."""

    expects = "the name of a task, or a mapping with task, chain, group or chord"

    def read(self, reader: Reader, node: Node) -> Any:
        if isinstance(node, Text) and not is_null(node):
            return NAME.read(reader, node)
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node)
        return SHAPES[next((kind for kind in SHAPES if kind in node), "task")].read(reader, node)


class Members(ListOf):
    """At least one."""

    def read(self, reader: Reader, node: Node) -> list[Any]:
        found = super().read(reader, node)
        if is_null(node) or not node:
            raise reader.error("wrong-value", "expected at least one task", node)
        return found


CANVAS = Canvas()
TASK_ID = TextKind("the id of a task", shortstr=True, empty=False)
LINKED = {
    "link": Field(ListOf(CANVAS, single=True), "called with its result when it has succeeded"),
    "link_error": Field(ListOf(CANVAS, single=True), "called when it has failed"),
}
ARGUMENTS = {
    "args": Field(ListOf(Data()), "positional arguments"),
    "kwargs": Field(MapOf(Data(), TEXT), "arguments by name"),
}
ROUTING = {
    "queue": Field(NAME, "instead of the route's"),
    "exchange": Field(KEY, "instead of the queue's"),
    "routing_key": Field(KEY, "instead of the queue's"),
    "priority": Field(Integer(0, 255), "of the message"),
}
DELIVERY_MODE = {"delivery_mode": Field(Integer(1, 2), "2 persistent, 1 transient; default: as its route or queue says")}
OF_ONE_CALL = {
    "countdown": Field(Seconds(), "not to be run earlier than so long after the call"),
    "expires": Field(Seconds(), "not to be run later than so long after the call"),
    **ROUTING,
    "time_limit": Field(Seconds(), "for this call alone"),
    "soft_time_limit": Field(Seconds(), "for this call alone"),
    "ignore_result": Field(Boolean(), "no result is sent"),
    "headers": Field(MapOf(Data(), TEXT), "headers of the message beside Celery's own"),
}
OF_SIGNATURE = {
    **ARGUMENTS,
    **OF_ONE_CALL,
    "eta": Field(TEXT, "not to be run earlier: a time such as 2026-01-01T00:00:30"),
    "immutable": Field(Boolean(), "it takes no result of the one before it (.si)"),
}
MEMBERS = Members(CANVAS)
CHORD = Shape(
    "what a chord is of",
    {
        "header": Field(MEMBERS, "what must succeed", required=True),
        "body": Field(CANVAS, "what is then called with all the results", required=True),
    },
)
COUNT = Field(Integer(1, 1000), "so many of them")
ONE_BY_ONE = Field(MEMBERS, "one after the other, each with the result of the one before it", required=True)
SHAPES: dict[str, Shape] = {
    "chain": Shape("a chain", {"chain": ONE_BY_ONE, **LINKED}, page="steps#call"),
    "group": Shape("a group", {"group": Field(MEMBERS, "all at once", required=True)}, page="steps#call"),
    "chord": Shape(
        "a chord",
        {"chord": Field(CHORD, "a group, and what is called when all of it succeeded", required=True), **LINKED},
        page="steps#call",
    ),
    "task": Shape(
        "a signature",
        {
            "task": Field(NAME, "the name of the task", required=True),
            "id": Field(TASK_ID, "the id of this task"),
            "count": COUNT,
            **OF_SIGNATURE,
            **LINKED,
        },
        page="steps#call",
    ),
}
