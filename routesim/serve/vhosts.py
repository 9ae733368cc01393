"""A virtual host: one embedded broker, the channels that clients have opened to it, and what it tells each of them."""

from typing import Any, Protocol

from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.broker.records import PublishOutcome
from routesim.queues import Delivery
from routesim.replies import AmqpError
from routesim.serve.history import KEPT, History
from routesim.steps import Step

FEW_USED = 1_000
OWN = "routesim"


class Hears(Protocol):
    """A channel of a client, as far as the engine has something for it."""

    def tell(self, outcome: PublishOutcome) -> None: ...

    def deliver(self, delivery: Delivery[Any]) -> None: ...

    def consumer_ended(self, item: ConsumerEnded) -> None: ...

    def ended(self, item: ChannelEnded) -> None: ...


class Plays(Protocol):
    """A scenario whose consumers, workers and steps act beside the clients, on the same broker."""

    def take(self, item: Any) -> None:
        """What the broker has for none of the clients."""

    def begin(self) -> None: ...

    def turn(self) -> None:
        """Its clients react to what they have been sent."""

    def due_ms(self) -> int | None:
        """When they have something to do next."""

    def advance(self, now_ms: int) -> None:
        """Time passes, for them and the broker."""

    def take_restart(self) -> bool | None:
        """Whether they have restarted the broker since this was asked last, and if in good order; None: they have not."""


class Records(Protocol):
    """Who notes what clients do."""

    def hear(self, step: Step, refused: AmqpError | None) -> None:
        """A step that the broker has just carried out, or refused."""


class Vhost:
    """`play`: the scenario that acts here, if one does. `recorder`: who notes what its clients do, if anybody does."""

    def __init__(self, name: str, broker: RabbitBroker, epoch_s: int, keep: int = KEPT) -> None:
        self.name = name
        self.broker = broker
        self.history = History(keep)
        self.channels: dict[str, Hears] = {}
        self.most_used = FEW_USED
        self.play: Plays | None = None
        self.refuses = False  # nobody is let in
        self.alarm: str | None = None  # why who publishes is blocked
        self.snapshots: dict[str, Any] = {}  # by their names
        self.since_ms = 0  # when, by the server's clock, this broker's time began
        self.recorder: Records | None = None
        broker.tells_publishers = True
        broker.epoch_s = epoch_s

    def apply(self, step: Step) -> AmqpError | None:
        """Ask the engine, and keep nothing of what it notes for scenarios."""
        broker = self.broker
        refused = broker.apply(step)
        if self.recorder is not None:
            self.recorder.hear(step, refused)
        if broker.failures:
            broker.failures.clear()
        broker.go_on()
        if len(broker.used) > self.most_used:
            self._forget_unbound()
        return refused

    def command(self, step: Step) -> AmqpError | None:
        """What no client asks for: a failure, a command of an operator. Everybody hears what follows from it."""
        refused = self.apply(step)
        self.dispatch()
        return refused

    def own_channel(self, queue: str) -> str:
        """A channel for commands: the server's own, for an exclusive queue one of the connection that it belongs to."""
        found = self.broker.queues.get(queue)
        owner = None if found is None else found.owner
        theirs = self.broker.connections.get(owner) if owner is not None else None
        return theirs[0] if theirs else OWN

    def _forget_unbound(self) -> None:
        """Bindings that are no more need not be remembered as used."""
        broker = self.broker
        there = {id(binding) for state in broker.exchanges.values() for binding in state.bindings.values()}
        broker.used = {key: binding for key, binding in broker.used.items() if key in there}
        self.most_used = 2 * len(broker.used) + FEW_USED

    def due_ms(self) -> int | None:
        """When the next timer goes off, of the broker or of a scenario that is played."""
        due = self.broker.due()
        planned = None if self.play is None else self.play.due_ms()
        first = due if planned is None else planned if due is None else min(due, planned)
        return None if first is None else first + self.since_ms

    def advance(self, now_ms: int) -> None:
        """Let time pass, until it is so late by the server's clock."""
        broker = self.broker
        now_ms -= self.since_ms
        if self.play is not None:
            self.play.advance(now_ms)
        elif now_ms > broker.now:
            broker.advance(now_ms)
            if broker.outbox or broker.told:
                self.dispatch()
            if broker.failures:
                broker.failures.clear()

    def dispatch_told(self) -> None:
        """Tell publishers what became of their messages."""
        told, channels = self.broker.told, self.channels
        while told:
            outcome = told.popleft()
            channel = channels.get(outcome.channel)
            if channel is not None:
                channel.tell(outcome)

    def dispatch(self) -> None:
        """Hand everybody what the engine has for them."""
        broker = self.broker
        outbox, channels = broker.outbox, self.channels
        if broker.told:
            self.dispatch_told()
        while outbox:
            item = outbox.popleft()
            if type(item) is Delivery:
                assert item.subscription is not None
                channel = channels.get(item.subscription.channel.name)
                if channel is not None:
                    channel.deliver(item)
                    continue
            elif type(item) is ConsumerEnded:
                channel = channels.get(item.channel)
                if channel is not None:
                    channel.consumer_ended(item)
                    continue
            elif type(item) is ChannelEnded:
                channel = channels.get(item.channel)
                if channel is not None:
                    channel.ended(item)
                    continue
            if self.play is not None:
                self.play.take(item)
