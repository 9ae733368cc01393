"""A scenario and an engine become a result: events, final state, expectations."""

from routesim.run.expectations import Checked, shown_actual, unacked
from routesim.run.records import Listener
from routesim.run.runner import BUDGET_EVENTS, Result, Runner, StepError

__all__ = ["BUDGET_EVENTS", "Checked", "Listener", "Result", "Runner", "StepError", "shown_actual", "unacked"]
