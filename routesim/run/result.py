"""What a run came to, on whichever engine."""

from typing import TYPE_CHECKING

from routesim.broker import Broker, counts
from routesim.model import Binding
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.checked import Checked
from routesim.run.folds.records import Deliveries, Fates, Gets, Messages, Publishers
from routesim.scenario import Expectation, Scenario
from routesim.scenario.format.expected import ENDLESS

if TYPE_CHECKING:
    from routesim.run.folds.losses import Losses
    from routesim.run.folds.task_records import TaskRecords
    from routesim.run.processes import Processes


SERVED = "served"  # how a scenario ends that acted beside the clients of a server


class StepError(NamedTuple):
    """A closed channel or connection, or a step that failed; `step` None: outside the steps. `more`: how often the same happened
    again, where that was too often to keep each."""

    step: int | None
    code: int | None
    text: str
    expected: bool
    more: int = 0


class AsClientsSaw(NamedTuple):
    """What there is of a run on a real broker only: the broker's version, what clients could count, the expectations that
    were not checked because no client is told, and by how much what clients did was late."""

    version: str
    counts: dict[str, int]
    unseen: tuple[Expectation, ...]
    late_ms: int = 0


class Result(NamedTuple):
    """`kept_going`: what an endless run was about; `used`: bindings that a message or a route went by; `undone`: messages whose
    consumer has acknowledged them and never does their work, which no event of the broker tells.

    `real` None: the embedded engine's. Of a real broker the records hold only what its clients are told, nobody knows which
    bindings were used, and `broker` has but its queues, as they were at the end, and its channels.
    """

    scenario: Scenario
    broker: Broker
    ended: str
    ok: bool
    clock_ms: int
    messages: Messages
    deliveries: Deliveries
    gets: Gets
    fates: Fates
    publishers: Publishers
    expectations: list[Checked]
    errors: list[StepError]
    kept_going: str
    ending_expected: bool
    until: str | int
    max_events: int
    used: list[Binding]
    tasks: "TaskRecords | None" = None
    processes: "Processes | None" = None
    real: AsClientsSaw | None = None
    losses: "Losses | None" = None
    undone: tuple[str, ...] = ()

    @property
    def repeatable(self) -> bool:
        """Whether another run goes the same way: not where clients of a real broker or of a server have acted."""
        return self.real is None and self.ended != SERVED

    @property
    def endless(self) -> bool:
        """Whether it would have gone on for ever."""
        return self.ended in ENDLESS

    def counts(self) -> dict[str, int]:
        """The ledger; of a real broker only what a client can count."""
        return counts(self.broker) if self.real is None else self.real.counts
