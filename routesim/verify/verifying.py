"""One scenario on both engines. A difference counts when the broker shows it again and again."""

from routesim.broker import Broker
from routesim.diagnostics import Invalid
from routesim.durations import duration_text
from routesim.named_tuples import NamedTuple
from routesim.rabbitmq.http.features import features_unlike
from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.run import Result, Runner
from routesim.run.folds.fold import fan_out
from routesim.run.folds.letters import Letters
from routesim.run.observations import Observations, observed
from routesim.run.on_rabbitmq.rehearsal import Leases, Rehearsal
from routesim.run.on_rabbitmq.runnable import check_speed, why_not
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import Expect, PublishMany, Scenario, steps_of
from routesim.scenario.sections.touched_bugs import bugs_in, declared_as_another_type
from routesim.steps import Cancel, DeclareQueue, SetPolicy, Tx
from routesim.values import raw
from routesim.verify.comparing import EngineDifference, Leniency, Races, first_difference, leniency, raced_confirm
from routesim.verify.lateness import StepTimes, Timer, Timing
from routesim.versions import rules

TRIES = 3
MOST_VOID = 3  # runs that say nothing, before it is given up
LONGEST_MS = 60_000
ENDLESS = 100_000  # events after which a run is taken for one that never comes to rest: no real broker is kept waiting so long
NEAR_MS = 50  # real milliseconds that a step may take
HANGS = "a bug of this version may let a queue hang for ever: delayed retry and a length limit that drops the head"
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

    @property
    def kind(self) -> tuple[str, str] | None:
        """In what the engines differ: what was looked at, and the rule that the simulator followed there."""
        return (self.difference.what, self.difference.rule) if self.difference is not None else None


def verify(scenario: Scenario, session: BrokerSession, speed: int = 1, *, tries: int = TRIES) -> VerifyVerdict:
    """`scenario` was loaded by the broker's own version. Raises `BrokerProblem` when the broker is lost."""
    verdict = VerifyVerdict(scenario.file, scenario.name)
    unlike = features_unlike(scenario.settings.permit, scenario.rabbitmq, session.features)
    why = (
        why_not(scenario, session.types, restarts=session.restart_command is not None)
        or unlike
        or known_deviation(scenario)
        or too_brief(scenario, speed)
    )
    if why is not None:
        return verdict._replace(skipped=why)
    scenario = without_expectations(scenario)
    timing, letters, leases, races = Timing(), Letters(), Leases(), Races(scenario)
    runner = Runner(scenario, fan_out(None, [timing, letters, leases, races]), max_events=ENDLESS)
    letters.broker = timing.broker = runner.broker
    runner.broker.ids_are_sent = True  # type: ignore[attr-defined]
    result = runner.run()
    if may_hang(scenario, result.broker) or (scenario.topology is not None and may_hang(scenario, scenario.topology)):
        return verdict._replace(skipped=HANGS)
    if result.endless:
        return verdict._replace(skipped=f"never comes to rest ({result.ended})")
    raced = raced_confirm(result, races)
    if raced is not None:
        return verdict._replace(skipped=raced)
    plan = Rehearsal(result.clock_ms, bool(leases.ended))
    try:
        check_speed(scenario, speed, leases=plan.leases_end)
    except NotOnARealBroker as problem:
        return verdict._replace(skipped=str(problem))
    if result.clock_ms / speed > LONGEST_MS:
        return verdict._replace(skipped=f"takes {duration_text(result.clock_ms // speed)}; try a higher --speed")
    due = result.broker.due()
    timing.steps.append(result.clock_ms)
    if due is not None:  # what the run ended too early for
        timing.timers.append(Timer(due, 0))
    nearest_ms = timing.nearest_ms()
    if nearest_ms is not None and nearest_ms / speed < NEAR_MS:
        return verdict._replace(skipped=f"a timer goes off {duration_text(nearest_ms)} after a step: too near for a real clock")
    how = Plan(plan, timing, leniency(result, races), speed, tries)
    return _compared(verdict, result, observed(result, letters), how, session)


class Plan(NamedTuple):
    """How a scenario is held against the broker, and how often before a difference counts."""

    rehearsal: Rehearsal
    timing: Timing
    lenient: Leniency
    speed: int
    tries: int


def _compared(
    verdict: VerifyVerdict, result: Result, simulated: Observations, plan: Plan, session: BrokerSession
) -> VerifyVerdict:
    """A run that agrees says so at once. One that was too slow says nothing when it differs: it is tried again."""
    differed = void = 0
    while differed < plan.tries and void < MOST_VOID:
        letters, times = Letters(), StepTimes()
        there = session.run(result.scenario, times.hear, plan=plan.rehearsal, speed=plan.speed, letters=letters)
        difference = first_difference(simulated, observed(there, letters), result, plan.lenient)
        runs = differed + void + 1
        if difference is None:
            return verdict._replace(tries=runs)
        assert there.real is not None
        why = plan.timing.why_void([*times.at_ms, there.clock_ms], there.real.late_ms)
        if why is None:
            differed += 1
            found = difference
        else:
            void += 1
    if differed < plan.tries:
        return verdict._replace(skipped=f"void: the machine was too slow ({why})", tries=runs)
    return verdict._replace(difference=found, tries=runs)


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
    if declared_as_another_type(steps_of(scenario)):
        return "known deviation: a queue is deleted and declared again as another type"
    return None


def may_hang(scenario: Scenario, broker: Broker) -> bool:
    """Whether a queue shows what a bug of this version hangs it for."""
    return any(bug.hangs for bug in bugs_in(scenario.rabbitmq, broker, list(scenario.consumers.values()), steps_of(scenario)))


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
