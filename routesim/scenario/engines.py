"""Which embedded engine a scenario is for."""

from routesim.broker import Broker, RabbitBroker
from routesim.model import BrokerSettings


def engine_of(settings: BrokerSettings) -> type[Broker]:
    """The class to make a broker of, for the scenario's `broker: {kind: …}`."""
    if settings.kind == "redis":
        from routesim.redis import RedisBroker  # few scenarios need it, and every command is to start at once

        return RedisBroker
    return RabbitBroker
