"""Which search a scenario is for."""

from routesim.explore.answer import Explored
from routesim.explore.bounds import Bounds
from routesim.explore.courses import Courses
from routesim.explore.search import Search, Watch
from routesim.scenario import Scenario


def searched(scenario: Scenario, bounds: Bounds, watch: Watch | None = None) -> Explored:
    """Raises `NotExplored`."""
    return (Courses if scenario.workers else Search)(scenario, bounds, watch).run()
