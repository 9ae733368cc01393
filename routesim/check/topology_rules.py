"""What the rules look at: one broker with all that a scenario declares anywhere, who publishes, and what arrives where."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from routesim import steps
from routesim.broker.policies import matching
from routesim.broker.records import PREDECLARED, ExchangeState
from routesim.broker.routing import route
from routesim.check import celery_rules
from routesim.check.finding import Subject
from routesim.content import Content
from routesim.exchanges.headers import Headers
from routesim.explain.keys.key_sets import ALL, Keys, Remainders, TooManyStates, any_of, exactly, witness
from routesim.explain.keys.reach import inner_type, matched, missed
from routesim.explain.route import topology
from routesim.model import DEFAULT_EXCHANGE, Binding, Message, Rule, Run, Task
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.scenario import Do, PublishMany, Scenario
from routesim.values import Value, raw

RESERVED = frozenset(item.name for item in PREDECLARED)
DECLARING = (steps.DeclareExchange, steps.DeclareQueue, steps.Bind, steps.SetPolicy)
MAX_WAYS = 12  # of reaching one place that are looked at each
MAX_DELAYED = 4  # keys of delayed publishes that are followed one by one
LARGE = 300  # bindings of an exchange, or queues, beyond which sets of keys are not built


class PublishPath(NamedTuple):
    """Publishing to `exchange` with one of `keys` (and these headers) leads to the place in question."""

    exchange: str
    keys: Keys
    headers: tuple[tuple[str, Value], ...] = ()
    dead: bool = False  # only as a dead letter do messages take it

    def key(self, work: Remainders, within: Keys = ALL) -> str | None:
        """A key of this way that is also in `within`; None: there is none. Raises `TooManyStates`."""
        return witness(self.keys & within, longer=True, work=work)

    def sample(self, work: Remainders) -> str | None:
        """A key of this way; None: there is none, or none can be found."""
        try:
            return self.key(work)
        except TooManyStates:
            return None


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
        return heard | celery_rules.heard_by_listeners(self.broker)

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
        if exchange != celery_rules.FIRST_EXCHANGE:
            return ALL
        return any_of([celery_rules.delayed_keys(self.broker), *map(exactly, self.delayed_by_steps)])

    @cached_property
    def delayed_by_steps(self) -> list[str]:
        """The keys with which steps publish to Celery's levels of delay."""
        said = {message.routing_key for _, message in self.publishes if message.exchange == celery_rules.FIRST_EXCHANGE}
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
        return _Spread(self).run()

    @cached_property
    def parking(self) -> set[str]:
        """Queues that only dead letters reach."""
        return {name for name, ways in self.ways.items() if ways and all(way.dead for way in ways)}

    def arrives(self, way: PublishPath, key: str, queue: str) -> bool:
        """Whether such a publish really reaches the queue."""
        content = Content(way.exchange, key, (key,), dict(way.headers) or None, "")
        return any(found.name == queue for found, _ in route(self.broker, way.exchange, "m1", content).queues)

    def publish(self, queue: str) -> tuple[PublishPath, str]:
        """A publish that reaches the queue: as messages usually get there, else straight to it."""
        for way in self.ways.get(queue, ()):
            key = way.sample(self.work)
            if key is not None and self.arrives(way, key, queue):
                return way, key
        return PublishPath(DEFAULT_EXCHANGE, exactly(queue)), queue


def dead_letter_exchange(queue: QueueType) -> str | None:
    return None if queue.keeps_log else queue.settings.dead_letter_exchange


