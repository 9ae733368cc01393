"""Apps, workers, tasks and Flower of a `celery:` section, as what they declare and start when a scenario begins."""

from collections.abc import Iterator
from functools import cached_property

from routesim.celery import delays, inboxes
from routesim.celery.queues import QueueNotFound, Queues, TaskQueue
from routesim.celery.routes import routes_of
from routesim.celery.settings import HARMLESS, SETTINGS, SIMULATED, CelerySettings
from routesim.celery.versions import SETTINGS_SINCE, CeleryRules, UnknownCelery, celery_rules
from routesim.diagnostics import did_you_mean
from routesim.model import Binding, Exchange, Queue
from routesim.scenario.celery.app_workers import App, AppWorker, Declared, WorkerFields
from routesim.scenario.celery.nodes import key_of, made
from routesim.scenario.celery.parts import AppTopology, ExpandedItem, part_of
from routesim.scenario.celery.unsimulated import tell_what_is_not_simulated
from routesim.scenario.format.kinds import Reader
from routesim.scenario.format.shapes import Fields
from routesim.scenario.yaml.nodes import Mapping, Node
from routesim.versions import Rules

RETRY_DELAY_MS = 180_000
CLIENT = "client"
MAX_NAMES = 10  # of apps, among which one is to be named
# The settings that say how a task is sent, and what is declared for it.
OF_SENDING = frozenset(name for name, setting in SETTINGS.items() if setting.effect == SIMULATED and name.startswith("task_")) - {
    "task_acks_late", "task_annotations", "task_acks_on_failure", "task_acks_on_failure_or_timeout", "task_acks_on_timeout",
    "task_default_rate_limit", "task_reject_on_worker_lost", "task_retry_on_worker_lost",
} | {"result_backend", "event_exchange"}  # fmt: skip


