"""What the embedded engines keep and hand on: exchanges with their bindings, routes, what has ended and what has failed."""

from typing import Any

from routesim import events
from routesim.content import Content, digest
from routesim.exchanges import EXCHANGE_TYPES, ExchangeType
from routesim.exchanges.base import Alike, each_of, with_another, without
from routesim.model import DEFAULT_EXCHANGE, Binding, Exchange
from routesim.named_tuples import NamedTuple
from routesim.queues import Copy, QueueType
from routesim.replies import AmqpError
from routesim.values import NO_ARGUMENTS, table_identity
from routesim.versions import Rules

PREDECLARED = (
    Exchange(DEFAULT_EXCHANGE, "direct"),
    Exchange("amq.direct", "direct"),
    Exchange("amq.fanout", "fanout"),
    Exchange("amq.headers", "headers"),
    Exchange("amq.match", "headers"),
    Exchange("amq.topic", "topic"),
    Exchange("amq.rabbitmq.trace", "topic", internal=True),
)
NO_EXCHANGE = "the queue has no dead-letter exchange"  # why a copy that leaves it so is dropped
# Source, destination, destination type, routing key, and the identity of the arguments or `NO_ARGUMENTS`.
BindingKey = tuple[str, str, str, str, Any]


def binding_key(binding: Binding) -> BindingKey:
    """What makes a binding the same as another (rules/routing#B1). One with `NO_ARGUMENTS` is its own key."""
    arguments = binding.arguments
    if arguments is NO_ARGUMENTS:
        return binding
    return *binding[:4], table_identity(arguments) if arguments else NO_ARGUMENTS


class ExchangeState:
    """A declared exchange, its bindings as a source, and the alternate exchange in force."""

    __slots__ = ("alternate", "bindings", "declared", "look", "matcher", "shared")

    def __init__(self, declared: Exchange, rules: Rules) -> None:
        self.declared = declared
        self.matcher: ExchangeType = EXCHANGE_TYPES[declared.type](declared, rules)
        self.bindings: dict[BindingKey, Binding] = {}
        self.alternate: str | None = None
        self.shared = False
        self.look: bytes | None = None  # of what is shared, worked out once

    def unshare(self) -> None:
        """Before a change: stop sharing bindings and matcher with a copy of the broker."""
        if self.shared:
            self.matcher, self.bindings, self.shared = self.matcher.clone(), self.bindings.copy(), False
            self.look = None

    def clone(self) -> "ExchangeState":
        other = object.__new__(ExchangeState)
        other.declared, other.alternate, other.bindings = self.declared, self.alternate, self.bindings
        stateful = self.matcher.sees == "state"
        other.matcher = self.matcher.clone() if stateful else self.matcher
        if stateful:
            other.bindings = self.bindings.copy()
        else:
            self.shared = True
        other.shared = not stateful
        other.look = None if stateful else self.look
        return other

    def fingerprint(self) -> tuple[Any, ...]:
        """Equal for exchanges that route alike from here on. What copies share is looked at once."""
        if not self.shared:
            return digest(self._look()), self.alternate
        if self.look is None:
            self.look = digest(self._look())
        return self.look, self.alternate

    def _look(self) -> tuple[Any, ...]:
        bindings = [
            (item.destination_type, item.destination, item.routing_key, table_identity(item.arguments))
            for item in self.bindings.values()
        ]
        return str(self.declared), tuple(sorted(bindings)), self.matcher.fingerprint()


class Incoming:
    """The bindings that lead to each queue and exchange, in the order in which they were made.

    They are put there when somebody asks: of most brokers nobody does, and there may be a million.
    """

    __slots__ = ("_by_end", "_unsorted")

    def __init__(self) -> None:
        self._by_end: dict[tuple[str, str], Alike] = {}
        self._unsorted: list[Binding] = []

    def add(self, binding: Binding) -> None:
        self._unsorted.append(binding)

    def to(self, kind: str, name: str) -> list[Binding]:
        return each_of(self._sorted().get((kind, name)))

    def remove(self, binding: Binding) -> None:
        """Takes out the very object that was added."""
        by_end, end = self._sorted(), (binding.destination_type, binding.destination)
        if without(by_end[end], binding) is None:
            del by_end[end]

    def pop(self, kind: str, name: str) -> list[Binding]:
        return each_of(self._sorted().pop((kind, name), None))

    def _sorted(self) -> dict[tuple[str, str], Alike]:
        by_end = self._by_end
        if self._unsorted:
            for binding in self._unsorted:
                end = binding.destination_type, binding.destination
                by_end[end] = with_another(by_end.get(end), binding)
            self._unsorted = []
        return by_end

    def clone(self) -> "Incoming":
        other = Incoming()
        other._by_end = {end: there if isinstance(there, Binding) else there.copy() for end, there in self._by_end.items()}
        other._unsorted = self._unsorted.copy()
        return other


class RememberedRoute(NamedTuple):
    """Where a message goes: each queue with the path that led there, every binding that matched, and why nothing did."""

    queues: tuple[tuple[QueueType, events.Path], ...]
    matched: tuple[Binding, ...]
    why_nowhere: str
    delayed_by: tuple[tuple[str, int], ...] = ()


class PendingDeadLetter(NamedTuple):
    """A copy on its way to a dead-letter exchange. `entered` False: its queue refused it, so it was never counted in;
    `overdue`: why it died later than it was to."""

    queue: QueueType
    copy: Copy
    reason: str
    by: str
    entered: bool
    overdue: events.Overdue | None = None


class PendingPublish(NamedTuple):
    """A publish inside a transaction: routed when published, delivered at commit (rules/routing#S28)."""

    id: str
    content: Content
    route: RememberedRoute
    mandatory: bool

    def reached(self) -> tuple[str, ...]:
        return tuple(queue.name for queue, _ in self.route.queues)


class NotPossible(Exception):
    """No client can carry out the step: it names a delivery that is not there, say. Nothing was sent to the broker."""


class StepFailure(NamedTuple):
    """A channel (or its connection) closed by the broker, or a step that could not be carried out (code None). `channel`: which,
    where the broker closed it by itself, not on a step."""

    at_ms: int
    code: int | None
    text: str
    channel: str = ""


class QueueAnswer(NamedTuple):
    """What a broker answers to a declare, an ask, a purge, a delete or a get beside "ok": the queue's own name, how many messages
    are ready in it (of a purge or delete: how many went), how many consumers it has
    (for a declare, an ask and a delete: those too that hold something of it after their end)."""

    queue: str
    messages: int
    consumers: int


class PublishOutcome(NamedTuple):
    """What the publisher is told of a message: that it comes back, that a queue refused it, or else that it was taken."""

    channel: str
    message: str
    content: Content
    returned: bool
    refused: bool


class ConsumerEnded(NamedTuple):
    """Told to whoever plays the consumer. `channel_lost`: its channel is gone with it, `ChannelEnded` follows. `why` as in the
    events: cancelled, channel closed, connection lost …"""

    consumer: str
    channel: str
    channel_lost: bool
    why: str
    tag: str = ""


class ChannelEnded(NamedTuple):
    """Told to whoever has consumed by this channel, be it that its consumers had ended before: no delivery that came by it can
    be answered any more. It comes before anything that its end sets off. `refused`: what the broker closes it with."""

    channel: str
    why: str
    refused: AmqpError | None = None


class Livelock(NamedTuple):
    """A message that keeps coming back at one instant, and the places that it goes round; the run cannot go on."""

    message: str
    places: tuple[str, ...]
