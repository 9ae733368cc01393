"""The examples: each says itself what does not hold, each counterexample is repeated by `run`, each cure is one."""

from pathlib import Path

import pytest
from kits.paths import SCENARIOS

from routesim.explore import Bounds, Counterexample, bounds_of, explored, replayed
from routesim.explore.retelling.retold import Retold, end_of
from routesim.run import Runner
from routesim.run.tasks.fates import lost_tasks
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

FILES = sorted((SCENARIOS / "explore").glob("*.yaml"))
CLASSICS = [path for path in FILES if not path.stem.endswith("-cured")]
OTHERS = ["auto-ack-loses-work", "exclusive-queue", "direct-reply-to", "confirms-and-returns", "dead-letter-cycle-dropped"]


def repeated(scenario: Scenario, bounds: Bounds, name: str, example: Counterexample) -> None:
    """`run` comes to the same end by the scenario that is written, and has met the same failures."""
    retold = Retold(scenario, bounds, name, example)
    again = load_source(Source("counterexample.yaml", retold.text), "")
    runner = Runner(again)
    result = runner.run()
    if example.races:
        return  # nothing is expected of it: `run` takes the usual outcome
    assert result.ok, ([item for item in result.expectations if not item.ok], result.errors, retold.text)
    ready = {
        queue: ([copy.message for copy in found.ready()], [item[0] for item in result.broker.unacked_of(found)])
        for queue, found in result.broker.queues.items()
    }
    assert ready == end_of(retold.world)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_scenario_says_what_does_not_hold(path: Path) -> None:
    scenario = load(str(path))
    found = explored(scenario, bounds_of(scenario), cures=False)
    assert found.explored.complete
    assert found.as_said, [(item.name, item.example) for item in found.explored.broken]


@pytest.mark.parametrize("path", CLASSICS, ids=lambda path: path.stem)
def test_each_classic_has_a_cured_twin(path: Path) -> None:
    """What is broken in the one is asked of the other, and holds there."""
    twin = load(str(path.with_name(f"{path.stem}-cured.yaml")))
    first = load(str(path))
    assert first.explore is not None
    bounds = bounds_of(twin)
    assert first.explore.breaks
    for name in first.explore.breaks:
        assert name in bounds.properties or (name == "expect" and bounds.expect is not None and twin.expect)
        assert twin.explore is None or name not in twin.explore.breaks


@pytest.mark.parametrize("path", [*FILES, *(SCENARIOS / f"{name}.yaml" for name in OTHERS)], ids=lambda path: path.stem)
def test_run_repeats_each_counterexample(path: Path) -> None:
    scenario = load(str(path))
    bounds = bounds_of(scenario)
    found = explored(scenario, bounds, cures=False)
    for item in found.explored.broken:
        if item.example is not None and scenario.workers:
            result = replayed(found, item)
            assert item.name != "lost" or lost_tasks(result) == [item.example.broken.message]
        elif item.example is not None:
            repeated(scenario, bounds, item.name, item.example)


def test_one_is_broken_only_where_something_falls_out_as_it_seldom_does() -> None:
    scenario = load(str(SCENARIOS / "explore" / "handed-over.yaml"))
    bounds = bounds_of(scenario)
    every, usual = (explored(scenario, bounds._replace(races=races), cures=False).explored for races in (True, False))
    assert [item.name for item in every.broken] == ["order"]
    assert usual.complete
    assert not usual.broken


def test_there_are_eight_classics() -> None:
    assert len(CLASSICS) >= 8


def cures(text: str, name: str, **bounds: object) -> list[tuple[str, str]]:
    scenario = load_source(Source("scenario.yaml", text), "")
    found = explored(scenario, bounds_of(scenario)._replace(**bounds))  # type: ignore[arg-type]
    return [tuple(cure) for item in found.explored.asked if item.name == name for cure in item.cures]  # type: ignore[misc]


ONE = "queues: {{q: {queue}}}\nconsumers: {{w: {{queue: q, {consumer}}}}}\nsteps: [{{publish: {{routing_key: q, {message}}}}}]\n"


def test_a_cure_is_offered_with_what_it_costs() -> None:
    text = ONE.format(queue="", consumer="auto_ack: true", message="id: m")
    assert cures(text, "lost") == [("w: acknowledge when the work is done", "work may be done twice")]


def test_where_one_change_is_not_enough_the_fewest_are_offered() -> None:
    text = ONE.format(queue="", consumer="auto_ack: true", message="id: m, delivery_mode: 1")
    ((change, costs),) = cures(text, "lost")
    assert change == "w: acknowledge when the work is done, and publish with delivery_mode 2, persistent"
    assert costs == "work may be done twice"


def test_what_holds_needs_no_cure() -> None:
    assert cures(ONE.format(queue="", consumer="prefetch: 1", message="id: m"), "lost") == []
