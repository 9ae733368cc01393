"""The `steps` section: each verb to the engine steps that it stands for."""

from typing import Any, NamedTuple

from routesim import steps
from routesim.diagnostics import did_you_mean
from routesim.model import REPLY_TO
from routesim.scenario.format import whole
from routesim.scenario.format.kinds import Reader, Unreadable, shown
from routesim.scenario.scenario import Action, Do, Expect, PublishMany, ScenarioStep, Signal, Wait
from routesim.scenario.sections import values_of
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.expect_section import expectations
from routesim.scenario.sections.names import Names
from routesim.scenario.yaml.source import Mapping, Node, Sequence, Text
from routesim.text import cut

TEXT_WIDTH = 100
CONNECTION_ENDS: dict[str, type[steps.Crash | steps.Close]] = {"crash": steps.Crash, "close": steps.Close}


class Read(NamedTuple):
    """A step whose fields have been read; `node` is the verb's value."""

    verb: str
    fields: Any
    node: Any
    at: Text
    fails: int | None


class StepsSection:
    def __init__(self, reader: Reader, names: Names, declarations: Declarations) -> None:
        self.reader = reader
        self.names = names
        self.declarations = declarations
        self.counter = 0
        self.channels_named: set[str] = set()

    # First pass: fields and names ------------------------------------------------------------------------------------

    def read(self, nodes: Sequence) -> list[Read]:
        found_steps = []
        for node in nodes:
            try:
                found_steps.append(self._read(node))
            except Unreadable:
                self.reader.unread_steps += 1
        return found_steps

    def _read(self, node: Node) -> Read:
        if not isinstance(node, Mapping):
            cure = f"write `- {node}: …`" if isinstance(node, Text) and node in whole.STEPS else ""
            raise self.reader.error("wrong-type", f"expected a step such as `- publish: {{…}}`, found {shown(node)}", node, cure)
        verbs = [key for key in node if key in whole.STEPS]
        for key in node:
            if key not in whole.STEPS and key != "fails":
                known = (*whole.STEPS, "fails")
                raise self.reader.error(
                    "unknown-step", f"'{key}' is no step", key, did_you_mean(key, known) or f"steps: {', '.join(whole.STEPS)}"
                )
        if len(verbs) != 1:
            if not verbs:
                raise self.reader.error("wrong-type", "a step needs a verb", node)
            problem = f"one step is one verb, found {' and '.join(verbs)}"
            raise self.reader.error("wrong-type", problem, verbs[1], "begin the second one with its own '- '")
        verb = verbs[0]
        fails = whole.FAILS.read(self.reader, node["fails"]) if "fails" in node else None
        value = node[verb]
        return Read(str(verb), whole.STEPS[verb].read(self.reader, value), value, verb, fails)

    def gather(self, read: list[Read]) -> None:
        """Names that the steps bring: declarations, channels, ids of messages."""
        names = self.names
        for step in read:
            if step.verb == "declare":
                self.declarations.gather(step.fields, step.node)
            elif isinstance(step.fields, dict):
                if step.verb in ("publish", "get", "qos", "tx") and "channel" in step.fields:
                    self.channels_named.add(str(step.fields["channel"]))
                if step.verb == "tx" and "channel" in step.fields:
                    name = names.use_channel(str(step.fields["channel"]))
                    names.channels[name] = names.channels[name]._replace(confirms=False)
                if step.verb == "publish":
                    self._gather_ids(step)

    def _gather_ids(self, step: Read) -> None:
        headers = step.fields.get("headers")
        if isinstance(headers, dict) and isinstance(headers.get("id"), str):
            self.names.task_ids.add(headers["id"])
        count, first = step.fields.get("count", 1), self.counter + 1
        self.counter += count
        given = step.fields.get("id")
        if given is None:
            fresh = self.names.ids.add_range("m", first, count)
        elif count == 1:
            fresh = self.names.ids.add(str(given))
        else:
            fresh = self.names.ids.add_range(f"{given}-", 1, count)
        if not fresh:
            name = f"'{given}'" if given is not None else f"'m{first}', which this step would take"
            problem = f"another message has the id {name}"
            self.reader.error("duplicate-id", problem, given if given is not None else step.at, "choose another id")

    # Second pass: actions --------------------------------------------------------------------------------------------

    def build(self, read: list[Read]) -> tuple[ScenarioStep, ...]:
        self.counter = 0
        built = []
        for step in read:
            action = self._action(step)
            if action is not None:
                built.append(ScenarioStep(step.at.line, _text(step), action, step.fails))
        return tuple(built)

    def _action(self, step: Read) -> Action | None:
        verb, fields = step.verb, step.fields
        if verb == "wait":
            return Wait(fields)
        if verb == "publish":
            return self._publish(step)
        if verb == "worker":
            known = "name" in fields and "do" in fields and self.names.worker(str(fields["name"]), fields["name"])
            return Signal(str(fields["name"]), str(fields["do"])) if known else None
        if verb == "expect":
            if "ended" in fields:
                self.reader.error(
                    "wrong-value", "how a run ends is known only at its end", fields["ended"], "move it to `expect:` at the top"
                )
            return Expect(expectations(self.reader, self.names, step.node, fields))
        if verb == "declare":
            items = list(self.declarations.steps_of(fields, step.node, check_names=step.fails is None))
            return Do(tuple(item.step for item in items))
        try:
            return Do((self._step(step),))
        except Unreadable:
            return None

    def _publish(self, step: Read) -> PublishMany:
        fields, count = step.fields, step.fields.get("count", 1)
        given = fields.get("id")
        first = self.counter + 1
        self.counter += count
        exchange = str(fields.get("exchange", ""))
        if exchange:
            if step.fails is None:
                self.names.exchange(exchange, fields["exchange"], in_step=True)
        elif step.fails is None and "routing_key" in fields and not str(fields["routing_key"]).startswith(REPLY_TO):
            self.names.near_miss("queue", str(fields["routing_key"]), fields["routing_key"], self.names.queues)
        channel = self.names.channel_for(
            "publish", str(fields.get("routing_key", "")) if not exchange else None, fields.get("channel")
        )
        every = fields.get("every", 0)
        if given is None:
            prefix, start = "m", first
        elif count == 1:
            prefix, start = str(given), None
        else:
            prefix, start = f"{given}-", 1
        return PublishMany(channel, values_of.message(fields), prefix, start, count, every, fields.get("after", 0))

    def _step(self, step: Read) -> steps.Step:
        verb, fields, names = step.verb, step.fields, self.names
        required = step.fails is None
        if verb in ("consume", "cancel", "crash", "close"):
            return self._of_consumer(step)
        if verb == "restart":
            return steps.Restart(fields == "clean")
        if verb == "purge":
            if required:
                names.queue(str(fields), fields, in_step=True)
            return steps.Purge(names.channel_for("declare", str(fields), None), str(fields))
        if verb == "get":
            queue = fields.get("queue", "")
            if queue and required:
                names.queue(str(queue), queue, in_step=True)
            return steps.Get(
                names.channel_for("get", str(queue), fields.get("channel")), str(queue), fields.get("auto_ack", False)
            )
        if verb in ("bind", "unbind"):
            kind = steps.Bind if verb == "bind" else steps.Unbind
            bound: steps.Step = self.declarations.binding_step(fields, kind, check_names=required, in_step=True)
            return bound
        if verb == "delete":
            return self._delete(step)
        if verb == "qos":
            channel = names.use_channel(str(fields.get("channel", "")))
            return steps.Qos(channel, fields.get("prefetch", 0), fields.get("global", False))
        if verb == "tx":
            return steps.Tx(str(fields.get("channel", "")), str(fields.get("do", "select")))
        return self._answer(step)

    def _of_consumer(self, step: Read) -> steps.Step:
        name, names = str(step.fields), self.names
        ending = CONNECTION_ENDS.get(step.verb)
        if ending is not None and (name in names.channels or name in self.channels_named):
            return ending(names.connection_of(name))
        if not names.consumer(name, step.fields):
            raise Unreadable
        consumer = self.declarations.consumers[name]
        if step.verb == "consume":
            if step.fails is None:
                names.queue(consumer.queue, self.declarations.queue_nodes.get(name, step.fields), in_step=True)
            return steps.Consume(consumer)
        if ending is not None:
            return ending(names.connection_of(name))
        return steps.Cancel(consumer.channel, name)

    def _delete(self, step: Read) -> steps.Step:
        fields, names = step.fields, self.names
        given = [key for key in ("queue", "exchange", "policy") if key in step.node]
        if len(given) == 1 and given[0] not in fields:
            raise Unreadable
        if len(given) != 1:
            raise self.reader.error("wrong-value", "delete takes one of queue, exchange or policy", step.at)
        name, at = str(fields[given[0]]), fields[given[0]]
        if given[0] == "policy":
            if step.fails is None:
                names.near_miss("policy", name, at, names.policies)
            return steps.DeletePolicy(name, self._is_operator(name))
        if given[0] == "exchange":
            if step.fails is None:
                names.near_miss("exchange", name, at, names.exchanges)
            return steps.DeleteExchange(
                names.channel_for("declare", None, fields.get("channel")), name, fields.get("if_unused", False)
            )
        if step.fails is None:
            names.near_miss("queue", name, at, names.queues)
        return steps.DeleteQueue(
            names.channel_for("declare", name, fields.get("channel")),
            name,
            fields.get("if_unused", False),
            fields.get("if_empty", False),
        )

    def _is_operator(self, name: str) -> bool:
        return name in self.declarations.operator_policies and name not in self.declarations.user_policies

    def _answer(self, step: Read) -> steps.Step:
        verb, fields = step.verb, step.fields
        channel = self._channel(step)
        if verb == "recover":
            return steps.Recover(channel, fields.get("requeue", True))
        tag, multiple = fields.get("delivery_tag", 0), fields.get("multiple", False)
        message = fields.get("message")
        if message is not None:
            if "delivery_tag" in fields:
                raise self.reader.error("wrong-value", "give message or delivery_tag, not both", message)
            self.names.message(str(message), message)
        elif not {"delivery_tag", "message", "multiple"} & step.node.keys() or (not multiple and "delivery_tag" not in step.node):
            raise self.reader.error(
                "missing-key", f"{verb} needs message or delivery_tag", step.at, "or `multiple: true` for all of them"
            )
        named = None if message is None else str(message)
        if verb == "ack":
            return steps.Ack(channel, tag, multiple, named)
        if verb == "nack":
            return steps.Nack(channel, tag, multiple, fields.get("requeue", True), named)
        return steps.Reject(channel, tag, fields.get("requeue", True), named)

    def _channel(self, step: Read) -> str:
        """The channel that `consumer` or `channel` means."""
        fields, names = step.fields, self.names
        if not fields.keys() & {"consumer", "channel"} and step.node.keys() & {"consumer", "channel"}:
            raise Unreadable
        if ("consumer" in step.node) == ("channel" in step.node):
            raise self.reader.error("missing-key", f"{step.verb} needs either consumer or channel", step.at)
        if "consumer" in step.node:
            name = fields["consumer"]
            if not names.consumer(str(name), name):
                raise Unreadable
            return names.consumer_channels[str(name)]
        name = fields["channel"]
        known = {*self.channels_named, *names.named_channels, *names.consumer_channels.values()}
        if str(name) not in known and step.fails is None:
            self.reader.error("unknown-channel", f"nothing uses a channel '{name}'", name, did_you_mean(name, known))
        return names.use_channel(str(name))


def _text(step: Read) -> str:
    """The step on one line, as it might be written."""
    text = f"{step.verb} {_flow(step.node)}".strip()
    return cut(text, TEXT_WIDTH)


def _flow(node: Node, room: int = TEXT_WIDTH) -> str:
    if isinstance(node, Text):
        shown = str(node)[:room]
        return f'"{shown}"' if not node.plain and (not shown or shown != shown.strip()) else shown
    parts: list[str] = []
    for item in node:
        if room <= 0:
            break
        part = f"{item}: {_flow(node[item], room)}" if isinstance(node, Mapping) else _flow(item, room)
        parts.append(part)
        room -= len(part) + 2
    return "{" + ", ".join(parts) + "}" if isinstance(node, Mapping) else "[" + ", ".join(parts) + "]"
