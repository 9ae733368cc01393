"""The section `explore`: which failures, which properties, how far."""

from routesim.failure_kinds import EXPLORED
from routesim.scenario.format.kinds import Boolean, Choice, Integer, Kind
from routesim.scenario.format.shapes import Either, Field, ListOf, MapOf, Shape
from routesim.scenario.yaml.nodes import Mapping, Node

# What is asked of all courses of events, beside `never` and `expect`.
PROPERTY_NAMES = ("lost", "lost-confirmed", "duplicated", "stuck", "order", "order-by-key", "livelock")
EXPECT_MODES = ("always", "sometimes", "reachable")
BREAKABLE = (*PROPERTY_NAMES, "unbounded", "never", "expect")
TIMINGS = ("earliest", "any")


_NUMBER = Integer(0, 9)
_BY_KIND = MapOf(_NUMBER, Choice(*EXPLORED))


def _failures(node: Node) -> Kind | None:
    return _BY_KIND if isinstance(node, Mapping) else _NUMBER


EXPLORE = Shape(
    "what is explored",
    {
        "failures": Field(
            Either("a number, or kinds of failure with a number each", _failures), "so many of any kind, or of each; default 1"
        ),
        "properties": Field(ListOf(Choice(*PROPERTY_NAMES), single=True), "what must hold; default: lost, stuck and livelock"),
        "most_ready": Field(Integer(0), "no more messages may wait in a queue; default: any number"),
        "expect": Field(
            Choice(*EXPECT_MODES), "`expect` must hold at every end, at some end, or an end at which it holds can be reached"
        ),
        "timing": Field(Choice(*TIMINGS), "any: a consumer may be faster or slower than any timer; default earliest"),
        "races": Field(Boolean(), "each outcome is tried of what RabbitMQ leaves open, as the order among queues; default false"),
        "retry": Field(Boolean(), "publishers send again what was not confirmed; default false"),
        "max_states": Field(Integer(1), "so many states at most; default 1,000,000"),
        "breaks": Field(ListOf(Choice(*BREAKABLE), single=True), "what does not hold, and is shown by it; default: nothing"),
    },
)
