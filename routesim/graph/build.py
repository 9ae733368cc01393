"""From a scenario to its graph: everything declared, the way that a message took, and what is not there though named."""

from typing import Any

from routesim.broker import Broker
from routesim.broker.records import PREDECLARED
from routesim.broker.routing import walk
from routesim.content import Content
from routesim.diagnostics import did_you_mean
from routesim.durations import duration_text
from routesim.explain.answer import CannotExplain
from routesim.graph.model import (
    ALTERNATE,
    BINDING,
    CONSUMER,
    CONSUMES,
    DEAD_LETTER,
    EXCHANGE,
    MISSING,
    PUBLISHES,
    QUEUE,
    Edge,
    Graph,
    Key,
    Node,
)
from routesim.graph.paths import DEFAULT_KEY, EdgeKey, EventEdges, along
from routesim.model import DEFAULT_EXCHANGE, Binding, Message
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import Do, Scenario
from routesim.scenario.engines import topology
from routesim.steps import Bind, DeclareExchange, DeclareQueue, SetPolicy
from routesim.values import Table, plain

RESERVED = frozenset(item.name for item in PREDECLARED)
Taken = set[EdgeKey]  # the edges that a message took
LIMITS = (("max_length", "at most {}"), ("max_length_bytes", "at most {} bytes"))


def graph_of(scenario: Scenario, taken: Taken | None = None) -> Graph:
    """The whole topology: the top level and what steps declare."""
    broker = topology(scenario)
    for step in scenario.steps:
        for each in step.action.steps if isinstance(step.action, Do) else ():
            if isinstance(each, (DeclareExchange, DeclareQueue, Bind, SetPolicy)):
                broker.apply(each)
    return _Build(broker, scenario.name, taken or set()).graph(scenario)


def graph_now(broker: Broker, title: str, taken: Taken | None = None) -> Graph:
    """What is there at this moment, with whoever consumes."""
    return _Build(broker, title, taken or set()).graph(None)


class _Build:
    def __init__(self, broker: Broker, title: str, taken: Taken) -> None:
        self.broker, self.title, self.taken = broker, title, taken
        self.nodes: dict[Key, Node] = {}
        self.edges: dict[tuple[Key, Key, str], list[str]] = {}

    def graph(self, scenario: Scenario | None) -> Graph:
        """`scenario`: whose consumers are drawn; None: those that there are."""
        self._exchanges()
        for name, queue in self.broker.queues.items():
            self.nodes[Key(QUEUE, name)] = Node(Key(QUEUE, name), _described(queue))
        for name, state in self.broker.exchanges.items():
            for binding in state.bindings.values():
                self._edge(Key(EXCHANGE, name), Key(binding.destination_type, binding.destination), BINDING, _label(binding))
            if state.alternate is not None and Key(EXCHANGE, name) in self.nodes:
                self._edge(Key(EXCHANGE, name), self._exchange(state.alternate), ALTERNATE, "otherwise")
        for queue in self.broker.queues.values():
            self._dead_letters(queue)
        if scenario is not None:
            self._planned(scenario)
        else:
            self._consuming()
        for source, target, kind in sorted(self.taken):
            if source == DEFAULT_KEY and target in self.nodes:
                self.nodes.setdefault(source, Node(source, "direct"))
                self._edge(source, target, kind, target.name)
        edges = tuple(
            Edge(source, target, kind, tuple(labels), (source, target, kind) in self.taken)
            for (source, target, kind), labels in self.edges.items()
        )
        on_the_way = {key for edge in edges if edge.taken for key in (edge.source, edge.target)}
        nodes = {key: node._replace(taken=key in on_the_way) for key, node in self.nodes.items()}
        return Graph(self.title, nodes, edges)

    def _planned(self, scenario: Scenario) -> None:
        for consumer in scenario.consumers.values():
            if consumer.queue in self.broker.queues:
                key = Key(CONSUMER, consumer.name)
                worker = scenario.workers.get(consumer.channel)
                prefetch = consumer.prefetch or (worker.prefetch if worker is not None else 0)
                self.nodes[key] = Node(key, f"prefetch {prefetch}" if prefetch else "")
                self._edge(Key(QUEUE, consumer.queue), key, CONSUMES, "")
                for message in [reply.message for rule in consumer.on_message for reply in rule.publish]:
                    self._publishes(key, message)

    def _consuming(self) -> None:
        for queue in self.broker.queues.values():
            for subscription in queue.subscriptions.values():
                key = Key(CONSUMER, subscription.name)
                self.nodes[key] = Node(key, f"prefetch {subscription.prefetch}" if subscription.prefetch else "")
                self._edge(Key(QUEUE, queue.name), key, CONSUMES, "")

    def _exchanges(self) -> None:
        """The nodes of all exchanges that something leads to or that lead somewhere. RabbitMQ's own are there in any case, and a
        policy for every exchange gives them an alternate exchange too: what nobody uses is not drawn."""
        names = [name for name, state in self.broker.exchanges.items() if name not in RESERVED or state.bindings]
        names += [exchange for queue in self.broker.queues.values() if (exchange := _dead_letter_exchange(queue))]
        seen = set(names)
        for name in names:  # grows while it is walked
            self._exchange(name)
            state = self.broker.exchanges.get(name)
            if state is None:
                continue
            behind = [item.destination for item in state.bindings.values() if item.destination_type == EXCHANGE]
            for other in (*behind, state.alternate):
                if other is not None and other not in seen:
                    seen.add(other)
                    names.append(other)

    def _exchange(self, name: str) -> Key:
        """The node of an exchange, which need not exist."""
        state = self.broker.exchanges.get(name)
        key = Key(EXCHANGE, name) if state is not None else Key(MISSING, name)
        if key not in self.nodes:
            words = [state.declared.type, *(["internal"] if state.declared.internal else [])] if state else ["does not exist"]
            self.nodes[key] = Node(key, ", ".join(words))
        return key

    def _dead_letters(self, queue: QueueType) -> None:
        exchange, key = queue.settings.dead_letter_exchange, queue.settings.dead_letter_routing_key
        if exchange is None or queue.keeps_log:
            return
        source = Key(QUEUE, queue.name)
        label = "dead letters" if key is None else f"dead letters as {key}"
        if exchange != DEFAULT_EXCHANGE:
            self._edge(source, self._exchange(exchange), DEAD_LETTER, label)
        elif key is not None:
            target = Key(QUEUE, key) if key in self.broker.queues else Key(MISSING, key)
            self.nodes.setdefault(target, Node(target, "does not exist"))
            self._edge(source, target, DEAD_LETTER, "dead letters")
        else:
            self.nodes.setdefault(DEFAULT_KEY, Node(DEFAULT_KEY, "direct"))
            self._edge(source, DEFAULT_KEY, DEAD_LETTER, "dead letters")

    def _publishes(self, consumer: Key, message: Message) -> None:
        """What a rule sends on, where that does not depend on the delivery."""
        target = Key(EXCHANGE, message.exchange) if message.exchange else Key(QUEUE, message.routing_key)
        if target in self.nodes:
            self._edge(consumer, target, PUBLISHES, message.routing_key if message.exchange else "publishes")

    def _edge(self, source: Key, target: Key, kind: str, label: str) -> None:
        labels = self.edges.setdefault((source, target, kind), [])
        if label not in labels:
            labels.append(label)


