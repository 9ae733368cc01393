"""Calls of tasks, by steps and by beats, as publishes with what the caller declares before them."""

from typing import Any, NamedTuple

from routesim.celery import inboxes
from routesim.celery.epoch import EPOCH, ms_of
from routesim.celery.messages import Call, Publish, task, task_sent
from routesim.celery.queues import QueueNotFound, TaskQueue
from routesim.celery.routes import TaskDestination, routed, target
from routesim.diagnostics import did_you_mean
from routesim.durations import written_duration
from routesim.model import Queue
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.apps import CLIENT, Apps, options_of
from routesim.scenario.celery.celery_tasks import ROUTING, TasksSection
from routesim.scenario.celery.nodes import key_of, made
from routesim.scenario.celery.parts import ExpandedItem, declared, part_of
from routesim.scenario.format.kinds import Reader, Unreadable
from routesim.scenario.format.shapes import Fields
from routesim.scenario.yaml.nodes import Mapping, Node, Text

MOST = 10_000  # publishes that one section may become


class Producer:
    """Who calls tasks: a connection of its own. `declared` is what it has declared already, which it remembers."""

    def __init__(self, name: str, app: App) -> None:
        self.name = name
        self.app = app
        self.oid = f"{name}.oid"
        self.declared: set[str] = set()
        self.reads_results = False


class CallPublishes(NamedTuple):
    """Publishes of one call, each with when it is sent, and the step that declares before what they need (None: nothing).

    `results` is the step that declares the queue of results, which Celery does before every publish. `refused`: RabbitMQ
    refuses the declaration.
    """

    before: Node | None
    publishes: list[tuple[int, Publish]]
    results: Node | None = None
    refused: bool = False


