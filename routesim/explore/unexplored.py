"""What an exploration does not look at, in sentences: it is said with every answer."""

from collections.abc import Iterator

from routesim.explore.bounds import Bounds
from routesim.explore.courses import BY_KIND, PROPERTIES_OF_COURSES, RESTARTS
from routesim.explore.properties import EXPLORED_EXPECT
from routesim.failure_kinds import EXPLORED, OF_WORKERS
from routesim.scenario import Expect, Scenario
from routesim.steps import Bind

NOWHERE = "real clocks, network partitions of a cluster, disk loss"

OF_CONSUMERS = ("cancel", "close_channel", "hang")  # which befall nobody but those of the scenario


def left_out(scenario: Scenario, bounds: Bounds) -> list[str]:
    """What of this scenario, or of these bounds, is not looked at; the last one holds of every exploration."""
    return [*_of(scenario, bounds), NOWHERE]


def _not_of_workers(bounds: Bounds) -> Iterator[str]:
    """What was asked for, and is nothing to a scenario with worker processes."""
    properties = [name for name in bounds.properties if name not in PROPERTIES_OF_COURSES]
    if properties:
        yield f"{', '.join(properties)}, which is not asked of tasks"
    options = {"--races": bounds.races, "--timing any": bounds.any_time, "--retry": bounds.retry}
    given = [name for name, is_given in options.items() if is_given]
    if given:
        yield f"what {', '.join(given)} would try, since worker processes go by the order of the run"


def _kinds(bounds: Bounds, possible: list[str]) -> Iterator[str]:
    """Which kinds of failure that could happen nobody has asked for; and which were asked for and cannot."""
    asked = dict(bounds.kinds)
    others = [kind for kind in possible if not asked.get(kind)]
    if others:
        yield f"failures of the kinds {', '.join(others)}, unless --failures names them"
    vain = [kind for kind in asked if kind not in possible and not (kind in OF_WORKERS and asked.get("crash"))]
    if vain:
        yield f"failures of the kinds {', '.join(vain)}, which nothing in this scenario can meet"


def _of(scenario: Scenario, bounds: Bounds) -> Iterator[str]:
    if scenario.workers:
        yield "other orders of events than the run's, with worker processes, and failures of consumers and publishers beside them"
        if scenario.expect and bounds.expect not in ("always", "sometimes"):
            yield "expect, unless --expect says always or sometimes"
        yield from _not_of_workers(bounds)
        crash = dict(bounds.kinds).get("crash")  # which is each of theirs
        own = [kind for kind in BY_KIND if not (crash and kind in OF_WORKERS)]
        yield from _kinds(bounds, [kind for kind in EXPLORED if kind in own or kind in RESTARTS])
        return
    if bounds.expect is not None:
        lines = [str(item.line) for item in scenario.expect if item.path[0] not in EXPLORED_EXPECT]
        if lines:
            yield f"expect in line {', '.join(dict.fromkeys(lines))}, which asks for workers and their tasks"
    elif scenario.expect and bounds.walks is not None:
        yield "expect, of which random walks say nothing"
    elif scenario.expect:
        yield "expect, unless --expect says how it is meant"
    if any(isinstance(step.action, Expect) for step in scenario.steps):
        yield "expect between the steps"
    if "lost" in bounds.properties and _fans_out(scenario) and all(rule.what != "lost" for rule in scenario.never):
        asked = "never: [{lost: true, queues: [...]}] asks that"
        yield f"copies of a message that are lost while its work is done from another queue ({asked})"
    nobody = () if scenario.consumers else OF_CONSUMERS
    yield from _kinds(bounds, [kind for kind in EXPLORED if kind not in OF_WORKERS and kind not in nobody])
    if not bounds.any_time:
        yield "other durations than those that are written (--timing any)"
    if not bounds.races:
        yield "the orders that RabbitMQ leaves open, among queues of a fanout and channels of a lost connection (--races)"


def _fans_out(scenario: Scenario) -> bool:
    """Whether a message may go to several queues."""
    steps = (declaration.step for declaration in scenario.declarations)
    bound = {(step.binding.source, step.binding.destination) for step in steps if isinstance(step, Bind)}
    return len({source for source, _ in bound}) < len(bound)
