"""A course of events with worker processes as a scenario: the file it is from, its failures as steps at their instants.

It keeps Celery's words where it comes to the same events with them, else it has those that they stand for.
"""

import os
from collections.abc import Iterator
from typing import Any

from routesim import events
from routesim.celery import fates
from routesim.diagnostics import Invalid
from routesim.durations import parse_duration, written_duration
from routesim.explore.answer import PropertyVerdict
from routesim.explore.courses import COMES_BACK_MS, MOST_EVENTS, coming_back, said_failure, with_failures
from routesim.explore.moves import Move
from routesim.narration import sentence_of
from routesim.run import Result, Runner
from routesim.run.tasks.fates import fates_of
from routesim.scenario import Scenario, load_source
from routesim.scenario.celery.plain_text import data_of
from routesim.scenario.load import load_expanded
from routesim.scenario.yaml.nodes import Mapping
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import NOTHING, Bare, OneLine, WrittenItem, text

LEFT_OUT = frozenset({"name", "description", "explore", "expect", "never", "routes"})  # of what the file asks and says of itself
BLOCKS = frozenset({"exchanges", "queues", "bindings", "channels", "consumers", "celery", "tasks", "workers"})

Heard = list[tuple[str, int, str | None]]


class NotRetold(Exception):
    """No scenario file says it; the text says why."""


def retold_course(scenario: Scenario, source: Source, folder: str, asked: PropertyVerdict, seen_from: str = "") -> str:
    """The text of a scenario with the failures of a counterexample. `source`: the text of the file in which `scenario` stands,
    `folder`: where that is; `seen_from`: the same, from where the text will be. Raises `NotRetold`."""
    assert asked.example is not None
    failures = tuple(move for move in asked.example.moves if move.failure)
    heard, result = _course(with_failures(scenario, failures))
    killed = tuple(dict.fromkeys(move.who for move in failures if move.kind == "kill" and move.who))
    for form in _forms(source, folder, scenario):
        for back in dict.fromkeys((killed, tuple(scenario.workers))):  # others may die too, by steps of the file's own
            changed = _with_failures(form, scenario, failures, back)
            if changed is None:
                continue
            sections = {
                "name": f"{scenario.name}: {asked.name}",
                **changed,
                "rabbitmq": scenario.rabbitmq,
                "expect": _ends(result),
            }
            settled = _settled(sections, folder, heard)
            if settled is not None:
                return text(_written(settled, seen_from), _head(asked))
    raise NotRetold("no scenario file comes to the same end with these failures as steps; --format html shows the run")


def _settled(sections: dict[str, Any], folder: str, heard: Heard) -> dict[str, Any] | None:
    """The sections of a course of just these events, with which steps fail in it; None: it is another course."""
    for _ in range(2):
        try:
            again = load_source(Source("counterexample.yaml", text(_written(sections, ""))), folder)
        except Invalid:
            return None
        found, result = _course(again)
        if found != heard or result.ok:
            return sections if found == heard else None
        steps = sections["steps"]
        if len(steps) != len(again.steps):  # one in Celery's words stands for several
            return None
        fails = {error.step: error.code for error in result.errors if error.code is not None}
        sections = sections | {
            "steps": [
                step._replace(value={**step.value, "fails": fails[number]}) if number in fails else step
                for number, step in enumerate(steps)
            ]
        }
    return None


def _course(scenario: Scenario) -> tuple[Heard, Result]:
    """What happens in it, steps aside, which may be cut into other parts, and what is expected."""
    heard: Heard = []

    def hear(event: Any) -> None:
        if type(event) not in (events.StepStarted, events.Expected):
            heard.append((type(event).__name__, event.at_ms, sentence_of(event)))

    result = Runner(scenario, hear, max_events=MOST_EVENTS).run()
    return heard, result


def _forms(source: Source, folder: str, scenario: Scenario) -> Iterator[dict[str, Any]]:
    """The sections of the file as data: as they are, and, where there is anything of Celery, what they stand for."""
    root = parse(source)
    assert isinstance(root, Mapping)
    yield data_of(root)
    expanded, _ = load_expanded(source, folder, rabbitmq=scenario.rabbitmq)
    if expanded is not None:
        yield data_of(expanded.root)


