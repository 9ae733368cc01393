"""The steps `call`, `control` and `flower`, each as the plain steps that it stands for."""

from collections.abc import Callable
from typing import Any

from routesim.celery import inboxes
from routesim.celery.messages import Command, command
from routesim.celery.queues import QueueNotFound, TaskQueue
from routesim.diagnostics import did_you_mean
from routesim.durations import written_duration
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.apps import Apps, flower_parts
from routesim.scenario.celery.calls import Calls, Producer, failing
from routesim.scenario.celery.celery_format import COMMANDS, CONTROL, STEP_KINDS
from routesim.scenario.celery.celery_tasks import TasksSection
from routesim.scenario.celery.nodes import key_of, made
from routesim.scenario.celery.parts import ExpandedItem, declared, part_of
from routesim.scenario.celery.timeline import PING_MS, Timeline
from routesim.scenario.format.kinds import Kind, Unreadable
from routesim.scenario.sections.names import Names
from routesim.scenario.steps.checks import Check, WrittenStep
from routesim.scenario.steps.verbs import FAILS
from routesim.scenario.steps.written import step_text
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

FLOWER_MS = 5_000


class CelerySteps:
    """Expands the steps in their order into `timeline`; `parts` are what they bring to the other sections."""

    def __init__(self, apps: Apps, tasks: TasksSection, calls: Calls, flower: App | None, timeline: Timeline) -> None:
        self.apps = apps
        self.tasks = tasks
        self.calls = calls
        self.flower = flower
        self.flower_runs = flower is not None
        self.reader = apps.reader
        self.names = Names(apps.reader)
        self.timeline = timeline
        self.commands = 0
        self.numbers: dict[str, int] = {}  # of commands, by method
        self.parts: list[ExpandedItem] = []
        self.something_follows = False  # after a task that is called: workers send that

    def read(self, nodes: Any, until: Any) -> None:
        """`until`: what is due after the last step is waited for, unless the steps are to be the end."""
        for node in nodes if isinstance(nodes, Sequence) else ():
            verb = next((key for key in node if key in VERBS), None) if isinstance(node, Mapping) else None
            try:
                if verb is None:
                    self.timeline.plain(node)
                else:
                    self.timeline.text = step_text(verb, node[verb])
                    VERBS[verb].expand(self, self._read(node, verb))
            except Unreadable:
                self.reader.unread_steps += 1
        if until != "steps":
            self.timeline.wait_for_all(self.apps.fields.node)

    def _read(self, node: Mapping, verb: Text) -> WrittenStep:
        others = [key for key in node if key not in (verb, "fails")]
        if others:
            problem = f"one step is one verb, found {verb} and {others[0]}"
            raise self.reader.error("wrong-type", problem, others[0], "begin the second one with its own '- '")
        fails = FAILS.read(self.reader, node["fails"]) if "fails" in node else None
        return WrittenStep(str(verb), VERBS[verb].kind.read(self.reader, node[verb]), node, verb, fails)

    def _check(self, step: WrittenStep) -> None:
        for check in VERBS[step.verb].checks:
            check.look(self.names, step)

    # call ------------------------------------------------------------------------------------------------------------

    def call(self, step: WrittenStep) -> None:
        fields, at = step.fields, step.at
        self._check(step)
        what = str(fields["task"]) if "task" in fields else next(kind for kind in CANVASES if kind in fields)
        producer = self.calls.producer(fields, at)
        count, every = fields.get("count", 1), fields.get("every", 0)
        commit = fields.get("commit", 0)
        first = self.timeline.now + fields.get("after", 0) + (commit if fields.get("on_commit") else 0)
        moments = [first + index * every for index in range(count)]
        ids = self.calls.ids_of(what, fields, count)
        sent = self.calls.sent(producer, fields, moments, ids, at, may_fail=step.may_name_anything)
        self.something_follows = self.something_follows or any(what in fields for what in FOLLOWED)
        if commit and not fields.get("on_commit"):
            self._commits_late(step, ids, moments, commit)
        self.timeline.send(
            producer, sent, f"{producer.name} calls {what if 'task' in fields else f'a {what}'}", at, step.node.get("fails")
        )
        if fields.get("get"):
            self._get(producer, step)

    def _commits_late(self, step: WrittenStep, ids: list[str], moments: list[int], commit: int) -> None:
        name, at = str(step.fields.get("task", "")), key_of(step.fields.node, "commit")
        if name not in self.tasks.known:
            raise self.reader.error("unknown-task", f"commit needs the task {name} under `tasks:`", at)
        for id, sent in zip(ids, moments, strict=True):
            rule = {"id": id, "before": written_duration(sent + commit), "ends": "exception"}
            self.tasks.rules.setdefault(name, []).append(made(rule, at))

    def _get(self, producer: Producer, step: WrittenStep) -> None:
        if not producer.app.settings.sends_results:
            raise self.reader.error(
                "no-results", f"results of app {producer.app.name} are no messages", key_of(step.fields.node, "get"),
                "set result_backend: rpc://",
            )  # fmt: skip
        if producer.reads_results:
            return
        producer.reads_results = True
        name = f"{producer.name} (results)"
        consumer = {"queue": producer.oid, "auto_ack": True, "start": False}
        self._add_part("consumers", name, consumer, step.at, f"{producer.name} reads its results from its first get on")
        self.timeline.add(f"{producer.name} waits for the result", made({"consume": name}, step.at))

    def _add_part(self, section: str, name: str, value: dict[str, Any], at: Node, comment: str) -> None:
        key = made(name, at)
        assert isinstance(key, Text)
        self.parts.append(ExpandedItem(section, key, made(value, at), comment))

    # control ---------------------------------------------------------------------------------------------------------

    def control(self, step: WrittenStep) -> None:
        fields, at = step.fields, step.at
        if "do" not in fields:
            raise Unreadable
        producer = self.calls.producer(fields, at)
        workers = tuple(str(name) for name in fields.get("to", ()))
        for name in fields.get("to", ()):
            if name not in self.apps.workers:
                cure = did_you_mean(name, self.apps.workers)
                self.reader.error("unknown-worker", f"no worker '{name}' is among the workers", name, cure)
        self._check(step)
        method = str(fields["do"])
        arguments = ARGUMENTS[method](self, step, producer) if method in ARGUMENTS else {}
        sent = Command(method, arguments, workers, producer.oid if method == "ping" else None)
        fails = step.node.get("fails")
        if method == "ping":
            self._ping(sent, producer, fields.get("timeout", PING_MS), at, fails)
        else:
            told = failing(self._broadcast(sent, producer.name, producer.app, at), fails)
            self.timeline.add(f"{producer.name} tells the workers", told)

    def _broadcast(self, sent: Command, channel: str, app: App, at: Node) -> Mapping:
        self.commands += 1
        self.numbers[sent.method] = self.numbers.get(sent.method, 0) + 1
        exchange = inboxes.control_exchange(app.settings)
        self.apps.topology.add(exchange, at, f"app {app.name}: commands to all workers, and their answers")
        id, now = f"{sent.method}-{self.numbers[sent.method]}", self.timeline.now
        fields = command(sent, id, exchange.name, clock=self.commands, sent_ms=now)
        step: Mapping = made({"publish": {**fields, "channel": channel}}, at)
        return step

    def revoke(self, step: WrittenStep, _: Producer) -> dict[str, Any]:
        id, known = step.fields["id"], self.calls.ids
        cure = did_you_mean(id, known) if str(id) not in known else ""
        if cure:
            self.reader.warning("unknown-message", f"no task has the id '{id}' by now", id, cure)
        return {"task_id": str(id), "terminate": step.fields.get("terminate", False), "signal": "SIGTERM"}

    def rate_limit(self, step: WrittenStep, _: Producer) -> dict[str, Any]:
        return {"task_name": str(step.fields["task"]), "rate_limit": str(step.fields["rate"])}

    def cancel_consumer(self, step: WrittenStep, _: Producer) -> dict[str, Any]:
        return {"queue": str(step.fields["queue"])}

    def pool_size(self, step: WrittenStep, _: Producer) -> dict[str, Any]:
        return {"n": step.fields.get("n", 1)}

    def autoscale(self, step: WrittenStep, _: Producer) -> dict[str, Any]:
        return {name: step.fields.get(name) for name in ("max", "min")}

    def add_consumer(self, step: WrittenStep, producer: Producer) -> dict[str, Any]:
        queue = self._queue(producer.app, step.fields["queue"])
        self._declare(queue, step.at)
        return {
            "queue": queue.name, "exchange": queue.exchange.name, "exchange_type": queue.exchange.type,
            "routing_key": queue.routing_key,
        }  # fmt: skip

    def _queue(self, app: App, name: Text) -> TaskQueue:
        try:
            return app.queues[str(name)]
        except QueueNotFound:
            raise self.reader.error(
                "celery-raises", f"app {app.name} has no queue '{name}', and task_create_missing_queues is off", name,
                did_you_mean(name, app.queues.configured),
            ) from None  # fmt: skip

    def _declare(self, queue: TaskQueue, at: Text) -> None:
        """A worker that is told to consume a queue declares it."""
        if queue.name in self.apps.topology.queues:
            return
        wanted = (queue.exchange if queue.exchange.name else None, queue.queue(), queue.binding())
        parts = [part_of(item, at) for item in wanted if item is not None]
        self.timeline.add(f"the workers declare {queue.name}", declared(parts, at))

    def _ping(self, sent: Command, producer: Producer, timeout: int, at: Text, fails: Node | None) -> None:
        """A queue for the answers, which goes when its only consumer leaves, and the whole time of waiting for them. Where that
        is to fail, nothing follows: Celery raises."""
        settings, name = producer.app.settings, f"{producer.name} (replies)"
        self.apps.topology.add(
            inboxes.reply_exchange(settings), at, f"app {producer.app.name}: commands to all workers, and their answers"
        )
        queue, binding = inboxes.replies(settings, producer.oid)
        parts = [part_of(queue, at, "", producer.name), part_of(binding, at)]
        if not any(part.section == "consumers" and part.name == name for part in self.parts):
            said = f"{producer.name} reads the answers to its commands"
            self._add_part("channels", name, {"connection": producer.name}, at, said)
            consumer = {"queue": queue.name, "auto_ack": True, "start": False, "channel": name}
            self._add_part("consumers", name, consumer, at, said)
        self.timeline.add(f"{producer.name} asks the workers, and waits for answers", failing(declared(parts, at), fails))
        if fails is not None:
            return
        self.timeline.add("", made({"consume": name}, at))
        self.timeline.add("", self._broadcast(sent, producer.name, producer.app, at))
        self.timeline.add("", made({"wait": written_duration(timeout)}, at))
        self.timeline.add("", made({"cancel": name}, at))
        self.timeline.now += timeout

    # flower ----------------------------------------------------------------------------------------------------------

    def flower_begins(self) -> None:
        """It tells all workers to send events, every five seconds where that can make a difference."""
        if self.flower is not None:
            at = key_of(self.apps.fields.node, "flower")
            step = self._broadcast(Command("enable_events", {}), "flower", self.flower, at)
            times = self.timeline.lasts // FLOWER_MS + 1
            if times > 1 and self._some_worker_needs_telling():
                repeated = {"count": times, "every": written_duration(FLOWER_MS)}
                step = made({"publish": {**step["publish"], **repeated}}, at)
            self.timeline.text = said = "Flower wants events"
            self.timeline.add(said, step)

    def _some_worker_needs_telling(self) -> bool:
        """One that begins later without events of its own, to which only the next repetition makes a difference."""
        return any(not worker.sends_events and worker.begins_later for worker in self.apps.workers.values())

    def flower_step(self, step: WrittenStep) -> None:
        starts, at = step.fields == "start", step.at
        if self.flower is None:
            raise self.reader.error("no-celery", "there is no Flower", at, "add `flower:` to the celery section")
        if self.flower_runs == starts:
            there = "there already: it starts with the scenario" if starts else "not there: it has been stopped before"
            raise self.reader.error("wrong-value", f"Flower is {there}", at, "take this step out")
        self.flower_runs = starts
        if not starts:
            self.timeline.add("Flower stops: its queue goes with its connection", made({"crash": "flower"}, at))
            return
        self.timeline.add("Flower starts with a new queue", declared(flower_parts(self.flower, at), at))
        self.timeline.add("", made({"consume": "flower"}, at))
        self.timeline.add("", self._broadcast(Command("enable_events", {}), "flower", self.flower, at))

    # beat ------------------------------------------------------------------------------------------------------------

    def beat_step(self, step: WrittenStep) -> None:
        """What a beat sends, and when it is there, has been settled before the first step."""
        fields = step.fields
        if "name" in fields and not self.apps.fields.get("beats"):
            raise self.reader.error("no-celery", "there is no beat", step.at, "add `beats:` to the celery section")


