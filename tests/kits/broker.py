"""Commands in, events out: a small language for testing the embedded broker.

    b = Bench("3.10")
    b.queue("q", "quorum", max_length=3)
    b.send("q", 1, 2, 3, 4)
    assert b.get("ch", "q", 2) == "2 3"
    b.nack("ch", 1)
    assert b.drain("q") == "2* 4"

Messages are named by what is given to `send` and `publish`; a star marks a redelivered one. Every channel has a
connection of its own unless `channel()` says otherwise. A command that the broker refuses fails the test, except with
`fails=CODE` or `fails=(CODE, "part of the text")`, which demands the refusal.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from routesim import events, steps
from routesim.broker import ConsumerEnded, RabbitBroker, counts, imbalance
from routesim.broker.clock import Agenda, AgendaEntry
from routesim.content import Content
from routesim.model import Binding, BrokerSettings, ChannelPlan, Consumer, Exchange, Message, Policy, Queue
from routesim.queues import Delivery
from routesim.replies import CHANNEL_CODES
from routesim.values import plain
from routesim.versions import rules

ALL = ("3.10", "3.13", "4.0", "4.2", "4.3")
DECLARE = "(declare)"

# The kinds of queue that differ in how messages come back: a quorum queue without and with a delivery limit.
KINDS = ("classic", "quorum", "limited")


def since(version: str) -> tuple[str, ...]:
    return ALL[ALL.index(version) :]


def before(version: str) -> tuple[str, ...]:
    return ALL[: ALL.index(version)]


def versions(names: Iterable[str] = ALL) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("version", tuple(names))


def kinds(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", names or KINDS)


class Letter(NamedTuple):
    """A message as a consumer or a basic.get received it."""

    consumer: str
    message: str
    tag: int
    redelivered: bool
    headers: dict[str, Any]
    content: Content

    def __str__(self) -> str:
        return f"{self.message}{'*' * self.redelivered}"


class WatchedAgenda(Agenda):
    """An agenda that fails the test instead of letting the clock stand still for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.instant, self.times = -1, 0

    def pop(self) -> AgendaEntry:
        entry = super().pop()
        self.times = self.times + 1 if entry.at_ms == self.instant else 0
        self.instant = entry.at_ms
        assert self.times < 10_000, f"the clock stands still at {entry.at_ms} ms: {entry.kind} {entry.what}"
        return entry


Fails = int | tuple[int, str] | None


