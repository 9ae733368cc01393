"""Tasks that a run lost though nothing in its scenario is about that: each as a warning, for reports that list results."""

from routesim.celery.fates import LOST
from routesim.diagnostics import WARNING, Diagnostic, Place
from routesim.run import Result, Runner
from routesim.run.tasks.fates import fates_of, unexpected_losses
from routesim.scenario import PublishMany

MOST = 20
CURE = "acks_late=True brings it back; where it is known, `expect: {lost_tasks: [...]}` says so"


def losses(result: Result) -> list[Diagnostic]:
    """The first ones, in the order in which they were sent. A run that keeps no records is made again, to name them."""
    if not unexpected_losses(result):
        return []
    if result.tasks is None:
        result = Runner(
            result.scenario, seed=result.broker.seed, until=result.until, max_events=result.max_events
        ).run()  # fmt: skip
    lines = {
        action.id_prefix: step.line for step in result.scenario.steps if isinstance(action := step.action, PublishMany)
    }  # fmt: skip
    lost = [(task, fate) for task, fate in fates_of(result).items() if fate.name == LOST][:MOST]
    return [
        Diagnostic(
            WARNING, "task-lost", f"task {task} is lost: it was acknowledged and not done when {fate.where} ended ({fate.why})",
            Place(result.scenario.file, lines.get(task, 0), 0), CURE,
        )
        for task, fate in lost
    ]  # fmt: skip