# What no field shows by itself ---------------------------------------------------------------------------------------


def _one_called(names: Names, step: WrittenStep) -> None:
    given = [key for key in ("task", *CANVASES) if key in step.fields.node]
    if len(given) != 1:
        said = (
            f"call takes one of them, found {' and '.join(given)}" if given else "call needs 'task', or a chain, group or chord"
        )
        raise names.reader.error("wrong-value" if given else "missing-key", said, step.at)
    if given[0] not in step.fields:
        raise Unreadable
    if given[0] == "group":
        for key in ("link", "link_error"):
            if key in step.fields.node:
                said = f"Celery raises TypeError: a group takes no {key}"
                raise names.reader.error("celery-raises", said, key_of(step.fields.node, key), "link its tasks, or write a chord")


def _countdown_or_eta(names: Names, step: WrittenStep) -> None:
    if "countdown" in step.fields and "eta" in step.fields:
        raise names.reader.error("wrong-value", "give countdown or eta, not both", key_of(step.fields.node, "eta"))


def _on_commit(names: Names, step: WrittenStep) -> None:
    if "on_commit" in step.fields and "commit" not in step.fields:
        at = key_of(step.fields.node, "on_commit")
        names.reader.error("missing-key", "on_commit needs `commit`: when that is", at)


def _needed(names: Names, step: WrittenStep) -> None:
    do = str(step.fields["do"])
    for name in COMMANDS[do]:
        if name not in step.fields:
            raise names.reader.error("missing-key", f"{do} needs '{name}'", step.at, CONTROL.fields[name].doc)


