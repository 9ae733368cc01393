"""What a broker tells of its clients, as values."""

from routesim.named_tuples import NamedTuple
from routesim.values import Table


class TracedEvent(NamedTuple):
    """`queue` None: a publish, into `queues`; else a delivery from it. `properties` as the client sent them, headers among them.
    `client` and `channel`: whose it is, as the management API calls connections and channels."""

    at_ms: int
    exchange: str
    routing_key: str
    properties: Table
    body: bytes
    client: str
    channel: int
    queue: str | None = None
    redelivered: bool = False
    queues: tuple[str, ...] = ()


class ConsumerThere(NamedTuple):
    """A consumer, by the place where it is."""

    queue: str
    client: str
    channel: int
    tag: str
    auto_ack: bool
    prefetch: int
    exclusive: bool
    arguments: Table
