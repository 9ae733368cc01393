"""A scenario as a value: what the loader makes of a file and `run` carries out."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from routesim import steps
from routesim.broker import Broker
from routesim.comparisons import Comparison
from routesim.diagnostics import Diagnostic
from routesim.model import BrokerSettings, ChannelPlan, Consumer, Message, Task, TaskWorker
from routesim.named_tuples import NamedTuple


class Do(NamedTuple):
    """Engine steps, carried out in order up to the first refusal."""

    steps: tuple[steps.Step, ...]


class PublishMany(NamedTuple):
    """`times` publishes of one message, the first one after `after_ms` (0: now), the others `every_ms` apart (0: all at once)."""

    channel: str
    message: Message
    id_prefix: str
    first: int | None  # None: a single message whose id is the prefix
    times: int
    every_ms: int
    after_ms: int = 0

    def id(self, index: int) -> str:
        return self.id_prefix if self.first is None else f"{self.id_prefix}{self.first + index}"

    def publishes(self, id: str) -> bool:
        """Whether one of its messages has this id."""
        if self.first is None:
            return id == self.id_prefix
        number = id.removeprefix(self.id_prefix)
        return id.startswith(self.id_prefix) and number.isdecimal() and 0 <= int(number[:18]) - self.first < self.times


class Wait(NamedTuple):
    ms: int


class Signal(NamedTuple):
    """What befalls a worker process: `do` is start, warm, cold, kill, disconnect or kill_child."""

    worker: str
    do: str


class NotedChord(NamedTuple):
    """A caller notes in the result backend how many tasks of this group must return before the body of its chord is called."""

    group: str
    size: int


class Expectation(NamedTuple):
    """One thing to check: `path` such as ("queues", "audit", "ready"); `wanted` as its kind reads it. `asked`: what a ready
    message is asked for, `("queues", "audit", "messages", ID, FIELD)`, where that is more than the field says: which `Deaths`,
    the name of a header, the path inside the headers."""

    line: int
    path: tuple[str, ...]
    wanted: Any
    asked: Any = None


class ExpectedRoute(NamedTuple):
    """A message that must reach exactly these queues of what is declared at the top."""

    line: int
    message: Message
    queues: tuple[str, ...]


class Never(NamedTuple):
    """What must not be so at any time: `what` is reaches, lost, delivered or waits; `limit` belongs to the last two (ms).
    `queues`: which ones, or with reaches those not to be reached; `messages`: which ones; empty: all."""

    line: int
    what: str
    limit: Comparison | None
    queues: tuple[str, ...]
    messages: tuple[str, ...]


class ExploreSection(NamedTuple):
    """What `explore` is asked for, None: nothing is said. `failures`: so many of any kind; `kinds`: of each so many.
    `breaks`: which properties do not hold, as the scenario shows. `most_ready`: so many messages may wait in a queue. `races`:
    each outcome is tried of what RabbitMQ leaves open."""

    failures: int | None = None
    kinds: tuple[tuple[str, int], ...] | None = None
    properties: tuple[str, ...] | None = None
    expect: str | None = None
    any_time: bool = False
    retry: bool = False
    max_states: int | None = None
    breaks: tuple[str, ...] = ()
    most_ready: int | None = None
    races: bool = False


class Expect(NamedTuple):
    expectations: tuple[Expectation, ...]


Action: TypeAlias = Do | PublishMany | Wait | Signal | NotedChord | Expect


class ScenarioStep(NamedTuple):
    """`text` is the step on one line; `fails` the reply code that it must fail with."""

    line: int
    text: str
    action: Action
    fails: int | None = None


class Declaration(NamedTuple):
    """A top-level declaration and the line where it stands (0: unknown)."""

    line: int
    step: steps.Step


class Scenario(NamedTuple):
    """`until` is `idle`, `steps` or a duration in ms. `topology`: a broker with all that is declared at the top, before
    anybody consumes; to be copied, never changed. `on_redis`: settings of the broker that hold where it is Redis.
    `findings`: what only `check` tells. `routed`: why each task that a `celery:` section calls goes
    where it goes, by its id. `cures`: what helps where RabbitMQ refuses a queue of Celery's own, by its name."""

    file: str
    name: str
    description: str
    rabbitmq: str
    seed: int
    vhost: str
    settings: BrokerSettings
    channels: dict[str, ChannelPlan]
    declarations: tuple[Declaration, ...]
    consumers: dict[str, Consumer]
    steps: tuple[ScenarioStep, ...]
    expect: tuple[Expectation, ...]
    until: str | int
    warnings: tuple[Diagnostic, ...] = ()
    topology: Broker | None = None
    routes: tuple[ExpectedRoute, ...] = ()
    never: tuple[Never, ...] = ()
    tasks: dict[str, Task] = {}
    workers: dict[str, TaskWorker] = {}
    on_redis: dict[str, Any] = {}
    findings: tuple[Diagnostic, ...] = ()
    routed: dict[str, str] = {}
    cures: dict[str, str] = {}
    explore: ExploreSection | None = None

    @property
    def whose_rules(self) -> str:
        """By whose rules the embedded engine goes, in words."""
        return "Redis with kombu" if self.settings.kind == "redis" else f"RabbitMQ {self.rabbitmq}"


def steps_of(scenario: Scenario) -> Iterator[steps.Step]:
    """Every engine step that the file itself asks for, publishes and waits aside."""
    for declaration in scenario.declarations:
        yield declaration.step
    for worker in scenario.workers.values():
        yield from worker.declares
    for step in scenario.steps:
        if isinstance(step.action, Do):
            yield from step.action.steps


def sent_by(scenario: Scenario, message: str) -> Message | None:
    """What the step that publishes it sends; None where a consumer does."""
    for step in scenario.steps:
        action = step.action
        if isinstance(action, PublishMany) and action.publishes(message):
            return action.message
    return None
