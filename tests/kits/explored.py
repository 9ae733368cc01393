"""Scenarios explored in one call."""

from typing import Any

from routesim.explore import Counterexample, Exploration, bounds_of, explored
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source


def explored_text(text: str, **bounds: Any) -> Exploration:
    """`bounds`: what differs from those that the scenario asks for; with `kinds`, there are as many failures as they say."""
    scenario = load_source(Source("scenario.yaml", text), "")
    if "kinds" in bounds:
        bounds.setdefault("failures", sum(most for _, most in bounds["kinds"]))
    return explored(scenario, bounds_of(scenario)._replace(**bounds), cures=False)


def broken_by(found: Exploration, name: str) -> Counterexample | None:
    """The counterexample of the property of that name."""
    return next((item.example for item in found.explored.broken if item.name == name), None)
