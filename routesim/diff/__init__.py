"""Two topologies, compared by what they do: where messages go, what cannot be changed in place, what is lost on the way.

Steps, consumers and expectations play no part.
"""

from typing import Any

from routesim import steps
from routesim.broker import Broker
from routesim.diff.routing import Rerouted, by_chance, default_exchange, may_differ, rerouted
from routesim.diff.standing import DiffSide, Standing
from routesim.explain.answer import Answer, quoted
from routesim.explain.routes.types import shown_table
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario
from routesim.scenario.engines import topology
from routesim.tables import BAD, GOOD, NOTICE, Cell, Section
from routesim.values import plain, table_identity
from routesim.versions import parse

RENAMED = "what lies in the old one stays there, and consumers have to follow"
MAX_LISTED = 60  # rows of a table; JSON has all


class RedeclarationRefusal(NamedTuple):
    """A declaration that RabbitMQ refuses as long as the old one exists, with its answer."""

    kind: str
    name: str
    code: int
    text: str


class SettingChange(NamedTuple):
    """A setting in force, whether from an argument, a policy or a default."""

    kind: str
    name: str
    setting: str
    before: Any
    after: Any


class Renamed(NamedTuple):
    """A queue that is gone, and a new one that gets all that it got and behaves as it did."""

    kind: str
    old: str
    new: str


class TopologyDifference(NamedTuple):
    """All that differs in behaviour. `removed` and `added` are (kind, name), without what is `renamed`; `bindings` of exchanges
    that choose by chance."""

    routing: list[Rerouted]
    refusals: list[RedeclarationRefusal]
    settings: list[SettingChange]
    removed: list[tuple[str, str]]
    added: list[tuple[str, str]]
    bindings: list[tuple[str, str]]
    without_effect: int
    renamed: list[Renamed]

    def __bool__(self) -> bool:
        parts = (self.routing, self.refusals, self.settings, self.removed, self.added, self.bindings, self.renamed)
        return any(parts)


def difference(old: Scenario, new: Scenario) -> TopologyDifference:
    before, after = topology(old), topology(new)
    routing = default_exchange(before, after)
    chance = []
    different = may_differ(before, after)
    for name in before.exchanges:
        if name == DEFAULT_EXCHANGE or name not in after.exchanges or after.exchanges[name].declared.internal:
            continue
        if name not in different:
            continue
        if by_chance(before, name) or by_chance(after, name):
            if _bindings(before, name) != _bindings(after, name):
                chance.append((name, f"{len(_bindings(before, name))} bindings before, {len(_bindings(after, name))} now"))
        else:
            routing += rerouted(before, after, name)
    refusals = _refusals(topology(old), new)
    renamed = _renamed(before, after)
    names = {item.old: item.new for item in renamed}
    moved = {("queue", name) for pair in names.items() for name in pair}
    routing = [item for item in routing if not _follows(item, names)]
    return TopologyDifference(
        routing, refusals, _settings(before, after),
        [item for item in _only(before, after) if item not in moved],
        [item for item in _only(after, before) if item not in moved],
        chance, 0 if routing or chance or renamed else _bindings_that_differ(before, after), renamed,
    )  # fmt: skip


def _renamed(before: Broker, after: Broker) -> list[Renamed]:
    """Queues that are gone, each with the only new one that is bound alike and of the same settings."""
    gone = [name for name in before.queues if name not in after.queues]
    fresh = [name for name in after.queues if name not in before.queues]
    if not gone or not fresh:
        return []
    marks: dict[tuple[Any, ...], list[str]] = {}
    for name in fresh:
        marks.setdefault(_character(after, name), []).append(name)
    mine: dict[tuple[Any, ...], list[str]] = {}
    for name in gone:
        mine.setdefault(_character(before, name), []).append(name)
    return [
        Renamed("queue", old[0], marks[mark][0])
        for mark, old in mine.items()
        if len(old) == 1 and len(marks.get(mark, ())) == 1 and mark[-1]
    ]


def _character(broker: Broker, name: str) -> tuple[Any, ...]:
    """What a queue is but for its name: last of all what is bound to it."""
    queue = broker.queues[name]
    bound = broker.incoming.to("queue", name)
    ends = frozenset((item.source, item.routing_key, table_identity(item.arguments)) for item in bound)
    return queue.kind, queue.durable, queue.auto_delete, queue.settings, ends


