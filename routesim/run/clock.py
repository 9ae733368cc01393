"""What a run asks of whatever lets its time pass."""

from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

from routesim.broker.protocols import Engine
from routesim.events import Event
from routesim.run.agenda import Entry, RunAgenda
from routesim.scenario import PublishMany
from routesim.steps import Step


class Clock(Protocol):
    """The time of a scenario, its broker and its agenda. `slack_ms`: so much before its time something is due. `inbox`: what the
    broker has for the scenario's clients."""

    always_at_rest: bool  # `gather` has nothing to do
    agenda: RunAgenda
    inbox: deque[Any]
    slack_ms: int

    @property
    def broker(self) -> Engine: ...

    def now(self) -> int:
        """The scenario's time."""

    def start(self) -> None:
        """Everything is declared: it is 0 now."""

    def begin_step(self) -> None:
        """The next step is about to be carried out: with what came before it a message's way is no livelock."""

    def pass_until(self, until_ms: int | None) -> Iterator[Entry | None]:
        """Lets time pass up to and including that instant (None: until nothing keeps the run going).

        Yields each entry of the agenda when it is due, and None when the broker's own timers may have set something off;
        what follows from it at that instant is to be carried out before the next one is asked for.
        """

    def rest(self, limit_ms: int | None) -> Iterator[Entry | None]:
        """The steps are over: time passes until nothing is left to do, or up to and including that instant."""

    def publish_ahead(self, action: PublishMany, index: int) -> int:
        """May publish some of a step's messages, from the `index`-th on, at this instant; returns the first that is left."""

    def published(self) -> None:
        """A step has published its last message."""

    def gather(self) -> None:
        """The broker is at rest, and all that clients are sent is in its outbox."""

    def answered(self, step: Step) -> None:
        """Called after each thing that a consumer sends. Raises where that never ends."""

    def stamped(self, event: Event) -> Event:
        """What a worker process says of itself, at the broker's time."""
