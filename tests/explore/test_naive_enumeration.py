"""The search beside a naive enumeration: every course of events played from its beginning, no state kept, copied or compared.

The enumeration has clients of its own and knows nothing of `explore` but the YAML that both read.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from routesim.broker import ChannelEnded
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.explore import Bounds
from routesim.explore.looking.expanding import Expander
from routesim.explore.search import Search
from routesim.explore.world import World
from routesim.queues import Delivery
from routesim.scenario import Do, Scenario, Wait, load_source
from routesim.scenario.yaml.source import Source
from routesim.steps import Ack, Consume, Crash, Nack, Publish, Reject, Restart
from routesim.versions import rules

DRAWN = 500
End = tuple[Any, ...]


class Client:
    """A consumer: what it was sent and has not answered, oldest first; `away`: it is to consume again."""

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.hands: list[tuple[Delivery[Any], int]] = []  # at work, each with the instant of its end
        self.waiting: list[Delivery[Any]] = []
        self.on = self.away = False


class Played:
    """One course of events, by a list of choices; what was not chosen yet is the first."""

    def __init__(self, scenario: Scenario, failures: int, choices: list[int]) -> None:
        self.scenario, self.left = scenario, failures
        self.choices = choices
        self.made: list[int] = []
        self.widths: list[int] = []
        self.broker = RabbitBroker(
            rules(scenario.rabbitmq), settings=scenario.settings, channel_plans=scenario.channels, listen=self.hear
        )
        self.clients = {name: Client(consumer) for name, consumer in scenario.consumers.items()}
        self.todo: dict[str, list[tuple[Any, int]]] = {}
        self.done: dict[str, int] = {}
        self.lost: set[str] = set()
        self.failing = False
        for step in scenario.steps:
            action = step.action
            assert not isinstance(action, Do | Wait)
            self.todo.setdefault(action.channel, []).extend((action, number) for number in range(action.times))
        for declaration in scenario.declarations:
            self.broker.apply(declaration.step)
            if isinstance(declaration.step, Consume):
                self.clients[declaration.step.consumer.name].on = True
            self.settle()

    def hear(self, event: Any) -> None:
        if type(event).__name__ in ("Dropped", "Deleted", "LostAtRestart", "LostByConsumer", "Unroutable"):
            self.lost.add(event.message)

    def choose(self, options: int) -> int:
        index = len(self.made)
        chosen = self.choices[index] if index < len(self.choices) else 0
        self.made.append(chosen)
        self.widths.append(options)
        return chosen

    def settle(self) -> None:
        while self.broker.outbox:
            item = self.broker.outbox.popleft()
            if isinstance(item, Delivery):
                assert item.subscription is not None
                client = self.clients[item.subscription.name]
                client.waiting.append(item)
                self.begin(client)
            elif isinstance(item, ChannelEnded):
                for client in self.clients.values():
                    if client.consumer.channel == item.channel:
                        for delivery in [*(each for each, _ in client.hands), *client.waiting]:
                            if delivery.auto_ack:
                                self.lost.add(delivery.copy.message)
                        client.hands, client.waiting = [], []
                        client.away = client.on and self.failing
                        client.on = False

    def begin(self, client: Client) -> None:
        while client.waiting and len(client.hands) < client.consumer.concurrency:
            client.hands.append((client.waiting.pop(0), self.broker.now + client.consumer.takes))

    def options(self) -> tuple[list[Callable[[], None]], list[Callable[[], None]]]:
        now, broker = self.broker.now, self.broker
        own: list[Callable[[], None]] = [lambda c=channel: self.publish(c) for channel, turns in self.todo.items() if turns]  # type: ignore[misc]
        for client in self.clients.values():
            if client.away:
                own.append(lambda c=client: self.back(c))  # type: ignore[misc]
            own += [
                (lambda c=client, n=number: self.finish(c, n))  # type: ignore[misc]
                for number, (_, due) in enumerate(client.hands)
                if due <= now
            ]
        if not own:
            instants = [due for client in self.clients.values() for _, due in client.hands if due > now]
            if instants or not broker.idle():
                timer = broker.due()
                own.append(lambda: broker.advance(min([*instants, *([] if timer is None else [timer])])))
        bad: list[Callable[[], None]] = []
        if self.left:
            for client in self.clients.values():
                if client.on:
                    bad.append(lambda c=client: self.fail(Crash(c.consumer.channel)))  # type: ignore[misc]
                bad += [
                    (lambda c=client, n=number: self.worked(c, n))  # type: ignore[misc]
                    for number, (_, due) in enumerate(client.hands)
                    if due <= now and not client.consumer.auto_ack and client.consumer.on_message[0].do == "ack"
                ]
            bad += [lambda: self.fail(Restart(True)), lambda: self.fail(Restart(False))]
            for channel, turns in self.todo.items():
                if turns:
                    bad += [lambda c=channel: self.unsent(c), lambda c=channel: self.unheard(c)]  # type: ignore[misc]
        return own, bad

    def publish(self, channel: str) -> None:
        action, number = self.todo[channel].pop(0)
        self.broker.apply(Publish(channel, action.message, action.id(number)))

    def back(self, client: Client) -> None:
        client.away = False
        client.on = self.broker.apply(Consume(client.consumer)) is None

    def finish(self, client: Client, number: int) -> None:
        delivery, _ = client.hands.pop(number)
        do, channel = client.consumer.on_message[0].do, client.consumer.channel
        if do == "ack":
            self.note_done(delivery)
        if not delivery.auto_ack:
            answer = {"ack": Ack(channel, delivery.tag), "reject": Reject(channel, delivery.tag, requeue=False)}
            self.broker.apply(answer.get(do) or Nack(channel, delivery.tag))
        self.begin(client)

    def note_done(self, delivery: Delivery[Any]) -> None:
        self.done[delivery.copy.message] = min(2, self.done.get(delivery.copy.message, 0) + 1)

    def fail(self, step: Any) -> None:
        self.left -= 1
        self.failing = True
        self.broker.apply(step)
        self.settle()
        self.failing = False

    def worked(self, client: Client, number: int) -> None:
        self.note_done(client.hands[number][0])
        self.fail(Crash(client.consumer.channel))

    def unsent(self, channel: str) -> None:
        self.todo[channel].pop(0)
        self.fail(Crash(channel))

    def unheard(self, channel: str) -> None:
        self.publish(channel)
        self.fail(Crash(channel))

    def play(self, most: int) -> End | None:
        """Until no more happens by itself, and the choice falls on no failure either. None: it goes on for ever."""
        for _ in range(most):
            own, bad = self.options()
            ends = not own
            chosen = self.choose(len(own) + len(bad) + ends)
            if ends and chosen == 0:
                return self.end()
            (own + bad)[chosen - ends]()
            self.settle()
            for client in self.clients.values():
                self.begin(client)
        return None

    def end(self) -> End:
        ready = {
            name: tuple((copy.message, copy.redelivered) for copy in queue.ready()) for name, queue in self.broker.queues.items()
        }
        return tuple(sorted(ready.items())), tuple(sorted(self.done.items())), tuple(sorted(self.lost))


def enumerated(scenario: Scenario, failures: int) -> set[End]:
    """The ends of all courses of events."""
    ends: set[End] = set()
    choices: list[int] = []
    while True:
        played = Played(scenario, failures, choices)
        end = played.play(60)
        assert end is not None
        ends.add(end)
        made, widths = played.made, played.widths
        while made and made[-1] + 1 == widths[len(made) - 1]:
            made.pop()
        if not made:
            return ends
        choices = [*made[:-1], made[-1] + 1]


class EndsSeen(Expander):
    """Notes what is at the ends."""

    def at_end(self, world: World) -> Any:
        ready = {
            name: tuple((copy.message, copy.redelivered) for copy in queue.ready()) for name, queue in world.broker.queues.items()
        }
        done = tuple(sorted((message, times) for (message, _), times in world.facts.done.items()))
        self.seen.add((tuple(sorted(ready.items())), done, tuple(sorted(world.facts.gone))))
        return super().at_end(world)

    seen: set[End]


class Ends(Search):
    """The search, and what is at its ends."""

    def __init__(self, scenario: Scenario, bounds: Bounds) -> None:
        super().__init__(scenario, bounds)
        self.at_ends: set[End] = set()

    def expander(self, *args: Any) -> EndsSeen:  # type: ignore[override]
        made = EndsSeen(*args)
        made.seen = self.at_ends
        return made


def drawn(number: int) -> tuple[str, int]:
    """A tiny scenario, and how many failures there may be."""
    dice = random.Random(number)
    queue = dice.choice(["", "type: quorum", "durable: false", "auto_delete: true"])
    arguments = dice.choice(
        ["", "x-dead-letter-exchange: '', x-dead-letter-routing-key: dead", "x-max-length: 1", "x-message-ttl: 1000"]
    )
    if queue == "durable: false":
        arguments = arguments.replace("x-max-length: 1", "")
    options = ", ".join(part for part in (queue, f"arguments: {{{arguments}}}" if arguments else "") if part)
    consumers = dice.choice([1, 1, 2])
    failures = dice.choice([0, 1])
    # What the enumeration takes its time for, three messages of two consumers and a failure, comes seldom, and then one of the
    # consumers takes its time: else there are several times as many courses.
    shares = [1, 2, 3] if not failures else [1, 1, 2, 2, 3] if consumers == 1 else [1, 1, 1, 2, 2, 3]
    messages = dice.choice(shares)
    full = messages == 3 and consumers == 2 and failures == 1
    version = dice.choice(["3.13", "4.0", "4.3"]) if queue != "durable: false" else "4.0"
    lines = [f"rabbitmq: '{version}'", f"queues: {{q: {{{options}}}, dead: }}", "consumers:"]
    for index in range(consumers):
        parts = ["queue: q", f"takes: {dice.choice([1, 2] if full and index else [0, 0, 1, 2])}s"]
        parts += [dice.choice(["prefetch: 1", "prefetch: 2", "concurrency: 2"])]
        parts += [dice.choice(["auto_ack: true", "on_message: reject", "on_message: ack", "on_message: ack", "prefetch_: "])]
        lines.append(f"  c{index}: {{{', '.join(part for part in parts if part != 'prefetch_: ')}}}")
    lines.append("steps:")
    for index in range(messages):
        channel = dice.choice(["", "", ", channel: other"])
        lines.append(f"  - publish: {{routing_key: q, id: m{index}, delivery_mode: {dice.choice([1, 2])}{channel}}}")
    return "\n".join(lines) + "\n", failures


@pytest.mark.parametrize("part", range(10))
def test_the_search_finds_the_same_ends(part: int) -> None:
    for number in range(part, DRAWN, 10):
        text, failures = drawn(number)
        scenario = load_source(Source("drawn.yaml", text), "")
        search = Ends(scenario, Bounds(failures=failures))
        search.run()
        assert search.at_ends == enumerated(scenario, failures), text


def test_the_largest_kind_is_among_them() -> None:
    """Three messages, two consumers and a failure."""
    texts = [text for text, failures in map(drawn, range(DRAWN)) if failures]
    assert sum("  c1: " in text and text.count("publish: ") == 3 for text in texts) >= 10
