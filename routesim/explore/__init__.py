"""Every course of events within bounds: states, moves, properties, the search, the shortest counterexample, cures tried."""

from routesim.explore.answer import BROKEN, HOLDS, UNDECIDED, VACUOUS, Counterexample, Exploration, Explored, PropertyVerdict
from routesim.explore.bounds import Bounds, bounds_of
from routesim.explore.exploring import explored, replayed, retold_scenario
from routesim.explore.root import NotExplored

__all__ = [
    "BROKEN", "HOLDS", "UNDECIDED", "VACUOUS", "Bounds", "Counterexample", "Exploration", "Explored", "NotExplored",
    "PropertyVerdict", "bounds_of", "explored", "replayed",
    "retold_scenario",
]  # fmt: skip
