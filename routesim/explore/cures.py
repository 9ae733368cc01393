"""What would have prevented it: each candidate is applied and explored again, and offered only if the property holds then."""

from collections.abc import Callable, Iterable, Iterator

from routesim.broker import Broker
from routesim.explore.answer import HOLDS, Cure, Explored
from routesim.explore.bounds import Bounds
from routesim.explore.parallel import Crew
from routesim.explore.search import Watch
from routesim.explore.searching import searched
from routesim.model import DECLARE_CHANNEL, Consumer, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario import PublishMany, Scenario
from routesim.scenario.engines import engine_of
from routesim.scenario.scenario import Declaration
from routesim.steps import Consume, DeclareQueue, SetPolicy
from routesim.values import raw
from routesim.versions import rules

PARKED = "parked"
ROOM, TIMES = 4_000, 10  # states that a cure may take: so many, and so many times those of the scenario
MOST_COMBINED = 6


class Changed(NamedTuple):
    """A scenario that is changed, with its bounds, and what the change is, in words."""

    scenario: Scenario
    bounds: Bounds
    change: str


Candidate = Callable[[Scenario, Bounds], Changed | None]


def cures_of(
    scenario: Scenario, bounds: Bounds, name: str, before: Explored, watch: Watch | None, crew: Crew | None = None
) -> tuple[Cure, ...]:
    """Those that help against the property of that name being broken: single ones, else the smallest number of them together.
    `before`: what was found without any."""
    candidates = OF_WORKERS if scenario.workers else (*CANDIDATES, *FOR_ONE.get(name, ()))
    useful = [(each, changed) for each in candidates if (changed := each(scenario, bounds)) is not None]
    trial = _Trial(name, before, watch, crew)
    single = [cure for _, alone in useful if (cure := trial.of(alone)) is not None]
    if single or not 2 <= len(useful) <= MOST_COMBINED:
        return tuple(single)
    kept = [each for each, _ in useful]
    if trial.of(_all(kept, scenario, bounds)) is None:
        return ()
    for each in reversed(kept.copy()):  # the first ones are those that cost least
        fewer = [other for other in kept if other is not each]
        if fewer and trial.of(_all(fewer, scenario, bounds)) is not None:
            kept = fewer
    found = trial.of(_all(kept, scenario, bounds))
    return () if found is None else (found,)


def _all(candidates: Iterable[Candidate], scenario: Scenario, bounds: Bounds) -> Changed:
    said = []
    for each in candidates:
        changed = each(scenario, bounds)
        if changed is not None:
            scenario, bounds = changed.scenario, changed.bounds
            said.append(changed.change)
    return Changed(scenario, bounds, ", and ".join(said))


class _Trial:
    def __init__(self, name: str, before: Explored, watch: Watch | None, crew: Crew | None) -> None:
        self.name, self.before, self.watch, self.crew = name, before, watch, crew
        self.broken = {item.name for item in before.broken}

    def of(self, changed: Changed) -> Cure | None:
        """None: it does not help, or RabbitMQ would refuse it, or it cannot be known within reason."""
        if not _accepted(changed.scenario):
            return None
        most = min(changed.bounds.max_states, TIMES * self.before.states + ROOM)
        found = searched(changed.scenario, changed.bounds._replace(max_states=most), self.watch, self.crew)
        asked = [item for item in found.asked if item.name == self.name]
        if not found.complete or not asked or any(item.verdict != HOLDS for item in asked):
            return None
        new = dict.fromkeys(item.name for item in found.broken if item.name not in self.broken)
        return Cure(changed.change, "; ".join(COSTS.get(name, f"{name} is broken then") for name in new))


COSTS = {
    "duplicated": "work may be done twice",
    "lost": "a message may be lost",
    "lost-confirmed": "a message may be lost that was confirmed",
    "stuck": "a message may be stuck",
    "livelock": "a message may go round for ever",
}


def _accepted(scenario: Scenario) -> bool:
    """Whether the broker lets all of it be declared."""
    broker: Broker = engine_of(scenario.settings)(
        rules(scenario.rabbitmq), vhost=scenario.vhost, settings=scenario.settings, channel_plans=scenario.channels
    )
    return all(broker.apply(declaration.step) is None for declaration in scenario.declarations)


# Candidates ----------------------------------------------------------------------------------------------------------


