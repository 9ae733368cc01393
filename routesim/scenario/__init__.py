"""Text to scenarios: YAML with positions, definitions files, and every error at once."""

from routesim.scenario.load import load, load_source
from routesim.scenario.scenario import Do, Expect, Expectation, PublishMany, Scenario, ScenarioStep, Wait

__all__ = ["Do", "Expect", "Expectation", "PublishMany", "Scenario", "ScenarioStep", "Wait", "load", "load_source"]