class Apps:
    """The section's apps, and what is of an app."""

    def __init__(self, reader: Reader, fields: Fields, rules: Rules, *, redis: bool = False) -> None:
        self.reader = reader
        self.fields = fields
        self.rules = _rules(reader, fields)
        self.global_qos = rules.celery_limits_channel or (self.rules.limits_channels and not redis)
        self.topology = AppTopology(reader)
        self.has_flower = "flower" in fields
        self.plain_exchanges: dict[str, Exchange] = {}
        self.plain_queues: dict[str, Queue] = {}
        self.plain_tasks: set[str] = set()
        self.apps: dict[str, App] = {}
        section = fields.node.get("apps") if isinstance(fields.node, Mapping) else None
        for name, given in fields.get("apps", {}).items():
            self.apps[str(name)] = self._app(str(name), given, key_of(section, name))
        for app in self.apps.values():
            tell_what_is_not_simulated(reader, app, redis=redis)
        self.workers: dict[str, AppWorker] = {}
        self.ignored: dict[str, list[str]] = {
            name: [str(key) for key in app.settings if SETTINGS[key].effect == HARMLESS] for name, app in self.apps.items()
        }

    def _app(self, name: str, given: Fields, at: Node) -> App:
        known = {}
        for key, value in given.items():
            since = SETTINGS_SINCE.get(str(key))
            if self.rules.knows(since):
                known[str(key)] = value
            else:
                self.tell_of_version(key_of(given.node, str(key)), str(key), since)
        settings = CelerySettings(known, self.rules)
        return App(name, settings, Queues(settings), routes_of(settings["task_routes"]), at, given.node)

    def tell_of_version(self, at: Node, name: str, since: str | None) -> None:
        """That this version of Celery does not know something."""
        said = f"Celery {self.rules.version} has no {name} and passes over it: it came with {since}"
        self.reader.warning("no-effect", said, at, "take it out, or say a later `version`")

    def app_of(self, fields: Fields, at: Node) -> App | None:
        """The app that something belongs to; None when an error has been noted."""
        given = fields.get("app")
        if given:
            named = given if isinstance(given, list) else [given]
            for name in named:
                if str(name) not in self.apps:
                    self.reader.error("unknown-app", f"no app '{name}' is among the apps", name, did_you_mean(name, self.apps))
            return self.apps.get(str(named[0]))
        if len(self.apps) == 1:
            return next(iter(self.apps.values()))
        if self.apps:
            more = f" and {len(self.apps) - MAX_NAMES:,} more" if len(self.apps) > MAX_NAMES else ""
            cure = f"add `app:` with one of {', '.join(list(self.apps)[:MAX_NAMES])}{more}"
            self.reader.error("which-app", "which app? There are several", at, cure)
        elif not self.reader.failed:
            self.reader.error("which-app", "there is no app", at, "name one under `apps:`, e.g. `apps: {shop: }`")
        return None

    # Workers ---------------------------------------------------------------------------------------------------------

    def add_workers(self) -> None:
        """Queues first: one that a worker names may be a quorum queue, which changes the ways of all."""
        section = self.fields.node.get("workers")
        for name, given in self.fields.get("workers", {}).items():
            at = key_of(section, name)
            app = self.app_of(given, at)
            if app is not None:
                gossip = given.get("gossip", True) and app.settings["worker_enable_remote_control"]
                sends_events = given.get("events", app.settings["worker_send_task_events"])
                later = not given.get("start", True) or "restart" in given
                queues = self._consumed(app, str(name), given)
                self.workers[str(name)] = AppWorker(str(name), app, queues, gossip, sends_events, later, [], at)
        for app in {worker.app.name: worker.app for worker in self.workers.values()}.values():
            self._warn_of_deduplication(app)
        for worker in self.workers.values():
            self._declare(worker, self.fields["workers"][worker.name])
        for app in self.apps.values():
            if app.queues.first_quorum is not None and any(worker.app is app for worker in self.workers.values()):
                self._declare_delays(app)
        for worker in self.workers.values():
            self._start(worker, self.fields["workers"][worker.name])

    def _consumed(self, app: App, name: str, given: Fields) -> list[TaskQueue]:
        found = []
        excluded = {str(queue) for queue in given.get("exclude", ())}
        for queue in given.get("exclude", ()):
            if str(queue) not in app.queues.configured and str(queue) not in map(str, given.get("queues", ())):
                cure = did_you_mean(queue, app.queues.configured)
                self.reader.warning(
                    "unknown-queue", f"app {app.name} has no queue '{queue}' to exclude: Celery says nothing", queue, cure
                )
        for queue in given.get("queues") or app.queues.configured:
            if str(queue) in excluded:
                continue
            try:
                found.append(app.queues[str(queue)])
            except QueueNotFound:
                self.reader.error(
                    "celery-raises", f"app {app.name} has no queue '{queue}', and task_create_missing_queues is off",
                    key_of(queue, ""),
                    did_you_mean(queue, app.queues.configured),
                )  # fmt: skip
        if app.settings["worker_direct"]:
            found.append(app.queues.direct_to(name))
        return found

    def _declare(self, worker: AppWorker, given: Fields) -> None:
        """At the top what is there for all, and what goes with those that start by themselves."""
        worker.declares.extend(self._declared(worker, given))
        for what, at, said, own in worker.declares:
            if not own or (given.get("start", True) and "fails" not in given):
                self.topology.add(what, at, said, worker.name)

    def _declared(self, worker: AppWorker, given: Fields) -> Iterator[Declared]:
        settings, app, at = worker.app.settings, worker.app.name, worker.at
        for queue in worker.queues:
            said, place = f"app {app}: task queues", _place_of(queue, worker)
            if queue.exchange.name:
                yield Declared(queue.exchange, place, said)
            if queue.broadcast:
                said = f"app {app}: a broadcast goes to a queue of each worker"
            yield Declared(queue.queue(worker.name), place, said, queue.broadcast)
            binding = queue.binding(worker.name)
            if binding is not None:
                yield Declared(binding, place, said, queue.broadcast)
        if settings["worker_enable_remote_control"]:
            said = f"app {app}: commands to all workers, and their answers"
            yield Declared(inboxes.control_exchange(settings), at, said)
            yield Declared(inboxes.reply_exchange(settings), at, said)
            for what in inboxes.inbox(settings, worker.name):
                yield Declared(what, at, f"commands to {worker.name}", True)
        if self._has_events(worker, given):
            yield Declared(inboxes.event_exchange(settings), at, f"app {app}: events")
        if worker.gossip:
            for what in inboxes.events(settings, worker.name, "worker.#"):
                yield Declared(what, at, f"events of other workers to {worker.name} (gossip)", True)

    def _has_events(self, worker: AppWorker, given: Fields) -> bool:
        """Of the worker itself at least. A heartbeat that is only not shown counts where somebody listens."""
        return bool(worker.gossip or worker.sends_events or given.get("heartbeat", self.has_flower))

    def _declare_delays(self, app: App) -> None:
        """Native delayed delivery, which a worker sets up as soon as one queue is a quorum queue."""
        said = f"app {app.name}: native delayed delivery, because {app.queues.first_quorum} is a quorum queue"
        found = delays.levels(str(app.settings["broker_native_delayed_delivery_queue_type"]))
        everything: list[Exchange | Queue | Binding] = [*found.exchanges, *found.queues, *found.bindings]
        for what in everything:
            self.topology.add(what, app.at, said)
        for task_queue in app.queues:
            if not task_queue.broadcast and not task_queue.is_direct and task_queue.name in self.topology.queues:
                for binding in delays.bindings_of(task_queue.exchange.name, task_queue.name, task_queue.routing_key):
                    self.topology.add(binding, app.at, said)
            if task_queue.broadcast and self.rules.delays_broadcasts and self._is_consumed(app, task_queue):
                binding = delays.bindings_of(task_queue.exchange.name, task_queue.name, task_queue.routing_key)[0]
                self.topology.add(binding, app.at, f"{said}; up to Celery 5.6 it leads to Broadcast queues too")

    def _is_consumed(self, app: App, queue: TaskQueue) -> bool:
        return any(worker.app is app and queue in worker.queues for worker in self.workers.values())

    def _warn_of_deduplication(self, app: App) -> None:
        """Celery 5.7 asks a result backend that is not there (rules/celery#2.1)."""
        name = "worker_deduplicate_successful_tasks"
        if app.settings[name] and not app.settings["result_backend"]:
            problem = (
                f"{name} without a result backend: Celery fails what is delivered again with AttributeError; here it runs again"
            )
            self.reader.warning("not-simulated", problem, app.node[name], "set result_backend")

    def _start(self, worker: AppWorker, given: Fields) -> None:
        by_channel = self.global_qos and not (
            worker.app.settings["worker_detect_quorum_queues"] and worker.app.queues.first_quorum
        )
        found = WorkerFields(worker, given, by_channel, self._tasks_of(worker.app), self._has_events(worker, given))
        part = ExpandedItem("workers", made(worker.name, worker.at), made(found.fields(), worker.at), found.said())
        self.topology.parts.append(part)

    def give_workers_their_app(self) -> None:
        """By its settings they send what their tasks call, and what follows them."""
        for part in self.topology.parts:
            if part.section == "workers" and isinstance(part.node, Mapping):
                given = self.workers[str(part.name)].app.node
                known = self.workers[str(part.name)].app.settings.keys() & OF_SENDING
                settings = {str(key): given[key] for key in given if key in known} if isinstance(given, Mapping) else {}
                part.node[made("app", part.node)] = made(settings, part.node)

    def _tasks_of(self, app: App) -> list[str] | None:
        """The tasks that this app's workers know, where other apps have others (rules/celery#2.2-2); None: all."""
        given = self.fields.get("tasks", {})
        own = self._tasks_by_app.get(app.name, [])
        if len(self.apps) == 1:
            own = [str(name) for name, fields in given.items() if app.name in fields.get("app", (app.name,))]
        return None if len(own) == len(given) else [*own, *sorted(self.plain_tasks)]

    @cached_property
    def _tasks_by_app(self) -> dict[str, list[str]]:
        """Those that say whose they are, as they have to where there are several apps."""
        found: dict[str, list[str]] = {}
        for name, fields in self.fields.get("tasks", {}).items():
            for app in dict.fromkeys(map(str, fields.get("app", ()))):
                found.setdefault(app, []).append(str(name))
        return found

    # Flower ----------------------------------------------------------------------------------------------------------

    def add_flower(self) -> App | None:
        """Its app, when there is a Flower."""
        if "flower" not in self.fields:
            return None
        at = key_of(self.fields.node, "flower")
        app = self.app_of(self.fields["flower"], at)
        if app is None:
            return None
        said = "Flower: all events, to a queue that lives as long as its connection"
        self.topology.add(inboxes.event_exchange(app.settings), at, said)
        self.topology.parts += flower_parts(app, at, said)
        consumer = {"queue": inboxes.events(app.settings, "flower", "#")[0].name, "auto_ack": True}
        self.topology.parts.append(ExpandedItem("consumers", made("flower", at), made(consumer, at), said))
        return app


def flower_parts(app: App, at: Node, said: str = "") -> list[ExpandedItem]:
    """What Flower declares whenever it starts."""
    queue, binding = inboxes.events(app.settings, "flower", "#")
    return [part_of(queue, at, said, "flower"), part_of(binding, at, said)]


def _place_of(queue: TaskQueue, worker: AppWorker) -> Node:
    """Where a task queue is configured, or else who consumes it."""
    node = worker.app.node
    configured = node.get("task_queues") if isinstance(node, Mapping) else None
    return key_of(configured, queue.name) if isinstance(configured, Mapping) and queue.name in configured else worker.at


# Values of the fields ------------------------------------------------------------------------------------------------


def _rules(reader: Reader, fields: Fields) -> CeleryRules:
    if "version" not in fields:
        return celery_rules()
    given = fields["version"]
    try:
        return celery_rules(str(given))
    except UnknownCelery as unknown:
        reader.error("unknown-version", f"no Celery '{given}' is known", given, str(unknown))
        return celery_rules()