class Bench:
    def __init__(self, version: str = "3.10", *, seed: int = 0, **settings: Any) -> None:
        self.version = version
        self.events: list[events.Event] = []
        self.broker = RabbitBroker(rules(version), seed=seed, settings=BrokerSettings(**settings), listen=self.events.append)
        self.broker.agenda = WatchedAgenda()
        self.letters: list[Letter] = []
        self.letters_seen = 0
        self.heard = 0
        self.text = ""
        self.ended: list[ConsumerEnded] = []

    # Declaring ---------------------------------------------------------------------------------------------------------

    def channel(self, name: str, connection: str | None = None, *, confirms: bool = True, prefetch: int = 0) -> None:
        """How the channel will be opened; `prefetch` is its limit as a whole."""
        self.broker.channel_plans[name] = ChannelPlan(name, connection or name, confirms, prefetch)

    def queue(
        self,
        name: str,
        kind: str = "classic",
        *,
        durable: bool = True,
        exclusive: bool = False,
        auto_delete: bool = False,
        channel: str = DECLARE,
        args: dict[str, Any] | None = None,
        server_named: bool = False,
        fails: Fails = None,
        **named: Any,
    ) -> None:
        """`max_length=3` is the argument `x-max-length`; `args` are arguments by their own names."""
        arguments: dict[str, Any] = {}
        if kind == "stream":
            arguments["x-queue-type"] = "stream"
        if kind in ("quorum", "limited"):
            arguments["x-queue-type"] = "quorum"
            if kind == "limited":
                arguments["x-delivery-limit"] = 1000
            elif not self.version.startswith("3."):
                arguments["x-delivery-limit"] = -1
        arguments |= {f"x-{key.replace('_', '-')}": value for key, value in named.items()}
        arguments |= args or {}
        declared = Queue(name, durable, exclusive, auto_delete, arguments, server_named)
        self.do(steps.DeclareQueue(channel, declared), fails)

    def exchange(
        self,
        name: str,
        type: str = "direct",
        *,
        durable: bool = True,
        auto_delete: bool = False,
        internal: bool = False,
        channel: str = DECLARE,
        fails: Fails = None,
        ae: Any = None,
        **arguments: Any,
    ) -> None:
        """`ae` is the alternate exchange; other keywords are arguments, `hash_header=…` being `hash-header`."""
        table = {key.replace("_", "-"): value for key, value in arguments.items()}
        if ae is not None:
            table["alternate-exchange"] = ae
        self.do(steps.DeclareExchange(channel, Exchange(name, type, durable, auto_delete, internal, table)), fails)

    def bind(
        self,
        source: str,
        destination: str,
        key: str = "",
        *,
        to: str = "queue",
        channel: str = DECLARE,
        fails: Fails = None,
        args: dict[str, Any] | None = None,
    ) -> None:
        self.do(steps.Bind(channel, Binding(source, destination, to, key, args or {})), fails)

    def bind_exchange(self, source: str, destination: str, key: str = "", **more: Any) -> None:
        self.bind(source, destination, key, to="exchange", **more)

    def unbind(
        self,
        source: str,
        destination: str,
        key: str = "",
        *,
        to: str = "queue",
        channel: str = DECLARE,
        fails: Fails = None,
        args: dict[str, Any] | None = None,
    ) -> None:
        self.do(steps.Unbind(channel, Binding(source, destination, to, key, args or {})), fails)

    def delete_exchange(self, name: str, *, if_unused: bool = False, fails: Fails = None) -> None:
        self.do(steps.DeleteExchange(DECLARE, name, if_unused), fails)

    def delete_queue(
        self, name: str, *, if_unused: bool = False, if_empty: bool = False, channel: str = DECLARE, fails: Fails = None
    ) -> None:
        self.do(steps.DeleteQueue(channel, name, if_unused, if_empty), fails)

    def purge(self, name: str, *, channel: str = DECLARE, fails: Fails = None) -> int:
        self.do(steps.Purge(channel, name), fails)
        return 0 if fails else self.last(events.QueuePurged).messages

    def policy(
        self,
        name: str,
        pattern: str,
        definition: dict[str, Any],
        *,
        apply_to: str = "all",
        priority: float = 0,
        operator: bool = False,
        fails: Fails = None,
    ) -> None:
        self.do(steps.SetPolicy(Policy(name, pattern, definition, apply_to, priority, operator)), fails)

    def delete_policy(self, name: str, *, operator: bool = False) -> None:
        self.do(steps.DeletePolicy(name, operator))

    # Publishing --------------------------------------------------------------------------------------------------------

    def publish(self, exchange: str, key: str, *ids: object, channel: str = "pub", fails: Fails = None, **fields: Any) -> None:
        message = Message(exchange, key, **fields)
        for id in ids or ("m",):
            self.do(steps.Publish(channel, message, str(id)), fails)

    def send(self, queue: str, *ids: object, **fields: Any) -> None:
        """Publish to the default exchange."""
        self.publish("", queue, *ids, **fields)

    def route(self, exchange: str, key: str = "", headers: dict[str, Any] | None = None, **fields: Any) -> str:
        """The queues that one message reaches, sorted; `returned` when it is mandatory and reaches none."""
        start = len(self.events)
        self.publish(exchange, key, "probe", headers=headers, **fields)
        new = self.events[start:]
        reached = sorted(event.queue for event in new if type(event) is events.Enqueued)
        return " ".join(reached) or ("returned" if any(type(event) is events.Returned for event in new) else "")

    # Consuming ---------------------------------------------------------------------------------------------------------

    def consume(
        self,
        name: str,
        queue: str,
        *,
        prefetch: int | None = None,
        channel: str | None = None,
        auto_ack: bool = False,
        exclusive: bool = False,
        priority: Any = None,
        args: dict[str, Any] | None = None,
        fails: Fails = None,
    ) -> None:
        """Consumers have a channel of their own, named like them, unless `channel` says otherwise."""
        arguments = dict(args or {})
        if priority is not None:
            arguments["x-priority"] = priority
        consumer = Consumer(name, queue, channel or name, prefetch, auto_ack, exclusive, arguments)
        self.do(steps.Consume(consumer), fails)

    def cancel(self, name: str, *, channel: str | None = None) -> None:
        self.do(steps.Cancel(channel or name, name))

    def get(self, channel: str, queue: str, count: int = 1, *, auto_ack: bool = False, fails: Fails = None) -> str:
        """The messages got, `-` for an empty queue."""
        got: list[Letter] = []
        for _ in range(count):
            self.do(steps.Get(channel, queue, auto_ack), fails)
            event = None if fails else self.last(events.Got)
            if event is None or event.message is None:
                break
            got.append(self._letter_of(event))
        self.letters.extend(got)
        self.letters_seen = len(self.letters)
        return " ".join(map(str, got)) or "-"

    def _letter_of(self, event: events.Got) -> Letter:
        headers, content = {}, None
        if not event.auto_ack:
            delivery = self.broker.channels[event.channel].unacked[event.delivery_tag]
            headers, content = delivery.queue.headers(delivery.copy, got=True), delivery.copy.content
        return Letter("", event.message, event.delivery_tag, event.redelivered, headers, content)

    def take(self, queue: str) -> Letter:
        """Get one message of the queue and ack it."""
        assert self.get("(take)", queue) != "-", f"{queue} is empty"
        letter = self.letters.pop()
        self.letters_seen = len(self.letters)
        self.ack("(take)", letter.tag)
        return letter

    def drain(self, queue: str) -> str:
        """What basic.get gives until the queue is empty; all of it is acked."""
        got: list[Letter] = []
        while self.broker.queues[queue].ready_count():
            got.append(self.take(queue))
        assert self.get("(take)", queue) == "-"
        return " ".join(map(str, got))

    def ack(self, channel: str, *tags: int, multiple: bool = False, fails: Fails = None) -> None:
        for tag in tags:
            self.do(steps.Ack(channel, tag, multiple), fails)

    def nack(self, channel: str, *tags: int, multiple: bool = False, requeue: bool = True, fails: Fails = None) -> None:
        for tag in tags:
            self.do(steps.Nack(channel, tag, multiple, requeue), fails)

    def reject(self, channel: str, *tags: int, requeue: bool = False, fails: Fails = None) -> None:
        for tag in tags:
            self.do(steps.Reject(channel, tag, requeue), fails)

    def recover(self, channel: str, *, requeue: bool = True, fails: Fails = None) -> None:
        self.do(steps.Recover(channel, requeue), fails)

    def qos(self, channel: str, prefetch: int, *, whole_channel: bool = False) -> None:
        self.do(steps.Qos(channel, prefetch, whole_channel))

    def tx(self, channel: str, do: str, *, fails: Fails = None) -> None:
        self.do(steps.Tx(channel, do), fails)

    def close(self, *connections: str) -> None:
        """The connections end, and with them their channels."""
        for name in connections:
            self.do(steps.Crash(name))

    def restart(self, *, clean: bool = True) -> None:
        self.do(steps.Restart(clean))

    def wait(self, ms: int) -> None:
        self.broker.advance(self.broker.now + ms)
        self._hear()

    # What happened -----------------------------------------------------------------------------------------------------

    def news(self) -> str:
        """What consumers were sent since the last call: `A:0 B:1*`."""
        new = self.letters[self.letters_seen :]
        self.letters_seen = len(self.letters)
        return " ".join(f"{letter.consumer}:{letter}" for letter in new)

    def of(self, consumer: str) -> str:
        """Everything that the consumer was ever sent."""
        return " ".join(str(letter) for letter in self.letters if letter.consumer == consumer)

    def tags(self, channel_consumers: str) -> str:
        """`1:A0 2:B1*`: what the consumers, named by one letter each, were sent, by tag."""
        sent = sorted((letter.tag, letter) for letter in self.letters if letter.consumer in tuple(channel_consumers))
        return " ".join(f"{tag}:{letter.consumer}{letter}" for tag, letter in sent)

    def ready(self, queue: str) -> str:
        return " ".join(copy.message + "*" * copy.redelivered for copy in self.broker.queues[queue].ready())

    def count(self, queue: str) -> tuple[int, int]:
        """How many are ready and how many unacked."""
        found = self.broker.queues[queue]
        return found.ready_count(), found.unacked

    @property
    def queues(self) -> str:
        return " ".join(sorted(self.broker.queues))

    @property
    def exchanges(self) -> str:
        """Those that a test declared."""
        return " ".join(sorted(name for name in self.broker.exchanges if name and not name.startswith("amq.")))

    @property
    def confirms(self) -> dict[str, str]:
        return {event.message: event.answer for event in self.all(events.Confirmed)}

    @property
    def returned(self) -> str:
        return " ".join(event.message for event in self.all(events.Returned))

    def died(self, queue: str, *, dropped: bool = False) -> str:
        """The messages that were dead-lettered (`dropped`: dropped) from the queue: `m1:expired m2:rejected`."""
        kind = events.Dropped if dropped else events.DeadLettered
        return " ".join(f"{event.message}:{event.reason}" for event in self.all(kind) if event.queue == queue)

    def all(self, kind: type) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    def last(self, kind: type) -> Any:
        return next(event for event in reversed(self.events) if type(event) is kind)

    # The works ---------------------------------------------------------------------------------------------------------

    def do(self, step: steps.Step, fails: Fails = None) -> None:
        """Apply a step; see to it that it is refused exactly as `fails` says, and that the books balance."""
        start = len(self.events)
        noted = len(self.broker.failures)
        refused = self.broker.apply(step)
        problems = self.broker.failures[noted:]
        self.text = refused.text if refused else ""
        if fails is None:
            assert refused is None, f"{step} was refused: {refused.text}"
            assert not problems, problems
        else:
            code, text = fails if isinstance(fails, tuple) else (fails, "")
            assert refused is not None, f"{step} was to fail with {code}"
            assert refused.code == code, f"{step} failed with {refused.text}, not {code}"
            assert text in refused.text
            self._assert_closed(code, self.events[start:])
        self._hear()
        problem = imbalance(counts(self.broker))
        assert problem is None, problem

    def _assert_closed(self, code: int, new: list[events.Event]) -> None:
        channel = [event.code for event in new if type(event) is events.ChannelClosed]
        connection = [event.code for event in new if type(event) is events.ConnectionClosed]
        if code == 400:  # an answer of the management API
            assert not channel
            assert not connection
        elif code in CHANNEL_CODES:
            assert (channel, connection) == ([code], [])
        else:
            assert (channel, connection) == ([], [code])

    def _hear(self) -> None:
        """Take the deliveries out of the outbox; they must be the ones that the events tell of."""
        told = [event for event in self.events[self.heard :] if type(event) is events.Delivered]
        self.heard = len(self.events)
        sent: list[Letter] = []
        while self.broker.outbox:
            item = self.broker.outbox.popleft()
            if isinstance(item, Delivery):
                queue, copy = item.queue, item.copy
                redelivered = copy.redelivered and not queue.keeps_log
                name = item.subscription.name
                sent.append(Letter(name, copy.message, item.tag, redelivered, queue.headers(copy), copy.content))
            elif isinstance(item, ConsumerEnded):
                self.ended.append(item)
        assert [(letter.consumer, letter.message, letter.tag, letter.redelivered) for letter in sent] == [
            (event.consumer, event.message, event.delivery_tag, event.redelivered) for event in told
        ]
        self.letters.extend(sent)


def deaths(letter: Letter) -> list[tuple[str, str, int]]:
    """`x-death` as (queue, reason, count), in order."""
    return [(entry["queue"], entry["reason"], entry["count"]) for entry in plain(letter.headers.get("x-death", []))]