class _Spread:
    """Follows all publishes from the entries over bindings, alternate exchanges and dead letters until nothing is new."""

    def __init__(self, topology: CheckedTopology) -> None:
        self.topology = topology
        self.broker = topology.broker
        self.work = Remainders()
        self.at_queue: dict[str, list[PublishPath]] = {}
        self.at_exchange: dict[str, list[PublishPath]] = {}
        self.todo: list[tuple[str, str, PublishPath]] = []

    def run(self) -> dict[str, list[PublishPath]]:
        for key in self.topology.delayed_by_steps:  # one by one: there are too many ways through all levels to follow each
            for name in celery_rules.levels_of(key):
                if name in self.broker.queues and name in self.broker.exchanges:
                    self._arrive("queue", name, PublishPath(name, exactly(key), (), True))
        for name in self.topology.entries:
            self._arrive("exchange", name, PublishPath(name, self.topology.published(name)))
        for _, message in self.topology.publishes:
            if message.exchange == DEFAULT_EXCHANGE and message.routing_key in self.broker.queues:
                self._arrive("queue", message.routing_key, PublishPath(DEFAULT_EXCHANGE, exactly(message.routing_key)))
        self._follow()
        for name in self.broker.queues:
            if name not in self.at_queue and not self._is_bound(name):
                self._arrive("queue", name, PublishPath(DEFAULT_EXCHANGE, exactly(name)))
                self._follow()
        return self.at_queue

    def _is_bound(self, queue: str) -> bool:
        return bool(self.broker.incoming.get(("queue", queue)))

    def _arrive(self, kind: str, name: str, way: PublishPath) -> None:
        known = (self.at_queue if kind == "queue" else self.at_exchange).setdefault(name, [])
        if len(known) >= MAX_WAYS or any(
            other.exchange == way.exchange and set(other.keys.parts or (other.keys,)) <= set(way.keys.parts or (way.keys,))
            and repr(other.headers) == repr(way.headers) for other in known
        ):  # fmt: skip
            return
        known.append(way)
        self.todo.append((kind, name, way))

    def _follow(self) -> None:
        while self.todo:
            kind, name, way = self.todo.pop(0)
            if kind == "exchange":
                self._through_exchange(name, way)
            else:
                self._out_of_queue(self.broker.queues[name], way)

    def _through_exchange(self, name: str, way: PublishPath) -> None:
        state = self.broker.exchanges[name]
        for binding in state.bindings.values():
            keys = way.keys & matched(state, binding)
            if way.keys != ALL and _empty(self.work, keys):
                continue
            further = way._replace(keys=keys, headers=(*way.headers, *_wanted(state, binding)))
            there = self.broker.queues if binding.destination_type == "queue" else self.broker.exchanges
            if binding.destination in there:
                self._arrive(binding.destination_type, binding.destination, further)
        if state.alternate in self.broker.exchanges and state.alternate is not None and len(state.bindings) <= LARGE:
            keys = way.keys & missed(state)
            if inner_type(state) == "headers" or not _empty(self.work, keys):
                self._arrive("exchange", state.alternate, way._replace(keys=way.keys if inner_type(state) == "headers" else keys))

    def _out_of_queue(self, queue: QueueType, way: PublishPath) -> None:
        exchange = dead_letter_exchange(queue)
        if exchange is None or exchange not in self.broker.exchanges:
            return
        key = queue.settings.dead_letter_routing_key
        keys = way.keys if key is None else exactly(key)
        if exchange:
            self._arrive("exchange", exchange, PublishPath(exchange, keys, way.headers, True))
            return
        names = [key] if key is not None else list(self.broker.queues) if len(self.broker.queues) <= LARGE else []
        for name in names:
            if name in self.broker.queues and not _empty(self.work, keys & exactly(name)):
                self._arrive("queue", name, PublishPath(DEFAULT_EXCHANGE, exactly(name), way.headers, True))


def _empty(work: Remainders, keys: Keys) -> bool:
    try:
        return witness(keys, work=work) is None
    except TooManyStates:
        return False


def criteria(state: ExchangeState, binding: Binding) -> tuple[str, list[str]]:
    """The x-match of a headers binding, and the names of the arguments that count under it."""
    mode, wanted = Headers(state.declared, state.matcher.rules).criteria(binding)
    return mode, list(wanted)


def _wanted(state: ExchangeState, binding: Binding) -> tuple[tuple[str, Value], ...]:
    """Headers that satisfy the binding."""
    if inner_type(state) != "headers":
        return ()
    mode, names = criteria(state, binding)
    wanted = [(key, binding.arguments[key] if raw(binding.arguments[key]) is not None else "present") for key in names]
    return tuple(wanted[:1] if mode.startswith("any") else wanted)
