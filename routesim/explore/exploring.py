"""A scenario explored: the search, and what is said of it."""

from routesim.explore.answer import BROKEN, Exploration, PropertyVerdict
from routesim.explore.bounds import Bounds
from routesim.explore.courses import with_failures
from routesim.explore.cures import cures_of
from routesim.explore.parallel import Crew
from routesim.explore.properties import PROPERTIES
from routesim.explore.retelling.retold import Retold
from routesim.explore.root import NotExplored
from routesim.explore.search import HASH_BITS, Watch
from routesim.explore.searching import searched
from routesim.explore.unexplored import left_out
from routesim.explore.walks import Walks
from routesim.named_tuples import NamedTuple
from routesim.run import Listener, Result, Runner
from routesim.run.sweeps.portions import SharedOut
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

COSTING = ("lost", "duplicated", "stuck", "livelock")  # what a cure may cost is asked of these


class Helpers(NamedTuple):
    """`shared` carries out random walks; `crew` those, and looks at states."""

    shared: SharedOut | None = None
    crew: Crew | None = None


NOBODY = Helpers()


def explored(
    scenario: Scenario, bounds: Bounds, watch: Watch | None = None, *, cures: bool = True, helpers: Helpers = NOBODY
) -> Exploration:
    """Every course of events of a scenario within the bounds; `watch` hears how far it is, and says why to stop. Whoever
    helps, the answer is the same. Raises `NotExplored`."""
    if bounds.walks is not None:
        return _walked(scenario, bounds, watch, helpers)
    wide = bounds._replace(properties=tuple(dict.fromkeys((*bounds.properties, *COSTING))))
    found = searched(scenario, wide, watch, helpers.crew)
    asked = tuple(
        item._replace(cures=cures_of(scenario, wide, item.name, found, watch, helpers.crew))
        if cures and item.verdict == BROKEN and item.name in PROPERTIES
        else item
        for item in found.asked
        if item.name not in PROPERTIES or item.name in bounds.properties
    )
    found = found._replace(asked=asked)
    breaks = scenario.explore.breaks if scenario.explore is not None else ()
    return Exploration(
        scenario.file,
        scenario.name,
        budget_of(bounds),
        breaks,
        found,
        tuple(left_out(scenario, bounds)),
        HASH_BITS,
        scenario,
        bounds,
    )


def _walked(scenario: Scenario, bounds: Bounds, watch: Watch | None, helpers: Helpers) -> Exploration:
    """By random walks, which prove nothing."""
    if scenario.workers:
        raise NotExplored("with worker processes there is one order of events, and nothing to walk at random; leave out --walks")
    found = Walks(scenario, bounds, watch, helpers.shared, helpers.crew).run()
    breaks = scenario.explore.breaks if scenario.explore is not None else ()
    left = tuple(left_out(scenario, bounds._replace(expect=None)))
    return Exploration(scenario.file, scenario.name, budget_of(bounds), breaks, found, left, HASH_BITS, scenario, bounds)


def budget_of(bounds: Bounds) -> str:
    """Which failures there may be, in words."""
    kinds = [kind for kind, most in bounds.kinds if most]
    if not bounds.failures or not kinds:
        return "no failure"
    exact = [f"{most} {kind}" for kind, most in bounds.kinds if most]
    if sum(most for _, most in bounds.kinds) == bounds.failures:
        return " and ".join(exact)
    count = "any one failure" if bounds.failures == 1 else f"up to {bounds.failures} failures"
    return f"{count} ({', '.join(kinds)})"


def retold_scenario(found: Exploration, asked: PropertyVerdict) -> Scenario:
    """The scenario in which a counterexample is kept."""
    assert asked.example is not None
    if found.scenario.workers:
        return with_failures(found.scenario, asked.example.moves)
    text = Retold(found.scenario, found.bounds, asked.name, asked.example).text
    return load_source(Source(found.file, text), "")


def replayed(found: Exploration, asked: PropertyVerdict, listener: Listener | None = None) -> Result:
    """The run of that scenario; `listener` hears its events."""
    return Runner(retold_scenario(found, asked), listener).run()
