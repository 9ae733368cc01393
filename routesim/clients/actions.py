"""What a worker process does, as values: steps for a broker, events, and timers."""

from collections.abc import Generator
from typing import Protocol, TypeAlias

from routesim.clients.worker.timers import Timer
from routesim.events import Event
from routesim.named_tuples import NamedTuple
from routesim.steps import Step


class StepRefusal(Protocol):
    """What a broker of either kind answers to a step that it refuses."""

    @property
    def text(self) -> str: ...

    @property
    def closes_connection(self) -> bool: ...


class After(NamedTuple):
    """So many ms later the timer goes off, unless it is due no more by then."""

    ms: int
    timer: Timer


class Soon(NamedTuple):
    """The timer goes off at this instant, on the next turn of the event loop: after everything that is under way."""

    timer: Timer


class AfterBatch(NamedTuple):
    """The timer goes off at this instant: after what has been sent to clients already, before what comes of that."""

    timer: Timer


Action: TypeAlias = Step | Event | After | Soon | AfterBatch
Actions: TypeAlias = Generator[Action, StepRefusal | None, None]
