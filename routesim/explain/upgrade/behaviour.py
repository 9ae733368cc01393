"""What runs of one scenario under two versions of RabbitMQ show: what behaves differently."""

from typing import Any

from routesim.broker import counts
from routesim.explain.retry_loops import counted_loops
from routesim.named_tuples import NamedTuple
from routesim.run import Result, shown_actual, unacked
from routesim.scenario import Scenario
from routesim.scenario.engines import topology
from routesim.values import plain

MAX_IDS = 6
UNCOUNTED = "rounds count towards no delivery limit"


class Change(NamedTuple):
    """`what` differs; `about`: the queue or consumer that it is of, empty: of none. `because`: what else that is in the list
    brings it about."""

    what: str
    before: str
    after: str
    about: tuple[str, str] = ("", "")
    because: str = ""


def refused_steps(before: Result, after: Result, known: set[str]) -> list[Change]:
    """Errors that only one side has, told by step and text; `known`: those of declarations, which have been told."""
    changes = []

    def keys(result: Result) -> dict[tuple[int | None, str], str]:
        return {
            (error.step, error.text): error.text for error in result.errors if error.step is not None or error.text not in known
        }

    first, second = keys(before), keys(after)
    for found, other, early in ((second, first, False), (first, second, True)):
        for (step, text), _ in found.items():
            if (step, text) in other:
                continue
            where = "a worker" if step is None else f"line {before.scenario.steps[step].line}: {before.scenario.steps[step].text}"
            changes.append(Change(where, text if early else "accepted", "accepted" if early else f"REFUSED: {text}"))
    return changes


def changed(before: Result, after: Result) -> list[Change]:
    """What is left in queues, what consumers got, what became of messages, what is lost, and which expectations hold."""
    changes: list[Change] = []

    def compare(what: str, old: Any, new: Any, *about: str) -> None:
        if old != new:
            changes.append(Change(what, _shown(old), _shown(new), (about[0], about[1]) if about else ("", "")))

    compare("how the run ends", before.ended, after.ended)
    for name in dict.fromkeys((*before.broker.queues, *after.broker.queues)):
        compare(f"queue {name}: ready", _ready(before, name), _ready(after, name), "queue", name)
        compare(f"queue {name}: unacked", _unacked(before, name), _unacked(after, name), "queue", name)
        compare(f"queue {name}: headers of what is ready", _headers(before, name), _headers(after, name), "queue", name)
    for name in dict.fromkeys((*before.deliveries.of, *after.deliveries.of)):
        compare(f"consumer {name}: deliveries", _deliveries(before, name), _deliveries(after, name), "consumer", name)
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


def retry_loops(old: Scenario, new: Scenario) -> list[Change]:
    """What no run of the scenario need show: rounds that count towards a delivery limit under one side alone."""
    loops = [{loop.queues: loop for loop in counted_loops(topology(scenario), scenario)} for scenario in (old, new)]
    changes = []
    for queues in dict.fromkeys((*loops[0], *loops[1])):
        before, after = (side.get(queues) for side in loops)
        shown = [
            UNCOUNTED if loop is None else f"each round counts as a failed delivery; {loop.ends}" for loop in (before, after)
        ]
        if shown[0] != shown[1]:
            changes.append(Change(f"retry loop {' → '.join(queues)}", shown[0], shown[1]))
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
