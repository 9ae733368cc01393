"""One scenario on both engines. A difference counts when the broker shows it again and again."""

from bisect import bisect_left
from typing import NamedTuple

from routesim import events
from routesim.diagnostics import Invalid
from routesim.durations import duration_text
from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.run import Runner
from routesim.run.folds.fold import Fold
from routesim.run.observations import Observations, observed
from routesim.run.runnable import check_speed, steps_of, why_not
from routesim.run.session import BrokerSession
from routesim.scenario import Expect, PublishMany, Scenario
from routesim.steps import Cancel, DeclareQueue, SetPolicy, Tx
from routesim.values import raw
from routesim.verify.comparing import EngineDifference, first_difference, leniency
from routesim.versions import rules

TRIES = 3
LONGEST_MS = 60_000
ENDLESS = 100_000  # events after which a run is taken for one that never comes to rest: no real broker is kept waiting so long
NEAR_MS = 50  # real milliseconds that a step may take
SINGLE = "x-single-active-consumer"


class VerifyVerdict(NamedTuple):
    """`skipped`: why it was not run; `difference` None: both engines agree; `tries`: how many runs that took."""

    file: str
    name: str
    skipped: str | None = None
    difference: EngineDifference | None = None
    tries: int = 0

    @property
    def agrees(self) -> bool:
        return self.skipped is None and self.difference is None


def verify(scenario: Scenario, session: BrokerSession, speed: int = 1, *, tries: int = TRIES) -> VerifyVerdict:
    """`scenario` was loaded by the broker's own version. Raises `BrokerProblem` when the broker is lost."""
    verdict = VerifyVerdict(scenario.file, scenario.name)
    why = why_not(scenario, session.types) or known_deviation(scenario) or too_brief(scenario, speed)
    if why is not None:
        return verdict._replace(skipped=why)
    try:
        check_speed(scenario, speed)
    except NotOnARealBroker as problem:
        return verdict._replace(skipped=str(problem))
    scenario = without_expectations(scenario)
    timing = Timing()
    result = Runner(scenario, timing.hear, max_events=ENDLESS).run()
    if result.ended in ("livelock", "budget"):
        return verdict._replace(skipped=f"never comes to rest ({result.ended})")
    if result.clock_ms / speed > LONGEST_MS:
        return verdict._replace(skipped=f"takes {duration_text(result.clock_ms // speed)}; try a higher --speed")
    due = result.broker.due()
    if due is not None:  # what the run ended too early for
        timing.timers.append(due)
        timing.steps.append(result.clock_ms)
    nearest_ms = timing.nearest_ms()
    if nearest_ms is not None and nearest_ms / speed < NEAR_MS:
        return verdict._replace(skipped=f"a timer goes off {duration_text(nearest_ms)} after a step: too near for a real clock")
    lenient = leniency(result)
    idle_ms = result.clock_ms
    simulated = observed(result)
    difference: EngineDifference | None = None
    for count in range(1, tries + 1):
        real: Observations = observed(session.run(scenario, None, idle_ms=idle_ms, speed=speed))
        difference = first_difference(simulated, real, result, lenient)
        if difference is None:
            return verdict._replace(tries=count)
    return verdict._replace(difference=difference, tries=tries)


class Timing(Fold):
    """When the steps of a run begin, and when its timers go off."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.timers: list[int] = []

    def _removed(self, event: events.DeadLettered | events.Dropped) -> None:
        if event.reason == "expired":
            self.timers.append(event.at_ms)

    hears = {
        events.StepStarted: lambda self, event: self.steps.append(event.at_ms),
        events.DeadLettered: _removed,
        events.Dropped: _removed,
    }

    def nearest_ms(self) -> int | None:
        """The shortest time from the beginning of a step to a later timer."""
        nearest = None
        for timer in self.timers:
            index = bisect_left(self.steps, timer)
            if index and (nearest is None or timer - self.steps[index - 1] < nearest):
                nearest = timer - self.steps[index - 1]
        return nearest


def without_expectations(scenario: Scenario) -> Scenario:
    return scenario._replace(steps=tuple(item for item in scenario.steps if not isinstance(item.action, Expect)), expect=())


def known_deviation(scenario: Scenario) -> str | None:
    """Where the map of the code says that this simulator knowingly differs; None: nowhere."""
    declared = [step.queue for step in steps_of(scenario) if isinstance(step, DeclareQueue)]
    kinds = {queue.name: raw(queue.arguments.get("x-queue-type", "classic")) for queue in declared}
    single = {queue.name for queue in declared if queue.arguments.get(SINGLE) is True and kinds[queue.name] == "classic"}
    cancelled = {step.consumer for step in steps_of(scenario) if isinstance(step, Cancel)}
    if not rules(scenario.rabbitmq).cancel_dispatches and any(scenario.consumers[name].queue in single for name in cancelled):
        return "known deviation: cancelling a single active consumer on a classic queue, 3.x"
    if "quorum" in kinds.values() and any(isinstance(step, Tx) for step in steps_of(scenario)):
        return "known deviation: a transaction on a quorum queue"
    return None


def too_brief(scenario: Scenario, speed: int) -> str | None:
    """A quorum queue keeps what has a TTL until that instant is over: on a real clock until the next step, or not."""
    steps = list(steps_of(scenario))
    queues = [step.queue for step in steps if isinstance(step, DeclareQueue)]
    if not any(raw(queue.arguments.get("x-queue-type")) == "quorum" for queue in queues):
        return None
    messages = [step.action.message for step in scenario.steps if isinstance(step.action, PublishMany)]
    messages += [reply.message for item in scenario.consumers.values() for rule in item.on_message for reply in rule.publish]
    ttls: list[object] = [message.expiration for message in messages]
    ttls += [raw(queue.arguments.get("x-message-ttl")) for queue in queues]
    ttls += [raw(step.policy.definition.get("message-ttl")) for step in steps if isinstance(step, SetPolicy)]
    shortest = min((int(ttl) for ttl in map(str, ttls) if ttl.isdecimal()), default=None)
    if shortest is None or shortest / speed >= NEAR_MS:
        return None
    return f"a TTL of {duration_text(shortest)} and a quorum queue: too near for a real clock"


def usable(problem: Invalid, profile: str) -> str:
    return f"not valid for RabbitMQ {profile}: {problem.diagnostics[0].message}"
