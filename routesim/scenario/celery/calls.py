"""Calls of tasks, by steps and by beats, as publishes with what the caller declares before them."""

from collections.abc import Iterator
from itertools import chain, count
from typing import Any

from routesim.celery import inboxes
from routesim.celery.canvas.calling import ChordSize, TaskCall, called
from routesim.celery.canvas.composing import signatures_of
from routesim.celery.canvas.freezing import numbered
from routesim.celery.canvas.signatures import Canvas, Signature, id_of, with_options
from routesim.celery.epoch import EPOCH
from routesim.celery.messages import Publish
from routesim.celery.queues import QueueNotFound, TaskQueue
from routesim.celery.routes import why_routed
from routesim.celery.sending import SentTask, WrongTime, declared_for, send
from routesim.diagnostics import did_you_mean
from routesim.durations import written_duration
from routesim.model import Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.alike_calls import AlikeCalls, AlikePublish, alike_step, are_alike
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.apps import CLIENT, Apps
from routesim.scenario.celery.celery_format import MOST_ALIKE
from routesim.scenario.celery.celery_tasks import TasksSection
from routesim.scenario.celery.nodes import key_of, made
from routesim.scenario.celery.parts import ExpandedItem, declared, part_of
from routesim.scenario.format.kinds import Reader, Unreadable
from routesim.scenario.format.shapes import Fields
from routesim.scenario.sections.canvases import canvas_of, options_of
from routesim.scenario.steps.alike import AlikeStep
from routesim.scenario.yaml.nodes import Mapping, Node, Text