def _with_failures(
    form: dict[str, Any], scenario: Scenario, failures: tuple[Move, ...], back: tuple[str, ...]
) -> dict[str, Any] | None:
    """`back`: the workers that are started again after their death. None: it cannot be said in this form."""
    found = {name: section for name, section in form.items() if name not in LEFT_OUT}
    dead = {move.who for move in failures if move.failure == "die"}
    for name in back:
        plan = scenario.workers[name]
        if name not in dead and coming_back(plan) != plan and not _come_back(found, name):
            return None
    given = found.pop("steps", None)
    steps = [
        WrittenItem("", None, {verb: fields for verb, fields in step.items() if verb != "fails"})
        for step in (given if isinstance(given, list) else [])
        if "expect" not in step
    ]
    for move in failures:
        steps = _with_failure(steps, move)
    return found | {"steps": steps, **({"until": found.pop("until")} if "until" in found else {})}


def _come_back(form: dict[str, Any], worker: str) -> bool:
    """Says in `form` that a supervisor starts it again; False: the form does not name it."""
    if isinstance(form.get("celery"), dict):
        celery = dict(form["celery"])
        if _come_back(celery, worker):
            form["celery"] = celery
            return True
    workers = form.get("workers")
    if not isinstance(workers, dict) or worker not in workers:
        return False
    options = workers[worker] if isinstance(workers[worker], dict) else {}
    form["workers"] = {**workers, worker: {**options, "restart": Bare(written_duration(COMES_BACK_MS))}}
    return True


def _with_failure(steps: list[WrittenItem], move: Move) -> list[WrittenItem]:
    """After all that happens at its instant, as in `courses.with_failures`."""
    form: Any = {"worker": {"name": move.who, "do": move.kind}}
    if not move.who:
        form = {"restart": "clean" if move.kind == "restart" else "kill"}
    failure = WrittenItem(f"FAILURE: {said_failure(move)}", None, form)
    now = 0
    for index, step in enumerate(steps):
        waited = _waited(step.value)
        if now + waited > move.number:
            before = [_wait(move.number - now)] if move.number > now else []
            return [*steps[:index], *before, failure, _wait(now + waited - move.number), *steps[index + 1 :]]
        now += waited
    return [*steps, *([_wait(move.number - now)] if move.number > now else []), failure]


def _waited(step: Any) -> int:
    waited = step.get("wait") if isinstance(step, dict) else None
    return 0 if waited is None else parse_duration(str(waited)) or 0


def _wait(ms: int) -> WrittenItem:
    return WrittenItem("", None, {"wait": Bare(written_duration(ms))})


def _ends(result: Result) -> dict[str, Any]:
    """How it ends."""
    assert result.tasks is not None
    found = fates_of(result)
    tasks = {name: {"fate": fate.name, "runs": result.tasks.of[name]["runs"]} for name, fate in found.items()}
    lost = [name for name, fate in found.items() if fate.name == fates.LOST]
    return {"tasks": tasks, "lost_tasks": lost or 0, "lost": result.counts()["lost"], "ended": result.ended}


def _written(sections: dict[str, Any], seen_from: str) -> dict[str, Any]:
    """As `writing` takes them."""
    ready = {name: section if name in BLOCKS or name == "steps" else _plain(section) for name, section in sections.items()}
    if seen_from and sections.get("definitions") is not None:
        given = sections["definitions"]
        paths = given if isinstance(given, list) else [given]
        ready["definitions"] = OneLine([os.path.join(seen_from, str(path)) for path in paths])
    return ready


def _plain(section: Any) -> Any:
    return OneLine(section) if isinstance(section, (dict, list)) or section is NOTHING else section


def _head(asked: PropertyVerdict) -> Iterator[str]:
    assert asked.example is not None
    broken = asked.example.broken
    yield "Found by `routesim explore`. `routesim run` repeats it."
    yield f"{asked.name}: {f'{broken.message}: ' if broken.message else ''}{broken.how}"
    for failure in asked.example.failures:
        yield f"Failure: {failure}"
