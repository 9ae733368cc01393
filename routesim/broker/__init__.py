"""The embedded engine: topology, the routing walk, dispatch, dead-lettering, policies and the virtual clock."""

from routesim.broker.balance import counts, imbalance, open_messages
from routesim.broker.broker import Broker
from routesim.broker.state import ConsumerEnded, Livelock, StepFailure, uniform

__all__ = ["Broker", "ConsumerEnded", "StepFailure", "Livelock", "counts", "imbalance", "open_messages", "uniform"]