MOST = 10_000  # publishes that one section may become, each kept by itself


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

    `results` is the step that declares the queue of results, which Celery does before every publish. `sizes` are those of the
    chords in it. `refused`: RabbitMQ refuses the declaration.
    """

    before: Node | None
    publishes: list[tuple[int, Publish | AlikePublish]]
    results: Node | None = None
    refused: bool = False
    sizes: tuple[ChordSize, ...] = ()


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
        self.routed: dict[str, str] = {}  # id of a task -> why it goes where it goes
        self.published = 0
        self.alike = 0
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
        canvas = canvas_of(fields)
        self._check(canvas, fields, producer.app, at)
        more = {} if isinstance(canvas, Signature) else options_of(fields)
        publishes: list[tuple[int, Publish | AlikePublish]] = []
        sizes: list[ChordSize] = []
        queues: dict[str, TaskQueue] = {}
        asks = False
        alike = len(ids) > 1 and not may_fail and isinstance(canvas, Signature) and self._are_alike(canvas, producer.app)
        for moment, id in zip(moments[:1] if alike else moments, ids[:1] if alike else ids, strict=True):
            for each in called(self._identified(canvas, id, fields), (), more, producer.oid, _groups_of(id).__next__):
                if isinstance(each, ChordSize):
                    sizes.append(each)
                elif isinstance(each, TaskCall):
                    sent = self._send(producer, each, moment, fields, at)
                    if alike:
                        publishes = self._alike(producer, each, moments, ids, at, event=sent.event is not None)
                    else:
                        publishes += [(moment, what) for what in (sent.publish, sent.event) if what is not None]
                    asks = asks or not sent.ignore_result
                    if sent.declares is not None:
                        queues.setdefault(sent.declares.name, sent.declares)
        parts: list[ExpandedItem] = []
        refused = self._declare_targets(producer, list(queues.values()), parts, at, may_fail=may_fail)
        results = None
        if producer.app.settings.sends_results and asks and not refused:
            part = part_of(inboxes.results(producer.app.settings, producer.oid), at)
            results = declared([part], at)
            parts.append(part)
        before = declared(parts, at) if parts else None
        return CallPublishes(before, [] if refused else publishes, results, refused, tuple(sizes))

    def _check(self, canvas: Canvas, fields: Fields, app: App, at: Node) -> None:
        for signature in signatures_of(canvas):
            self.check_task(signature.task, fields.get("task", at))
        self.tasks.check_chords(canvas, app, at)

    def _identified(self, canvas: Canvas, id: str, fields: Fields) -> Canvas:
        """With an id for each task and each group: of a single task the call's, else after the call, or after the task."""
        if isinstance(canvas, Signature):
            found: Canvas = with_options(canvas, {"task_id": id})
        else:
            own, members = "id" in fields, count(1)
            found = numbered(
                canvas, lambda task: f"{id}-{next(members)}" if own else self.ids_of(task.task, Fields(), 1)[0],
                _groups_of(id).__next__,
            )  # fmt: skip
        self.ids.update(known for each in signatures_of(found) if (known := id_of(each)) is not None)
        return found

    def _send(self, producer: Producer, call: TaskCall, moment: int, fields: Fields, at: Node) -> SentTask:
        app = producer.app
        self.published += 1
        if self.published > MOST:
            raise self._too_many(f"more than {MOST:,} calls that differ", at)
        id, sender = str(call.options["task_id"]), self.tasks.sender(app)
        options = {**sender.tasks.get(call.task, sender.others), **call.options}
        self.routed[id] = why_routed(call.task, options, sender.routes, sender.settings)
        try:
            return send(sender, call, id, by=producer.name, reply_to=producer.oid, now=moment, epoch=self.start)
        except QueueNotFound as problem:
            raise self.reader.error(
                "celery-raises", f"Celery raises QueueNotFound: app {app.name} has no queue '{problem}'", fields.get("queue", at),
                did_you_mean(str(problem), app.queues.configured) or "allow it with task_create_missing_queues",
            ) from None  # fmt: skip
        except WrongTime as problem:
            raise self.reader.error(
                "wrong-time", f"expected a time such as 2026-01-01T00:00:30, found '{problem}'", fields.get("eta", at),
                "for a time from now on, write `countdown`",
            ) from None  # fmt: skip
        except ValueError as problem:
            which = fields.get("eta") or key_of(fields.node, "countdown")
            raise self.reader.error(
                "celery-raises", f"Celery raises ValueError: {problem}: native delayed delivery counts whole seconds", which,
                "wait at least a second, or not at all",
            ) from None  # fmt: skip

    def _too_many(self, problem: str, at: Node) -> Unreadable:
        cure = "lower `count`, or for a beat `until` or what the steps wait; each call is a message of its own"
        return self.reader.error("too-large", problem, at, cure)

    def _are_alike(self, call: Signature, app: App) -> bool:
        sender = self.tasks.sender(app)
        return are_alike({**sender.tasks.get(call.task, sender.others), **call.options})

    def _alike(
        self, producer: Producer, call: TaskCall, moments: list[int], ids: list[str], at: Node, *, event: bool
    ) -> list[tuple[int, Publish | AlikePublish]]:
        """Calls of which the first has been looked at."""
        self.alike += len(ids)
        if self.alike > MOST_ALIKE:
            raise self._too_many(f"more than {MOST_ALIKE:,} calls", at)
        self.ids.update(ids)
        self.routed.update(dict.fromkeys(ids, self.routed[ids[0]]))
        calls = AlikeCalls(self.tasks.sender(producer.app), call, producer.name, producer.oid, self.start)
        kinds = (False, True) if event else (False,)
        return [
            (moment, AlikePublish(calls, id, kind, moment)) for moment, id in zip(moments, ids, strict=True) for kind in kinds
        ]

    def check_task(self, name: str, at: Node) -> None:
        plain = self.apps.plain_tasks
        if name in self.tasks.known or name in plain or name in self.warned:
            return
        self.warned.add(name)
        cure = did_you_mean(name, [*self.tasks.known, *plain]) or "name it under `tasks:`"
        self.reader.warning("unknown-task", f"no task '{name}' is among the tasks: a worker drops the message", at, cure)

    # What is declared before -----------------------------------------------------------------------------------------

    def _declare_targets(
        self, producer: Producer, queues: list[TaskQueue], parts: list[ExpandedItem], at: Node, *, may_fail: bool
    ) -> bool:
        """Adds what is declared before the first publish to a queue; whether RabbitMQ refuses it."""
        settings = producer.app.settings
        if settings["task_send_sent_event"]:
            self.apps.topology.add(inboxes.event_exchange(settings), at, f"app {producer.app.name}: events")
        fresh = [queue for queue in queues if queue.name not in producer.declared]
        refused = [self._declare(producer, queue, parts, at, may_fail=may_fail) for queue in fresh]
        return any(refused)

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
            parts += [part_of(what, at) for what in declared_for(queue)]
        return differs


def steps_of(sent: CallPublishes, producer: Producer, now: int, at: Node, fails: Node | None = None) -> list[Node | AlikeStep]:
    """The plain steps: what is declared first, then each publish, later ones by `after`."""
    found: list[Node | AlikeStep] = []
    if sent.before is not None:
        found.append(failing(sent.before, fails) if sent.refused else sent.before)
    found += [made({"chord": each._asdict()}, at) for each in sent.sizes]
    for moment, fields in sent.publishes:
        if isinstance(fields, AlikePublish):
            found.append(alike_step(fields, producer.name, moment - now, at))
            continue
        step = {**fields, "channel": producer.name}
        if moment > now:
            step["after"] = written_duration(moment - now)
        is_task = "correlation_id" in fields
        found.append(failing(made({"publish": step}, at), fails if is_task else None))
    return found


def failing(step: Node, fails: Node | None) -> Node:
    if fails is None:
        return step
    assert isinstance(step, Mapping)
    failing: Node = made({**step, "fails": fails}, step)
    return failing


def _groups_of(id: str) -> Iterator[str]:
    """The ids of the groups of one call."""
    return chain((id,), (f"{id}-group-{number}" for number in count(2)))
