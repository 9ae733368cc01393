"""A virtual host: one embedded broker, the channels that clients have opened to it, and what it tells each of them."""

from collections.abc import Callable
from typing import Any, Protocol

from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.broker.records import PublishOutcome
from routesim.queues import Delivery
from routesim.replies import AmqpError
from routesim.steps import Step

FEW_USED = 1_000


class Hears(Protocol):
    """A channel of a client, as far as the engine has something for it."""

    def tell(self, outcome: PublishOutcome) -> None: ...

    def deliver(self, delivery: Delivery[Any]) -> None: ...

    def consumer_ended(self, item: ConsumerEnded) -> None: ...

    def ended(self, item: ChannelEnded) -> None: ...


class Vhost:
    """`others` gets what is for none of the clients: what the scenario's own consumers are told."""

    def __init__(self, name: str, broker: RabbitBroker, epoch_s: int) -> None:
        self.name = name
        self.broker = broker
        self.channels: dict[str, Hears] = {}
        self.most_used = FEW_USED
        self.others: Callable[[Delivery[object] | ConsumerEnded | ChannelEnded], None] | None = None
        broker.tells_publishers = True
        broker.epoch_s = epoch_s

    def apply(self, step: Step) -> AmqpError | None:
        """Ask the engine, and keep nothing of what it notes for scenarios."""
        broker = self.broker
        refused = broker.apply(step)
        if broker.failures:
            broker.failures.clear()
        broker.go_on()
        if len(broker.used) > self.most_used:
            self._forget_unbound()
        return refused

    def _forget_unbound(self) -> None:
        """Bindings that are no more need not be remembered as used."""
        broker = self.broker
        there = {id(binding) for state in broker.exchanges.values() for binding in state.bindings.values()}
        broker.used = {key: binding for key, binding in broker.used.items() if key in there}
        self.most_used = 2 * len(broker.used) + FEW_USED

    def advance(self, now_ms: int) -> None:
        """Let time pass."""
        broker = self.broker
        if now_ms > broker.now:
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
            if self.others is not None:
                self.others(item)