CANVASES = ("chain", "group", "chord")
FOLLOWED = ("chain", "group", "chord", "link", "link_error")
ONE_CALLED = Check(_one_called, {
    "oneOf": [{"required": [key]} for key in ("task", *CANVASES)],
    "if": {"required": ["group"]}, "then": {"properties": {"link": False, "link_error": False}},
})  # fmt: skip
COUNTDOWN_OR_ETA = Check(_countdown_or_eta, {"not": {"required": ["countdown", "eta"]}})
ON_COMMIT = Check(_on_commit, {"dependentRequired": {"on_commit": ["commit"]}})
NEEDED = Check(_needed, {
    "allOf": [
        {"if": {"properties": {"do": {"const": do}}, "required": ["do"]}, "then": {"required": list(COMMANDS[do])}}
        for field in CONTROL.fields for do in sorted(COMMANDS) if COMMANDS[do][:1] == (field,)
    ]
})  # fmt: skip


class CeleryVerb(NamedTuple):
    """Like `steps.verbs.Verb`; `expand` makes the checks itself, once it knows who sends."""

    kind: Kind
    help: str
    expand: Callable[[CelerySteps, WrittenStep], None]
    checks: tuple[Check, ...] = ()


VERBS: dict[str, CeleryVerb] = {
    "call": CeleryVerb(
        STEP_KINDS["call"], "a producer calls a task", CelerySteps.call, (ONE_CALLED, COUNTDOWN_OR_ETA, ON_COMMIT)
    ),
    "control": CeleryVerb(STEP_KINDS["control"], "a command is sent to the workers", CelerySteps.control, (NEEDED,)),
    "flower": CeleryVerb(STEP_KINDS["flower"], "Flower stops, or starts again", CelerySteps.flower_step),
    "beat": CeleryVerb(STEP_KINDS["beat"], "a beat stops, or starts", CelerySteps.beat_step),
}
# What a command carries, where it carries something.
ARGUMENTS: dict[str, Callable[[CelerySteps, WrittenStep, Producer], dict[str, Any]]] = {
    "revoke": CelerySteps.revoke,
    "rate_limit": CelerySteps.rate_limit,
    "cancel_consumer": CelerySteps.cancel_consumer,
    "add_consumer": CelerySteps.add_consumer,
    "pool_grow": CelerySteps.pool_size,
    "pool_shrink": CelerySteps.pool_size,
    "autoscale": CelerySteps.autoscale,
}
