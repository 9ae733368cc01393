"""How much less time `explore --jobs` takes, by the processor time that each process gets: whatever else the machine does."""

import gc
import time
from collections.abc import Callable, Sequence
from pickle import dumps, loads
from typing import Any

from pairs import Ratio

from routesim.explore import Bounds
from routesim.explore.parallel import ParallelSearch, looker
from routesim.explore.search import Search
from routesim.scenario import Scenario


class MeasuredCrew:
    """Processes that all are this one, and take turns. `begun`: when they were asked first; `depths`: by depth what each of them
    took; `took`: all of them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.lookers: list[Any] = [None] * count
        self.answers: list[tuple[int, bytes]] = []
        self.depths: list[list[float]] = []
        self.took = 0.0
        self.begun: float | None = None

    def ask(self, task: Callable[[Any], Any], questions: Sequence[Any]) -> list[Any]:
        self.begun = self.begun or time.process_time()
        for who, question in enumerate(questions):
            self.give(who, task, question)
        answers = [loads(answer) for _, answer in self.answers]
        self.answers.clear()
        return answers

    def give(self, who: int, task: Callable[[Any], Any], question: Any) -> None:
        if who == 0 and question is not None:
            self.depths.append([0.0] * self.count)
        packed = dumps(question)  # which is for whoever asks to do
        looker._LOOKERS[:] = [self.lookers[who]]
        begin = time.process_time()
        answer = dumps(task(loads(packed)))
        took = time.process_time() - begin
        self.answers.append((who, answer))
        self.lookers[who] = looker._LOOKERS[0]
        self.depths[-1][who] += took
        self.took += took

    def heard(self) -> list[tuple[int, Any]]:
        if not self.answers:
            return []
        who, answer = self.answers.pop(0)
        return [(who, loads(answer))]


def speed_of(count: int, scenario: Scenario, bounds: Bounds, pairs: int) -> tuple[float, Ratio]:
    """Seconds of one process, and how many times as fast so many are on as many cores. A depth is over when the longest of them
    is. The merger is alone before it asks them; then it has its share of the same cores. Garbage is not collected meanwhile: here it
    would look through what all of them have, which is nobody's in truth."""
    ratios, seconds = [], []
    for _ in range(pairs):
        gc.collect()
        gc.disable()
        begin = time.process_time()
        Search(scenario, bounds).run()
        seconds.append(time.process_time() - begin)
        crew = MeasuredCrew(count)
        begin = time.process_time()
        ParallelSearch(scenario, bounds, None, crew).run()
        end = time.process_time()
        gc.enable()
        alone = (crew.begun or end) - begin
        shared = (end - begin - alone) / count
        ratios.append(seconds[-1] / (alone + max(shared, sum(max(depth) for depth in crew.depths))))
    return min(seconds), Ratio.of(ratios)
