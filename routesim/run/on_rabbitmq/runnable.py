"""What of a scenario a real broker that others use cannot be asked for, found before anything is sent."""

from routesim.exchanges import EXCHANGE_TYPES
from routesim.model import BrokerSettings, Consumer
from routesim.queues.arguments import ARGUMENTS, FIXED
from routesim.rabbitmq.pace import Pace
from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.replies import REPLY_SUCCESS
from routesim.scenario import PublishMany, Scenario, Wait, steps_of
from routesim.steps import Close, CloseChannel, DeclareExchange, DeclareQueue, Expire, Flow, Restart, SetPolicy, Step
from routesim.values import raw

FIXED_DURATIONS = tuple(name for name, row in ARGUMENTS.items() if row.duration == FIXED)


def why_not(scenario: Scenario, exchange_types: frozenset[str], *, restarts: bool = False) -> str | None:
    """Why the scenario cannot be carried out on a broker with these exchange types; None: it can. `restarts`: the broker may be
    stopped in good order and started again."""
    # The default type of queues is the vhost's, which is our own; what is permitted has been compared with the broker's.
    if scenario.settings._replace(default_queue_type=None, permit=()) != BrokerSettings():
        return "needs settings of the broker itself (`broker:`)"
    for step in steps_of(scenario):
        if isinstance(step, Restart) and not (restarts and step.clean):
            return "needs a restart of the broker" if step.clean else "needs a broker that is killed"
        if isinstance(step, Close | CloseChannel) and step.code != REPLY_SUCCESS:
            return f"needs a client that is closed with {step.code} for what no step says"
        if isinstance(step, Expire):
            return f"needs messages in '{step.queue}' that expire at once"
        if isinstance(step, Flow):
            return "needs a client that does not read what it is sent"
        if isinstance(step, DeclareExchange):
            kind = step.exchange.type
            if kind in EXCHANGE_TYPES and kind not in exchange_types:
                return f"needs a plugin that the broker does not have: exchange type {kind}"
    return None


def check_speed(scenario: Scenario, speed: int, *, leases: bool = True) -> None:
    """Raises `NotOnARealBroker` where a scenario's times cannot be made `speed` times shorter exactly. `leases`: an unused queue
    goes in the run, so that x-expires matters."""
    if speed == 1:
        return
    pace = Pace(speed, leases)
    for each in steps_of(scenario):
        _check_step(pace, each)
    for step in scenario.steps:
        action = step.action
        if isinstance(action, Wait):
            pace.down(action.ms, "a wait")
        elif isinstance(action, PublishMany):
            pace.down(action.every_ms, "`every`")
            pace.down(action.after_ms, "`after`")
            pace.message(action.message)
    for consumer in scenario.consumers.values():
        _check_consumer(pace, consumer)
    for task in scenario.tasks.values():
        for reply in (*task.publish, *(reply for rule in task.runs for reply in rule.publish or ())):
            pace.message(reply.message)
    if isinstance(scenario.until, int):
        pace.down(scenario.until, "`until`")


def _check_step(pace: Pace, step: Step) -> None:
    if isinstance(step, DeclareQueue):
        arguments = pace.queue(step.queue).arguments
        _check_fixed(pace, [name for name in FIXED_DURATIONS if name in arguments], step.queue.name)
        if pace.leases and "x-expires" in arguments and raw(arguments.get("x-queue-type", "")) == "quorum":
            raise NotOnARealBroker(f"--speed {pace.speed} cannot be exact: a quorum queue looks at x-expires every 5 s")
    elif isinstance(step, SetPolicy):
        definition = pace.policy(step.policy).definition
        keys = (name.removeprefix("x-") for name in FIXED_DURATIONS)
        _check_fixed(pace, [key for key in keys if key in definition], step.policy.name)


def _check_fixed(pace: Pace, names: list[str], where: str) -> None:
    for name in names:
        raise NotOnARealBroker(f"--speed {pace.speed} cannot be exact: {name} of {where} does not scale")


def _check_consumer(pace: Pace, consumer: Consumer) -> None:
    pace.down(consumer.takes, f"`takes` of {consumer.name}")
    for rule in consumer.on_message:
        for ms, what in ((rule.takes, "takes"), (rule.after, "after"), (rule.restart, "restart")):
            pace.down(ms or 0, f"`{what}` of a rule of {consumer.name}")
        for reply in rule.publish:
            pace.message(reply.message)
