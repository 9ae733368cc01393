"""Which embedded engine a scenario is for, and one in which stands what the scenario declares."""

from routesim.broker import Broker, RabbitBroker
from routesim.model import BrokerSettings
from routesim.scenario.scenario import Scenario
from routesim.steps import Consume
from routesim.versions import rules


def engine_of(settings: BrokerSettings) -> type[Broker]:
    """The class to make a broker of, for the scenario's `broker: {kind: …}`."""
    if settings.kind == "redis":
        from routesim.redis import RedisBroker  # few scenarios need it, and every command is to start at once

        return RedisBroker
    return RabbitBroker


def topology(scenario: Scenario, *, asked_once: bool = False) -> Broker:
    """A broker with everything that the scenario declares at its top and that its workers declare, and nobody consuming.

    `asked_once`: nobody asks the scenario for it again. Then it is no copy, of which one with many queues takes its time.
    """
    # It stays behind when a scenario goes to another process.
    broker = _declared(scenario) if scenario.topology is None else scenario.topology if asked_once else scenario.topology.copy()
    broker.seed = scenario.seed
    for worker in scenario.workers.values():
        for step in worker.declares:
            broker.apply(step)
    broker.failures.clear()  # the run says what a worker is refused
    return broker


def _declared(scenario: Scenario) -> Broker:
    broker = RabbitBroker(
        rules(scenario.rabbitmq), vhost=scenario.vhost, seed=scenario.seed, settings=scenario.settings,
        channel_plans=scenario.channels,
    )  # fmt: skip
    for declaration in scenario.declarations:
        if not isinstance(declaration.step, Consume):
            broker.apply(declaration.step)
    return broker
