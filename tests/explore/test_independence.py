"""Where moves lead that were not made, for they could have come in another order: the same as if each had been made."""

import pytest
from kits.small_scenarios import small_scenario

from routesim.explore import Bounds
from routesim.explore.looking.expanding import Expander
from routesim.explore.search import Search
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

DRAWN = 300
MOST = 250  # states of one


class MakesEach(Expander):
    """Takes no move for known."""

    def _known_moves(self, key, todo):
        return {}


class Counts(Expander):
    taken = 0

    def _known_moves(self, key, todo):
        found = super()._known_moves(key, todo)
        Counts.taken += len(found)
        return found


class EachMade(Search):
    expander = MakesEach


class Counting(Search):
    expander = Counts


@pytest.mark.parametrize("part", range(6))
def test_all_is_as_if_each_move_had_been_made(part: int) -> None:
    Counts.taken = 0
    for number in range(part, DRAWN, 6):
        text, failures = small_scenario(number)
        scenario = load_source(Source("drawn.yaml", text), "")
        bounds = Bounds(failures=failures, max_states=MOST, any_time=number % 3 == 0, retry=number % 2 == 0)
        quick, whole = Counting(scenario, bounds), EachMade(scenario, bounds)
        assert quick.run() == whole.run(), text
        for name in ("known", "parents", "made", "sources", "targets", "ends", "found", "bad", "failed", "tried"):
            assert getattr(quick, name) == getattr(whole, name), (name, text)
    assert Counts.taken > 500
