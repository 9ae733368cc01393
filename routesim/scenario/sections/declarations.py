"""What a scenario declares, at the top and in its steps, checked by the embedded broker's own rules."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from routesim import steps
from routesim.broker import Broker
from routesim.broker.policies import policy_cure
from routesim.diagnostics import did_you_mean
from routesim.exchanges import EXCHANGE_TYPES, NOT_SIMULATED
from routesim.model import REPLY_TO, Binding, BrokerSettings, ChannelPlan, Consumer, Queue
from routesim.named_tuples import NamedTuple
from routesim.patterns import InvalidPattern, UnreadablePattern, compiled
from routesim.queues.declaring import queue_cure
from routesim.replies import AmqpError
from routesim.scenario.definitions.list_form import Path
from routesim.scenario.definitions.unsimulated import unsimulated_exchange, unsimulated_keys
from routesim.scenario.engines import engine_of
from routesim.scenario.format.kinds import Reader
from routesim.scenario.scenario import Declaration
from routesim.scenario.sections import values_of
from routesim.scenario.sections.declared_checks import (
    check_consumer,
    check_deaths,
    check_exchange,
    check_policy,
    check_queue,
    child,
)
from routesim.scenario.sections.names import Names, Owner
from routesim.scenario.yaml.nodes import Mapping, Node, Text
from routesim.scenario.yaml.source import Source
from routesim.versions import deprecated, rules

if TYPE_CHECKING:
    from routesim.scenario.definitions.reading import Definitions

Fields = dict[str, Any]
ORDER = (steps.DeclareExchange, steps.DeclareQueue, steps.Bind, steps.SetPolicy, steps.Consume)


class Included(NamedTuple):
    found: "Definitions"
    source: Source
    place: Callable[[Path], tuple[int, int, int]]


class Declared(NamedTuple):
    """An engine step and the node that asks for it (None: a definitions file's, see `Declarations.place`)."""

    step: steps.Step
    node: Node | None
    path: tuple[Included, Path] | None = None


class Declarations:
    def __init__(self, reader: Reader, names: Names, *, lenient: bool = False) -> None:
        self.lenient = lenient
        self.reader = reader
        self.names = names
        self.included: list[Included] = []
        self.consumers: dict[str, Consumer] = {}
        self.cures: dict[str, str] = {}  # queue -> what helps where it is refused
        self.queue_nodes: dict[str, Node] = {}  # consumer -> where it names its queue
        self.user_policies: set[str] = set()
        self.operator_policies: set[str] = set()
        self.exclusive: dict[str, Text | None] = {}  # queue -> the channel that it names
        self.consumed: dict[str, str] = {}  # queue -> its first consumer
        self.topology: Broker | None = None  # everything at the top declared, before anybody consumes
        self.items: list[Declared] = []  # of the top level, without the bindings of definitions files

    # Names first: a step may declare what an earlier line refers to --------------------------------------------------

    def include(self, found: "Definitions", source: Source, place: Callable[[Path], tuple[int, int, int]]) -> None:
        self.included.append(Included(found, source, place))
        self.names.exchanges.update(item.name for _, item in found.exchanges)
        self.names.queues.update(item.name for _, item in found.queues)
        for _, policy in found.policies:
            (self.operator_policies if policy.operator else self.user_policies).add(policy.name)
        self.names.policies |= self.user_policies | self.operator_policies

    def gather(self, fields: Fields, node: Node | None) -> None:
        """Note the names that one set of declarations (the top level, or a declare step with its channel) brings."""
        names, declares = self.names, fields.get("channel")
        if declares is not None:
            names.channels_in_steps.add(str(declares))
        names.exchanges.update(str(name) for name, options in fields.get("exchanges", {}).items() if not _asks_only(options))
        for name, options in fields.get("queues", {}).items():
            if _asks_only(options):  # it declares nothing
                names.channels_in_steps.update(str(item) for item in (options.get("channel"),) if item is not None)
                continue
            names.queues.add(str(name))
            channel = options.get("channel", declares)
            if channel is not None:
                names.channels_in_steps.add(str(channel))
            if options.get("exclusive"):
                self.exclusive.setdefault(str(name), channel)
        for section, kind in (("policies", self.user_policies), ("operator_policies", self.operator_policies)):
            kind.update(str(item["name"]) for item in fields.get(section, ()) if "name" in item)
        names.policies |= self.user_policies | self.operator_policies
        for name, options in fields.get("consumers", {}).items():
            consumer = values_of.consumer(name, options)
            if str(name) in self.consumers and self.consumers[str(name)] != consumer:
                self.reader.error("duplicate-consumer", f"another consumer is named '{name}'", name, "choose another name")
                continue
            self.consumers[str(name)] = consumer
            names.consumer_channels[str(name)] = consumer.channel
            self.consumed.setdefault(consumer.queue, str(name))
            if "queue" in options:
                self.queue_nodes[str(name)] = options["queue"]
            check_consumer(self.reader, child(node, "consumers", name), consumer)
            for rule in consumer.on_message:
                for reply in rule.publish:
                    names.ids.open_prefixes.add(f"{reply.id or consumer.name}-")

    def check_rules(self, fields: Fields) -> None:
        """The exchanges to which rules publish, and the queues whose deaths they count, must exist, once all names are known."""
        for options in fields.get("consumers", {}).values():
            on_message = options.get("on_message")
            for rule in on_message if isinstance(on_message, list) else ():
                if "deaths" in rule:
                    check_deaths(self.names, rule.node["deaths"])
                for reply in rule.get("publish", ()):
                    exchange = reply.get("exchange", "")
                    if exchange and "$" not in exchange:
                        self.names.exchange(str(exchange), exchange)

    def settle_channels(self) -> None:
        """Connections of consumers and of exclusive queues, once all names are known."""
        names = self.names
        for consumer in self.consumers.values():
            names.use_channel(consumer.channel)
            if any(rule.publish for rule in consumer.on_message):
                names.channels.setdefault(
                    publishing_channel(consumer), ChannelPlan(publishing_channel(consumer), names.connection_of(consumer.name))
                )
        for queue, channel in self.exclusive.items():
            if channel is not None:
                names.use_channel(str(channel))
                names.owners[queue] = Owner(names.connection_of(str(channel)))
            elif queue in self.consumed:
                names.owners[queue] = Owner(names.connection_of(self.consumed[queue]))
            else:
                names.owners[queue] = Owner(queue)

    # Steps of a set of declarations ----------------------------------------------------------------------------------

    def steps_of(self, fields: Fields, node: Node | None, *, check_names: bool, in_step: bool = False) -> Iterator[Declared]:
        """The engine steps, in the order in which they are carried out. `fields` may name the channel that declares it all."""
        names, declares = self.names, fields.get("channel")
        self.check_rules(fields)
        yield from self._exchanges(fields, node, declares, check_names=check_names, in_step=in_step)
        for name, options in fields.get("queues", {}).items():
            queue = values_of.queue(name, options)
            at = child(node, "queues", name)
            if _asks_only(options):
                yield from self._asks_queue(name, options, declares, in_step=in_step, check_names=check_names)
                continue
            check_queue(names, queue, options, at)
            channel = self._declares_queue(queue, options.get("channel"), declares, succeeds=check_names)
            yield Declared(steps.DeclareQueue(channel, queue), at or name)
        for options in fields.get("bindings", ()):
            if "source" in options and "destination" in options:
                step = self.binding_step(options, steps.Bind, check_names=check_names, channel=declares)
                yield Declared(step, options.node)
        for section in ("policies", "operator_policies"):
            for options in fields.get(section, ()):
                if options.keys() >= {"name", "pattern", "definition"}:
                    policy = values_of.policy(options, operator=section == "operator_policies")
                    if check_policy(names, policy, options.node):
                        yield Declared(steps.SetPolicy(policy), options.node)
        for name in fields.get("consumers", {}):
            consumer = self.consumers[str(name)]
            at = child(node, "consumers", name)
            if "queue" not in fields["consumers"][name]:
                continue
            if consumer.start and check_names:
                names.queue(consumer.queue, self.queue_nodes.get(str(name), name))
            if consumer.start:
                yield Declared(steps.Consume(consumer), at or name)

    def _exchanges(
        self, fields: Fields, node: Node | None, declares: Text | None, *, check_names: bool, in_step: bool
    ) -> Iterator[Declared]:
        names = self.names
        channel = names.channel_for("declare", None, declares)
        for name, options in fields.get("exchanges", {}).items():
            if not _asks_only(options):
                declared = values_of.exchange(name, options)
                at = child(node, "exchanges", name)
                check_exchange(names, declared, at)
                if declared.type not in NOT_SIMULATED:
                    yield Declared(steps.DeclareExchange(channel, declared), at or name)
            elif not in_step:
                self._declares_nothing(options)
            else:
                if check_names:
                    names.exchange(str(name), name, in_step=True)
                yield Declared(steps.AskExchange(channel, str(name)), name)

    def _asks_queue(
        self, name: Text, options: Any, declares: Text | None, *, in_step: bool, check_names: bool
    ) -> Iterator[Declared]:
        """A passive declare. It is a step of its own, for it changes nothing of what is declared."""
        names = self.names
        if not in_step:
            self._declares_nothing(options)
            return
        if check_names:
            names.queue(str(name), name, in_step=True)
        channel = names.channel_for("declare", str(name), options.get("channel", declares))
        yield Declared(steps.AskQueue(channel, str(name)), name)

    def _declares_nothing(self, options: Any) -> None:
        problem = "a passive declare declares nothing"
        self.reader.error("wrong-value", problem, options.node["passive"], "put it into a `declare` step")

    def _declares_queue(self, queue: Queue, of_queue: Text | None, of_step: Text | None, *, succeeds: bool) -> str:
        """The channel that declares a queue: on the connection that the queue names, or the step's own; else as of old. An
        exclusive queue belongs to whoever declared it last with success: what names no channel after that is done by them."""
        names = self.names
        given = of_queue if of_queue is not None else of_step
        if given is None:
            return names.channel_for("declare", queue.name, None)
        names.use_channel(str(given))
        connection = names.connection_of(str(given))
        if queue.exclusive and succeeds:
            names.owners[queue.name] = Owner(connection)
        return names.on_connection(connection, "declare") if of_queue is not None else str(given)

    def binding_step(
        self, options: Fields, kind: type, *, check_names: bool, in_step: bool = False, channel: Text | None = None
    ) -> Any:
        """The step that binds or unbinds; what a bind names must exist, what an unbind names had better. `channel` does it where
        the binding names none."""
        names, binding = self.names, values_of.binding(options)
        source, destination, destination_type, _, _ = binding
        ends = (("exchange", source, "source"), (destination_type, destination, "destination"))
        for what, name, key in ends if check_names else ():
            if not name:
                continue
            if kind is steps.Unbind:
                names.near_miss(what, name, options[key], names.queues if what == "queue" else names.exchanges)
            elif what == "queue":
                names.queue_to_bind(name, options[key], in_step=in_step)
            else:
                names.exchange(name, options[key], in_step=in_step)
        queue = destination if destination_type == "queue" else None
        return kind(names.channel_for("declare", queue, options.get("channel", channel)), binding)

    # The top level ---------------------------------------------------------------------------------------------------

    def top_level(
        self, fields: Fields, node: Node | None, vhost: str, version: str, settings: BrokerSettings
    ) -> tuple[Declaration, ...]:
        """All declarations at the top, each one carried out by a scratch broker, whose refusals are the diagnostics."""
        scratch = engine_of(settings)(
            rules(version), vhost=vhost, seed=fields.get("seed", 0), settings=settings, channel_plans=self.names.channels
        )
        declared: list[Declaration] = []
        items = [*self._included_items(), *self.steps_of(fields, node, check_names=True)]
        self.items = items
        by_kind: dict[type, list[Declared]] = {kind: [] for kind in ORDER}
        for item in items:
            by_kind[type(item.step)].append(item)
        for kind, same in by_kind.items():
            if kind is steps.Consume:
                self.topology = scratch.copy() if same else scratch
            elif kind is steps.Bind:
                self._bind_included(scratch, declared)
            for item in same:
                step = item.step
                declared.append(Declaration(0 if item.node is None else item.node.line, step))
                if not self._names_nothing(scratch, step):
                    refused = scratch.apply(step)
                    if refused is not None:
                        self._refused(item, refused)
        return tuple(declared)

    @staticmethod
    def _names_nothing(scratch: Broker, step: steps.Step) -> bool:
        """Reported already, with a better cure, or the consequence of an error that was."""
        if type(step) is steps.Bind:
            binding = step.binding
            there = scratch.queues if binding.destination_type == "queue" else scratch.exchanges
            return binding.source not in scratch.exchanges or binding.destination not in there
        if type(step) is not steps.Consume:
            return False
        return step.consumer.queue not in scratch.queues and step.consumer.queue != REPLY_TO

    def _included_items(self) -> Iterator[Declared]:
        names = self.names
        channel = names.channel_for("declare", None, None)
        seen: set[tuple[str, str]] = set()  # an import leaves alone what exists (rules/routing#F18)
        for included in self.included:
            found = included.found
            for path, exchange in found.exchanges:
                if ("exchange", exchange.name) in seen:
                    continue
                seen.add(("exchange", exchange.name))
                if exchange.type in NOT_SIMULATED:
                    self._at(
                        included,
                        (*path, "type"),
                        "error",
                        "not-simulated",
                        f"exchanges of type {exchange.type} are not simulated",
                    )
                else:
                    told = unsimulated_exchange(exchange)
                    if told is not None:
                        self._at(included, (*path, "type"), "warning", "not-simulated", told)
                    yield Declared(steps.DeclareExchange(channel, exchange), None, (included, path))
            for path, queue in found.queues:
                if ("queue", queue.name) in seen:
                    continue
                seen.add(("queue", queue.name))
                yield Declared(steps.DeclareQueue(channel, queue), None, (included, path))
            for path, policy in found.policies:
                try:
                    compiled(policy.pattern)
                except UnreadablePattern as problem:
                    text = f"routesim cannot try this pattern: {problem}"
                    self._at(included, (*path, "pattern"), "error", "not-simulated", text, "write it more plainly")
                    continue
                except InvalidPattern:
                    pass  # RabbitMQ's own answer follows
                for key, sentence in unsimulated_keys(policy):
                    self._at(included, (*path, "definition", key), "warning", "not-simulated", sentence)
                yield Declared(steps.SetPolicy(policy), None, (included, path))

    def _bind_included(self, scratch: Broker, declared: list[Declaration]) -> None:
        """The bindings of definitions files. There may be a million: each is made and carried out at once."""
        names, make, apply = self.names, tuple.__new__, scratch.apply
        exchanges, queues = scratch.exchanges, scratch.queues
        channel = names.channel_for("declare", None, None)
        for included in self.included:
            for path, binding in included.found.bindings:
                step = make(steps.Bind, (channel, binding))
                source, destination, kind, _, _ = binding
                if source in exchanges and destination in (queues if kind == "queue" else exchanges):
                    declared.append(make(Declaration, (0, step)))
                    refused = apply(step)
                    if refused is not None:
                        item = Declared(step, None, (included, path))
                        self._refused(item, refused, bad_bindings_skipped=scratch.rules.bad_bindings_skipped)
                elif source in names.exchanges and (
                    names.has_queue_to_bind(destination) if kind == "queue" else destination in names.exchanges
                ):
                    declared.append(Declaration(0, step))  # what it binds has been refused, which has been reported
                else:
                    self._leads_nowhere(included, path, binding, skipped=scratch.rules.bad_bindings_skipped)

    def _leads_nowhere(self, included: Included, path: Path, binding: Binding, *, skipped: bool) -> None:
        """rules/routing#F21"""
        names = self.names
        end, word, known = "source", "exchange", names.exchanges
        if binding.source in names.exchanges:
            end, word = "destination", binding.destination_type
            known = names.queues if word == "queue" else names.exchanges
        missing = binding.source if end == "source" else binding.destination
        what = "RabbitMQ passes over this binding" if skipped else "RabbitMQ refuses the whole import: resources_missing"
        cure = did_you_mean(missing, [name for name in known if name != missing]) or "declare it, or take the binding out"
        if word == "exchange" and not cure.startswith("did"):
            cure += "; rabbitmqctl leaves internal exchanges out of its export"
        text = f"no {word} named '{missing}' is declared: {what}"
        self._at(included, (*path, end), "warning" if skipped else "error", "definitions-binding", text, cure)

    def _at(self, included: Included, path: Path, severity: str, code: str, message: str, cure: str = "") -> None:
        line, column, width = included.place(path)
        told = included.source.diagnostic(severity, code, message, line, column, width, cure)
        refusal = self.lenient and severity == "error" and code.startswith("definitions-")
        (self.reader.findings if refusal else self.reader.diagnostics).append(told)

    def _refused(self, item: Declared, refused: AmqpError, *, bad_bindings_skipped: bool = False) -> None:
        argument, cure = refused.argument, ""
        step = item.step
        if isinstance(step, steps.DeclareExchange) and argument == "type":
            cure = did_you_mean(step.exchange.type, EXCHANGE_TYPES) or f"known types: {', '.join(EXCHANGE_TYPES)}"
        elif (feature := deprecated.denied_in(refused.text)) is not None:
            own = self.cures.get(step.queue.name) if isinstance(step, steps.DeclareQueue) else None
            cure = own or deprecated.cure(feature)
        elif isinstance(step, steps.DeclareQueue):
            cure = queue_cure(step.queue, refused)
        elif isinstance(step, steps.SetPolicy) and argument is not None and "not recognised" in refused.text:
            cure = policy_cure(step.policy, argument)
        elif isinstance(step, steps.SetPolicy) and argument == "delivery-limit":
            cure = "before 4.0 a queue has no limit unless it is given one: leave the key out"
        severity = "warning" if self.lenient else "error"
        if item.path is not None:
            included, path = item.path
            text = refused.text
            if isinstance(step, steps.Bind) and bad_bindings_skipped:  # rules/routing#F21
                self._at(included, path, "warning", "definitions-binding", f"RabbitMQ passes over this binding: {text}", cure)
                return
            if isinstance(step, steps.DeclareQueue) and _left_out(refused):
                text += "; an import leaves the queue out without a word"
            self._at(included, _where(step, path, argument), severity, "refused", text, cure)
            return
        problem = f"RabbitMQ refuses this: {refused.text}"
        self.reader.diagnostics.append(self.reader.at(self._culprit(item.node, argument), severity, "refused", problem, cure))

    @staticmethod
    def _culprit(node: Any, argument: str | None) -> Any:
        """The argument or option at fault, where it is written in this node."""
        if argument is not None and isinstance(node, Mapping):
            for inside in ("arguments", "definition"):
                table = node.get(inside)
                if isinstance(table, Mapping) and argument in table:
                    return next(key for key in table if key == argument)
            for name in (argument, argument.replace("-", "_"), "type" if argument == "x-queue-type" else argument):
                if name in node:
                    return node[name]
        return node


def _left_out(refused: AmqpError) -> bool:
    """Whether an import passes over a queue that a client's declaration is refused for (rules/routing#F20)."""
    return "invalid property" in refused.text or deprecated.denied_in(refused.text) is not None


def _where(step: steps.Step, path: Path, argument: str | None) -> Path:
    """Where an item of a definitions file says what is refused."""
    if argument is None:
        return path
    if argument in ("pattern", "apply-to", "type", "durable", "auto-delete", "definition"):
        return (*path, argument.replace("auto-delete", "auto_delete"))
    return (*path, "definition" if isinstance(step, steps.SetPolicy) else "arguments", argument)


def _asks_only(options: Fields | Text) -> bool:
    return not isinstance(options, Text) and bool(options.get("passive"))


def publishing_channel(consumer: Consumer) -> str:
    """The confirming channel on which a consumer's rules publish."""
    return f"{consumer.name} (publish)"
