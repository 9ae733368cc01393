"""The embedded Redis: driven like the embedded RabbitMQ, by the rules of kombu's Redis transport (rules/celery#3)."""

from collections.abc import Callable
from typing import Any

from routesim import steps
from routesim.broker import copying
from routesim.broker.clock import PEXPIRE, SWEEP, AgendaEntry
from routesim.broker.records import NotPossible, StepFailure
from routesim.redis import publishing, sessions, settling, topology
from routesim.redis.popping import ask_again
from routesim.redis.state import Flight, RedisState

HANDLERS: dict[type, Callable[[Any, Any], None]] = {
    steps.Publish: publishing.publish,
    steps.Get: settling.get,
    steps.Ack: settling.ack,
    steps.Nack: settling.nack,
    steps.Reject: settling.reject,
    steps.Recover: settling.recover,
    steps.Qos: sessions.qos,
    steps.Fetch: sessions.fetch,
    steps.Tx: sessions.tx,
    steps.OpenChannel: sessions.only_in_amqp,
    steps.CloseChannel: sessions.only_in_amqp,
    steps.Flow: sessions.only_in_amqp,
    steps.SelectConfirms: sessions.only_in_amqp,
    steps.AskExchange: sessions.only_in_amqp,
    steps.Expire: topology.no_expiry,
    steps.Consume: sessions.consume,
    steps.Cancel: sessions.cancel,
    steps.Crash: sessions.crash,
    steps.Close: sessions.close,
    steps.Restart: sessions.restart,
    steps.DeclareExchange: topology.declare_exchange,
    steps.DeclareQueue: topology.declare_queue,
    steps.AskQueue: topology.ask_queue,
    steps.Bind: topology.bind,
    steps.Unbind: topology.unbind,
    steps.DeleteExchange: topology.delete_exchange,
    steps.DeleteQueue: topology.delete_queue,
    steps.Purge: topology.purge,
    steps.SetPolicy: topology.no_policies,
    steps.DeletePolicy: topology.no_policies,
}


class RedisBroker(RedisState):
    """No step is ever refused: what cannot be carried out is noted in `failures`, what Redis lacks is warned of once."""

    def apply(self, step: steps.Step) -> None:
        try:
            HANDLERS[type(step)](self, step)
        except NotPossible as problem:
            self.failures.append(StepFailure(self.now, None, str(problem)))
        ask_again(self)

    def _fire(self, entry: AgendaEntry) -> None:
        if entry.kind == SWEEP:
            self._sweep_in_time(entry)
        else:
            assert entry.kind == PEXPIRE
            self._tick(entry.what[0], entry.at_ms)
        ask_again(self)

    def _sweep_in_time(self, entry: AgendaEntry) -> None:
        connection, number = entry.what
        sweeper = self.sweepers.get(connection)
        if sweeper is None or sweeper.number != number:
            return
        if not self.is_consuming(connection):
            del self.sweepers[connection]
            return
        if any(client.cycle for client in self.clients.values() if client.channel.connection == connection):
            settling.sweep(self)
        self.plan_sweep(connection, sweeper.began_ms)

    def copy(self) -> "RedisBroker":
        fresh = RedisBroker(
            self.rules, vhost=self.vhost, seed=self.seed, settings=self.broker_settings, channel_plans=self.channel_plans
        )
        copying.clone_into(self, fresh, {})
        fresh.clients = {name: client.clone(fresh.channels[name]) for name, client in self.clients.items()}
        fresh.turns, fresh.held, fresh.freed = self.turns, self.held.copy(), self.freed.copy()
        fresh.sweepers, fresh.unbound, fresh.said = self.sweepers.copy(), self.unbound.copy(), self.said.copy()
        fresh.declarers = {name: connections.copy() for name, connections in self.declarers.items()}
        return fresh

    def fingerprint(self) -> tuple[Any, ...]:
        line = sorted(self.clients.values(), key=lambda client: (client.since_ms, client.turn))
        clients = tuple(
            (client.channel.name, client.limit, client.allowance, client.waiting, self.now - client.since_ms, tuple(client.cycle),
             tuple(sorted(client.heard.items())))
            for client in line
        )  # fmt: skip
        sweepers = tuple(
            sorted((name, (self.now - sweeper.began_ms) % self.restore_every) for name, sweeper in self.sweepers.items())
        )
        held = tuple(
            (message, self.now - entry.at_ms, tuple(map(self._flight, entry.flights))) for message, entry in self.held.items()
        )
        return (
            *copying.fingerprint(self), clients, held, len(self.freed), sweepers, tuple(sorted(self.unbound)),
        )  # fmt: skip

    def _flight(self, flight: Flight) -> tuple[Any, ...]:
        return flight.queue, flight.by, flight.channel, self._lives(flight), flight.copy.returns
