"""Witnesses: the part of a topology that a message touches, the steps that show a problem, run by the embedded engine."""

from collections.abc import Iterable
from typing import Any

from routesim.broker.policies import matching
from routesim.check.finding import Draft
from routesim.check.topology.checked_topology import RESERVED, CheckedTopology
from routesim.check.topology.publish_paths import PublishPath
from routesim.content import Content
from routesim.diagnostics import Invalid, Witness
from routesim.durations import written_duration
from routesim.explain.answer import quoted
from routesim.model import DEFAULT_EXCHANGE, Binding, Policy, Queue
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.topology_data import binding_form, broker_form, exchange_form, policy_form, queue_form, table
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import Bare, text

ALL_SHOWN = 30  # bindings of an exchange that are all written out; of more, those that the message matches
BUDGET_EVENTS = 300_000
ROUNDS = 3  # of what has no end that are shown
SUPERVISED = 1_000  # ms after which a consumer that died is started again, where the scenario does not say


def slice_of(topology: CheckedTopology, ways: Iterable[tuple[PublishPath, str]], queues: Iterable[str] = ()) -> dict[str, Any]:
    """What such publishes, and the dead letters that come of them, can touch, as the sections of a scenario."""
    part = _Slice(topology)
    for way, key in ways:
        part.keys.add(key)
        part.headers.update(way.headers)
        part.add("exchange", way.exchange)
        if way.exchange == DEFAULT_EXCHANGE and key in topology.broker.queues:
            part.add("queue", key)
    for name in queues:
        part.add("queue", name)
    return part.sections()


class _Slice:
    def __init__(self, topology: CheckedTopology) -> None:
        self.topology = topology
        self.broker = topology.broker
        self.keys: set[str] = set()
        self.headers: dict[str, Any] = {}
        self.found: dict[tuple[str, str], None] = {}
        self.todo: list[tuple[str, str]] = []

    def add(self, kind: str, name: str) -> None:
        if (kind, name) not in self.found:
            self.found[kind, name] = None
            self.todo.append((kind, name))

    def sections(self) -> dict[str, Any]:
        bindings: list[Binding] = []
        for kind, name in self.todo:  # grows while it is walked
            if kind == "exchange":
                own = self._bindings(name)
                bindings += own
                for binding in own:
                    self.add(binding.destination_type, binding.destination)
            else:
                self._dead_letters(name)
        return self._written(bindings)

    def _bindings(self, name: str) -> list[Binding]:
        state = self.broker.exchanges.get(name)
        if state is None:
            return []
        if state.alternate is not None:
            self.add("exchange", state.alternate)
        if len(state.bindings) <= ALL_SHOWN:
            return list(state.bindings.values())
        hits: dict[int, Binding] = {}
        for key in sorted(self.keys):
            content = Content(name, key, (key,), self.headers or None, "")
            hits.update({id(item): item for item in state.matcher.route("m1", content, lambda count: 0)})
        return list(hits.values())

    def _dead_letters(self, name: str) -> None:
        queue = self.broker.queues.get(name)
        exchange = queue.settings.dead_letter_exchange if queue else None
        if queue is None or exchange is None:
            return
        key = queue.settings.dead_letter_routing_key
        if key is not None:
            self.keys.add(key)
        if exchange:
            self.add("exchange", exchange)
        for other in {key} if key is not None else self.keys:
            if exchange == DEFAULT_EXCHANGE and other in self.broker.queues:
                self.add("queue", str(other))

    def _written(self, bindings: list[Binding]) -> dict[str, Any]:
        exchanges, queues, policies = {}, {}, {}
        for kind, name in self.found:
            if kind == "exchange" and name in self.broker.exchanges:
                declared = self.broker.exchanges[name].declared
                if name not in RESERVED:
                    exchanges[name] = exchange_form(declared._replace(auto_delete=False), short=False, widths=False)
                policies.update(self._policies(name, "exchange"))
            elif kind == "queue" and name in self.broker.queues:
                queue = self.broker.queues[name]
                durable = queue.durable or queue.owner is not None
                shown = Queue(name, durable, arguments=dict(queue.arguments))
                queues[name] = queue_form(shown, short=False, widths=False)
                policies.update(self._policies(queue.broker_name, queue.kind))
        there = [item for item in bindings if (item.destination_type, item.destination) in self.found]
        parts = {
            "exchanges": exchanges, "queues": queues, "bindings": [binding_form(item) for item in there],
            "policies": [policy_form(item, short=False, widths=False) for item in policies.values() if not item.operator],
            "operator_policies": [policy_form(item, short=False, widths=False) for item in policies.values() if item.operator],
        }  # fmt: skip
        return {name: part for name, part in parts.items() if part}

    def _policies(self, name: str, kind: str) -> dict[tuple[bool, str], Policy]:
        return {(operator, item.name): item for operator in (False, True) for item in matching(self.broker, operator, name, kind)}


def cause_of(topology: CheckedTopology, queue: QueueType, setting: str) -> tuple[str, str]:
    """What a setting of the queue comes from, and its name: of a mistake in one policy a hundred queues are not to blame."""
    origin = queue.origins[setting].source
    if origin == "argument":
        return "queue", queue.name
    operator = origin == "operator policy"
    return "operator" if operator else "policy", matching(topology.broker, operator, queue.broker_name, queue.kind)[0].name


def publish_step(way: PublishPath, key: str, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"exchange": way.exchange} if way.exchange else {}
    fields["routing_key"] = key
    if way.headers:
        fields["headers"] = table(dict(way.headers))
    return {"publish": {**fields, **more}}


def reject_steps(queue: str, message: str, *, requeue: bool = False) -> list[dict[str, Any]]:
    return [
        {"get": {"queue": queue, "channel": "reader"}},
        {"reject": {"channel": "reader", "message": message, "requeue": requeue}},
    ]


def publishing(way: PublishPath, key: str) -> str:
    to = f"exchange '{way.exchange}'" if way.exchange else "the default exchange"
    return f"publish to {to} with key {quoted(key)}"


def lasting(ms: int) -> Bare:
    """A duration of a draft, as a person would write it: `30s`."""
    return Bare(written_duration(ms))


def draft(
    topology: CheckedTopology,
    sentence: str,
    sections: dict[str, Any],
    steps: list[dict[str, Any]],
    expect: dict[str, Any],
    **more: Any,
) -> Draft:
    """A whole scenario under the same rules; `more` are further sections."""
    scenario = topology.scenario
    data: dict[str, Any] = {"rabbitmq": str(scenario.rabbitmq)}
    if scenario.seed:
        data["seed"] = scenario.seed
    broker = broker_form(scenario.settings.default_queue_type, scenario.settings.permit)
    if broker:
        data["broker"] = broker
    return Draft({**data, **sections, **more, "steps": steps, "expect": expect}, sentence)


def confirmed(draft: Draft, title: str) -> Witness | None:
    """The draft as text, once the engine has run that very text and all that it expects came true; else None."""
    written = text({"name": title, **draft.data}, (draft.sentence,))
    try:
        scenario = load_source(Source("witness", written), "")
    except Invalid:
        return None
    result = Runner(scenario, max_events=BUDGET_EVENTS).run()
    return Witness(draft.sentence, written) if result.ok else None
