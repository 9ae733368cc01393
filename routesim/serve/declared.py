"""The broker of a virtual host, with what a scenario declares."""

from routesim.broker.rabbit_broker import RabbitBroker
from routesim.model import BrokerSettings
from routesim.scenario import Scenario
from routesim.steps import Consume
from routesim.versions import rules


def empty_scenario(version: str, vhost: str) -> Scenario:
    """As of a file that says no more than this."""
    return Scenario("serve", "serve", "", version, 0, vhost, BrokerSettings(), {}, (), {}, (), (), "idle")


def broker_of(scenario: Scenario) -> RabbitBroker:
    """With all that is declared at the top; nobody consumes."""
    broker = RabbitBroker(
        rules(scenario.rabbitmq), vhost=scenario.vhost, seed=scenario.seed, settings=scenario.settings,
        channel_plans=dict(scenario.channels),
    )  # fmt: skip
    for declaration in scenario.declarations:
        if not isinstance(declaration.step, Consume):
            broker.apply(declaration.step)
    broker.outbox.clear()
    broker.failures.clear()
    return broker
