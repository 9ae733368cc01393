"""What a real Celery sends for canvases: run by `canvas`, so that nothing of it stays in the tests' own process."""

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

sys.path[:1] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[3])]

from celery import Celery, chain, chord, group, signals  # noqa: E402
from celery.app.trace import build_tracer  # noqa: E402
from kombu.utils.json import dumps  # noqa: E402

from kits.celery.canvas import CALLED, FAILING, TASKS, Tree, comparable, tree  # noqa: E402


def _body(name: str) -> Callable[..., Any]:
    def body(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name == FAILING:
            raise ValueError(name)
        return name

    def errback(*args: Any, **kwargs: Any) -> Any:
        return name

    return errback if name == CALLED else body


def app_with(backend: str) -> Celery:
    app = Celery("canvas", broker="memory://", backend=backend, set_as_current=False)
    app.conf.task_create_missing_queues = True
    for name in TASKS:
        app.task(name=name, shared=False, typing=False, bind=name != CALLED)(_body(name))
    return app


def of_celery(app: Celery, part: Tree) -> Any:
    links, errbacks = ([of_celery(app, each) for each in part.get(key, ())] for key in ("link", "link_error"))
    if "chain" in part:
        made = chain(*[of_celery(app, each) for each in part["chain"]])
    elif "group" in part:
        return group([of_celery(app, each) for each in part["group"]])
    elif "chord" in part:
        return chord([of_celery(app, each) for each in part["chord"]["header"]], of_celery(app, part["chord"]["body"]))
    else:
        made = app.tasks[part["task"]].signature(tuple(part["args"]), immutable=part["immutable"]).set(task_id=part["id"])
    for each in links:
        made.link(each)
    for each in errbacks:
        made.link_error(each)
    return made


def sent(app: Celery, canvas: Any, *, works: bool = False) -> list[str]:
    """The messages, and with `works` all that a worker of one process sends for them in turn."""
    waiting: deque[tuple[str, Any, dict[str, Any], dict[str, Any]]] = deque()
    found: list[Any] = []

    def note(sender: str, body: Any, headers: dict[str, Any], properties: dict[str, Any], **_: Any) -> None:
        message = sender, json.loads(dumps(body)), dict(headers), dict(properties)
        waiting.append(message)
        found.append(message[:3])

    signals.before_task_publish.connect(note)
    try:
        canvas.apply_async()
        while works and waiting:
            name, (args, kwargs, embedded), headers, properties = waiting.popleft()
            request = {**headers, **embedded, **properties, "delivery_info": {"priority": 0}, "hostname": "w1"}
            build_tracer(name, app.tasks[name], app=app)(headers["id"], args, kwargs, request)
    finally:
        signals.before_task_publish.disconnect(note)
    return comparable(found)


if __name__ == "__main__":
    backend, depth, seeds, works = sys.argv[1:]
    app = app_with(backend)
    found = [sent(app, of_celery(app, tree(Random(seed), int(depth))), works=bool(works)) for seed in range(int(seeds))]
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # results that nobody fetched would ask for the backend once more