def _dead_letter_exchange(queue: QueueType) -> str | None:
    return None if queue.keeps_log else queue.settings.dead_letter_exchange


def _label(binding: Binding) -> str:
    if not binding.arguments:
        return binding.routing_key
    arguments = ", ".join(f"{key}={plain(value)}" for key, value in binding.arguments.items())
    return f"{binding.routing_key} {{{arguments}}}" if binding.routing_key else f"{{{arguments}}}"


def _described(queue: QueueType) -> str:
    words = [queue.kind]
    if queue.settings.message_ttl is not None:
        words.append(f"ttl {duration_text(queue.settings.message_ttl)}")
    words += [text.format(f"{value:,}") for name, text in LIMITS if (value := getattr(queue.settings, name)) is not None]
    limit = queue.settings.delivery_limit
    if limit is not None and limit >= 0 and queue.origins["delivery_limit"].source != "default":
        counted = ", failures before a dead-lettering included" if queue.rules.dead_letter_counts == "all" else ""
        words.append(f"delivery limit {limit}{counted}")
    return ", ".join(words)


# The way that a message takes ------------------------------------------------------------------------------------------


def taken_by_publish(scenario: Scenario, exchange: str, key: str, headers: Table | None) -> Taken:
    """The edges of a publish. Raises `CannotExplain` for an exchange that is not there."""
    broker = topology(scenario)
    if exchange not in broker.exchanges:
        hint = did_you_mean(exchange, [name for name in broker.exchanges if name])
        raise CannotExplain(f"no exchange '{exchange}' is declared" + (f"; {hint}" if hint else ""))
    if exchange == DEFAULT_EXCHANGE:
        return {(DEFAULT_KEY, Key(QUEUE, key), BINDING)} if key in broker.queues else set()
    found, _ = walk(broker, exchange, "m1", Content(exchange, key, (key,), headers, ""))
    return {edge for _, path in found.queues for edge in along(path)}


def taken_by_message(scenario: Scenario, id: str) -> Taken:
    """The edges that a message takes when the scenario runs, with dead letters and deliveries. Raises `CannotExplain`."""
    taken: Taken = set()
    known: set[str] = set()
    along_event = EventEdges()

    def hear(event: Any) -> None:
        message = getattr(event, "message", None)
        if isinstance(message, str):
            known.add(message)
        if message == id:
            along_event.hear(event)
            taken.update(along_event.edges)

    Runner(scenario, hear, keep=False).run()
    if id not in known:
        hint = did_you_mean(id, known)
        raise CannotExplain(f"no message has the id '{id}'" + (f"; {hint}" if hint else ""))
    return taken