def _with_queues(scenario: Scenario, change: Callable[[Queue], Queue | None]) -> tuple[Scenario, list[str]]:
    """The scenario with queues as `change` makes them; None: as it is. And which ones were changed."""
    declared: list[Declaration] = []
    names: list[str] = []
    for declaration in scenario.declarations:
        step = declaration.step
        if isinstance(step, DeclareQueue):
            changed = change(step.queue)
            if changed is not None and changed != step.queue:
                names.append(step.queue.name)
                declaration = declaration._replace(step=step._replace(queue=changed))
        declared.append(declaration)
    return scenario._replace(declarations=tuple(declared)), names


def _and(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _manual_ack(scenario: Scenario, bounds: Bounds) -> Changed | None:
    names = [name for name, consumer in scenario.consumers.items() if consumer.auto_ack]
    if not names:
        return None
    return Changed(_acknowledging(scenario, names, auto=False), bounds, f"{_and(names)}: acknowledge when the work is done")


def _auto_ack(scenario: Scenario, bounds: Bounds) -> Changed | None:
    names = [name for name, consumer in scenario.consumers.items() if not consumer.auto_ack]
    if not names:
        return None
    return Changed(_acknowledging(scenario, names, auto=True), bounds, f"{_and(names)}: auto_ack, before the work")


def _acknowledging(scenario: Scenario, names: list[str], *, auto: bool) -> Scenario:
    consumers = {
        name: consumer._replace(auto_ack=auto) if name in names else consumer for name, consumer in scenario.consumers.items()
    }
    return _with_consumers(scenario, consumers)


def _with_consumers(scenario: Scenario, consumers: dict[str, Consumer]) -> Scenario:
    declared = tuple(
        item._replace(step=Consume(consumers[item.step.consumer.name])) if isinstance(item.step, Consume) else item
        for item in scenario.declarations
    )
    return scenario._replace(consumers=consumers, declarations=declared)


def _durable(scenario: Scenario, bounds: Bounds) -> Changed | None:
    changed, names = _with_queues(
        scenario, lambda queue: None if queue.exclusive else queue._replace(durable=True, auto_delete=False)
    )
    return Changed(changed, bounds, f"{_and(names)}: durable, not auto_delete") if names else None


def _persistent(scenario: Scenario, bounds: Bounds) -> Changed | None:
    def transient(action: object) -> bool:
        return isinstance(action, PublishMany) and action.message.delivery_mode != 2

    if not any(transient(step.action) for step in scenario.steps):
        return None
    steps = tuple(
        step._replace(action=step.action._replace(message=step.action.message._replace(delivery_mode=2)))
        if isinstance(step.action, PublishMany)
        else step
        for step in scenario.steps
    )
    return Changed(scenario._replace(steps=steps), bounds, "publish with delivery_mode 2, persistent")


def _mandatory(scenario: Scenario, bounds: Bounds) -> Changed | None:
    steps = tuple(
        step._replace(action=step.action._replace(message=step.action.message._replace(mandatory=True)))
        if isinstance(step.action, PublishMany)
        else step
        for step in scenario.steps
    )
    if steps == scenario.steps:
        return None
    return Changed(scenario._replace(steps=steps), bounds, "publish as mandatory: what no queue takes comes back")


def _confirms(scenario: Scenario, bounds: Bounds) -> Changed | None:
    names = [name for name, plan in scenario.channels.items() if not plan.confirms and _publishes(scenario, name)]
    if not names:
        return None
    channels = {name: plan._replace(confirms=plan.confirms or name in names) for name, plan in scenario.channels.items()}
    return Changed(
        scenario._replace(channels=channels), bounds._replace(retry=True),
        f"{_and(names)}: wait for confirms, and publish again what was not confirmed",
    )  # fmt: skip


def _publishes(scenario: Scenario, channel: str) -> bool:
    return any(isinstance(step.action, PublishMany) and step.action.channel == channel for step in scenario.steps)


def _quorum(scenario: Scenario, bounds: Bounds) -> Changed | None:
    def quorum(queue: Queue) -> Queue | None:
        classic = raw(queue.arguments.get("x-queue-type", "classic")) == "classic"
        if not classic or queue.exclusive:
            return None
        return queue._replace(durable=True, auto_delete=False, arguments={**queue.arguments, "x-queue-type": "quorum"})

    changed, names = _with_queues(scenario, quorum)
    return Changed(changed, bounds, f"{_and(names)}: quorum queues") if names else None


def _dead_letters(scenario: Scenario, bounds: Bounds) -> Changed | None:
    """Every queue that has none gets a dead-letter exchange, and a parking queue behind it."""
    own = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": PARKED}

    def parking(queue: Queue) -> Queue | None:
        if "x-dead-letter-exchange" in queue.arguments or raw(queue.arguments.get("x-queue-type", "")) == "stream":
            return None
        return queue._replace(arguments={**queue.arguments, **own})

    if any(isinstance(item.step, SetPolicy) for item in scenario.declarations):
        return None  # a policy may set it already
    if any(isinstance(item.step, DeclareQueue) and item.step.queue.name == PARKED for item in scenario.declarations):
        return None
    changed, names = _with_queues(scenario, parking)
    if not names:
        return None
    declared = (Declaration(0, DeclareQueue(DECLARE_CHANNEL, Queue(PARKED))), *changed.declarations)
    return Changed(
        changed._replace(declarations=declared), bounds, f"{_and(names)}: a dead-letter exchange with a parking queue behind it"
    )


def _at_least_once(scenario: Scenario, bounds: Bounds) -> Changed | None:
    wanted = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}

    def strategy(queue: Queue) -> Queue | None:
        arguments = queue.arguments
        if raw(arguments.get("x-queue-type", "")) != "quorum" or "x-dead-letter-exchange" not in arguments:
            return None
        return queue._replace(arguments={**arguments, **wanted})

    changed, names = _with_queues(scenario, strategy)
    return Changed(changed, bounds, f"{_and(names)}: x-dead-letter-strategy at-least-once") if names else None


