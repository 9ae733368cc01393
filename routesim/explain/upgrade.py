"""One scenario under two versions of RabbitMQ: what behaves differently, and what would be refused."""

from typing import Any, NamedTuple

from routesim.broker import counts
from routesim.explain.answer import Answer
from routesim.explain.retry_loops import counted_loops
from routesim.explain.route import topology
from routesim.run import Result, Runner, shown_actual, unacked
from routesim.scenario import Scenario
from routesim.tables import BAD, GOOD, Cell, Section
from routesim.values import plain

MAX_IDS = 6
UNCOUNTED = "rounds count towards no delivery limit"
BUDGET_EVENTS = 20_000  # an endless loop is as endless after so many


class Change(NamedTuple):
    what: str
    before: str
    after: str


def explain_upgrade(old: Scenario, new: Scenario) -> Answer:
    """`old` and `new` are the same file, loaded under the rules of either version. Status 1 when anything changes."""
    before, after = (Runner(scenario, max_events=BUDGET_EVENTS).run() for scenario in (old, new))
    changes = [*_refusals(before, after), *_changes(before, after), *_retry_loops(old, new)]
    refused = [item for item in new.warnings if item.code == "refused" and item not in old.warnings]
    rows = [(Cell(item.what), Cell(item.before), Cell(item.after, BAD)) for item in changes]
    sections = [Section("What changes", ("what", f"RabbitMQ {old.rabbitmq}", f"RabbitMQ {new.rabbitmq}"), rows)] if rows else []
    headline = f"{old.name}: nothing changes from RabbitMQ {old.rabbitmq} to {new.rabbitmq}"
    if rows:
        headline = f"{old.name}: {len(rows)} differences between RabbitMQ {old.rabbitmq} and {new.rabbitmq}"
    if not rows:
        sections = [Section("", (), [(Cell(f"lost {counts(after.broker)['lost']} copies under either", GOOD),)])]
    told = {item.message: item for item in (*old.warnings, *new.warnings) if item.code == "known-bug"}
    if told:
        bugs = [(Cell(item.message), Cell(item.cure)) for item in told.values()]
        sections.append(Section("Known bugs, not simulated", ("bug", "until"), bugs))
    hints = (f"routesim versions --from {old.rabbitmq} --to {new.rabbitmq} lists every rule that differs.",)
    data = {
        "scenario": old.name, "from": old.rabbitmq, "to": new.rabbitmq,
        "refused": [{"message": item.message, "line": item.place.line if item.place else None} for item in refused],
        "known_bugs": [{"message": item.message, "cure": item.cure} for item in told.values()],
        "changes": [item._asdict() for item in changes],
    }  # fmt: skip
    return Answer(headline, tuple(sections), hints, data, yes=not rows)


def _refusals(before: Result, after: Result) -> list[Change]:
    """Errors that only one side has, told by step and text."""
    changes = []

    def keys(result: Result) -> dict[tuple[int | None, str], str]:
        return {(error.step, error.text): error.text for error in result.errors}

    first, second = keys(before), keys(after)
    for found, other, early in ((second, first, False), (first, second, True)):
        for (step, text), _ in found.items():
            if (step, text) in other:
                continue
            where = (
                "a declaration"
                if step is None
                else f"line {before.scenario.steps[step].line}: {before.scenario.steps[step].text}"
            )
            changes.append(Change(where, text if early else "accepted", "accepted" if early else f"REFUSED: {text}"))
    return changes


def _changes(before: Result, after: Result) -> list[Change]:
    changes: list[Change] = []

    def compare(what: str, old: Any, new: Any) -> None:
        if old != new:
            changes.append(Change(what, _shown(old), _shown(new)))

    compare("how the run ends", before.ended, after.ended)
    for name in dict.fromkeys((*before.broker.queues, *after.broker.queues)):
        compare(f"queue {name}: ready", _ready(before, name), _ready(after, name))
        compare(f"queue {name}: unacked", _unacked(before, name), _unacked(after, name))
        compare(f"queue {name}: headers of what is ready", _headers(before, name), _headers(after, name))
    for name in dict.fromkeys((*before.deliveries.of, *after.deliveries.of)):
        compare(f"consumer {name}: deliveries", _deliveries(before, name), _deliveries(after, name))
    for message in dict.fromkeys((*before.messages.of, *after.messages.of)):
        compare(f"message {message}", _fate(before, message), _fate(after, message))
    old, new = counts(before.broker), counts(after.broker)
    compare("lost", old["lost"], new["lost"])
    for left, right in zip(before.expectations, after.expectations, strict=False):
        if left.ok != right.ok:
            compare(
                f"line {left.line}: {left.text}",
                "holds" if left.ok else "fails",
                f"fails: {shown_actual(right)}" if left.ok else "holds",
            )
    return changes


def _retry_loops(old: Scenario, new: Scenario) -> list[Change]:
    """What no run of the scenario need show: rounds that count towards a delivery limit under one side alone."""
    loops = [{loop.queues: loop for loop in counted_loops(topology(scenario), scenario)} for scenario in (old, new)]
    changes = []
    for queues in dict.fromkeys((*loops[0], *loops[1])):
        before, after = (side.get(queues) for side in loops)
        shown = [
            UNCOUNTED if loop is None else f"each round counts as a failed delivery; {loop.ends}" for loop in (before, after)
        ]
        if shown[0] != shown[1]:
            changes.append(Change(f"retry loop {' → '.join(queues)}", *shown))
    return changes


def _shown(value: Any) -> str:
    if isinstance(value, list):
        if not value:
            return "none"
        some = ", ".join(str(item) for item in value[:MAX_IDS])
        return f"{len(value)}: {some}" + (" …" if len(value) > MAX_IDS else "")
    return str(value)


def _ready(result: Result, name: str) -> Any:
    queue = result.broker.queues.get(name)
    return "not there" if queue is None else [copy.message for copy in queue.ready()]


def _headers(result: Result, name: str) -> Any:
    queue = result.broker.queues.get(name)
    if queue is None:
        return []
    return [f"{copy.message} {key}" for copy in queue.ready() for key in plain(queue.headers(copy, got=True))]


def _unacked(result: Result, name: str) -> Any:
    queue = result.broker.queues.get(name)
    return (
        []
        if queue is None
        else [f"{message} ({consumer or channel})" for message, consumer, channel, *_ in unacked(result.broker, queue)]
    )


def _deliveries(result: Result, name: str) -> list[str]:
    return [f"{item['message']}{' again' if item['redelivered'] else ''}" for item in result.deliveries.of.get(name, [])]


def _fate(result: Result, message: str) -> str:
    record = result.messages.of.get(message)
    if record is None:
        return "not published"
    states = [f"{queue}: {state}" for queue, (_, state) in result.fates.of.get(message, {}).items()]
    answer = "returned" if record["returned"] else "nacked" if record["confirm"] == "nack" else ""
    return "; ".join([*states, *([answer] if answer else [])]) or "in no queue"
