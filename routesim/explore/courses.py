"""Scenarios with worker processes: their run, and the same run with each failure at each instant at which anything happens in it.

The orders of events are those of the run; a process is no state that could be copied. Failures are steps that are put between
those of the scenario, so that each course of events is a scenario itself.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from routesim import events
from routesim.celery import fates
from routesim.durations import duration_text
from routesim.explore.answer import BROKEN, HOLDS, UNDECIDED, VACUOUS, Counterexample, Explored, PropertyVerdict
from routesim.explore.bounds import Bounds
from routesim.explore.facts import how_lost
from routesim.explore.moves import Move
from routesim.explore.properties import PROPERTIES, Broken
from routesim.explore.search import HowFar, Watch
from routesim.model import TaskWorker
from routesim.named_tuples import NamedTuple
from routesim.narration import sentence_of
from routesim.run import Result, Runner
from routesim.run.expecting.promises import said as rule_said
from routesim.run.tasks.fates import fates_of
from routesim.scenario import Do, Expectation, Never, Scenario, ScenarioStep, Signal, Wait
from routesim.steps import Restart

COMES_BACK_MS = 1_000  # after its death a supervisor starts a worker again
MOST_EVENTS = 20_000
MOST_ROWS = 40  # of a course of events that is told
SIGNALS = {
    "kill": "{} is killed", "kill_child": "the children of {} are killed", "disconnect": "the connection of {} is lost",
}  # fmt: skip
# Which of them each kind of failure is, in the order in which they are tried.
BY_KIND = {"crash": tuple(SIGNALS), "kill_worker": ("kill",), "kill_child": ("kill_child",), "die": ("kill",)}
RESTARTS = {"restart": "the broker restarts in good order", "kill": "the broker is killed and starts again"}
PROPERTIES_OF_COURSES = ("lost", "duplicated", "stuck", "livelock")
UNDONE = frozenset({fates.RUNNING, fates.RESERVED, fates.SCHEDULED, fates.UNACKED, fates.WAITING})


class Course(NamedTuple):
    """What is known of one course: its result, the events of tasks and failures in it, and the instants at which anything is."""

    result: Result
    heard: list[Any]
    instants: list[int]


class Courses:
    """The search of the same form as `Search`."""

    def __init__(self, scenario: Scenario, bounds: Bounds, watch: Watch | None = None) -> None:
        self.scenario, self.bounds, self.watch = scenario, bounds, watch
        self.names = [name for name in bounds.properties if name in PROPERTIES_OF_COURSES]
        self.rules: dict[str, Expectation | Never] = {f"never {number}": rule for number, rule in enumerate(scenario.never)}
        if bounds.expect in ("always", "sometimes"):
            self.rules |= {f"expect {number}": item for number, item in enumerate(scenario.expect)}
        self.held: set[str] = set()  # expectations that held in some course
        self.found: dict[str, tuple[tuple[Move, ...], Broken, Course]] = {}
        self.failed: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in (*self.names, *self.rules)}
        self.moments: Counter[tuple[str, str]] = Counter()
        self.tried = 0

    def run(self) -> Explored:
        level: list[tuple[tuple[Move, ...], Course]] = [((), self._try(()))]
        counts, why, depth = [1], "", 0
        for failures in range(self.bounds.failures):
            following: list[tuple[tuple[Move, ...], Course]] = []
            for before, course in level:
                for move in self._failures(before, course):
                    why = self._bound(failures + 1, len(level) - len(following))
                    if why:
                        break
                    moves = (*before, move)
                    following.append((moves, self._try(moves)))
                if why:
                    break
            counts.append(len(following))
            if why:
                break
            level, depth = following, failures + 1
        return Explored(
            self.tried, self.tried, self.tried, depth, why, tuple(self._verdicts(complete=not why)), 0,
            tuple((count, 0) for count in counts), "courses of events",
        )  # fmt: skip

    def _bound(self, depth: int, left: int) -> str:
        if self.tried >= self.bounds.max_states:
            return f"--max-states {self.bounds.max_states:,}"
        return "" if self.watch is None else self.watch(HowFar(self.tried, depth, max(left, 0)))

    def _failures(self, before: tuple[Move, ...], course: Course) -> Iterator[Move]:
        """Each one at each instant, none before the last one there was."""
        spent = Counter(move.failure for move in before)
        left = {kind for kind, most in self.bounds.kinds if spent[kind] < most}
        first = before[-1].number if before else 0
        for at_ms in course.instants:
            if at_ms < first:
                continue
            for kind, signals in BY_KIND.items():
                if kind in left:
                    yield from (Move(do, name, at_ms, kind) for name in self.scenario.workers for do in signals)
            yield from (Move(kind, "", at_ms, kind) for kind in RESTARTS if kind in left)

    def _try(self, moves: tuple[Move, ...]) -> Course:
        self.tried += 1
        heard: list[Any] = []
        instants: set[int] = set()

        def hear(event: Any) -> None:
            if type(event) is not events.ConnectionClosed:  # a worker that is refused tries again and again
                instants.add(event.at_ms)
            if type(event) in KEPT or (type(event) is events.StepStarted and event.text.startswith("FAILURE: ")):
                heard.append(event)

        asked = with_failures(self.scenario, moves)._replace(
            never=self.scenario.never, expect=self.scenario.expect if self.bounds.expect is not None else ()
        )
        result = Runner(asked, hear, max_events=MOST_EVENTS).run()
        course = Course(result, heard, sorted(instants))
        last = moves[-1] if moves else None
        if last is not None:
            self.moments[last.kind, last.who] += 1
        for name, broken in (*_broken(course), *self._rules_broken(course)):
            if name in self.names or name in self.rules:
                self.found.setdefault(name, (moves, broken, course))
                if last is not None:
                    self.failed[name][last.kind, last.who] += 1
        return course

    def _rules_broken(self, course: Course) -> Iterator[tuple[str, Broken]]:
        checked = {id(item.about): item for item in course.result.expectations if item.step is None}
        for name, rule in self.rules.items():
            item = checked.get(id(rule))
            if item is None:
                continue
            if item.ok:
                self.held.add(name)
                continue
            if isinstance(rule, Never):
                about = item.witness[0] if type(item.witness) is tuple else item.witness
                yield name, Broken(getattr(about, "message", ""), "the rule is broken")
            elif self.bounds.expect == "always":
                yield (
                    name,
                    Broken(rule.path[1] if rule.path[0] in ("tasks", "messages") else "", f"{item.text}, found {item.actual}"),
                )

    def _verdicts(self, *, complete: bool) -> Iterator[PropertyVerdict]:
        for name in (*self.names, *self.rules):
            rule = self.rules.get(name)
            line = 0 if rule is None else rule.line
            sentence = PROPERTIES[name].sentence if rule is None else self._sentence(rule)
            name_only = name.split()[0]
            if name not in self.found and name.startswith("expect") and self.bounds.expect == "sometimes":
                verdict = HOLDS if name in self.held else BROKEN if complete else UNDECIDED
                yield PropertyVerdict(name_only, sentence, verdict, line)
                continue
            if name not in self.found:
                holds = VACUOUS if name == "stuck" and self.scenario.until != "idle" else HOLDS
                yield PropertyVerdict(name_only, sentence, holds if complete else UNDECIDED, line)
                continue
            moves, broken, course = self.found[name]
            moments = None
            if moves and complete:
                kind = moves[-1].kind, moves[-1].who
                moments = self.moments[kind] - self.failed[name][kind], self.moments[kind]
            yield PropertyVerdict(name_only, sentence, BROKEN, line, _told(moves, broken, course), moments)

    def _sentence(self, rule: Expectation | Never) -> str:
        if isinstance(rule, Never):
            return f"never: {rule_said(rule)}"
        return f"expect {'.'.join(rule.path)} holds at {'every end' if self.bounds.expect == 'always' else 'some end'}"


KEPT = (*events.having("task"), *events.LOST, events.WorkerOnline, events.WorkerOffline)


def _broken(course: Course) -> Iterator[tuple[str, Broken]]:
    result = course.result
    found = fates_of(result)
    tasks = result.tasks
    assert tasks is not None
    for event in result.losses.all if result.losses is not None else ():
        task = event.task if isinstance(event, events.TaskLost) else tasks.messages.get(event.message, event.message)
        if task in found and found[task].name in fates.OVER:
            continue
        if task in tasks.facts and tasks.facts[task].succeeded:
            continue
        how = f"it was acknowledged, and then {event.why}" if isinstance(event, events.TaskLost) else how_lost(event)
        yield "lost", Broken(task, how)
        break
    done = Counter(event.task for event in course.heard if isinstance(event, events.TaskSucceeded))
    for task, times in done.items():
        if times > 1:
            yield "duplicated", Broken(task, f"{task} is run to its end {times} times")
            break
    if result.endless:
        yield "livelock", Broken("", result.kept_going)
        return
    for task, fate in found.items() if result.until == "idle" else ():  # else it is not the end of everything
        if fate.name in UNDONE:
            yield "stuck", Broken(task, f"{fates.FATES[fate.name]} ({fate.where})" if fate.where else fates.FATES[fate.name])
            break


def _told(moves: tuple[Move, ...], broken: Broken, course: Course) -> Counterexample:
    """What befalls the task, with the failures between."""
    rows: list[tuple[int, Move, str]] = []
    failures = {f"FAILURE: {said_failure(move)}": move for move in moves}
    for event in course.heard:
        if isinstance(event, events.StepStarted):
            rows.append((event.at_ms, failures[event.text], said_failure(failures[event.text])))
            continue
        about = getattr(event, "task", None) or getattr(event, "message", None)
        text = sentence_of(event)
        if text is not None and about == broken.message and len(rows) < MOST_ROWS:
            rows.append((event.at_ms, Move("event"), f"{about} {text}"))
    return Counterexample(
        broken, tuple(move for _, move, _ in rows), tuple(text for *_, text in rows), tuple(at for at, *_ in rows)
    )


def said_failure(move: Move) -> str:
    if not move.who:
        return RESTARTS[move.kind]
    return SIGNALS[move.kind].format(move.who) + (" and not started again" if move.failure == "die" else "")


def with_failures(scenario: Scenario, moves: tuple[Move, ...]) -> Scenario:
    """The scenario with failures as steps, each after all that happens at its instant."""
    steps = list(scenario.steps)
    for move in moves:
        if move.failure:
            steps = _with_failure(steps, move)
    dead = {move.who for move in moves if move.failure == "die"}
    workers = {name: plan if name in dead else coming_back(plan) for name, plan in scenario.workers.items()}
    return scenario._replace(steps=tuple(steps), workers=workers, expect=(), never=(), routes=())


def coming_back(plan: TaskWorker) -> TaskWorker:
    """It is started again after its death, unless its scenario says when, or that it gives up because it is refused."""
    return plan if plan.restart is not None or plan.fails is not None else plan._replace(restart=COMES_BACK_MS)


def _with_failure(steps: list[ScenarioStep], move: Move) -> list[ScenarioStep]:
    action = Signal(move.who, move.kind) if move.who else Do((Restart(move.kind == "restart"),))
    failure = ScenarioStep(0, f"FAILURE: {said_failure(move)}", action)
    now, found = 0, list[ScenarioStep]()
    for index, step in enumerate(steps):
        if isinstance(step.action, Wait) and now + step.action.ms > move.number:
            before, after = move.number - now, now + step.action.ms - move.number
            waits = [_wait(before)] if before else []
            return [*found, *waits, failure, _wait(after, step), *steps[index + 1 :]]
        if isinstance(step.action, Wait):
            now += step.action.ms
        found.append(step)
    return [*found, *([_wait(move.number - now)] if move.number > now else []), failure]


def _wait(ms: int, of: ScenarioStep | None = None) -> ScenarioStep:
    text = f"wait {duration_text(ms)}"
    return ScenarioStep(0, text, Wait(ms)) if of is None else of._replace(text=text, action=Wait(ms))
