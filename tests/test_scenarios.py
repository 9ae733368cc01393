"""Every example is a test: it holds all its expectations, tells what it shows, and balances its ledger."""

import json
from pathlib import Path

import pytest
from kits.paths import ALL_SCENARIO_FILES

from routesim.broker import counts, imbalance
from routesim.report.formats.json import BETWEEN_EVENTS, result_object
from routesim.report.formats.ndjson import Lines
from routesim.run import Runner
from routesim.scenario import load


def test_there_are_scenarios() -> None:
    assert len(ALL_SCENARIO_FILES) >= 35


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
def test_scenario_holds(path: Path) -> None:
    scenario = load(str(path))
    assert scenario.description, "says what it shows"
    result = Runner(scenario).run()
    assert [item for item in result.expectations if not item.ok] == []
    assert len(result.expectations) >= 3
    assert result.ok, result.errors
    assert imbalance(counts(result.broker)) is None


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
def test_the_same_scenario_and_seed_give_the_same_bytes(path: Path) -> None:
    def text() -> str:
        events: list[str] = []
        result = Runner(load(str(path)), Lines(events.append, BETWEEN_EVENTS)).run()
        return result_object(result, events)

    first = text()
    assert first == text()
    json.loads(first)


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
def test_the_ledger_balances_after_every_event(path: Path) -> None:
    """Between two steps of the broker, which are what `advance` and `apply` end with, nothing is unaccounted for."""
    checked = 0
    runner = Runner(load(str(path)))
    apply = runner.broker.apply

    def checking(step: object) -> object:
        nonlocal checked
        refused = apply(step)  # type: ignore[arg-type]
        checked += 1
        if checked < 2_000:
            assert imbalance(counts(runner.broker)) is None, step
        return refused

    runner.broker.apply = checking  # type: ignore[method-assign, assignment]
    runner.run()
    assert checked
