"""Which search a scenario is for."""

from routesim.explore.answer import Explored
from routesim.explore.bounds import Bounds
from routesim.explore.courses import Courses
from routesim.explore.parallel import Crew, ParallelSearch
from routesim.explore.search import Search, Watch
from routesim.scenario import Scenario


def searched(scenario: Scenario, bounds: Bounds, watch: Watch | None = None, crew: Crew | None = None) -> Explored:
    """`crew`: who looks at states at the same time. Raises `NotExplored`."""
    if scenario.workers:
        return Courses(scenario, bounds, watch).run()
    if crew is not None:
        return ParallelSearch(scenario, bounds, watch, crew).run()
    return Search(scenario, bounds, watch).run()
