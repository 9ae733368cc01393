"""The first observation in which two engines differ, and the rule that the simulator followed there."""

import re
from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.run import Result
from routesim.run.folds.fold import Fold
from routesim.run.observations import Observations, ids
from routesim.scenario import Scenario

CUT = "..."
WORDLESS = "BAD_REQUEST - Internal Server Error"  # where the check of a policy crashes (rules/routing#O12)
DRAWN_NAME = re.compile(r"amq\.gen-[\w-]{22}")
GONE_AT_ONCE = ("connection lost", "connection closed")
RULES = {
    "ready, classic": (
        "a classic queue keeps its messages sorted by their arrival, whatever comes back (rules/queues#2.1, rules/queues#2.2)"
    ),
    "ready, priority": "each priority is a queue of its own, served strictly (rules/queues#2.4)",
    "ready, quorum": (
        "what is given back goes to the tail, with a delivery limit to the returns (rules/queues#2.6, rules/queues#2.8)"
    ),
    "ready, stream": "a stream only appends (rules/queues#8.1)",
    "x_death": "one entry a queue and reason, newest first (rules/routing#4.3)",
    "unacked": "unacked deliveries belong to their channel until they are answered (rules/queues#4.1, rules/queues#4.2)",
    "deliveries, classic": "consumers take turns; who is out of credit leaves the row (rules/queues#3.2)",
    "deliveries, quorum": "consumers with credit take turns, in batches (rules/queues#3.3)",
    "deliveries, stream": "each consumer reads at its own place (rules/queues#8.1)",
    "gets": "basic.get takes the head, whoever consumes (rules/queues#3.8)",
    "returned": "mandatory, and in no queue (rules/queues#4.9, rules/routing#3)",
    "nacked": "a queue refused it (rules/queues#6.4, rules/queues#6.5, rules/queues#4.9)",
    "errors": (
        "what RabbitMQ checks, in its order "
        "(rules/queues#1, rules/queues#3.1, rules/queues#4.2; rules/routing#1.7 to rules/routing#1.9)"
    ),
    "tasks": "what a worker process makes of a delivery, and when it answers (rules/celery#2.2)",
    "exists": (
        "queues go with their last consumer, their connection or their lease "
        "(rules/queues#1.5, rules/queues#1.7, rules/queues#5.9)"
    ),
}


class EngineDifference(NamedTuple):
    """`where` names the queue, consumer or step; `rule` is what the simulator followed, with its source."""

    what: str
    where: str
    simulated: Any
    real: Any
    rule: str


class Leniency(NamedTuple):
    """What of a scenario a real broker decides by racing or by dice, and is therefore compared as a set.

    `dice`: an exchange throws them. `race`: several channels that hold messages of one queue end with their connection at once;
    each is a process of its own, so nobody knows what comes back first, and who gets what then.
    """

    dice: bool = False
    race: bool = False


class Races(Fold):
    """Whether several channels gave back to one queue because their connection was gone, or a message was dead-lettered while
    several ended, or a message came into a queue at once from its publisher and, dead-lettered on the way, from another queue:
    each is a process of its own. `came_home`: queues that their own dead letters came back to."""

    def __init__(self, scenario: Scenario) -> None:
        self.channels = {name: consumer.channel for name, consumer in scenario.consumers.items()}
        self.back: dict[tuple[int, str], set[str]] = {}
        self.causes: dict[tuple[int, str, str], set[str]] = {}
        self.ended_together: set[int] = set()
        self.died: set[int] = set()
        self.left: tuple[str, str] = "", ""  # the message that died last, and its queue
        self.came_home: set[str] = set()

    def _requeued(self, event: events.Requeued) -> None:
        if event.why in GONE_AT_ONCE:
            self.back.setdefault((event.at_ms, event.queue), set()).add(self.channels.get(event.by, event.by))

    def _enqueued(self, event: events.Enqueued) -> None:
        self.causes.setdefault((event.at_ms, event.queue, event.message), set()).add(event.cause)
        if self.left == (event.message, event.queue) and event.cause == "dead-lettered":
            self.came_home.add(event.queue)

    def _ended(self, event: events.ConnectionClosed | events.ConnectionLost) -> None:
        if len(event.channels) > 1:
            self.ended_together.add(event.at_ms)

    def _died(self, event: events.DeadLettered) -> None:
        self.died.add(event.at_ms)
        self.left = event.message, event.queue

    hears = {
        events.Requeued: _requeued,
        events.Enqueued: _enqueued,
        events.ConnectionClosed: _ended,
        events.ConnectionLost: _ended,
        events.DeadLettered: _died,
    }

    @property
    def any(self) -> bool:
        return bool(self.ended_together & self.died) or any(
            len(several) > 1 for table in (self.back, self.causes) for several in table.values()
        )


def raced_confirm(result: Result, races: Races) -> str | None:
    """A queue counts a dead letter until its new queue has confirmed it; one that comes back to a queue with a limit is counted
    twice for a moment, and whether a publish finds the queue full then is a race (rules/queues#6.5)."""
    for name in sorted(races.came_home):
        settings = result.broker.queues[name].settings if name in result.broker.queues else None
        if (
            settings is not None
            and settings.dead_letter_strategy == "at-least-once"
            and (settings.max_length, settings.max_length_bytes) != (None, None)
        ):
            return f"a dead letter that comes back at least once to {name}, which has a limit: a race with its confirm"
    return None


