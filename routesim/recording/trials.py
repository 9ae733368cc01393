"""A draft, run: what happened in it, as far as that matters, and what can be told of its steps when they are made."""

from collections.abc import Callable
from typing import Any, cast

from routesim import events, steps
from routesim.broker import Broker, RabbitBroker
from routesim.broker.clock import OVERDUE
from routesim.named_tuples import NamedTuple
from routesim.recording.drafts import RecordingDraft
from routesim.run.expecting.expectations import unacked
from routesim.run.result import Result
from routesim.run.runner import Runner

# What is declared, and what is only said: they may happen at another time, or not at all, as long as the rest is the same.
ABOUT_TOPOLOGY = frozenset({
    events.StepStarted, events.Expected, events.ExchangeDeclared, events.QueueDeclared, events.Bound, events.QosSet,
    events.Transaction, events.Warned, events.PolicySet, events.PolicyDeleted, events.FailureOrdered,
})  # fmt: skip
TIMES = frozenset({"at_ms", "copy", "path", "until_ms", "due_ms", "why", "broker_name", "text", "delivery_tag"})


class Trial(NamedTuple):
    """`story`: what happened, without its times; `left`: what is in the queues at the end."""

    story: list[tuple[Any, ...]]
    left: dict[str, tuple[Any, ...]]
    result: Result
    events: list[Any]

    def same_as(self, other: "Trial") -> bool:
        return self.story == other.story and self.left == other.left


def story_of(happened: list[Any]) -> list[tuple[Any, ...]]:
    """What matters of the events, without their times."""
    return [_told(event) for event in happened if type(event) not in ABOUT_TOPOLOGY and getattr(event, "channels", True)]


def _told(event: Any) -> tuple[Any, ...]:
    kind = type(event)
    told = tuple(getattr(event, name) for name in _fields(kind))
    return (kind.__name__, *told, event.why) if kind is events.Requeued else (kind.__name__, *told)


_known: dict[type, tuple[str, ...]] = {}


def _fields(kind: Any) -> tuple[str, ...]:
    found = _known.get(kind)
    if found is None:
        found = _known[kind] = tuple(name for name in kind._fields if name not in TIMES)
    return found


def left_in(broker: Broker) -> dict[str, tuple[Any, ...]]:
    """What is in each queue: ready, and held by whom."""
    return {
        name: (tuple(copy.message for copy in queue.ready()), tuple(unacked(broker, queue)))
        for name, queue in broker.queues.items()
    }


Look = Callable[[int | None, RabbitBroker], None]


def tried(draft: RecordingDraft, look: Look | None = None) -> Trial:
    """Run it. `look` sees the broker before each step: that of the recording, or None before a wait."""
    scenario, origins = draft.scenario()
    happened: list[Any] = []

    def hear(event: Any) -> None:
        if look is not None and type(event) is events.StepStarted:
            look(origins[event.step], cast(RabbitBroker, runner.broker))
        happened.append(event)

    runner = Runner(scenario, hear, keep=False, express=False)
    result = runner.run()
    return Trial(story_of(happened), left_in(result.broker), result, happened)


# What is seen meanwhile ----------------------------------------------------------------------------------------------------


class Seen:
    """Of the run of a draft that makes all its steps. `quiet`: numbers of the steps before which nothing was to come by itself;
    `idle`: of those that did nothing."""

    def __init__(self, draft: RecordingDraft) -> None:
        self.draft = draft
        self.quiet: set[int] = set()
        self.idle: set[int] = set()
        self.following = 0

    def look(self, number: int | None, broker: RabbitBroker) -> None:
        if number is None:
            if not any(entry.kind != OVERDUE for entry in broker.agenda.heap):
                self.quiet.add(self.following)
            return
        self.following = number + 1
        step = self.draft.taken[number].step
        if isinstance(step, (steps.Crash, steps.Close)) and not _is_there(broker, step.connection):
            self.idle.add(number)


def _is_there(broker: RabbitBroker, connection: str) -> bool:
    """Whether anything ends with the connection."""
    return connection in broker.connections or any(queue.owner == connection for queue in broker.queues.values())
