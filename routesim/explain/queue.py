"""A queue: what can reach it and by which keys, what its settings come to and who won, what it held over time."""

from typing import Any, NamedTuple

from routesim.broker import Broker
from routesim.broker.policies import matching
from routesim.content import Content
from routesim.diagnostics import did_you_mean
from routesim.durations import seconds
from routesim.explain.answer import Answer, CannotExplain, quoted
from routesim.explain.arrivals import arriving
from routesim.explain.futures import Future, as_data, futures
from routesim.explain.route import topology
from routesim.explain.types import shown_table
from routesim.model import Binding
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.tables import BAD, NOTICE, QUIET, Cell, Section
from routesim.values import plain

MAX_TIMES = 24
SHOWN = "…"


def explain_queue(scenario: Scenario, name: str) -> Answer:
    """Raises `CannotExplain` when the scenario declares no queue of that name, neither at the top nor while it runs."""
    broker = topology(scenario)
    queue = broker.queues.get(name)
    if queue is None:
        broker = _after(scenario)
        queue = broker.queues.get(name)
    if queue is None:
        cure = did_you_mean(name, broker.queues)
        raise CannotExplain(f"no queue '{name}' is declared" + (f"; {cure}" if cure else ""))
    reaching = _reaching(broker, name)
    times = _times(scenario, name)
    arrived = arriving(broker, scenario, name)
    later = futures(broker, queue, arrived)
    sections = (_settings(broker, queue), _routes(reaching), _later(later, arrived), _contents(times))
    facts = [queue.kind, "durable" if queue.durable else "transient"]
    facts += [word for word, true in (("exclusive", queue.owner is not None), ("auto-delete", queue.auto_delete)) if true]
    policies = [item.name for operator in (False, True) for item in matching(broker, operator, queue.broker_name, queue.kind)[:1]]
    data = {
        "queue": name, "type": queue.kind, "durable": queue.durable,
        "settings": {setting: {"value": origin.value, "from": origin.source} for setting, origin in queue.origins.items()},
        "policies": policies,
        "reached_by": [{"exchange": start, "keys": [hop.routing_key for hop in path]} for start, path in reaching],
        "later": as_data(later),
        "over_time": [item.as_data() for item in times],
    }  # fmt: skip
    return Answer(f"queue {name}: {', '.join(facts)}", tuple(item for item in sections if item.rows), (), data)


def _after(scenario: Scenario) -> Broker:
    """What there is at the end of its run: a step, a caller or a worker may have declared more than stands at the top."""
    return Runner(scenario, keep=False).run().broker


def _settings(broker: Broker, queue: QueueType) -> Section:
    rows = []
    for setting, origin in sorted(queue.origins.items()):
        key = setting.replace("_", "-")
        note = origin.source
        for operator in (False, True):
            policies = matching(broker, operator, queue.broker_name, queue.kind)
            if origin.source == ("operator policy" if operator else "policy") and policies:
                note += f" '{policies[0].name}'"
        rows.append(
            (Cell(key), Cell(str(plain(origin.value))), Cell(note), Cell(_beaten(broker, queue, key, origin.source), QUIET))
        )
    for policy in matching(broker, False, queue.broker_name, queue.kind)[1:]:
        why = f"only one policy applies; its priority {policy.priority:g} is not the highest"
        rows.append((Cell("policy"), Cell(policy.name), Cell("without effect", NOTICE), Cell(why)))
    return Section("Settings in force", ("setting", "value", "from", ""), rows)


def _beaten(broker: Broker, queue: QueueType, key: str, source: str) -> str:
    """Who else wanted to set it."""
    wanted = []
    argument = queue.arguments.get(f"x-{key}")
    if source != "argument" and argument is not None:
        wanted.append(f"argument {plain(argument)}")
    for operator in (False, True):
        policies = matching(broker, operator, queue.broker_name, queue.kind)[:1]
        word = "operator policy" if operator else "policy"
        wanted += [
            f"{word} {plain(policy.definition[key])}" for policy in policies if key in policy.definition and source != word
        ]
    return f"instead of {', '.join(wanted)}" if wanted else ""


