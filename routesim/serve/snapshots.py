"""A virtual host as it was: its broker and what is known of its messages, to be had again at any time."""

from routesim import events
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.named_tuples import NamedTuple
from routesim.serve.history import Remembered
from routesim.serve.vhosts import Vhost
from routesim.steps import Crash


class Snapshot(NamedTuple):
    """Without clients: as if each had been cut off at that moment. What they held is in its queue again, and their exclusive
    queues are gone."""

    broker: RabbitBroker
    remembered: Remembered


def taken(vhost: Vhost) -> Snapshot:
    """As the virtual host is now; its clients do not notice."""
    broker = vhost.broker.copy()
    for connection in list(broker.connections):
        broker.apply(Crash(connection))
    for told in (broker.outbox, broker.told, broker.failures):
        told.clear()
    return Snapshot(broker, vhost.history.remembered())


def put_back(vhost: Vhost, snapshot: Snapshot, name: str, server_ms: int) -> None:
    """The virtual host is as it was, its time goes on from there, and it has no clients: they have been sent away before.
    `server_ms`: the server's time."""
    before, fresh = vhost.broker, snapshot.broker.copy()
    fresh.listen, fresh.tells_publishers, fresh.epoch_s = before.listen, True, before.epoch_s
    vhost.broker, vhost.since_ms = fresh, server_ms - fresh.now
    vhost.history.set_back(snapshot.remembered)
    if fresh.listen:
        fresh.listen(events.SetBack(fresh.now, name))
