"""The same canvas for a real Celery, in a process of its own, and for the simulator: what is sent for it, and what a worker makes
of it."""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from routesim.celery.canvas.calling import TaskCall, called
from routesim.celery.canvas.composing import callback_on, chained, errback_on
from routesim.celery.canvas.freezing import numbered
from routesim.celery.canvas.signatures import Canvas, Chord, Group, Signature
from routesim.celery.sending import follows_of
from routesim.run.runner import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.steps import Publish
from routesim.values import raw

TASKS = "abcdef"
FAILING, CALLED = "e", "b"
LIMIT_S = 120
NOISE = {"add_to_parent", "chord_size", "reply_to", "subtask_type", "producer"}
MADE_UP = re.compile(r'"(g\d+|[0-9a-f]{8}-[0-9a-f-]{27}|chain-1|group-1|chord-1|[a-z0-9-]+-group-\d+)"')
Tree = dict[str, Any]


# Trees ---------------------------------------------------------------------------------------------------------------


def tree(random: Random, depth: int) -> Tree:
    """A canvas with an id for each of its tasks. `depth` 1: of single tasks."""
    ids = itertools.count(1)
    return _tree(random, depth, ids, random.choice(["chain", "group", "chord", "task"]))


def _tree(random: Random, depth: int, ids: Iterator[int], kind: str | None = None) -> Tree:
    kind = kind or (random.choice(["task", "task", "task", "chain", "group", "chord"]) if depth > 0 else "task")
    if kind == "task":
        return _task(random, ids, links=depth >= 0)
    within = ["task", "task", "chain", "chord"] if depth > 1 else ["task"]
    if kind == "chain":
        found: Tree = {"chain": [_tree(random, depth - 1, ids) for _ in range(random.randint(2, 4))]}
        if random.random() < 0.3:
            found["link"] = [_task(random, ids)]
        if random.random() < 0.3:
            found["link_error"] = [_task(random, ids)]
        return found
    members = [_tree(random, depth - 1, ids, random.choice(within)) for _ in range(random.randint(2, 3))]
    if kind == "group":
        return {"group": members}
    body = random.choice(["task", "chain", "group"] if depth > 1 else ["task"])
    return {"chord": {"header": members, "body": _tree(random, depth - 1, ids, body)}}


def _task(random: Random, ids: Iterator[int], *, links: bool = False) -> Tree:
    found: Tree = {
        "task": random.choice(TASKS),
        "id": f"t{next(ids)}",
        "args": random.choice([[], [1]]),
        "immutable": random.random() < 0.2,
    }
    if links and random.random() < 0.3:
        found["link"] = [_task(random, ids) for _ in range(random.randint(1, 2))]
    if links and random.random() < 0.2:
        found["link_error"] = [_task(random, ids)]
    return found


def of_ours(part: Tree) -> Canvas:
    links, errbacks = ([of_ours(each) for each in part.get(key, ())] for key in ("link", "link_error"))
    if "chain" in part:
        made = chained([of_ours(each) for each in part["chain"]])
    elif "group" in part:
        return Group(tuple(of_ours(each) for each in part["group"]))
    elif "chord" in part:
        header = Group(tuple(of_ours(each) for each in part["chord"]["header"]))
        return Chord(header, of_ours(part["chord"]["body"]))
    else:
        made = Signature(part["task"], tuple(part["args"]), {}, {"task_id": part["id"]}, part["immutable"])
    return errback_on(callback_on(made, links), errbacks)  # type: ignore[no-any-return]


# What is sent --------------------------------------------------------------------------------------------------------


def sent_by_celery(backend: str, depth: int, seeds: int, *, works: bool = False) -> list[list[str]]:
    """For each seed the messages, and with `works` all that a worker of one process sends for them in turn."""
    child = Path(__file__).with_name("canvas_child.py")
    command = [sys.executable, "-W", "ignore", str(child), backend, str(depth), str(seeds), "works" if works else ""]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: list[list[str]] = json.loads(ended.stdout)
    return found


def sent_by_us(canvas: Canvas) -> list[str]:
    groups = (f"g{number}" for number in itertools.count())
    whole = numbered(canvas, lambda _: "unnumbered", groups.__next__)
    found = []
    for each in called(whole, (), {}, "me", groups.__next__):
        if isinstance(each, TaskCall):
            options = each.options
            headers = {
                "id": options["task_id"], "root_id": options.get("root_id") or options["task_id"], "parent_id": options.get("parent_id"),
                "group": options.get("group_id"), "group_index": options.get("group_index"),
            }  # fmt: skip
            found.append((each.task, [list(each.args), each.kwargs, follows_of(options)._asdict()], headers))
    return comparable(found)


def comparable(messages: list[Any]) -> list[str]:
    """Each as text, with what is made up numbered as it comes, and without what says nothing."""
    seen: dict[str, str] = {}
    wanted = ("id", "root_id", "parent_id", "group", "group_index")
    lines = [
        json.dumps(_bare([name, {key: headers[key] for key in wanted}, body]), sort_keys=True) for name, body, headers in messages
    ]
    return [MADE_UP.sub(lambda match: seen.setdefault(match[1], f"<{len(seen)}>"), line) for line in lines]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("task") in ("celery.group", "celery.chord"):  # Celery draws a new id for a group that it clones
            value = {**value, "options": {key: each for key, each in value["options"].items() if key != "task_id"}}
        return {key: _bare(each) for key, each in value.items() if each is not None and key not in NOISE}
    return [_bare(each) for each in value] if isinstance(value, list | tuple) else value


def worked_by_us(part: Tree) -> list[str]:
    """All that is sent when a simulated worker of one process works on it: by its caller, and by the worker."""
    tasks: dict[str, Any] = {
        name: {"ends": "exception", "errback": "sent"} if name == FAILING
        else {"returns": name, "errback": "called" if name == CALLED else "sent"}
        for name in TASKS
    }  # fmt: skip
    scenario = load_source(Source("scene.yaml", json.dumps({
        "celery": {
            "apps": {"shop": {"result_backend": "redis://"}}, "workers": {"w1": {"gossip": False, "start": False}}, "tasks": tasks,
        },
        "steps": [{"call": {key: value for key, value in part.items() if key != "immutable"}}, {"worker": {"name": "w1", "do": "start"}}],
    })), "")  # fmt: skip
    runner = Runner(scenario)
    broker, found = runner.broker, []

    class Heard(type(broker)):  # type: ignore[misc]
        def apply(self, step: Any) -> Any:
            if isinstance(step, Publish) and (step.message.headers or {}).get("task"):
                headers = {name: raw(value) for name, value in (step.message.headers or {}).items()}
                found.append((headers["task"], json.loads(step.message.body), headers))
            return super().apply(step)

    broker.__class__ = Heard
    runner.run()
    return comparable(found)
