"""Every example that the live version can run does the same on a real broker; so do random scenarios."""

from pathlib import Path

import pytest
from kits.paths import SCENARIO_FILES

from routesim.diagnostics import Invalid
from routesim.run import Runner
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import load
from routesim.scenario.yaml.writing import text
from routesim.verify import verify
from routesim.verify.drawing import draw, scenario_of
from routesim.verify.shrinking import shrink

# Examples that would take long; each at a speed at which their times are still far apart.
SPEEDS = {"dead-letter-cycle-dropped": 20, "prefetch": 20}
NOT_THERE = (
    "needs a restart of the broker",
    "needs a broker that is killed",
    "needs a plugin",
    "never comes to rest",
    "known deviation",
    "takes ",
    "a timer",
    "a TTL",
    "void",
)


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_an_example_does_the_same(session: BrokerSession, path: Path) -> None:
    try:
        scenario = load(str(path), rabbitmq=session.profile)
    except Invalid as invalid:
        pytest.skip(f"not valid for RabbitMQ {session.profile}: {invalid.diagnostics[0].message}")
    verdict = verify(scenario, session, SPEEDS.get(path.stem, 1))
    if verdict.skipped:
        assert verdict.skipped.startswith(NOT_THERE), verdict.skipped
        pytest.skip(verdict.skipped)
    assert verdict.difference is None


@pytest.mark.parametrize("number", range(50))
def test_a_random_scenario_does_the_same(session: BrokerSession, number: int) -> None:
    document = draw(3, number, session.profile, session.types, only=[])
    verdict = verify(scenario_of(document, session.profile), session)
    assert verdict.difference is None, text(document)


def test_drawing_is_a_function_of_seed_and_number() -> None:
    types = frozenset({"direct", "topic", "fanout", "headers"})
    assert draw(1, 2, "3.10", types) == draw(1, 2, "3.10", types)
    assert draw(1, 2, "3.10", types) != draw(1, 3, "3.10", types)


def test_shrinking_keeps_what_it_is_about() -> None:
    types = frozenset({"direct", "topic", "fanout", "headers"})
    document = draw(1, 4, "3.10", types)
    document["steps"].append({"publish": {"routing_key": "q0", "body": "the one"}})

    def holds(each: dict[str, object]) -> bool:
        scenario_of(each, "3.10")
        return any(step.get("publish", {}).get("body") == "the one" for step in each["steps"])  # type: ignore[attr-defined]

    small = shrink(document, holds)
    assert len(small["steps"]) == 1
    assert len(text(small).splitlines()) < 14


FOUND = sorted((Path(__file__).parent / "found").glob("*.yaml"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_a_random_scenario_once_found_stays_fixed(path: Path) -> None:
    """Held against the simulator alone, so that it counts where there is no broker."""
    result = Runner(load(str(path), rabbitmq="3.10")).run()
    assert result.ok, result.expectations
    assert all(error.text == "INTERNAL_ERROR" for error in result.errors)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_a_random_scenario_once_found_is_what_the_broker_does(session: BrokerSession, path: Path) -> None:
    verdict = verify(load(str(path), rabbitmq=session.profile), session)
    assert (verdict.skipped, verdict.difference) == (None, None)
