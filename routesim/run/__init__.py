"""A scenario and an engine become a result: events, final state, expectations."""

from routesim.run.budget import BUDGET_EVENTS
from routesim.run.expecting.checked import Checked, shown_actual
from routesim.run.expecting.expectations import unacked
from routesim.run.folds.fold import Listener
from routesim.run.result import Result, StepError
from routesim.run.runner import Runner

__all__ = ["BUDGET_EVENTS", "Checked", "Listener", "Result", "Runner", "StepError", "shown_actual", "unacked"]
