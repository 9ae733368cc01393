"""One scenario on both engines. A difference counts when the broker shows it again and again."""

from typing import NamedTuple

from routesim.diagnostics import Invalid
from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.run import Runner
from routesim.run.observations import Observations, observed
from routesim.run.runnable import check_speed, steps_of, why_not
from routesim.run.session import Session
from routesim.scenario import Expect, Scenario
from routesim.steps import Cancel, DeclareQueue, Tx
from routesim.values import raw
from routesim.verify.comparing import Difference, first_difference, leniency

TRIES = 3
LONGEST_MS = 60_000
SINGLE = "x-single-active-consumer"


class Verdict(NamedTuple):
    """`skipped`: why it was not run; `difference` None: both engines agree; `tries`: how many runs that took."""

    file: str
    name: str
    skipped: str | None = None
    difference: Difference | None = None
    tries: int = 0

    @property
    def agrees(self) -> bool:
        return self.skipped is None and self.difference is None


def verify(scenario: Scenario, session: Session, speed: int = 1, *, tries: int = TRIES) -> Verdict:
    """`scenario` was loaded by the broker's own version. Raises `BrokerProblem` when the broker is lost."""
    verdict = Verdict(scenario.file, scenario.name)
    why = why_not(scenario, session.types) or known_deviation(scenario)
    if why is not None:
        return verdict._replace(skipped=why)
    try:
        check_speed(scenario, speed)
    except NotOnARealBroker as problem:
        return verdict._replace(skipped=str(problem))
    scenario = without_expectations(scenario)
    result = Runner(scenario).run()
    if result.ended in ("livelock", "budget"):
        return verdict._replace(skipped=f"never comes to rest ({result.ended})")
    if result.clock_ms / speed > LONGEST_MS:
        return verdict._replace(skipped=f"takes {result.clock_ms / speed / 1000:,.0f} s; try a higher --speed")
    lenient = leniency(result)
    idle_ms = result.clock_ms
    simulated = observed(result)
    difference: Difference | None = None
    for count in range(1, tries + 1):
        real: Observations = observed(session.run(scenario, None, idle_ms=idle_ms, speed=speed))
        difference = first_difference(simulated, real, result, lenient)
        if difference is None:
            return verdict._replace(tries=count)
    return verdict._replace(difference=difference, tries=tries)


def without_expectations(scenario: Scenario) -> Scenario:
    return scenario._replace(steps=tuple(item for item in scenario.steps if not isinstance(item.action, Expect)), expect=())


def known_deviation(scenario: Scenario) -> str | None:
    """Where the map of the code says that this simulator knowingly differs; None: nowhere."""
    declared = [step.queue for step in steps_of(scenario) if isinstance(step, DeclareQueue)]
    kinds = {queue.name: raw(queue.arguments.get("x-queue-type", "classic")) for queue in declared}
    single = {queue.name for queue in declared if queue.arguments.get(SINGLE) is True and kinds[queue.name] == "classic"}
    cancelled = {step.consumer for step in steps_of(scenario) if isinstance(step, Cancel)}
    if scenario.rabbitmq.startswith("3.") and any(scenario.consumers[name].queue in single for name in cancelled):
        return "known deviation: cancelling a single active consumer on a classic queue, 3.x"
    if "quorum" in kinds.values() and any(isinstance(step, Tx) for step in steps_of(scenario)):
        return "known deviation: a transaction on a quorum queue"
    return None


def usable(problem: Invalid, profile: str) -> str:
    return f"not valid for RabbitMQ {profile}: {problem.diagnostics[0].message}"
