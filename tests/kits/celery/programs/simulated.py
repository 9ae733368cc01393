"""A drawn program in the simulator: the scenario is imported from the real app, and told what the bodies do."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kits.celery.programs.drawing import QUEUE, Program
from kits.celery.programs.seen import Left, Moment, Seen, seen
from routesim import events
from routesim.celery.states import COUNTED
from routesim.cli.handlers.celery.reading_apps import import_app
from routesim.events import Event
from routesim.queues import Copy
from routesim.redis.state import RedisState
from routesim.run import Result, Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

HERE = Path(__file__).parents[3] / "celery" / "programs"
ENDS = (events.TaskSucceeded, events.TaskFailed, events.TaskRetried, events.TaskIgnored, events.TaskRejected, events.TaskRevoked)


class Simulated(NamedTuple):
    """`near_s`: the shortest time between two things that happen at different times; 0: two happen by themselves at once."""

    seen: Seen
    moments: list[Moment]
    length_s: float
    near_s: float
    text: str


def imported(folder: Path, profile: str | None) -> dict[str, Any]:
    """What `routesim import celery` makes of the app whose program is in the environment."""
    written = folder / "imported.yaml"
    assert import_app("program_app", str(written), 1, str(HERE), None, 30.0, profile, debug=False) == 0
    found: dict[str, Any] = yaml.safe_load(written.read_text(encoding="utf-8"))
    written.unlink()
    return found


def sketched(program: Program, broker: dict[str, Any]) -> dict[str, Any]:
    """The same as `imported` without asking the app, to see in a moment whether a program can be told apart on a real clock."""
    tasks = {name: task["options"] for name, task in program.tasks.items()}
    settings = {**program.settings, **({"result_backend": "redis://"} if broker else {})}
    return {**broker, "celery": {"apps": {"program_app": settings}, "workers": {"w1": {}}, "tasks": tasks}}


def simulated(program: Program, app: dict[str, Any]) -> Simulated:
    """Twice: how long it takes, and then with the death of all workers a while after the end."""
    document = _document(program, app)
    length_ms = _run(document)[0][-1].at_ms
    at_ms = sum(round(step[1] * 1000) for step in program.steps if step[0] == "wait")
    rest_ms = max(length_ms - at_ms, 0) + 3000
    document["steps"] += [{"wait": f"{rest_ms}ms"}, *({"worker": {"name": name, "do": "kill"}} for name in program.workers)]
    text = yaml.safe_dump(document, sort_keys=False)
    heard, result = _run(document)
    moments = [
        Moment(event.at_ms / 1000, COUNTED[type(event)], event.task)  # type: ignore[attr-defined]
        for event in heard
        if type(event) in COUNTED
    ]
    found = seen(moments, _left(result), concurrency=program.settings["worker_concurrency"])
    by_chance = _overtaken(heard) or _batched_by_chance(heard, program)
    near_s = 0.0 if by_chance else _near_s(heard, _expiries(program), _lengths(program))
    return Simulated(found, moments, (at_ms + rest_ms) / 1000, near_s, text)


def _expiries(program: Program) -> list[int]:
    now, found = 0, []
    for step in program.steps:
        if step[0] == "wait":
            now += round(step[1] * 1000)
        elif step[0] == "call" and "expires" in step[2]:
            found.append(now + round(step[2]["expires"] * 1000))
    return found


def _lengths(program: Program) -> set[int]:
    """How long a body can take, in ms, if nothing ends it."""
    tasks = program.tasks.values()
    limits = {task["options"]["time_limit"] for task in tasks if "time_limit" in task["options"]}
    return {round(length * 1000) for length in limits | {rule["takes"] for task in tasks for rule in task["rules"]}}


def _document(program: Program, app: dict[str, Any]) -> dict[str, Any]:
    celery = dict(app["celery"])
    celery["workers"] = {name: {**(celery["workers"]["w1"] or {}), "gossip": False, "mingle": False} for name in program.workers}
    celery["tasks"] = {
        name: {**(celery["tasks"][name] or {}), "runs": [_rule(rule) for rule in task["rules"]]}
        for name, task in program.tasks.items()
    }
    return {**app, "celery": celery, "steps": [_step(step) for step in program.steps]}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    times = {name: f"{round(rule[name] * 1000)}ms" for name in ("takes", "countdown") if name in rule}
    return {**rule, **times}


def _step(step: tuple[Any, ...]) -> dict[str, Any]:
    match step:
        case ("call", id, fields):
            times = {name: f"{round(fields[name] * 1000)}ms" for name in ("countdown", "expires") if name in fields}
            return {"call": {"id": id, **fields, **times}}
        case ("canvas", kind, members):
            signatures = [{"task": task, "id": id, "immutable": True} for id, task in members]
            chord = {"header": signatures[:-1], "body": signatures[-1]}
            return {"call": {kind: signatures if kind == "chain" else chord}}
        case ("wait", seconds):
            return {"wait": f"{round(seconds * 1000)}ms"}
        case ("revoke", id, terminate):
            return {"control": {"do": "revoke", "id": id, "terminate": terminate}}
        case (_, name, what):
            return {"worker": {"name": name, "do": what}}
    raise ValueError(step)


def _run(document: dict[str, Any]) -> tuple[list[Event], Result]:
    heard: list[Event] = []
    result = Runner(loaded(document), heard.append).run()
    return heard, result


def loaded(document: dict[str, Any]) -> Scenario:
    return load_source(Source("program.yaml", json.dumps(document)), "")


def _overtaken(heard: list[Event]) -> bool:
    """Whether a body that takes no time sends a message, or gives its own back, between two calls of one instant: a real one's
    comes after the second call."""
    sent_ms = -1
    for event in heard:
        if isinstance(event, events.TaskRetried | events.TaskRejected):
            sent_ms = event.at_ms
        elif isinstance(event, events.StepStarted) and event.text.startswith("call ") and event.at_ms == sent_ms:
            return True
    return False


def _batched_by_chance(heard: list[Event], program: Program) -> bool:
    """Whether after a task whose ETA is past one without an ETA is received at the same instant, though not with it: whether
    it comes before the timer has gone off, and so starts first, is a matter of milliseconds (rules/celery#2.2-6)."""
    timed = {step[1] for step in program.steps if step[0] == "call" and "countdown" in step[2]}
    past_ms, apart = -1, False
    for event in heard:
        if isinstance(event, events.TaskRetried):
            timed.add(event.task)
        if isinstance(event, events.TaskReceived) and event.due_ms is None:
            if event.task in timed:
                past_ms, apart = event.at_ms, apart and event.at_ms == past_ms
            elif apart and event.at_ms == past_ms:
                return True
        elif isinstance(event, (events.TaskStarted, *ENDS)):
            apart = True
    return False


def _near_s(heard: list[Event], expiries: list[int], lengths: set[int]) -> float:
    """Ends of bodies that take a while, ETAs, expiries and steps: what happens by itself, and could happen before or after the
    other. What a step ends is no such thing, unless it would have ended right then."""
    steps = {event.at_ms for event in heard if isinstance(event, events.StepStarted)}
    signals = {event.at_ms for event in heard if isinstance(event, events.StepStarted) and event.text.startswith("worker ")}
    timed = list(dict.fromkeys(expiries))
    began: dict[tuple[str, str], int] = {}
    up: set[str] = set()
    for event in heard:
        if isinstance(event, events.WorkerOnline):
            up.add(event.worker)
        elif isinstance(event, events.WorkerOffline):
            up.discard(event.worker)
        elif isinstance(event, events.StepStarted) and "do: start" in event.text and up:
            return 0.0  # a warm shutdown waits for what runs: the one before it is still there
        elif isinstance(event, events.TaskStarted):
            began[event.task, event.worker] = event.at_ms
        elif isinstance(event, ENDS):
            since = began.pop((event.task, event.worker), None)
            by_a_step = event.at_ms in signals or isinstance(event, events.TaskRevoked)
            if since is not None and since < event.at_ms and (not by_a_step or event.at_ms - since in lengths):
                timed.append(event.at_ms)
        if isinstance(event, events.TaskReceived) and event.due_ms is not None:
            timed.append(event.due_ms)
    if len(set(timed)) < len(timed) or steps & set(timed):
        return 0.0
    moments = sorted(steps | set(timed))
    return min((after - before for before, after in pairwise(moments)), default=10_000) / 1000


def _left(result: Result) -> Left:
    """As whoever fetches it finds it: what expires at the head is gone then."""
    queue, now = result.broker.queues.get(QUEUE), result.broker.now
    copies = () if queue is None else queue.ready()
    ready = [_named(copy) for copy in copies if copy.expires_at is None or copy.expires_at > now]
    if not isinstance(result.broker, RedisState):
        return {QUEUE: ready}
    return {
        QUEUE: ready,
        "unacked": sorted(_named(flight.copy) for entry in result.broker.held.values() for flight in entry.flights),
    }


def _named(copy: Copy) -> str:
    headers = copy.content.headers or {}
    return f"{headers.get('id')} {headers.get('retries', 0)}"