def _reaching(broker: Broker, name: str) -> list[tuple[str, tuple[Binding, ...]]]:
    """Every chain of bindings that ends in the queue, with the exchange at which it begins."""
    found: list[tuple[str, tuple[Binding, ...]]] = []
    todo: list[tuple[tuple[str, str], tuple[Binding, ...]]] = [(("queue", name), ())]
    while todo:
        end, path = todo.pop(0)
        for binding in broker.incoming.get(end, {}).values():
            if any(binding.source == hop.source for hop in path):
                continue
            longer = (binding, *path)
            found.append((binding.source, longer))
            if len(longer) < 6:
                todo.append((("exchange", binding.source), longer))
    return found


def _routes(reaching: list[tuple[str, tuple[Binding, ...]]]) -> Section:
    rows = [(Cell("(default)"), Cell("its name"), Cell(""))]
    for start, path in reaching[:50]:
        keys = " then ".join(quoted(hop.routing_key) if not hop.arguments else shown_table(hop.arguments) for hop in path)
        way = " → ".join(hop.destination for hop in path)
        rows.append((Cell(start), Cell(keys), Cell(way if len(path) > 1 else "", QUIET)))
    if len(reaching) > 50:
        rows.append((Cell(SHOWN), Cell(f"{len(reaching) - 50} more"), Cell("")))
    return Section("What can reach it", ("exchange", "binding key", "through"), rows)


def _later(later: list[Future], arrived: Content) -> Section:
    rows = [
        (
            Cell("  " * item.depth + item.queue), Cell(item.when),
            Cell(f"→ {', '.join(item.queues)} {item.why}" if item.queues else item.why, BAD if item.ends_badly else NOTICE),
        )
        for item in later
    ]  # fmt: skip
    example = f", such as one with key {quoted(arrived.routing_key)}" if arrived.exchange else ""
    return Section(f"Where its messages can go next, beside an ack{example}", ("queue", "when", "then"), rows)


class Contents(NamedTuple):
    """How many messages of a queue are ready, unacked, and kept back as dead letters, from an instant on."""

    at_ms: int
    ready: int
    unacked: int
    kept_back: int

    def as_data(self) -> dict[str, int]:
        """`kept_back` only where there is any: most queues never keep a dead letter back."""
        return {name: value for name, value in self._asdict().items() if value or name != "kept_back"}


def _contents_of(queue: QueueType | None, at_ms: int) -> Contents:
    return Contents(at_ms, queue.ready_count(), queue.unacked, len(queue.awaiting)) if queue else Contents(at_ms, 0, 0, 0)


def _times(scenario: Scenario, name: str) -> list[Contents]:
    """What is in the queue after each instant at which that changed."""
    times: list[Contents] = []
    runner = Runner(scenario, lambda event: note(event), keep=False)

    def note(event: Any) -> None:
        state = _contents_of(runner.broker.queues.get(name), event.at_ms)
        if times and times[-1][0] == event.at_ms:
            times[-1] = state
        elif not times or times[-1][1:] != state[1:]:
            times.append(state)

    result = runner.run()
    final = _contents_of(result.broker.queues.get(name), result.broker.now)
    if not times or times[-1] != final:
        times.append(final)
    return times


def _contents(times: list[Contents]) -> Section:
    highest = max((sum(item[1:]) for item in times), default=0)
    if not highest:
        return Section("", (), [])
    shown = (
        times if len(times) <= MAX_TIMES else [times[index * (len(times) - 1) // (MAX_TIMES - 1)] for index in range(MAX_TIMES)]
    )
    rows = []
    keeps = any(item.kept_back for item in times)
    for at_ms, *numbers in shown:
        scale = min(1.0, 40 / highest)
        bar = "".join(sign * round(number * scale) for sign, number in zip("█·░", numbers, strict=True))
        rows.append(
            (Cell(f"{seconds(at_ms)}"), *(Cell(str(number)) for number in (numbers if keeps else numbers[:2])), Cell(bar))
        )
    columns = ("ready", "unacked", "kept back") if keeps else ("ready", "unacked")
    title = f"Over time (█ ready, · unacked{', ░ kept back' if keeps else ''})"
    return Section(title, ("time s", *columns, ""), rows, frozenset({"time s", *columns}))
