"""One scenario by RabbitMQ's rules and by Redis's: what became of each task, what is left, what was lost or done twice."""

from routesim.celery.fates import LOST
from routesim.model import BrokerSettings
from routesim.named_tuples import NamedTuple
from routesim.run.folds.traits import RunTraits
from routesim.run.on_redis.differences import RedisDifference, differences, lacking, turns
from routesim.run.tasks.monitored import Monitored, watch
from routesim.scenario import Scenario

MAX_EVENTS = 100_000  # of a run that does not come to rest
RABBITMQ, REDIS = "rabbitmq", "redis"
OVER = ("SUCCESS", "FAILURE", "REJECTED", "REVOKED")


class TaskFate(NamedTuple):
    """What became of a task; `started` are its runs: worker, and instant in ms."""

    state: str
    runs: int
    retries: int
    started: tuple[tuple[str, int], ...]


class Side(NamedTuple):
    """One of the two runs.

    - `left`: ready and unacked messages of each queue in which there are any at the end;
    - `consumers`: what each of the scenario's consumers was sent, in order;
    - `lost`: messages, but for those that tell of events;
    - `unfinished`: tasks that are lost: acknowledged, ended with their worker, and run again by nobody;
    - `doubled`: tasks that ran more often than they asked for by retries.
    """

    seen: Monitored
    facts: RunTraits
    ended: str
    tasks: dict[str, TaskFate]
    left: dict[str, tuple[int, int]]
    consumers: dict[str, tuple[str, ...]]
    lost: tuple[str, ...]
    unfinished: tuple[str, ...]
    doubled: tuple[str, ...]


class First(NamedTuple):
    """The first instant at which the two runs are not the same, and what happened then in one of them alone.

    `in_order`: the same happened in both, in another order, which both lists are in.
    """

    at_ms: int
    rabbitmq: list[str]
    redis: list[str]
    in_order: bool


class Comparison(NamedTuple):
    rabbitmq: Side
    redis: Side
    first: First | None
    differences: list[RedisDifference]

    @property
    def same(self) -> bool:
        """Whether all that happened to tasks, in queues and at consumers is the same, at the same times."""
        return not self.differences and _alike(self.rabbitmq, self.redis) and self.first is None


def _alike(ours: Side, theirs: Side) -> bool:
    return (
        ours.ended == theirs.ended and ours.tasks == theirs.tasks and ours.left == theirs.left
        and ours.consumers == theirs.consumers and sorted(ours.lost) == sorted(theirs.lost)
    )  # fmt: skip


def compare(scenario: Scenario, *, visibility_timeout: int | None = None, max_events: int = MAX_EVENTS) -> Comparison:
    """Run it twice. `visibility_timeout` in ms: Redis's, instead of the scenario's own."""
    ours = _run(scenario._replace(settings=scenario.settings._replace(kind=RABBITMQ)), max_events)
    theirs = _run(scenario._replace(settings=_on_redis(scenario, visibility_timeout)), max_events)
    first, found = _first(ours.facts, theirs.facts), differences(scenario, ours.facts, theirs.facts)
    if not found and (first is not None or not _alike(ours, theirs)):
        found = turns(ours.facts, theirs.facts) or lacking(theirs.facts)
    return Comparison(ours, theirs, first, found)


def _on_redis(scenario: Scenario, visibility_timeout: int | None) -> BrokerSettings:
    settings = scenario.settings
    if settings.kind != REDIS:
        settings = settings._replace(kind=REDIS, **scenario.on_redis)
    return settings if visibility_timeout is None else settings._replace(visibility_timeout=visibility_timeout)


def _run(scenario: Scenario, max_events: int) -> Side:
    facts = RunTraits(scenario)
    seen = watch(scenario, listener=facts.hear, max_events=max_events)
    fates = _fates(seen)
    queues = {name: (points[-1].ready, points[-1].unacked) for name, points in seen.depths.items() if points}
    return Side(
        seen, facts, seen.result.ended, fates, {name: left for name, left in queues.items() if any(left)},
        {name: tuple(facts.delivered.get(name, ())) for name in facts.consumers}, tuple(facts.lost),
        tuple(task for task, fate in seen.fates.items() if fate.name == LOST),
        tuple(task for task, fate in fates.items() if fate.runs > fate.retries + 1),
    )  # fmt: skip


def _fates(seen: Monitored) -> dict[str, TaskFate]:
    started: dict[str, list[tuple[str, int]]] = {}
    for run in sorted(seen.monitor.runs, key=lambda run: (run.began_ms, run.worker)):  # at one instant there is no order
        started.setdefault(run.task, []).append((run.worker, run.began_ms))
    found = {
        task.id: TaskFate(task.state, task.record["runs"], task.record["retries"], tuple(started.get(task.id, ())))
        for task in seen.monitor.tasks.values()
    }
    found.update((item.task, TaskFate("PENDING", 0, 0, ())) for item in seen.pending)
    return found


def _first(ours: RunTraits, theirs: RunTraits) -> First | None:
    """What several do at one instant has no order among them; what each of them does has."""
    for at_ms in sorted(ours.sentences.keys() | theirs.sentences.keys()):
        here, there = ours.sentences.get(at_ms, {}), theirs.sentences.get(at_ms, {})
        who = [name for name in (*here, *(name for name in there if name not in here)) if here.get(name) != there.get(name)]
        if who:
            mine = [text for name in who for text in here.get(name, ())]
            others = [text for name in who for text in there.get(name, ())]
            alone = (_without(mine, others), _without(others, mine))
            if any(alone):
                return First(at_ms, *alone, in_order=False)
            return First(at_ms, *_from_first_other(here[who[0]], there[who[0]]), in_order=True)
    return None


def _without(some: list[str], others: list[str]) -> list[str]:
    """Those of `some` of which `others` has fewer."""
    rest, found = others.copy(), []
    for each in some:
        if each in rest:
            rest.remove(each)
        else:
            found.append(each)
    return found


def _from_first_other(some: list[str], others: list[str]) -> tuple[list[str], list[str]]:
    """Both without what they begin with in common."""
    place = next(place for place, (one, other) in enumerate(zip(some, others, strict=True)) if one != other)
    return some[place:], others[place:]
