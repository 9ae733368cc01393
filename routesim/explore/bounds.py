"""What an exploration is asked for: its bounds and its properties."""

from routesim.explore.properties import PROPERTIES
from routesim.failure_kinds import DEFAULT_EXPLORED
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario

MAX_STATES = 1_000_000
ALL_KINDS = tuple((kind, 1 << 30) for kind in DEFAULT_EXPLORED)
USUAL = tuple(name for name, item in PROPERTIES.items() if item.default)


class Bounds(NamedTuple):
    """At most `failures` of all `kinds` together, of each at most so many. `properties`: of the table; `expect`: None, `always`,
    `sometimes` or `reachable`, of the scenario's expectations of the end. `any_time`: a consumer may be faster or slower than
    any timer; `retry`: publishers send again what was not confirmed. `most_ready`: of the property `unbounded`.
    `races`: each outcome is tried of what RabbitMQ leaves open.
    `walks`: so many random ones instead of all states, drawn from `seed`."""

    failures: int = 1
    kinds: tuple[tuple[str, int], ...] = ALL_KINDS
    properties: tuple[str, ...] = USUAL
    expect: str | None = None
    any_time: bool = False
    retry: bool = False
    max_states: int = MAX_STATES
    most_ready: int | None = None
    races: bool = False
    walks: int | None = None
    seed: int = 0


def bounds_of(scenario: Scenario) -> Bounds:
    """What the scenario's own section `explore` asks for."""
    found, asked = Bounds(), scenario.explore
    if asked is None:
        return found
    if asked.kinds is not None:
        found = found._replace(kinds=asked.kinds, failures=sum(number for _, number in asked.kinds))
    if asked.failures is not None:
        found = found._replace(failures=asked.failures)
    if asked.properties is not None:
        found = found._replace(properties=asked.properties)
    if asked.max_states is not None:
        found = found._replace(max_states=asked.max_states)
    if asked.most_ready is not None:
        found = with_most_ready(found, asked.most_ready)
    return found._replace(expect=asked.expect, any_time=asked.any_time, retry=asked.retry, races=asked.races)


def with_most_ready(bounds: Bounds, most: int) -> Bounds:
    """No more messages than that may wait in a queue."""
    return bounds._replace(most_ready=most, properties=tuple(dict.fromkeys((*bounds.properties, "unbounded"))))
