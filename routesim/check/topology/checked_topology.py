"""What the rules look at: one broker with all that a scenario declares anywhere, who publishes, and what arrives where."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from routesim import steps
from routesim.broker.policies import matching
from routesim.broker.records import PREDECLARED, ExchangeState
from routesim.broker.routing import route
from routesim.check.finding import Subject
from routesim.check.topology import celery_exchanges
from routesim.check.topology.publish_paths import PublishPath, followed
from routesim.explain.keys.key_sets import ALL, Keys, Remainders, any_of, exactly
from routesim.model import DEFAULT_EXCHANGE, Consumer, Message, Rule, Run, Task
from routesim.queues import QueueType
from routesim.scenario import Do, PublishMany, Scenario
from routesim.scenario.engines import topology

RESERVED = frozenset(item.name for item in PREDECLARED)
DECLARING = (steps.DeclareExchange, steps.DeclareQueue, steps.Bind, steps.SetPolicy)
MAX_DELAYED = 4  # keys of delayed publishes that are followed one by one


class CheckedTopology:
    """A scenario as the rules see it. `broker` holds what the top level and all its declare and bind steps declare; `work` is
    what the questions about keys of one rule may cost together."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.work = Remainders()
        self.broker = topology(scenario)
        self.circles: dict[bool, tuple[list[Any], list[str]]] = {}  # what the rules about loops have found, for each other
        self.subjects: dict[tuple[str, ...], Subject] = {}
        self.bound: dict[int, Subject] = {}
        for declaration in scenario.declarations:
            self._note(declaration.step, declaration.step)
        for worker in scenario.workers.values():
            for step in worker.declares:
                self._note(step, worker.name)
        self.publishes: list[tuple[int, Message]] = []
        for index, step in enumerate(scenario.steps):
            if isinstance(step.action, PublishMany):
                self.publishes.append((index, step.action.message))
            elif isinstance(step.action, Do):
                for each in step.action.steps:
                    if isinstance(each, DECLARING) and self.broker.apply(each) is None:
                        self._note(each, index)
        self.broker.failures.clear()

    def _note(self, step: steps.Step, subject: Subject) -> None:
        if isinstance(step, steps.DeclareExchange):
            self.subjects.setdefault(("exchange", step.exchange.name), subject)
        elif isinstance(step, steps.DeclareQueue):
            self.subjects.setdefault(("queue", step.queue.name), subject)
        elif isinstance(step, steps.Bind):
            self.bound.setdefault(id(step.binding), subject)
        elif isinstance(step, steps.SetPolicy):
            self.subjects["operator" if step.policy.operator else "policy", step.policy.name] = subject

    def subject(self, kind: str, name: str) -> Subject:
        """What declares the exchange, queue, policy or operator (policy) of that name."""
        return self.subjects.get((kind, name))

    def exchanges(self) -> Iterator[tuple[str, ExchangeState]]:
        """The exchanges that the scenario declares, and RabbitMQ's own where something is bound to them."""
        for name, state in self.broker.exchanges.items():
            if name and (name not in RESERVED or state.bindings):
                yield name, state

    @cached_property
    def leading_to_queues(self) -> set[str]:
        """The exchanges behind which there is any queue, for whatever message."""
        before: dict[str, list[str]] = {}  # by an exchange, those that lead to it
        todo: list[str] = []
        for name, state in self.broker.exchanges.items():
            for binding in state.bindings.values():
                if binding.destination_type == "queue":
                    todo.append(name)
                else:
                    before.setdefault(binding.destination, []).append(name)
            if state.alternate is not None:
                before.setdefault(state.alternate, []).append(name)
        found: set[str] = set()
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += before.get(name, ())
        return found

    @cached_property
    def sent_to(self) -> dict[str, list[Message]]:
        """What is published, by the exchange."""
        found: dict[str, list[Message]] = {}
        for _, message in self.publishes:
            found.setdefault(message.exchange, []).append(message)
        return found

    @cached_property
    def consumers_of(self) -> dict[str, list[Consumer]]:
        """By their queue."""
        found: dict[str, list[Consumer]] = {}
        for consumer in self.scenario.consumers.values():
            found.setdefault(consumer.queue, []).append(consumer)
        return found

    @cached_property
    def policed(self) -> dict[tuple[bool, str], tuple[list[QueueType], list[str]]]:
        """By whether it is an operator policy, and its name: the queues and exchanges that each policy fits."""
        found: dict[tuple[bool, str], tuple[list[QueueType], list[str]]] = {key: ([], []) for key in self.broker.policies}
        for operator in (False, True):
            for queue in self.broker.queues.values():
                for policy in matching(self.broker, operator, queue.broker_name, queue.kind):
                    found[operator, policy.name][0].append(queue)
            for name, _ in self.exchanges():
                for policy in matching(self.broker, operator, name, "exchange"):
                    found[operator, policy.name][1].append(name)
        return found

    @cached_property
    def sent_at_work(self) -> list[Message]:
        """What consumers and the bodies of tasks publish."""
        rules: list[Rule | Task | Run] = [rule for item in self.scenario.consumers.values() for rule in item.on_message]
        for task in self.scenario.tasks.values():
            rules += [task, *task.runs]
        return [reply.message for rule in rules for reply in rule.publish or ()]

    @cached_property
    def heard_by_listeners(self) -> set[str]:
        """Exchanges of events and of answers to commands: that nobody listens is as it should be."""
        workers = self.scenario.workers.values()
        heard = {name for worker in workers for name in (worker.events, worker.replies) if name is not None}
        return heard | celery_exchanges.heard_by_listeners(self.broker)

    @cached_property
    def passed_by(self) -> set[str]:
        """Direct exchanges of Celery's task queues to which nothing here publishes. Celery publishes to such a queue by its name,
        on the default exchange, and never uses the bindings (rules/celery#1.1)."""
        declared = {
            step.exchange.name
            for worker in self.scenario.workers.values()
            for step in worker.declares
            if isinstance(step, steps.DeclareExchange) and step.exchange.type == "direct"
        } | self._made_by_calls
        said = {message.exchange for _, message in self.publishes} | {message.exchange for message in self.sent_at_work}
        return declared - said - self.fed.keys() - self.heard_by_listeners

    @property
    def _made_by_calls(self) -> set[str]:
        """Exchanges of queues that nobody configured, which Celery's callers declare: exchange, queue and key have one name."""
        actions = [step.action for step in self.scenario.steps] if self.scenario.routed else []
        declared = [each for action in actions if isinstance(action, Do) for each in action.steps]
        alike = {
            item.binding.source
            for item in declared
            if isinstance(item, steps.Bind) and item.binding.source == item.binding.destination == item.binding.routing_key
        }
        return {
            item.exchange.name
            for item in declared
            if isinstance(item, steps.DeclareExchange) and item.exchange.type == "direct" and item.exchange.name in alike
        }

    def published(self, exchange: str) -> Keys:
        """The keys with which anybody publishes to the exchange: all, unless it is known who does."""
        if exchange != celery_exchanges.FIRST_EXCHANGE:
            return ALL
        return any_of([celery_exchanges.delayed_keys(self.broker), *map(exactly, self.delayed_by_steps)])

    @cached_property
    def delayed_by_steps(self) -> list[str]:
        """The keys with which steps publish to Celery's levels of delay."""
        said = {message.routing_key for _, message in self.publishes if message.exchange == celery_exchanges.FIRST_EXCHANGE}
        return sorted(said)[:MAX_DELAYED]

    # Who leads where -------------------------------------------------------------------------------------------------

    @cached_property
    def fed(self) -> dict[str, set[str]]:
        """Exchanges that get messages from elsewhere, with `binding`, `alternate` or `dead-letter`."""
        found: dict[str, set[str]] = {}
        for state in self.broker.exchanges.values():
            for binding in state.bindings.values():
                if binding.destination_type == "exchange":
                    found.setdefault(binding.destination, set()).add("binding")
            if state.alternate is not None:
                found.setdefault(state.alternate, set()).add("alternate")
        for queue in self.broker.queues.values():
            if queue.settings.dead_letter_exchange:
                found.setdefault(queue.settings.dead_letter_exchange, set()).add("dead-letter")
        return found

    @cached_property
    def entries(self) -> list[str]:
        """The exchanges to which somebody publishes: those that nothing else leads to, those that steps publish to, and of
        several that only lead to each other the first."""
        said = {message.exchange for _, message in self.publishes}
        said |= {message.exchange for message in self.sent_at_work}
        open_to_all = [name for name, state in self.exchanges() if not state.declared.internal]
        found = [name for name in open_to_all if name not in self.fed or name in said]
        behind = self._behind(found)
        for name in sorted(open_to_all, key=lambda name: len(self.fed.get(name, set()) - {"dead-letter"})):
            if name not in behind:
                found.append(name)
                behind |= self._behind([name])
        return found

    def _behind(self, exchanges: list[str]) -> set[str]:
        """The exchanges that messages from these can get to, whatever their keys."""
        todo = [("exchange", name) for name in exchanges]
        seen = set(todo)
        for kind, name in todo:  # grows while it is walked
            following: list[tuple[str, str | None]] = []
            if kind == "exchange" and name in self.broker.exchanges:
                state = self.broker.exchanges[name]
                following = [(item.destination_type, item.destination) for item in state.bindings.values()]
                following.append(("exchange", state.alternate))
            elif name in self.broker.queues:
                limits = self.broker.queues[name].settings
                following = [("exchange", limits.dead_letter_exchange)]
                if limits.dead_letter_exchange == DEFAULT_EXCHANGE:
                    following = [("queue", limits.dead_letter_routing_key)]
            for what, other in following:
                if other is not None and (what, other) not in seen:
                    seen.add((what, other))
                    todo.append((what, other))
        return {name for kind, name in seen if kind == "exchange"}

    @cached_property
    def ways(self) -> dict[str, list[PublishPath]]:
        """For every queue the ways in which messages get there, dead letters included."""
        return followed(self.broker, self._beginnings())

    def _beginnings(self) -> Iterator[tuple[str, str, PublishPath]]:
        for key in self.delayed_by_steps:  # one by one: there are too many ways through all levels to follow each
            for name in celery_exchanges.levels_of(key):
                if name in self.broker.queues and name in self.broker.exchanges:
                    yield "queue", name, PublishPath(name, exactly(key), (), True)
        for name in self.entries:
            yield "exchange", name, PublishPath(name, self.published(name))
        for _, message in self.publishes:
            if message.exchange == DEFAULT_EXCHANGE and message.routing_key in self.broker.queues:
                yield "queue", message.routing_key, PublishPath(DEFAULT_EXCHANGE, exactly(message.routing_key))

    @cached_property
    def parking(self) -> set[str]:
        """Queues that only dead letters reach."""
        return {name for name, ways in self.ways.items() if ways and all(way.dead for way in ways)}

    def arrives(self, way: PublishPath, key: str, queue: str) -> bool:
        """Whether such a publish really reaches the queue."""
        return any(found.name == queue for found, _ in route(self.broker, way.exchange, "m1", way.content(key)).queues)

    def publish(self, queue: str) -> tuple[PublishPath, str]:
        """A publish that reaches the queue: as messages usually get there, else straight to it."""
        for way in self.ways.get(queue, ()):
            key = way.sample(self.work)
            if key is not None and self.arrives(way, key, queue):
                return way, key
        return PublishPath(DEFAULT_EXCHANGE, exactly(queue)), queue
