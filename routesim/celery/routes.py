"""Which queue a task goes to, and with what it is published (celery/app/routes.py, app/base.py, app/amqp.py)."""

import fnmatch
import re
from operator import itemgetter
from typing import Any

from routesim.celery.delays import FIRST_EXCHANGE, delayed_key
from routesim.celery.queues import Queues, TaskQueue
from routesim.celery.settings import CelerySettings
from routesim.named_tuples import NamedTuple

Options = dict[str, Any]
NamedRoute = tuple[str, Options]  # the very name of a task, or a glob with *
BEFORE_WILD = re.compile(r"[^*?\[]*")


class TaskDestination(NamedTuple):
    """Where a task is published. `declares` is what the caller declares before; `delayed`: by native delayed delivery.

    `priority` None: the property is absent.
    """

    exchange: str
    routing_key: str
    queue: TaskQueue | None
    declares: TaskQueue | None
    priority: int | None
    delivery_mode: int
    delayed: bool = False


class RouteTable:
    """One table of `task_routes`: a name is looked up, and so are the globs by what a name must begin with to fit them."""

    def __init__(self, routes: list[NamedRoute]) -> None:
        self.exact = {name: (name, options) for name, options in routes if "*" not in name}
        self.globs: dict[str, list[tuple[int, re.Pattern[str], NamedRoute]]] = {}
        for place, (name, options) in enumerate(routes):
            if "*" in name:
                begins = BEFORE_WILD.match(name)
                assert begins
                glob = place, re.compile(fnmatch.translate(name)), (name, options)
                self.globs.setdefault(begins[0], []).append(glob)

    def of(self, task: str) -> NamedRoute | None:
        """That of the task's very name, the last one, else of the first glob that fits."""
        if task in self.exact:
            return self.exact[task]
        begins = (task[:length] for length in range(len(task) + 1)) if len(self.globs) > len(task) else self.globs
        globs = sorted((glob for text in begins if task.startswith(text) for glob in self.globs.get(text, ())), key=itemgetter(0))
        return next((route for _, pattern, route in globs if pattern.match(task)), None)


Routes = list[RouteTable]  # in order


def routes_of(given: Any) -> Routes:
    """The setting `task_routes` as tables."""
    if given is None:
        return []
    tables = given if isinstance(given, list) else [given]
    return [RouteTable([(str(name), options_of(route)) for name, route in table.items()]) for table in tables]


def options_of(route: Any) -> Options:
    """Routing options as plain values; a name alone is the queue."""
    if isinstance(route, str):
        return {"queue": str(route)}
    return {str(name): str(value) if isinstance(value, str) else value for name, value in route.items()}


def named_route_of(routes: Routes, task: str) -> NamedRoute | None:
    """The first table's route that fits, with its name."""
    return next((route for table in routes if (route := table.of(task)) is not None), None)


def route_of(routes: Routes, task: str) -> Options | None:
    """The options of the route that decides."""
    found = named_route_of(routes, task)
    return found[1] if found is not None else None


def why_routed(task: str, options: Options, routes: Routes, settings: CelerySettings) -> str:
    """Which part of the configuration decides where a call of it with these options goes, as part of a sentence."""
    if given := _places(options):
        return f"the call or its task says {given}"
    route = named_route_of(routes, task)
    if route is None or not _places(route[1]):
        return f"no route fits it, so it goes to task_default_queue, {settings['task_default_queue']}"
    return f"the route '{route[0]}' of task_routes says {_places(route[1])}"


def _places(options: Options) -> str:
    """What of routing options names where a task goes."""
    found = {name: options.get(name) for name in ("queue", "exchange", "routing_key")}
    return ", ".join(f"{name} {value}" for name, value in found.items() if value is not None)


def routed(
    task: str, options: Options, routes: Routes, queues: Queues, settings: CelerySettings, inherited: int | None = None
) -> Options:
    """The options of a call with those of its route, or the default queue. Raises `QueueNotFound`.

    What the call gives wins over the route, one by one. `priority` is in the result unless it stays absent: an option that
    nobody gives becomes the inherited one, or 0, as soon as a route or the default queue is looked up.
    """
    given = {name: value for name, value in options.items() if value is not None}
    route = route_of(routes, task)
    if route:
        merged = {**route, **given}
    elif "queue" not in given:
        merged = {"queue": settings["task_default_queue"], **given}
    else:
        merged = {**given, "priority": given.get("priority")}
    merged.setdefault("priority", 0 if inherited is None else inherited)
    if "queue" in merged:
        merged["queue"] = queues[merged["queue"]]
    return merged


def target(merged: Options, countdown_s: float | None, queues: Queues, settings: CelerySettings) -> TaskDestination:
    """What `routed` says as a publish. Raises `ValueError` for a countdown that native delayed delivery cannot hold."""
    queue: TaskQueue | None = merged.get("queue")
    exchange, key, declares, delayed = merged.get("exchange"), merged.get("routing_key"), queue, False
    if countdown_s and countdown_s > 0 and queue is not None and queues.first_quorum is not None and not queue.is_direct:
        if countdown_s < 1:
            raise ValueError("countdown must be a positive number")
        exchange, key, delayed, declares = FIRST_EXCHANGE, delayed_key(int(countdown_s), queue.routing_key), True, None
    elif queue is None and exchange is None:
        declares = queue = queues[settings["task_default_queue"]]
    kind = queue.exchange.type if queue is not None else "direct"
    if not delayed:
        if (not exchange or not key) and kind == "direct":
            exchange, key = "", queue.name if queue is not None else ""
        elif exchange is None and queue is not None:
            exchange, key = queue.exchange.name, key or queue.routing_key
    if declares is not None and declares.broadcast:
        declares = None
    priority = merged.get("priority")
    own = queue.delivery_mode if queue is not None and not delayed else None
    mode = merged.get("delivery_mode") or own or settings["task_default_delivery_mode"]
    return TaskDestination(str(exchange or ""), str(key or ""), queue, declares, priority, int(mode), delayed)
