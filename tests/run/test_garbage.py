"""Python looks for garbage less often while a scenario runs, and as often as before afterwards."""

import gc
from collections.abc import Iterator

import pytest

from routesim.garbage import AFTER
from routesim.run.runner import Runner
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source

TEXT = "queues: {q: {}}\nsteps: [publish: {routing_key: q, count: 2}]\n"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [((700, 10, 10), (AFTER, 10, 10)), ((2 * AFTER, 3, 4), (2 * AFTER, 3, 4)), ((0, 10, 10), (0, 10, 10))],
    ids=["often", "seldom already", "never"],
)
@pytest.mark.parametrize("stops", [False, True], ids=["to the end", "a listener fails"])
def test_thresholds_are_raised_for_a_run(before: tuple[int, ...], meanwhile: tuple[int, ...], stops: bool) -> None:
    scenario, seen = load_source(Source("garbage.yaml", TEXT), "."), set()

    def hear(event: object) -> None:
        seen.add(gc.get_threshold())
        if stops:
            raise RuntimeError("enough")

    gc.set_threshold(*before)
    if stops:
        with pytest.raises(RuntimeError, match="enough"):
            Runner(scenario, hear).run()
    else:
        assert Runner(scenario, hear).run().ok
    assert seen == {meanwhile}
    assert gc.get_threshold() == before
