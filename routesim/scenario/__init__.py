"""Text to scenarios: YAML with positions, definitions files, and every error at once."""

from routesim.scenario.load import LoadableFile, load, load_placed, load_source, without_collector
from routesim.scenario.places import Places, Spot
from routesim.scenario.scenario import (
    Do,
    Expect,
    Expectation,
    ExpectedRoute,
    ExploreSection,
    Never,
    NotedChord,
    PublishMany,
    Scenario,
    ScenarioStep,
    Signal,
    Wait,
    sent_by,
    steps_of,
)

__all__ = [
    "NotedChord",
    "Do", "Expect", "Expectation", "ExpectedRoute", "ExploreSection", "Never", "Places", "PublishMany", "Scenario",
    "LoadableFile", "ScenarioStep", "Signal", "Spot", "Wait", "load", "load_placed", "load_source", "sent_by", "steps_of",
    "without_collector",
]  # fmt: skip
