"""The search by several processes: the very answer of one."""

from collections.abc import Sequence
from typing import Any

import pytest
from kits.small_scenarios import small_scenario

from routesim.explore import Bounds, parallel
from routesim.explore.parallel import ParallelSearch
from routesim.explore.search import Search
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

DRAWN = 120


class Within:
    """A crew of `count`, all of whom are this process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.lookers: list[Any] = [None] * count
        self.asked = 0

    def ask(self, task: Any, questions: Sequence[Any]) -> list[Any]:
        self.asked += 1
        answers = []
        for who, question in enumerate(questions):
            parallel._LOOKERS[:] = [self.lookers[who]]
            answers.append(task(question))
            self.lookers[who] = parallel._LOOKERS[0]
        return answers


@pytest.mark.parametrize("part", range(4))
def test_several_say_what_one_says(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "ALONE", 2)
    monkeypatch.setattr(parallel, "ROUND", 7)
    asked = 0
    for number in range(2_000 + part, 2_000 + DRAWN, 4):
        text, failures = small_scenario(number)
        scenario = load_source(Source("drawn.yaml", text), "")
        bounds = Bounds(failures=failures, max_states=200 if number % 2 else 60, any_time=number % 3 == 0, races=number % 5 == 0)
        crew = Within(2 + number % 3)
        one, several = Search(scenario, bounds), ParallelSearch(scenario, bounds, None, crew)
        assert several.run() == one.run(), text
        for name in ("known", "parents", "made", "sources", "targets", "ends", "found", "bad", "failed", "tried", "races"):
            assert getattr(several, name) == getattr(one, name), (name, text)
        asked += crew.asked
    assert asked > 40
