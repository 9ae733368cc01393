"""The server without its sockets: its virtual hosts, users and connections, and the time that passes for all of them."""

from collections.abc import Callable, Iterable

from routesim.broker.rabbit_broker import RabbitBroker
from routesim.serve import failing, snapshots
from routesim.serve.agenda import ServerAgenda
from routesim.serve.clocks import ServerClock
from routesim.serve.connection import Connection
from routesim.serve.failing import Order
from routesim.serve.history import KEPT
from routesim.serve.host import Link
from routesim.serve.users import Users
from routesim.serve.vhosts import Plays, Vhost
from routesim.versions import Rules

MOST_BYTES = 536_870_912  # of a body: RabbitMQ's hard limit; what is configured counts at the publish
FORCED, SHUTDOWN = 320, "broker forced connection closure with reason 'shutdown'"


class Server:
    """`keep`: how much of what has ended is known. `turn` ends each reaction to the outside: what has been written goes out, all
    at once.
    """

    def __init__(self, rules: Rules, vhosts: dict[str, RabbitBroker], users: Users, clock: ServerClock, keep: int = KEPT) -> None:
        self.rules = rules
        self.version = rules.version if rules.version.count(".") == 2 else f"{rules.version}.0"
        self.vhosts = {name: Vhost(name, broker, clock.epoch_s, keep) for name, broker in vhosts.items()}
        self.users = users
        self.keep = keep
        self.clock = clock
        self.connections: set[Connection] = set()
        self.names: set[str] = set()
        self.addresses: dict[str, tuple[str, int]] = {}  # where it listens: host and port of amqp, amqp/ssl, http
        self.greeters: list[Callable[[Vhost], None]] = []  # told of virtual hosts that are added
        self.unsent: list[Connection] = []
        self.plays: list[Plays] = []
        self.agenda = ServerAgenda()
        self.at_ms = 0  # what it has caught up with of the clock
        self.largest_body = MOST_BYTES

    def add_vhost(self, name: str, broker: RabbitBroker) -> Vhost:
        """A virtual host more, which was there from the beginning as far as its time goes."""
        vhost = self.vhosts[name] = Vhost(name, broker, self.clock.epoch_s, self.keep)
        vhost.advance(self.clock.now_ms())
        for greet in self.greeters:
            greet(vhost)
        return vhost

    def remove_vhost(self, name: str) -> None:
        """It goes with all that is in it; its clients are told."""
        vhost = self.vhosts.pop(name)
        if vhost.play is not None:
            self.plays.remove(vhost.play)
        for connection in self.connections_of(vhost):
            connection.force_out(FORCED, f"vhost '{name}' is deleted")

    def connections_of(self, vhost: Vhost) -> list[Connection]:
        return [each for each in self.connections if each.vhost is vhost]

    def connect(self, link: Link, peer: str, *, loopback: bool) -> Connection:
        connection = Connection(self, link, peer, loopback=loopback)
        self.connections.add(connection)
        return connection

    def named(self, wanted: str) -> str:
        """A name that no other connection has."""
        name, number = wanted, 1
        while name in self.names:
            number += 1
            name = f"{wanted} ({number})"
        self.names.add(name)
        return name

    def clock_ms(self) -> int:
        return self.at_ms

    def later(self, ms: int, act: Callable[[], None]) -> None:
        self.agenda.put(self.at_ms + ms, act)

    def advance(self) -> None:
        """The engines' time catches up with the clock; what is on the server's own agenda is done at its instant."""
        now = self.clock.now_ms()
        agenda = self.agenda
        while agenda.entries and agenda.entries[0][0] <= now:
            self._advance(agenda.entries[0][0])
            agenda.take()()
            self.turn()
        self._advance(now)

    def _advance(self, now_ms: int) -> None:
        self.at_ms = now_ms
        for vhost in self.vhosts.values():
            vhost.advance(now_ms)
        if self.plays:
            self._end_played()

    def due_ms(self) -> int | None:
        """When the next timer of an engine goes off, or something is on the server's own agenda."""
        due = min((due for vhost in self.vhosts.values() if (due := vhost.due_ms()) is not None), default=None)
        own = self.agenda.due_ms()
        return own if due is None else due if own is None else min(own, due)

    def play(self, vhost: str, play: Plays, connections: Iterable[str]) -> None:
        """A scenario acts there from now on; `connections`: the names of its own, which no client may have."""
        self.names.update(connections)
        self.vhosts[vhost].play = play
        self.plays.append(play)
        self.advance()
        play.begin()
        self._end_played()

    def turn(self) -> None:
        for play in self.plays:
            play.turn()
        while self.unsent:
            unsent, self.unsent = self.unsent, []
            for connection in unsent:
                connection.flush()

    def _end_played(self) -> None:
        """A broker that a scenario restarts has no connections any more."""
        for vhost in self.vhosts.values():
            clean = None if vhost.play is None else vhost.play.take_restart()
            if clean is not None:
                self.end_restarted(vhost, clean=clean)

    def end_restarted(self, vhost: Vhost, *, clean: bool) -> None:
        """The broker of a virtual host has stopped and started: its clients are told if it had time to, and are cut off."""
        for connection in self.connections_of(vhost):
            if clean:
                connection.force_out(FORCED, SHUTDOWN)
            else:
                connection.cut()

    def alarm(self, vhost: Vhost, reason: str | None) -> None:
        """Who publishes there is blocked; None: no more."""
        vhost.alarm = reason
        for connection in self.connections_of(vhost):
            connection.set_alarm(reason)

    def refuses(self) -> bool:
        """Whether nobody is let in anywhere."""
        return bool(self.vhosts) and all(vhost.refuses for vhost in self.vhosts.values())

    def fail(self, order: Order) -> list[str]:
        """Carry out a failure. The names of what it has befallen. Raises `LookupError`, `ValueError`."""
        return failing.carry_out(self, order)

    def snapshot(self, vhost: Vhost, name: str) -> None:
        """Remember how all is there, under that name; what had the name is forgotten."""
        vhost.snapshots[name] = snapshots.taken(vhost)

    def set_back(self, vhost: Vhost, name: str) -> None:
        """All is as it was when the snapshot was taken; the clients are told to go, as by a restart. Raises `LookupError`, and
        `ValueError` where a scenario is played or clients are recorded: they cannot go back."""
        found = vhost.snapshots.get(name)
        if found is None:
            raise LookupError(f"no snapshot is called '{name}'; there are {', '.join(vhost.snapshots) or 'none'}")
        if vhost.play is not None:
            raise ValueError(f"vhost '{vhost.name}' cannot be set back: a scenario is played there")
        if vhost.recorder is not None:
            raise ValueError(f"vhost '{vhost.name}' cannot be set back: what its clients do is recorded")
        for connection in self.connections_of(vhost):
            connection.force_out(FORCED, f"the virtual host is set back to snapshot '{name}'")
        snapshots.put_back(vhost, found, name, self.at_ms)

    def lost(self) -> int:
        """How often something was lost."""
        return sum(vhost.broker.ledger.lost for vhost in self.vhosts.values())

    def force_out(self, text: str) -> None:
        """Every client is told that the server ends."""
        for connection in list(self.connections):
            connection.force_out(FORCED, text)
        self.turn()
