"""The engine and a real Redis side by side: every step goes to both, and both must be in the same situation after it."""

from typing import Any

from kits.redis import Kombu
from routesim import events, steps
from routesim.broker import counts, imbalance
from routesim.model import Binding, BrokerSettings, ChannelPlan, Consumer, Exchange, Message, Queue
from routesim.redis import RedisBroker, lines, popping, settling
from routesim.versions import NEWEST, rules

VISIBILITY_MS = 1000
DECLARE = "(declare)"
PUBLISH = "(publish)"


class Model:
    """The engine alone, with what its consumers have got. Consumers hold everything: answers are steps."""

    def __init__(self, connections: dict[str, str] | None = None, **settings: Any) -> None:
        plans = {name: ChannelPlan(name, connection) for name, connection in (connections or {}).items()}
        given = BrokerSettings(kind="redis", **{"visibility_timeout": VISIBILITY_MS, "restore_every": 10**9, **settings})
        self.events: list[Any] = []
        self.broker = RedisBroker(rules(NEWEST), settings=given, channel_plans=plans, listen=self.events.append)

    def apply(self, step: steps.Step) -> None:
        self.broker.advance(self.broker.now + 1)
        assert self.broker.apply(step) is None
        self.broker.outbox.clear()
        self.balanced()

    def wait(self, ms: int) -> None:
        self.broker.advance(self.broker.now + ms)
        if any(client.cycle for client in self.broker.clients.values()):
            settling.sweep(self.broker)
            popping.ask_again(self.broker)
        self.broker.outbox.clear()
        self.balanced()

    def balanced(self) -> None:
        assert imbalance(counts(self.broker)) is None, imbalance(counts(self.broker))

    @property
    def delivered(self) -> dict[str, list[tuple[str, bool]]]:
        found: dict[str, list[tuple[str, bool]]] = {}
        for event in self.events:
            if isinstance(event, events.Delivered):
                found.setdefault(event.consumer, []).append((event.message, event.redelivered))
            elif isinstance(event, events.Got) and event.message is not None:
                found.setdefault(event.channel, []).append((event.message, bool(event.redelivered)))
        return found

    def ready(self, queue: str) -> list[str]:
        found = self.broker.queues.get(queue)
        return [copy.message for copy in found.ready()] if found is not None else []

    def unacked(self) -> set[str]:
        return set(self.broker.held)

    def warnings(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, events.Warned)]


class Twins:
    """Raises AssertionError at the first difference."""

    def __init__(
        self, port: int, monkeypatch: Any, connections: dict[str, str] | None = None, *, order: str = "round_robin",
        priorities: tuple[int, ...] = (0, 3, 6, 9),
    ) -> None:  # fmt: skip
        monkeypatch.setattr(lines, "BRPOP_TIMEOUT_MS", 10**12)  # as in `Kombu`: no client goes to the end of the line by itself
        self.model = Model(connections, queue_order=order, priority_steps=priorities)
        self.real = Kombu(
            port, monkeypatch, connections, visibility_timeout=VISIBILITY_MS / 1000, queue_order_strategy=order,
            priority_steps=list(priorities),
        )  # fmt: skip
        self.priorities = priorities
        self.queues: set[str] = set()
        self.done: list[Any] = []

    def apply(self, step: steps.Step) -> None:
        if isinstance(step, steps.DeclareQueue):
            self.queues.add(step.queue.name)
        self.model.apply(step)
        self.real.apply(step)
        self.same(step)

    def wait(self) -> None:
        self.model.wait(VISIBILITY_MS + 1)
        self.real.wait((VISIBILITY_MS + 1) / 1000)
        self.same("wait")

    def same(self, after: Any) -> None:
        self.done.append(after)
        for consumer in self.real.delivered.keys() | self.model.delivered.keys():
            got, told = self.real.delivered.get(consumer, []), self.model.delivered.get(consumer, [])
            assert got == told, (consumer, got, told, after, self.done[-12:])
        for queue in self.queues:
            there, told = self.real.ready(queue, self.priorities), self.model.ready(queue)
            assert there == told, (queue, there, told, after, self.done[-8:])
        assert self.real.unacked() == self.model.unacked(), after

    def holds(self, channel: str, message: str) -> bool:
        open_ = self.model.broker.channels.get(channel)
        return open_ is not None and any(item.copy.message == message for item in open_.unacked.values())


# Steps in short ------------------------------------------------------------------------------------------------------


def exchange(name: str, kind: str) -> steps.Step:
    return steps.DeclareExchange(DECLARE, Exchange(name, kind))


def queue(name: str, **arguments: Any) -> steps.Step:
    return steps.DeclareQueue(DECLARE, Queue(name, arguments=arguments))


def bind(source: str, destination: str, key: str = "") -> steps.Step:
    return steps.Bind(DECLARE, Binding(source, destination, routing_key=key))


def publish(id: str, key: str, source: str = "", priority: int | None = None) -> steps.Step:
    return steps.Publish(PUBLISH, Message(source, key, priority=priority), id)


def consume(name: str, of: str, prefetch: int | None = None, channel: str | None = None, *, auto_ack: bool = False) -> steps.Step:
    return steps.Consume(Consumer(name, of, channel or name, prefetch=prefetch, auto_ack=auto_ack))


def ack(channel: str, message: str) -> steps.Step:
    return steps.Ack(channel, message=message)


def reject(channel: str, message: str, *, requeue: bool = True) -> steps.Step:
    return steps.Reject(channel, requeue=requeue, message=message)
