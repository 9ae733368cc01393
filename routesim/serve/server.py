"""The server without its sockets: its virtual hosts, users and connections, and the time that passes for all of them."""

from routesim.broker.rabbit_broker import RabbitBroker
from routesim.serve.clocks import ServerClock
from routesim.serve.connection import Connection
from routesim.serve.history import History
from routesim.serve.host import Link
from routesim.serve.users import Users
from routesim.serve.vhosts import Vhost
from routesim.versions import Rules

MOST_BYTES = 536_870_912  # of a body: RabbitMQ's hard limit; what is configured counts at the publish
FORCED = 320


class Server:
    """`turn` ends each reaction to the outside: what has been written goes out, all at once."""

    def __init__(self, rules: Rules, vhosts: dict[str, RabbitBroker], users: Users, clock: ServerClock, history: History) -> None:
        self.rules = rules
        self.version = rules.version if rules.version.count(".") == 2 else f"{rules.version}.0"
        self.vhosts = {name: Vhost(name, broker, clock.epoch_s) for name, broker in vhosts.items()}
        self.users = users
        self.clock = clock
        self.history = history
        self.connections: set[Connection] = set()
        self.names: set[str] = set()
        self.unsent: list[Connection] = []
        self.largest_body = MOST_BYTES

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

    def advance(self) -> None:
        """The engines' time catches up with the clock."""
        now = self.clock.now_ms()
        for vhost in self.vhosts.values():
            vhost.advance(now)

    def due_ms(self) -> int | None:
        """When the next timer of an engine goes off."""
        return min((due for vhost in self.vhosts.values() if (due := vhost.broker.due()) is not None), default=None)

    def turn(self) -> None:
        while self.unsent:
            unsent, self.unsent = self.unsent, []
            for connection in unsent:
                connection.flush()

    def lost(self) -> int:
        """How often something was lost."""
        return sum(vhost.broker.ledger.lost for vhost in self.vhosts.values())

    def force_out(self, text: str) -> None:
        """Every client is told that the server ends."""
        for connection in list(self.connections):
            connection.force_out(FORCED, text)
        self.turn()
