"""Which publishes are tasks', told to whoever listens."""

from routesim.events import TaskSent
from routesim.run.folds.fold import Listener
from routesim.steps import Publish
from routesim.values import raw


def tell_of_task(listen: Listener | None, at_ms: int, step: object) -> None:
    """Before a step is carried out: `TaskSent` where it publishes a message whose headers name a task, as Celery's do
    (rules/celery#1.5). Without an id there it has that of the message."""
    if listen is None or type(step) is not Publish or not step.message.headers:
        return
    name, id = raw(step.message.headers.get("task")), raw(step.message.headers.get("id"))
    if isinstance(name, str):
        listen(TaskSent(at_ms, id if isinstance(id, str) else step.id, name, step.id, step.channel))
