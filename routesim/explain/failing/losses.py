"""What a run lost though nothing in its scenario is about that: each as a warning, for reports that list results."""

from itertools import islice

from routesim.celery.fates import LOST
from routesim.diagnostics import WARNING, Diagnostic, Place
from routesim.narration import sentence_of
from routesim.run import Result, Runner
from routesim.run.tasks.fates import fates_of
from routesim.run.verdicts import uncovered, unexpected_losses
from routesim.scenario import PublishMany, Scenario

MOST = 20  # of messages, and of tasks
MESSAGE_CURE = "`routesim explain message FILE ID` tells more; where it is meant, `expect: {lost: N}` says so"
TASK_CURE = "acks_late=True brings it back; where it is known, `expect: {lost_tasks: [...]}` says so"


def losses(result: Result) -> list[Diagnostic]:
    """The first ones, in the order in which they were lost or sent. A run that keeps no records is made again, to name them."""
    found = unexpected_losses(result)
    messages = _messages(result) if found.messages else []
    return [*messages, *(_tasks(result) if found.tasks else ())]


def _messages(result: Result) -> list[Diagnostic]:
    return [
        Diagnostic(
            WARNING, "message-lost", f"message {event.message} is lost: {sentence_of(event)}",
            _place(result.scenario, event.message), MESSAGE_CURE,
        )
        for event in islice(uncovered(result), MOST)
    ]  # fmt: skip


def _tasks(result: Result) -> list[Diagnostic]:
    if result.tasks is None:
        result = Runner(
            result.scenario, seed=result.broker.seed, until=result.until, max_events=result.max_events
        ).run()  # fmt: skip
    lost = [(task, fate) for task, fate in fates_of(result).items() if fate.name == LOST][:MOST]
    return [
        Diagnostic(
            WARNING, "task-lost", f"task {task} is lost: it was acknowledged and not done when {fate.where} ended ({fate.why})",
            _place(result.scenario, task), TASK_CURE,
        )
        for task, fate in lost
    ]  # fmt: skip


def _place(scenario: Scenario, id: str) -> Place:
    """The step that publishes it; line 0 where none does."""
    for step in scenario.steps:
        if isinstance(step.action, PublishMany) and step.action.publishes(id):
            return Place(scenario.file, step.line, 0)
    return Place(scenario.file, 0, 0)
