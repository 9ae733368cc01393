"""What the embedded engine is asked before a real broker: how long a run takes, and what must not come too early in it."""

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import Fold
from routesim.run.result import Result
from routesim.run.runner import Runner
from routesim.scenario import Scenario, steps_of
from routesim.steps import DeclareQueue, SetPolicy

LEASE_OVER = "(x-expires)"


class Rehearsal(NamedTuple):
    """`idle_ms`: the virtual time at which nothing is left to do; `leases_end`: an unused queue went by then."""

    idle_ms: int
    leases_end: bool


class Leases(Fold):
    """When an unused queue went."""

    def __init__(self) -> None:
        self.ended: list[int] = []

    def _deleted(self, event: events.QueueDeleted) -> None:
        if event.why.endswith(LEASE_OVER):
            self.ended.append(event.at_ms)

    hears = {events.QueueDeleted: _deleted}


def rehearsed(scenario: Scenario) -> tuple[Result, Rehearsal]:
    """Without a record of what happens."""
    leases = Leases()
    result = Runner(scenario, leases.hear if has_leases(scenario) else None, keep=False).run()
    return result, Rehearsal(result.clock_ms, bool(leases.ended))


def has_leases(scenario: Scenario) -> bool:
    """Whether some queue goes when nobody uses it."""
    return any(
        (isinstance(step, DeclareQueue) and "x-expires" in step.queue.arguments)
        or (isinstance(step, SetPolicy) and "expires" in step.policy.definition)
        for step in steps_of(scenario)
    )
