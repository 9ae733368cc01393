"""What if something fails at one moment of a run: which failures may, and the run that goes on from there."""

from collections.abc import Sequence
from typing import Any

from routesim.explore.what_if.of_workers import CourseOfWorkers
from routesim.explore.what_if.possible import Branch, CourseInMoves, NoWhatIf, PossibleFailure, RunCourse
from routesim.scenario import Scenario

__all__ = ["Branch", "PossibleFailure", "RunCourse", "NoWhatIf", "course_of"]


def course_of(scenario: Scenario, heard: Sequence[Any]) -> RunCourse:
    """That of a run, by its events."""
    return CourseOfWorkers(scenario, heard) if scenario.workers else CourseInMoves(scenario, heard)
