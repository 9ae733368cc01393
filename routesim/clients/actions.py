"""What a worker process does, as values: steps for a broker, events, and what it plans."""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol, TypeAlias

from routesim.clients.outcomes import TaskCourse
from routesim.clients.requests import Request
from routesim.events import Event
from routesim.model import Task
from routesim.steps import Step

What: TypeAlias = tuple[Any, ...]


class StepRefusal(Protocol):
    """What a broker of either kind answers to a step that it refuses."""

    @property
    def text(self) -> str: ...

    @property
    def closes_connection(self) -> bool: ...


class After(NamedTuple):
    """`Process.fire(what)` is to be called so many ms later, unless it is expected no more by then."""

    ms: int
    what: What


class Soon(NamedTuple):
    """`Process.fire(what)` is to be called at this instant, after everything that is under way."""

    what: What


Action: TypeAlias = Step | Event | After | Soon
Actions: TypeAlias = Generator[Action, StepRefusal | None, None]


class TaskJob(NamedTuple):
    request: Request
    course: TaskCourse


class Shared:
    """What all processes of a run have in common: the tasks, the seed, how often names were published, and runs of tasks,
    each id's and all together."""

    def __init__(self, tasks: dict[str, Task], seed: int, published: dict[str, int]) -> None:
        self.tasks = tasks
        self.seed = seed
        self.published = published
        self.runs: dict[str, int] = {}
        self.started = 0

    def count_run(self, task: str) -> int:
        """The n-th run of this task id begins: n."""
        self.started += 1
        run = self.runs[task] = self.runs.get(task, 0) + 1
        return run