def _follows(item: Rerouted, names: dict[str, str]) -> bool:
    """Whether all that changes is that a queue has another name."""
    return bool(item.exchange) and {names.get(name, name) for name in item.before} == set(item.after)


def _bindings(broker: Broker, exchange: str) -> set[tuple[Any, ...]]:
    return {_mark(binding) for binding in broker.exchanges[exchange].bindings.values()}


def _mark(binding: Binding) -> tuple[Any, ...]:
    return binding.destination_type, binding.destination, binding.routing_key, table_identity(binding.arguments)


def _bindings_that_differ(old: Broker, new: Broker) -> int:
    return sum(len(_bindings(old, name) ^ _bindings(new, name)) for name in old.exchanges if name in new.exchanges)


def _only(one: Broker, other: Broker) -> list[tuple[str, str]]:
    """What one has and the other has not. Policies count by what they do, which is reported as settings."""
    found = [("exchange", name) for name in one.exchanges if name not in other.exchanges]
    return [*found, *(("queue", name) for name in one.queues if name not in other.queues)]


def _refusals(existing: Broker, new: Scenario) -> list[RedeclarationRefusal]:
    """The new declarations, asked of a broker that still has the old ones."""
    found = []
    for declaration in new.declarations:
        step = declaration.step
        if isinstance(step, steps.DeclareExchange) and step.exchange.name in existing.exchanges:
            kind, name = "exchange", step.exchange.name
        elif isinstance(step, steps.DeclareQueue) and step.queue.name in existing.queues:
            kind, name = "queue", step.queue.name
        else:
            continue
        refused = existing.apply(step)
        if refused is not None:
            found.append(RedeclarationRefusal(kind, name, refused.code, refused.text))
    return found


def _settings(old: Broker, new: Broker) -> list[SettingChange]:
    found = []
    for name, queue in old.queues.items():
        other = new.queues.get(name)
        if other is None:
            continue
        if queue.kind != other.kind:
            found.append(SettingChange("queue", name, "type", queue.kind, other.kind))
        for flag in ("durable", "auto_delete"):
            if getattr(queue, flag) != getattr(other, flag):
                found.append(SettingChange("queue", name, flag, getattr(queue, flag), getattr(other, flag)))
        for setting, value in queue.settings._asdict().items():
            now = getattr(other.settings, setting)
            if value != now:
                found.append(SettingChange("queue", name, setting.replace("_", "-"), plain(value), plain(now)))
    for name, state in old.exchanges.items():
        there = new.exchanges.get(name)
        if there is None:
            continue
        for field in ("type", "durable", "auto_delete", "internal"):
            if getattr(state.declared, field) != getattr(there.declared, field):
                found.append(
                    SettingChange("exchange", name, field, getattr(state.declared, field), getattr(there.declared, field))
                )
        if state.alternate != there.alternate:
            found.append(SettingChange("exchange", name, "alternate-exchange", state.alternate, there.alternate))
    return found


# The answer ------------------------------------------------------------------------------------------------------------


def explain_diff(pairs: list[tuple[DiffSide, DiffSide]]) -> Answer:
    """The answer for one pair of scenarios a vhost; it is no when anything behaves differently."""
    sections: list[Section] = []
    hints: list[str] = []
    parts = []
    changes = 0
    for before, after in pairs:
        old, new = before.scenario, after.scenario
        found = difference(old, new)
        title = f" in vhost '{new.vhost}'" if len(pairs) > 1 else ""
        sections += [section._replace(title=section.title + title) for section in _sections(found) if section.rows]
        changes += bool(found)
        hints += _hints(found, old, new)
        parts.append({"vhost": new.vhost, **_data(found, Standing(before, after))})
    old, new = pairs[0][0].scenario, pairs[0][1].scenario
    headline = f"{old.file} and {new.file} behave the same" if not changes else f"{new.file} behaves differently from {old.file}"
    data = {"old": old.file, "new": new.file, "same": not changes, "vhosts": parts}
    return Answer(headline, tuple(sections), tuple(dict.fromkeys(hints)), data, yes=not changes)