def _reject(scenario: Scenario, bounds: Bounds) -> Changed | None:
    """What is given back for ever is rejected, so that it can be dead-lettered."""

    def changed_rules() -> Iterator[str]:
        for name, consumer in scenario.consumers.items():
            if any(rule.do == "requeue" for rule in consumer.on_message):
                yield name

    names = list(changed_rules())
    if not names:
        return None
    consumers = {
        name: consumer._replace(
            on_message=tuple(rule._replace(do="reject") if rule.do == "requeue" else rule for rule in consumer.on_message)
        )
        for name, consumer in scenario.consumers.items()
    }
    return Changed(_with_consumers(scenario, consumers), bounds, f"{_and(names)}: reject what fails instead of giving it back")


def _delivery_limit(scenario: Scenario, bounds: Bounds) -> Changed | None:
    def limited(queue: Queue) -> Queue | None:
        if raw(queue.arguments.get("x-queue-type", "")) != "quorum" or "x-delivery-limit" in queue.arguments:
            return None
        return queue._replace(arguments={**queue.arguments, "x-delivery-limit": 3})

    changed, names = _with_queues(scenario, limited)
    return Changed(changed, bounds, f"{_and(names)}: x-delivery-limit 3") if names else None


def _one_at_a_time(scenario: Scenario, bounds: Bounds) -> Changed | None:
    names = [name for name, consumer in scenario.consumers.items() if consumer.prefetch != 1 or consumer.concurrency != 1]
    if not names:
        return None
    consumers = {name: consumer._replace(prefetch=1, concurrency=1) for name, consumer in scenario.consumers.items()}
    return Changed(_with_consumers(scenario, consumers), bounds, f"{_and(names)}: prefetch 1, one message at a time")


def _late(scenario: Scenario, bounds: Bounds) -> Changed | None:
    names = [name for name, task in scenario.tasks.items() if task.acks != "late"]
    tasks = {name: task._replace(acks="late") for name, task in scenario.tasks.items()}
    return Changed(scenario._replace(tasks=tasks), bounds, f"{_and(names)}: acks_late") if names else None


def _late_and_child(scenario: Scenario, bounds: Bounds) -> Changed | None:
    tasks = {name: task._replace(acks="late", on_worker_lost="requeue") for name, task in scenario.tasks.items()}
    names = [name for name, task in tasks.items() if task != scenario.tasks[name]]
    if not names:
        return None
    return Changed(scenario._replace(tasks=tasks), bounds, f"{_and(names)}: acks_late and reject_on_worker_lost")


# In the order in which they are offered; FOR_ONE: against one property alone; OF_WORKERS: where worker
# processes declare what they consume, and would be refused another declaration.
CANDIDATES: tuple[Candidate, ...] = (
    _manual_ack, _durable, _persistent, _confirms, _mandatory, _dead_letters, _at_least_once, _reject, _delivery_limit, _quorum,
)  # fmt: skip
FOR_ONE: dict[str, tuple[Candidate, ...]] = {
    "duplicated": (_auto_ack,),
    "order": (_one_at_a_time,),
    "order-by-key": (_one_at_a_time,),
}
OF_WORKERS: tuple[Candidate, ...] = (_late, _late_and_child, _persistent)
