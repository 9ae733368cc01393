"""What an exploration does not look at, in sentences: it is said with every answer."""

from collections.abc import Iterator

from routesim.explore.bounds import Bounds
from routesim.explore.properties import EXPLORED_NEVER, OF_STATES
from routesim.failure_kinds import EXPLORED
from routesim.scenario import Expect, Scenario

NOWHERE = "real clocks, network partitions of a cluster, disk loss"


def left_out(scenario: Scenario, bounds: Bounds) -> list[str]:
    """What of this scenario, or of these bounds, is not looked at; the last one holds of every exploration."""
    return [*_of(scenario, bounds), NOWHERE]


def _of(scenario: Scenario, bounds: Bounds) -> Iterator[str]:
    if scenario.workers:
        yield "other orders of events than the run's, with worker processes; expect, never, consumers and publishers in it"
        return
    for rule in scenario.never:
        if rule.what not in EXPLORED_NEVER:
            yield f"never: {rule.what} (line {rule.line}), which needs what was before"
    if bounds.expect is not None:
        lines = [str(item.line) for item in scenario.expect if item.path[0] not in OF_STATES]
        if lines:
            yield f"expect in line {', '.join(dict.fromkeys(lines))}, which asks for what was before"
    elif scenario.expect:
        yield "expect, unless --expect says how it is meant"
    if any(isinstance(step.action, Expect) for step in scenario.steps):
        yield "expect between the steps"
    asked = dict(bounds.kinds)
    others = [kind for kind in EXPLORED if kind not in asked]
    if others:
        yield f"failures of the kinds {', '.join(others)}, unless --failures names them"
    if not bounds.any_time:
        yield "other durations than those that are written (--timing any)"
    if scenario.steps:
        yield "a publisher whose process dies for good: it connects again and goes on"
    yield "consumers that hang until their acknowledgement times out"
    yield "the orders that RabbitMQ leaves open among queues of a fanout and channels of a lost connection"