def leniency(result: Result, races: Races) -> Leniency:
    return Leniency(any(state.matcher.sees == "state" for state in result.broker.exchanges.values()), races.any)


def first_difference(simulated: Observations, real: Observations, result: Result, lenient: Leniency) -> EngineDifference | None:
    ours, theirs = _comparable(simulated.errors), _comparable(real.errors)
    refused = ours, _as_long(theirs, ours)
    if refused[0] != refused[1]:
        pair = _first(*refused)
        step = (pair[0] or pair[1] or {}).get("step")
        return EngineDifference("error", f"step {step + 1}" if step is not None else "", *pair, RULES["errors"])
    if lenient.dice:
        return _in_all_queues("ready", simulated, real)
    if lenient.race:
        return _in_all_queues("ready or unacked", simulated, real)
    return (
        _in_deliveries(simulated, real, result)
        or _at_publishers(simulated, real)
        or _in_queues(simulated, real, result)
        or _in_tasks(simulated, real)
    )


def _in_all_queues(what: str, simulated: Observations, real: Observations) -> EngineDifference | None:
    pair = [sorted(ids(side.ready) + (ids(side.unacked) if "unacked" in what else [])) for side in (simulated, real)]
    return None if pair[0] == pair[1] else EngineDifference(f"{what}, in all queues", "", pair[0], pair[1], RULES["exists"])


def _in_deliveries(simulated: Observations, real: Observations, result: Result) -> EngineDifference | None:
    consumers = result.scenario.consumers
    for name in sorted(simulated.deliveries.keys() | real.deliveries.keys()):
        left, right = simulated.deliveries.get(name, []), real.deliveries.get(name, [])
        if left != right:
            kind = _kind(result.broker.queues.get(consumers[name].queue)) if name in consumers else "classic"
            rule = RULES.get(f"deliveries, {kind}", RULES["deliveries, classic"])
            return EngineDifference("delivery", name, *_first(left, right), rule)
    return None


def _at_publishers(simulated: Observations, real: Observations) -> EngineDifference | None:
    for what in ("gets", "returned", "nacked"):
        left: list[Any] = getattr(simulated, what)
        right: list[Any] = getattr(real, what)
        if left != right:
            return EngineDifference(what, "", *_first(left, right), RULES[what])
    return None


def _in_queues(simulated: Observations, real: Observations, result: Result) -> EngineDifference | None:
    if simulated.ready.keys() != real.ready.keys():
        name = min(simulated.ready.keys() ^ real.ready.keys())
        return EngineDifference("queue", name, _there(name in simulated.ready), _there(name in real.ready), RULES["exists"])
    for name, left in simulated.ready.items():
        if left != real.ready[name]:
            pair = _first(left, real.ready[name])
            only_deaths = pair[0] and pair[1] and {**pair[0], "x_death": 0} == {**pair[1], "x_death": 0}
            kind = _kind(result.broker.queues.get(name))
            return EngineDifference("ready", name, *pair, RULES["x_death" if only_deaths else f"ready, {kind}"])
    for name, left in simulated.unacked.items():
        right = real.unacked.get(name, [])
        if left != right:
            return EngineDifference("unacked", name, *_first(left, right), RULES["unacked"])
    return None


def _in_tasks(simulated: Observations, real: Observations) -> EngineDifference | None:
    for id in sorted(simulated.tasks.keys() | real.tasks.keys()):
        left, right = simulated.tasks.get(id), real.tasks.get(id)
        if left != right:
            return EngineDifference("task", id, left, right, RULES["tasks"])
    return None


def _kind(queue: QueueType | None) -> str:
    if queue is None:
        return "classic"
    return "priority" if queue.settings.max_priority else queue.kind


def _there(is_there: bool) -> str:
    return "there" if is_there else "not there"


def _comparable(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whether a deprecated feature is denied by default or by the broker's configuration is not the scenario's affair, the
    names that a broker draws for queues are not the same twice, and what is wrong with a pattern is said in the words of PCRE."""
    return [{**error, "text": DRAWN_NAME.sub("amq.gen-drawn", _same_words(error["text"]))} for error in errors]


def _same_words(text: str) -> str:
    for end in ("` is deprecated.", "should be regular expression but is invalid:"):
        text = text.partition(end)[0]
    return text


def _as_long(real: list[dict[str, Any]], simulated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """RabbitMQ cuts a text at 255 bytes, and its own has the longer name of our vhost in it: what is cut off is as simulated. So
    is what it has no words for."""
    whole = [item["text"] for item in simulated]
    return [
        {**error, "text": whole[index]} if index < len(whole) and _begins(error["text"], whole[index]) else error
        for index, error in enumerate(real)
    ]


def _begins(text: str, whole: str) -> bool:
    if text == WORDLESS:
        return whole.startswith("BAD_REQUEST")
    return text.endswith(CUT) and whole.startswith(text.removesuffix(CUT))


def _first(left: list[Any], right: list[Any]) -> tuple[Any, Any]:
    """The first place at which two lists differ; None where one has ended."""
    for index in range(max(len(left), len(right))):
        pair = left[index] if index < len(left) else None, right[index] if index < len(right) else None
        if pair[0] != pair[1]:
            return pair
    return None, None
