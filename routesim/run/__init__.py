"""A scenario and an engine become a result: events, final state, expectations."""

from routesim.run.acting import StepError
from routesim.run.expecting.checked import Checked, shown_actual
from routesim.run.expecting.expectations import unacked
from routesim.run.folds.fold import Listener
from routesim.run.live import LiveResult
from routesim.run.runner import BUDGET_EVENTS, Result, Runner

Outcome = Result | LiveResult  # what reports draw, whichever engine it comes from

__all__ = [
    "BUDGET_EVENTS", "Checked", "Listener", "LiveResult", "Outcome", "Result", "Runner", "StepError", "shown_actual", "unacked",
]  # fmt: skip
