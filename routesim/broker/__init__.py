"""The embedded RabbitMQ (topology, routing, dispatch, dead letters, policies, virtual time), and what Redis has in common."""

from routesim.broker.balance import counts, imbalance, open_messages
from routesim.broker.broker import Broker
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.broker.records import ChannelEnded, ConsumerEnded, Livelock, StepFailure
from routesim.chance import uniform

__all__ = [
    "Broker",
    "RabbitBroker",
    "ChannelEnded",
    "ConsumerEnded",
    "StepFailure",
    "Livelock",
    "counts",
    "imbalance",
    "open_messages",
    "uniform",
]
