"""The other embedded engine: Redis as kombu's transport uses it. The same steps, events, clock and ledger as `broker`."""

from routesim.redis.broker import RedisBroker

__all__ = ["RedisBroker"]
