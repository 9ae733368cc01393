"""What the Redis engine knows beside topology and lists: its clients, the unacked set, and who sweeps it."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from routesim.broker import Broker
from routesim.broker.clock import PEXPIRE, SWEEP
from routesim.broker.records import ExchangeState
from routesim.content import Content
from routesim.events import Overdue
from routesim.model import DEFAULT_EXCHANGE, Exchange
from routesim.named_tuples import NamedTuple
from routesim.queues import Channel, Copy, Delivery, QueueType, Subscription
from routesim.redis.lists import RedisList

VISIBILITY_TIMEOUT_MS = 3_600_000  # visibility_timeout
RESTORE_EVERY_MS = 100_000  # unacked_restore_interval 10 s × unacked_restore_throttle 10
PRIORITY_STEPS = (0, 3, 6, 9)
BRPOP_TIMEOUT_MS = 1_000  # after so long without a message a client asks again, and stands at the end of the line


class Flight(NamedTuple):
    """A copy that a client has popped: from which list, for whom, on which channel (its name and number), with which tag."""

    queue: str
    copy: Copy
    by: str
    channel: str
    number: int
    tag: int


class UnackedEntry(NamedTuple):
    """An entry of the unacked set: since when, and what has been popped of this message.

    kombu gives one tag to a publish, however many queues it goes to: the copies of a message share their entry.
    """

    at_ms: int
    order: int
    content: Content
    flights: tuple[Flight, ...]


class Client:
    """A channel of kombu at work.

    - `limit`: its prefetch; `allowance`: so many messages more it asks for, None: whenever it has room;
    - `cycle`: the queues that it pops from, in the order of the next BRPOP;
    - `waiting`: a BRPOP of it is blocked; `since_ms` and `turn`: since when, and its place among those that began then;
    - `heard`: by fanout exchange, the queue to which messages from it are given;
    - `subscribed`: the patterns that it is subscribed to, as (exchange, key); `subscribed_ms`: when that was, None: never yet;
    - `settled`: deliveries whose message has been settled by another tag of the channel.
    """

    __slots__ = (
        "allowance", "channel", "cycle", "heard", "limit", "settled", "since_ms", "subscribed", "subscribed_ms", "turn",
        "waiting",
    )  # fmt: skip

    def __init__(self, channel: Channel[QueueType], limit: int) -> None:
        self.channel = channel
        self.limit = limit
        self.allowance: int | None = None
        self.cycle: list[str] = []
        self.waiting = False
        self.since_ms = 0
        self.turn = 0
        self.heard: dict[str, str] = {}
        self.subscribed: frozenset[tuple[str, str]] = frozenset()
        self.subscribed_ms: int | None = None
        self.settled: dict[int, Delivery[QueueType]] = {}

    def has_room(self) -> bool:
        """virtual.QoS.can_consume: messages count once, however often they were delivered here."""
        if not self.limit or len(self.channel.unacked) < self.limit:
            return True
        return len({item.copy.message for item in self.channel.unacked.values()}) < self.limit

    def asks(self) -> bool:
        """Whether it goes on to ask: it has room, and is to take more."""
        return self.allowance != 0 and self.has_room()

    def clone(self, channel: Channel[QueueType]) -> "Client":
        other = Client(channel, self.limit)
        other.waiting, other.allowance = self.waiting, self.allowance
        other.cycle, other.since_ms, other.turn = self.cycle.copy(), self.since_ms, self.turn
        other.subscribed, other.subscribed_ms = self.subscribed, self.subscribed_ms
        other.heard, other.settled = self.heard.copy(), self.settled.copy()
        return other


class LinePlace(NamedTuple):
    """Where a client stands in the line for a queue: its BRPOP began `at_ms` within its time limit, and when among those."""

    at_ms: int
    turn: int
    client: Client


class Sweeper(NamedTuple):
    """A connection's timer: the number of its entry on the agenda, when it began, and whether it `sleeps`, without an entry."""

    number: int
    began_ms: int
    sleeps: bool