class Calls:
    def __init__(self, apps: Apps, tasks: TasksSection, start: Any = EPOCH) -> None:
        self.apps = apps
        self.tasks = tasks
        self.start = start
        self.reader: Reader = apps.reader
        self.producers: dict[str, Producer] = {}
        self.parts: list[ExpandedItem] = []  # channels and consumers of producers
        self.numbers: dict[str, int] = {}
        self.ids: set[str] = set()
        self.published = 0
        self.warned: set[str] = set()
        given, section = apps.fields.get("producers", {}), apps.fields.node.get("producers")
        for name, fields in given.items():
            app = apps.app_of(fields, key_of(section, name))
            if app is not None:
                self._add(str(name), app, key_of(section, name))

    def _add(self, name: str, app: App, at: Node) -> Producer:
        producer = self.producers[name] = Producer(name, app)
        if not app.settings.confirms:
            key = made(name, at)
            assert isinstance(key, Text)
            said = f"{name} publishes without waiting for confirms (confirm_publish is off)"
            self.parts.append(ExpandedItem("channels", key, made({"confirms": False}, at), said))
        return producer

    def producer(self, fields: Fields, at: Node) -> Producer:
        """The one that `by` names. Raises `Unreadable`."""
        by = fields.get("by")
        name = CLIENT if by is None else str(by)
        if name in self.producers:
            return self.producers[name]
        if name != CLIENT:
            raise self.reader.error(
                "unknown-producer", f"no producer '{name}' is among the producers", at if by is None else by,
                did_you_mean(name, [*self.producers, CLIENT]) or "name it under `producers:`",
            )  # fmt: skip
        app = self.apps.app_of(Fields(), at)
        if app is None:
            raise Unreadable
        return self._add(CLIENT, app, at)

    def beat(self, name: str, app: App, at: Node) -> Producer:
        return self._add(name, app, at)

    # One call --------------------------------------------------------------------------------------------------------

    def ids_of(self, name: str, fields: Fields, count: int) -> list[str]:
        """The ids of a call's tasks: as given, or the task's name and a number."""
        if "id" in fields:
            given = str(fields["id"])
            return [given] if count == 1 else [f"{given}-{number}" for number in range(1, count + 1)]
        first = self.numbers.get(name, 0) + 1
        self.numbers[name] = first + count - 1
        return [f"{name}-{number}" for number in range(first, first + count)]

    def sent(
        self, producer: Producer, fields: Fields, moments: list[int], ids: list[str], at: Node, *, may_fail: bool = False
    ) -> CallPublishes:
        """A call as publishes at these instants. Raises `Unreadable`."""
        name, app = str(fields["task"]), producer.app
        self._check_task(name, fields["task"])
        self.published += len(moments)
        if self.published > MOST:
            raise self.reader.error(
                "too-large", f"more than {MOST:,} calls", at,
                "lower `count`, or for a beat `until` or what the steps wait; each call is a message of its own"
            )  # fmt: skip
        options = {**self.tasks.options(name, app), **options_of({key: fields[key] for key in ROUTING if key in fields})}
        publishes: list[tuple[int, Publish]] = []
        first: TaskDestination | None = None
        for moment, id in zip(moments, ids, strict=True):
            self.ids.add(id)
            eta = self._eta(fields, moment)
            to = self._target(name, options, None if eta is None else (eta - moment) / 1000, app, fields, at)
            first = first or to
            call = self._call(name, id, producer, fields, moment, eta)
            publishes.append((moment, task(
                call, to.exchange, to.routing_key, priority=to.priority, delivery_mode=to.delivery_mode, sent_ms=moment
            )))  # fmt: skip
            if app.settings["task_send_sent_event"]:
                publishes.append((moment, task_sent(
                    call, app.settings["event_exchange"], queue=to.queue.name if to.queue and not to.delayed else None,
                    exchange=to.exchange, routing_key=to.routing_key, sent_ms=moment,
                )))  # fmt: skip
        if first is None:
            return CallPublishes(None, [])
        parts: list[ExpandedItem] = []
        refused = self._declare_target(producer, first, parts, at, may_fail=may_fail)
        results = None
        if app.settings.sends_results and not self._ignores(name, fields, app) and not refused:
            part = part_of(inboxes.results(app.settings, producer.oid), at)
            results = declared([part], at)
            parts.append(part)
        return CallPublishes(declared(parts, at) if parts else None, [] if refused else publishes, results, refused)

    def _check_task(self, name: str, at: Node) -> None:
        plain = self.apps.plain_tasks
        if name in self.tasks.known or name in plain or name in self.warned:
            return
        self.warned.add(name)
        cure = did_you_mean(name, [*self.tasks.known, *plain]) or "name it under `tasks:`"
        self.reader.warning("unknown-task", f"no task '{name}' is among the tasks: a worker drops the message", at, cure)

    def _ignores(self, name: str, fields: Fields, app: App) -> bool:
        given = self.tasks.known[name][1] if name in self.tasks.known else Fields()
        return bool(fields.get("ignore_result", given.get("ignore_result", app.settings["task_ignore_result"])))

    def _eta(self, fields: Fields, moment: int) -> int | None:
        if fields.get("countdown"):
            return moment + int(fields["countdown"])
        if "eta" not in fields:
            return None
        eta = ms_of(str(fields["eta"]), self.start)
        if eta is None:
            raise self.reader.error(
                "wrong-time", f"expected a time such as 2026-01-01T00:00:30, found '{fields['eta']}'", fields["eta"],
                "for a time from now on, write `countdown`",
            )  # fmt: skip
        return eta

    def _target(
        self, name: str, options: dict[str, Any], countdown_s: float | None, app: App, fields: Fields, at: Node
    ) -> TaskDestination:
        try:
            return target(routed(name, options, app.routes, app.queues, app.settings), countdown_s, app.queues, app.settings)
        except QueueNotFound as problem:
            raise self.reader.error(
                "celery-raises", f"Celery raises QueueNotFound: app {app.name} has no queue '{problem}'", fields.get("queue", at),
                did_you_mean(str(problem), app.queues.configured) or "allow it with task_create_missing_queues",
            ) from None  # fmt: skip
        except ValueError as problem:
            which = fields.get("eta") or key_of(fields.node, "countdown")
            raise self.reader.error(
                "celery-raises", f"Celery raises ValueError: {problem}: native delayed delivery counts whole seconds", which,
                "wait at least a second, or not at all",
            ) from None  # fmt: skip

    def _call(self, name: str, id: str, producer: Producer, fields: Fields, moment: int, eta: int | None) -> Call:
        given = self.tasks.known[name][1] if name in self.tasks.known else Fields()
        expires = fields.get("expires", given.get("expires"))
        limits = [fields.get(limit, given.get(limit)) for limit in ("time_limit", "soft_time_limit")]
        hard, soft = (None if limit is None else _seconds(limit) for limit in limits)
        return Call(
            name, id, producer.name, producer.oid, tuple(fields.get("args", ())),
            {str(key): value for key, value in fields.get("kwargs", {}).items()}, eta,
            None if expires is None else moment + expires, hard, soft, self._ignores(name, fields, producer.app),
        )  # fmt: skip

    # What is declared before -----------------------------------------------------------------------------------------

    def _declare_target(
        self, producer: Producer, to: TaskDestination, parts: list[ExpandedItem], at: Node, *, may_fail: bool
    ) -> bool:
        """Adds what is declared before the first publish to a queue; whether RabbitMQ refuses it."""
        settings = producer.app.settings
        if settings["task_send_sent_event"]:
            self.apps.topology.add(inboxes.event_exchange(settings), at, f"app {producer.app.name}: events")
        if to.declares is None or to.declares.name in producer.declared:
            return False
        return self._declare(producer, to.declares, parts, at, may_fail=may_fail)

    def _declare(self, producer: Producer, queue: TaskQueue, parts: list[ExpandedItem], at: Node, *, may_fail: bool) -> bool:
        producer.declared.add(queue.name)
        topology = self.apps.topology
        known: Queue | None = self.apps.plain_queues.get(queue.name) or topology.queues.get(queue.name)
        differs = known is not None and known != queue.queue()
        exchange = queue.exchange.name
        known_exchange = self.apps.plain_exchanges.get(exchange) or topology.exchanges.get(exchange)
        differs = differs or (known_exchange is not None and known_exchange != queue.exchange)
        if differs and not may_fail:
            raise self.reader.error(
                "refused", f"app {producer.app.name} declares queue '{queue.name}' in another way than it is declared already: "
                "RabbitMQ answers 406 PRECONDITION_FAILED, and the call raises", at,
                "give both the same settings, or add `fails: 406` to the step to show it",
            )  # fmt: skip
        if known is None or differs:
            wanted = (queue.exchange if queue.exchange.name else None, queue.queue(), queue.binding())
            parts += [part_of(what, at) for what in wanted if what is not None]
        return differs


def steps_of(sent: CallPublishes, producer: Producer, now: int, at: Node, fails: Node | None = None) -> list[Node]:
    """The plain steps: what is declared first, then each publish, later ones by `after`."""
    found: list[Node] = []
    if sent.before is not None:
        found.append(_failing(sent.before, fails) if sent.refused else sent.before)
    for moment, fields in sent.publishes:
        step = {**fields, "channel": producer.name}
        if moment > now:
            step["after"] = written_duration(moment - now)
        is_task = "correlation_id" in fields
        found.append(_failing(made({"publish": step}, at), fails if is_task else None))
    return found


def _failing(step: Node, fails: Node | None) -> Node:
    if fails is None:
        return step
    assert isinstance(step, Mapping)
    failing: Node = made({**step, "fails": fails}, step)
    return failing


def _seconds(ms: int) -> float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000