def _sections(found: TopologyDifference) -> list[Section]:
    return [
        Section("Messages that reach other queues", ("exchange", "such as key", "before", "now", ""), _rows(found.routing)),
        Section("Chosen by hash or chance, among other bindings", ("exchange", ""), [
            (Cell(name), Cell(text, NOTICE)) for name, text in found.bindings
        ]),
        Section("What differs in force", ("", "name", "setting", "before", "now"), [
            (Cell(item.kind), Cell(item.name), Cell(item.setting), Cell(_shown(item.before)), Cell(_shown(item.after), NOTICE))
            for item in found.settings[:MAX_LISTED]
        ]),
        Section("Cannot be redeclared in place", ("", "name", "RabbitMQ answers", "so"), [
            (Cell(item.kind), Cell(item.name), Cell(item.text, BAD), Cell(_so(item)))
            for item in found.refusals[:MAX_LISTED]
        ]),
        Section("Renamed", ("", "before", "now", ""), [
            (Cell(item.kind), Cell(item.old), Cell(item.new, NOTICE), Cell(RENAMED)) for item in found.renamed[:MAX_LISTED]
        ]),
        Section("Gone", ("", "name", ""), [
            (Cell(kind), Cell(name), Cell(_gone(kind), BAD)) for kind, name in found.removed[:MAX_LISTED]
        ]),
        Section("New", ("", "name"), [(Cell(kind), Cell(name, GOOD)) for kind, name in found.added[:MAX_LISTED]]),
    ]  # fmt: skip


def _so(refusal: RedeclarationRefusal) -> str:
    if refusal.kind == "queue":
        return "delete it first: its messages and bindings go with it"
    return "delete it first: its bindings go with it"


def _gone(kind: str) -> str:
    return "its messages go with it" if kind == "queue" else "a publish to it closes the channel with 404"


def _rows(routing: list[Rerouted]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for item in routing[:MAX_LISTED]:
        key = quoted(item.key) + (f" {shown_table(item.headers)}" if item.headers else "")
        lost, gained = set(item.before) - set(item.after), set(item.after) - set(item.before)
        change = [f"loses {', '.join(sorted(lost))}"] if lost else []
        change += [f"gains {', '.join(sorted(gained))}"] if gained else []
        if not item.after:
            change.append("now dropped")
        tone = BAD if lost else GOOD
        before, after = ", ".join(item.before) or "no queue", ", ".join(item.after) or "no queue"
        rows.append((Cell(item.exchange or "(default)"), Cell(key), Cell(before), Cell(after), Cell("; ".join(change), tone)))
    return rows


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _hints(found: TopologyDifference, old: Scenario, new: Scenario) -> list[str]:
    hints = []
    if found.without_effect:
        hints.append(f"{found.without_effect} bindings differ and change nothing: others match the same messages.")
    listed = (len(found.routing), len(found.settings), len(found.refusals), len(found.removed), len(found.added))
    if max(listed) > MAX_LISTED:
        hints.append(f"Only the first {MAX_LISTED} of each are shown; --format json has all.")
    apart = sorted(set(old.settings.permit) ^ set(new.settings.permit))
    if apart:
        hints.append(f"Only one of the brokers permits {', '.join(apart)}.")
    if parse(old.rabbitmq) != parse(new.rabbitmq):
        hints.append(f"The files are for RabbitMQ {old.rabbitmq} and {new.rabbitmq}; `routesim upgrade` shows what that changes.")
    return hints


def _data(found: TopologyDifference, standing: Standing) -> dict[str, Any]:
    names = {item.old: item.new for item in found.renamed}
    return {
        "routing": [
            {**item._asdict(), "headers": plain(item.headers) if item.headers else None, "at": standing.of_routing(item, names)}
            for item in found.routing
        ],
        "chance": [{"exchange": name, "text": text, "at": standing.of("exchange", name)} for name, text in found.bindings],
        "settings": [{**item._asdict(), "at": standing.of(item.kind, item.name)} for item in found.settings],
        "renamed": [{**item._asdict(), "at": standing.of(item.kind, item.new)} for item in found.renamed],
        "refused": [{**item._asdict(), "at": standing.of(item.kind, item.name)} for item in found.refusals],
        "removed": [{"kind": kind, "name": name, "at": standing.of(kind, name)} for kind, name in found.removed],
        "added": [{"kind": kind, "name": name, "at": standing.of(kind, name)} for kind, name in found.added],
        "bindings_without_effect": found.without_effect,
    }