class RedisState(Broker):
    """State beside that of every engine:

    - `clients`: by channel;
    - `held`: the unacked set, by message, the oldest entry first;
    - `freed`: copies in flight whose entry went with the acknowledgement of another copy, by serial number;
    - `sweepers`: by connection, its timer that looks for what is overdue;
    - `unbound`: bindings that clients have forgotten, which stay in the set, as (queue, exchange, key);
    - `declarers`: by exchange, the connections that have declared it;
    - `said`: warnings, each of which is given once;
    - `woken`: clients that have been served while they waited, within a step;
    - `lines`: by queue, the clients that wait for it; those of a queue at which nobody has been looked for are found then;
    - `sweepers_planned`: every connection with a timer consumes, and none of the timers sleeps.
    """

    predeclared = (Exchange(DEFAULT_EXCHANGE, "direct"),)  # Redis has no amq.* of its own
    queues: "dict[str, Any]"
    sweepers_planned = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        settings = self.broker_settings
        self.visibility_timeout = VISIBILITY_TIMEOUT_MS if settings.visibility_timeout is None else settings.visibility_timeout
        self.restore_every = RESTORE_EVERY_MS if settings.restore_every is None else settings.restore_every
        self.priority_steps = settings.priority_steps or PRIORITY_STEPS
        self.restore_limit = settings.restore_limit
        self.queue_order = settings.queue_order or "round_robin"
        self.clients: dict[str, Client] = {}
        self.turns = 0
        self.held: dict[str, UnackedEntry] = {}
        self.freed: set[int] = set()
        self.sweepers: dict[str, Sweeper] = {}
        self.unbound: set[tuple[str, str, str]] = set()
        self.declarers: dict[str, set[str]] = {}
        self.said: set[str] = set()
        self.woken: deque[Client] = deque()
        self._held_at: tuple[int, int] | None = None
        self._held_of: dict[str, list[tuple[str, str | None, str, int, bool]]] = {}  # by queue, as it was then
        self.lines: dict[str, list[LinePlace]] = {}

    def warn_once(self, text: str) -> None:
        if text not in self.said:
            self.said.add(text)
            self.warn(text)

    def client(self, name: str) -> Client:
        """The client of the channel of that name, which is opened when it is not."""
        channel = self.channel(name)
        found = self.clients.get(name)
        if found is None:
            found = self.clients[name] = Client(channel, channel.limit or channel.prefetch)
        return found

    def list_of(self, name: str) -> RedisList:
        """The queue of that name. There is always one: a list comes to be with what is pushed into it."""
        found: RedisList | None = self.queues.get(name)
        if found is None:
            found = self.queues[name] = RedisList(name, self.priority_steps, {}, rules=self.rules, vhost=self.vhost)
            self.routes.clear()
        return found

    def forget_if_empty(self, queue: RedisList) -> None:
        """A list with nothing in it and nobody at it leaves no trace in Redis."""
        if not (queue.ready_count() or queue.unacked or queue.in_sockets or queue.subscriptions):
            self.queues.pop(queue.name, None)
            queue.deleted = True
            self.routes.clear()

    def receiver(self, connection: str, queue: RedisList) -> Subscription | None:
        """Whose callback gets what a connection has popped from a queue: that of the consumer begun last."""
        channels = self.connections.get(connection, ())
        if len(channels) < len(queue.subscriptions):
            tags = ((name, tag) for name in channels for tag in self.channels[name].subscriptions)
            mine = [queue.subscriptions[each] for each in tags if each in queue.subscriptions]
        else:
            mine = [item for item in queue.subscriptions.values() if item.channel.connection == connection]
        return max(mine, key=lambda item: item.registered, default=None)

    def unacked_of(self, queue: Any) -> list[tuple[str, str | None, str, int, bool]]:
        """What the unacked set holds of a queue, whether its consumer still lives or not."""
        now = self.turns, len(self.held)  # each entry that is made takes a turn
        if now != self._held_at:
            self._held_at, self._held_of = now, {}
            for message, entry in self.held.items():
                for flight in entry.flights:
                    told = (message, flight.by, flight.channel, flight.tag, flight.copy.redelivered)
                    self._held_of.setdefault(flight.queue, []).append(told)
        return self._held_of.get(queue.name, [])

    def left_behind(self) -> bool:
        """Whether the unacked set holds something that no living channel can settle any more."""
        return any(not any(self._lives(flight) for flight in entry.flights) for entry in self.held.values())

    def _lives(self, flight: Flight) -> bool:
        channel = self.channels.get(flight.channel)
        return channel is not None and channel.number == flight.number

    def idle(self) -> bool:
        """What has been left behind comes back as long as somebody sweeps."""
        return super().idle() and not (self.sweepers and self.left_behind())

    def arm(self, queue: Any, at_ms: int) -> None:
        """A list has no time limit but x-expires, which no run waits for on RabbitMQ either."""
        if queue.armed_at is None or at_ms < queue.armed_at:
            queue.armed_at = at_ms
            self.agenda.add(at_ms, PEXPIRE, queue.name)

    def dead_letter(self, queue: QueueType, copy: Copy, reason: str, by: str = "", overdue: Overdue | None = None) -> None:
        self.drop(queue, copy, reason, "the queue has no dead-letter exchange", by)

    def start_sweeping(self, connection: str) -> None:
        """From now on the timer of this connection runs."""
        self.plan_sweep(connection, self.now)

    def plan_sweep(self, connection: str, began_ms: int) -> None:
        """The timer goes off every `restore_every` since it began. Where nothing can be overdue before a later one of these
        instants, those before are passed over: time alone is to cost nothing."""
        self.registrations += 1
        at_ms = self._next_sweep(connection, began_ms)
        self.sweepers[connection] = Sweeper(self.registrations, began_ms, at_ms is None)
        self.sweepers_planned = self.sweepers_planned and at_ms is not None
        if at_ms is not None:
            self.agenda.add(at_ms, SWEEP, connection, self.registrations)

    def _next_sweep(self, connection: str, began_ms: int) -> int | None:
        """None: while the unacked set is empty nothing can be overdue at all."""
        soonest = self.now + self.restore_every - (self.now - began_ms) % self.restore_every
        if not self.is_consuming(connection):
            return soonest  # when the timer will find that it is needed no more
        if not self.held:
            return None
        overdue = next(iter(self.held.values())).at_ms + self.visibility_timeout
        return max(soonest, overdue + (began_ms - overdue) % self.restore_every)

    def wake_sweepers(self) -> None:
        """Something may be overdue, or a timer be needed no more, sooner than was planned."""
        if self.sweepers_planned:
            return
        self.sweepers_planned = True
        for connection, sweeper in list(self.sweepers.items()):
            consuming = self.is_consuming(connection)
            if sweeper.sleeps or not consuming:
                self.plan_sweep(connection, sweeper.began_ms)
            self.sweepers_planned = self.sweepers_planned and consuming

    def is_consuming(self, connection: str) -> bool:
        names = self.connections.get(connection, ())
        return any(self.clients[name].channel.subscriptions for name in names if name in self.clients)

    def stateful(self, state: ExchangeState) -> None:
        """Before a change of an exchange's bindings: stop sharing them with a copy of the broker."""
        if state.shared:
            state.unshare()

    def drop_all(self, queue: RedisList, copies: Iterable[Copy], reason: str, why: str) -> None:
        for copy in copies:
            self.drop(queue, copy, reason, why)
