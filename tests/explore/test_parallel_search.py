"""The search by several processes: the very answer of one."""

import random
from collections.abc import Sequence
from pickle import dumps, loads
from typing import Any

import pytest
from kits.small_scenarios import small_scenario

from routesim.explore import Bounds
from routesim.explore.looking import expanding, repeating
from routesim.explore.parallel import ParallelSearch, looker, merging
from routesim.explore.parallel.shares import UNEVEN, shared_out
from routesim.explore.search import Search
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

DRAWN = 120


class Within:
    """A crew of `count`, all of whom are this process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.lookers: list[Any] = [None] * count
        self.answers: list[tuple[int, Any]] = []
        self.asked = 0

    def ask(self, task: Any, questions: Sequence[Any]) -> list[Any]:
        for who, question in enumerate(questions):
            self.give(who, task, question)
        answers = [answer for _, answer in self.answers]
        self.answers.clear()
        return answers

    def give(self, who: int, task: Any, question: Any) -> None:
        self.asked += 1
        looker._LOOKERS[:] = [self.lookers[who]]
        self.answers.append((who, task(loads(dumps(question)))))
        self.lookers[who] = looker._LOOKERS[0]

    def heard(self) -> list[tuple[int, Any]]:
        """One answer at a time, the last one first: nobody waits for the others."""
        return [self.answers.pop()] if self.answers else []


@pytest.mark.parametrize("part", range(4))
def test_several_say_what_one_says(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "ALONE", 2)
    monkeypatch.setattr(looker, "ROUND", 7)
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


def test_what_nobody_has_made_is_made_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "ALONE", 2)
    steps = "".join(f"  - publish: {{routing_key: {name}, id: m{name}, channel: p{name}}}\n" for name in "abc")
    text = f"queues: {{a: , b: , c: }}\nconsumers: {{one: {{queue: a}}, two: {{queue: b}}}}\nsteps:\n{steps}"
    scenario = load_source(Source("small.yaml", text), "")
    left = []

    def nobody(self: Any, state: bytes, move: Any) -> None:
        left.append(state)

    monkeypatch.setattr(merging.DepthSteps, "leads", nobody)
    several = ParallelSearch(scenario, Bounds(), None, Within(2)).run()
    assert several == Search(scenario, Bounds()).run()
    assert len(left) > 10


WIDE = """
queues: {a: , b: , c: }
consumers: {one: {queue: a, prefetch: 2, concurrency: 2}, two: {queue: b}, three: {queue: c}}
steps:
  - publish: {routing_key: a, id: m0, channel: p0}
  - publish: {routing_key: b, id: m1, channel: p1}
  - publish: {routing_key: c, id: m2, channel: p2}
  - publish: {routing_key: a, id: m3, channel: p0}
"""


def test_together_they_make_no_more_moves_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And little more than half each; those apart that lead to where a process begins, or has too little to do."""
    made = {"looking": 0, "led": 0}

    def counted(name: str, make: Any) -> Any:
        def count(*arguments: Any) -> Any:
            made[name] += 1
            return make(*arguments)

        return count

    scenario, bounds = load_source(Source("wide.yaml", WIDE), ""), Bounds(kinds=(("crash", 1),))
    monkeypatch.setattr(repeating, "make", counted("looking", repeating.make))
    monkeypatch.setattr(expanding, "repeated", counted("looking", expanding.repeated))
    monkeypatch.setattr(looker, "make", counted("led", looker.make))
    monkeypatch.setattr(merging, "ALONE", 8)
    one = Search(scenario, bounds)
    one.run()
    alone, made["looking"] = made["looking"], 0
    crew = Within(2)
    ParallelSearch(scenario, bounds, None, crew).run()
    assert made["looking"] == alone
    assert made["led"] < alone / 8
    assert one.expanded > 1_000


@pytest.mark.parametrize("count", [2, 3, 5])
def test_nobody_has_much_more_than_its_share(count: int) -> None:
    dice = random.Random(count)
    for size in (1, 7, 100, 1_000):
        had = [dice.choice([0, 1, 1, 1, (1 << count) - 1]) for _ in range(size)]
        found = shared_out(had, count)
        most = int(size / count * UNEVEN) + 1
        assert all(found.count(who) <= most for who in range(count))
        assert all(bits >> who & 1 for bits, who in [*zip(had, found, strict=True)][-size // 4 :] if bits)
