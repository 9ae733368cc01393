"""The steps of a scenario with Celery: `call`, `control` and `flower` as plain steps, and what beats publish."""

import heapq
from datetime import datetime, timedelta
from typing import Any

from routesim.celery import inboxes
from routesim.celery.epoch import EPOCH, moment_of
from routesim.celery.messages import Command, command
from routesim.celery.queues import QueueNotFound, TaskQueue
from routesim.celery.schedules import BadCrontab, crontab, crontab_of, ticks
from routesim.diagnostics import did_you_mean
from routesim.durations import duration_text, parse_duration, written_duration
from routesim.scenario.celery.apps import App, Apps, declared, flower_parts, part_of
from routesim.scenario.celery.calls import CallPublishes, Calls, Producer, steps_of
from routesim.scenario.celery.celery_format import CONTROL
from routesim.scenario.celery.celery_tasks import TasksSection
from routesim.scenario.celery.nodes import ExpandedItem, key_of, made
from routesim.scenario.format import whole
from routesim.scenario.format.kinds import Fields, Integer, Reader, Unreadable
from routesim.scenario.yaml.source import Mapping, Node, Sequence, Text

FAILS = Integer(300, 600)
FLOWER_MS = 5_000
Commented = tuple[str, Node]  # a step, and what its written form says of it


class CelerySteps:
    """Goes through the steps with the time at each, which is the sum of the waits before it. `lasts`: how long (ms) the
    scenario lasts."""

    def __init__(self, apps: Apps, tasks: TasksSection, calls: Calls, flower: App | None, lasts: int) -> None:
        self.apps = apps
        self.tasks = tasks
        self.calls = calls
        self.flower = flower
        self.flower_runs = flower is not None
        self.reader: Reader = apps.reader
        self.lasts = lasts
        self.now = 0
        self.scheduled = 0
        self.due: list[tuple[int, int, list[Commented]]] = []  # steps to be taken at these instants, as a heap
        self.commands = 0
        self.numbers: dict[str, int] = {}  # of commands, by method
        self.steps: list[Commented] = []
        self.parts: list[ExpandedItem] = []

    def read(self, nodes: Any, until: Any) -> None:
        """`until`: what is due after the last step is waited for, unless the steps are to be the end."""
        for node in nodes if isinstance(nodes, Sequence) else ():
            verb = next((key for key in node if key in whole.CELERY_STEPS), None) if isinstance(node, Mapping) else None
            try:
                if verb is None:
                    self._plain(node)
                else:
                    self._celery(node, verb)
            except Unreadable:
                self.reader.unread_steps += 1
        if self.due and until != "steps":
            self._wait(max(moment for moment, _, _ in self.due), self.apps.fields.node)

    def _plain(self, node: Node) -> None:
        """Passed on; within a wait, what is due meanwhile."""
        waited = node.get("wait") if isinstance(node, Mapping) else None
        ms = parse_duration(waited) if isinstance(waited, Text) else None
        # A wait that holds anything else stays whole: it is wrong, or says how it fails.
        if not ms or len(node) > 1 or not self.due or self.due[0][0] > self.now + ms:
            self.now += ms or 0
            self.steps.append(("", node))
        else:
            self._wait(self.now + ms, node)

    def _wait(self, end: int, at: Node) -> None:
        """Waits up to the instant `end`, in parts where something is due before."""
        while self.due and self.due[0][0] <= end:
            moment, _, found = heapq.heappop(self.due)
            self._wait_for(moment, at)
            self.steps += found
        self._wait_for(end, at)

    def _wait_for(self, moment: int, at: Node) -> None:
        if moment > self.now:
            self.steps.append(("", made({"wait": written_duration(moment - self.now)}, at)))
            self.now = moment

    def _send(self, producer: Producer, sent: CallPublishes, said: str, at: Node, fails: Node | None = None) -> None:
        """Publishes; where the queue of results might expire meanwhile, each with its declaration, as Celery does it."""
        publishes = sent.publishes
        last = publishes[-1][0] if publishes else self.now
        results = producer.app.settings["result_expires"] if sent.results is not None else None
        if results is not None and max(self.lasts, last) >= results and last > self.now:
            later = [item for item in publishes if item[0] > self.now]
            publishes = [item for item in publishes if item[0] <= self.now]
            for moment, fields in later:
                found = [("", sent.results), ("", made({"publish": {**fields, "channel": producer.name}}, at))]
                self.scheduled += 1
                heapq.heappush(self.due, (moment, self.scheduled, found))
        for step in steps_of(sent._replace(publishes=publishes), producer, self.now, at, fails):
            self.steps.append((said, step))
            said = ""

    def _celery(self, node: Mapping, verb: Text) -> None:
        fails = node.get("fails")
        others = [key for key in node if key not in (verb, "fails")]
        if others:
            problem = f"one step is one verb, found {verb} and {others[0]}"
            raise self.reader.error("wrong-type", problem, others[0], "begin the second one with its own '- '")
        if fails is not None:
            FAILS.read(self.reader, fails)
        fields = whole.STEPS[verb].read(self.reader, node[verb])
        if verb == "call":
            self._call(fields, verb, fails)
        elif verb == "control":
            self._control(fields, verb)
        else:
            self._flower(str(fields), verb)

    # call ------------------------------------------------------------------------------------------------------------

    def _call(self, fields: Fields, at: Text, fails: Node | None) -> None:
        if "task" not in fields:
            raise Unreadable
        self._check_call(fields)
        producer = self.calls.producer(fields, at)
        count, every = fields.get("count", 1), fields.get("every", 0)
        commit = fields.get("commit", 0)
        first = self.now + fields.get("after", 0) + (commit if fields.get("on_commit") else 0)
        moments = [first + index * every for index in range(count)]
        ids = self.calls.ids_of(str(fields["task"]), fields, count)
        sent = self.calls.sent(producer, fields, moments, ids, at, may_fail=fails is not None)
        if commit and not fields.get("on_commit"):
            self._commits_late(fields, ids, moments, commit)
        said = f"{producer.name} calls {fields['task']}"
        self._send(producer, sent, said, at, fails)
        if fields.get("get"):
            self._get(producer, fields, at)

    def _check_call(self, fields: Fields) -> None:
        if "countdown" in fields and "eta" in fields:
            raise self.reader.error("wrong-value", "give countdown or eta, not both", key_of(fields.node, "eta"))
        if "on_commit" in fields and "commit" not in fields:
            self.reader.error("missing-key", "on_commit needs `commit`: when that is", key_of(fields.node, "on_commit"))

    def _commits_late(self, fields: Fields, ids: list[str], moments: list[int], commit: int) -> None:
        name = str(fields["task"])
        if name not in self.tasks.known:
            raise self.reader.error("unknown-task", f"commit needs the task {name} under `tasks:`", key_of(fields.node, "commit"))
        for id, sent in zip(ids, moments, strict=True):
            rule = {"id": id, "before": written_duration(sent + commit), "ends": "exception"}
            self.tasks.rules.setdefault(name, []).append(made(rule, key_of(fields.node, "commit")))

    def _get(self, producer: Producer, fields: Fields, at: Text) -> None:
        if not producer.app.settings.sends_results:
            raise self.reader.error(
                "no-results", f"results of app {producer.app.name} are no messages", key_of(fields.node, "get"),
                "set result_backend: rpc://",
            )  # fmt: skip
        if producer.reads_results:
            return
        producer.reads_results = True
        name = f"{producer.name} (results)"
        key = made(name, at)
        assert isinstance(key, Text)
        consumer = {"queue": producer.oid, "auto_ack": True, "start": False}
        self.parts.append(
            ExpandedItem("consumers", key, made(consumer, at), f"{producer.name} reads its results from its first get on")
        )
        self.steps.append((f"{producer.name} waits for the result", made({"consume": name}, at)))

    # control ---------------------------------------------------------------------------------------------------------

    def _control(self, fields: Fields, at: Text) -> None:
        if "do" not in fields:
            raise Unreadable
        producer = self.calls.producer(fields, at)
        to = tuple(str(name) for name in fields.get("to", ()))
        for name in fields.get("to", ()):
            if name not in self.apps.workers:
                self.reader.error(
                    "unknown-worker", f"no worker '{name}' is among the workers", name, did_you_mean(name, self.apps.workers)
                )
        method = str(fields["do"])
        what = Command(method, self._arguments(method, fields, at, producer), to, producer.oid if method == "ping" else None)
        if method == "ping":
            self._ping(what, producer, fields.get("timeout", 1000), at)
        else:
            self.steps.append((f"{producer.name} tells the workers", self._broadcast(what, producer.name, producer.app, at)))

    def _broadcast(self, what: Command, channel: str, app: App, at: Node) -> Mapping:
        self.commands += 1
        self.numbers[what.method] = self.numbers.get(what.method, 0) + 1
        exchange = inboxes.control_exchange(app.settings)
        self.apps.topology.add(exchange, at, f"app {app.name}: commands to all workers, and their answers")
        fields = command(what, f"{what.method}-{self.numbers[what.method]}", exchange.name, clock=self.commands, sent_ms=self.now)
        step: Mapping = made({"publish": {**fields, "channel": channel}}, at)
        return step

    def _arguments(self, method: str, fields: Fields, at: Text, producer: Producer) -> dict[str, Any]:
        needed = {"revoke": ("id",), "rate_limit": ("task", "rate"), "add_consumer": ("queue",), "cancel_consumer": ("queue",)}
        for name in needed.get(method, ()):
            if name not in fields:
                raise self.reader.error("missing-key", f"{method} needs '{name}'", at, CONTROL.fields[name].doc)
        if method == "revoke":
            self._check_id(fields["id"])
            return {"task_id": str(fields["id"]), "terminate": fields.get("terminate", False), "signal": "SIGTERM"}
        if method == "rate_limit":
            return {"task_name": str(fields["task"]), "rate_limit": str(fields["rate"])}
        if method == "cancel_consumer":
            return {"queue": str(fields["queue"])}
        if method == "add_consumer":
            queue = self._queue(producer.app, fields["queue"])
            self._declare(queue, at)
            return {
                "queue": queue.name, "exchange": queue.exchange.name, "exchange_type": queue.exchange.type,
                "routing_key": queue.routing_key,
            }  # fmt: skip
        return {}

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
        parts = [part_of(what, at) for what in wanted if what is not None]
        self.steps.append((f"the workers declare {queue.name}", declared(parts, at)))

    def _check_id(self, id: Text) -> None:
        if str(id) not in self.calls.ids:
            cure = did_you_mean(id, self.calls.ids)
            if cure:
                self.reader.warning("unknown-message", f"no task has the id '{id}' by now", id, cure)

    def _ping(self, what: Command, producer: Producer, timeout: int, at: Text) -> None:
        """A queue for the answers, which goes when its only consumer leaves, and the whole time of waiting for them."""
        settings, name = producer.app.settings, f"{producer.name} (replies)"
        self.apps.topology.add(
            inboxes.reply_exchange(settings), at, f"app {producer.app.name}: commands to all workers, and their answers"
        )
        queue, binding = inboxes.replies(settings, producer.oid)
        parts = [part_of(queue, at, "", producer.name), part_of(binding, at)]
        key = made(name, at)
        assert isinstance(key, Text)
        if not any(part.section == "consumers" and part.name == name for part in self.parts):
            channel = {"connection": producer.name}
            said = f"{producer.name} reads the answers to its commands"
            self.parts.append(ExpandedItem("channels", key, made(channel, at), said))
            consumer = {"queue": queue.name, "auto_ack": True, "start": False, "channel": name}
            self.parts.append(ExpandedItem("consumers", key, made(consumer, at), said))
        self.steps += [
            (f"{producer.name} asks the workers, and waits for answers", declared(parts, at)),
            ("", made({"consume": name}, at)),
            ("", self._broadcast(what, producer.name, producer.app, at)),
            ("", made({"wait": written_duration(timeout)}, at)),
            ("", made({"cancel": name}, at)),
        ]
        self.now += timeout

    # flower ----------------------------------------------------------------------------------------------------------

    def flower_begins(self) -> None:
        """It tells all workers to send events, every five seconds where that can make a difference."""
        if self.flower is not None:
            at = key_of(self.apps.fields.node, "flower")
            step = self._broadcast(Command("enable_events", {}), "flower", self.flower, at)
            times = self.lasts // FLOWER_MS + 1
            if times > 1 and self._some_worker_needs_telling():
                repeated = {"count": times, "every": written_duration(FLOWER_MS)}
                step = made({"publish": {**step["publish"], **repeated}}, at)
            self.steps.append(("Flower wants events", step))

    def _some_worker_needs_telling(self) -> bool:
        """One that begins later without events of its own, to which only the next repetition makes a difference."""
        return any(not worker.sends_events and worker.begins_later for worker in self.apps.workers.values())

    def _flower(self, what: str, at: Text) -> None:
        if self.flower is None:
            raise self.reader.error("no-celery", "there is no Flower", at, "add `flower:` to the celery section")
        if self.flower_runs == (what == "start"):
            there = "there already: it starts with the scenario" if what == "start" else "not there: it has been stopped before"
            raise self.reader.error("wrong-value", f"Flower is {there}", at, "take this step out")
        self.flower_runs = what == "start"
        if what == "stop":
            self.steps.append(("Flower stops: its queue goes with its connection", made({"crash": "flower"}, at)))
            return
        self.steps.append(("Flower starts with a new queue", declared(flower_parts(self.flower, at), at)))
        self.steps.append(("", made({"consume": "flower"}, at)))
        self.steps.append(("", self._broadcast(Command("enable_events", {}), "flower", self.flower, at)))

    # beats -----------------------------------------------------------------------------------------------------------

    def beats(self, starts: datetime) -> None:
        """What is due as long as the scenario lasts, scheduled before the first step."""
        horizon = self.lasts
        section = self.apps.fields.node.get("beats")
        for name, given in self.apps.fields.get("beats", {}).items():
            at = key_of(section, name)
            app = self.apps.app_of(given, at)
            if app is None:
                continue
            if horizon <= 0:
                self.reader.error(
                    "endless-beat", "a beat never ends: how long does this scenario last?", at,
                    "say `until: 60s`, or wait in the steps",
                )  # fmt: skip
                continue
            beat = self.calls.beat(str(name), app, at)
            for entry, fields in given.get("schedule", {}).items():
                try:
                    self._entry(beat, str(entry), fields, horizon, starts)
                except Unreadable:
                    continue

    def _entry(self, beat: Producer, entry: str, fields: Fields, horizon: int, starts: datetime) -> None:
        at = fields.node
        if "task" not in fields:
            raise Unreadable
        if ("every" in at) == ("crontab" in at):
            raise self.reader.error("missing-key", f"when? '{entry}' needs either every or crontab", at)
        moments = self._due(fields, horizon, starts)
        if not moments:
            self.reader.warning(
                "never-due", f"'{entry}' is not due before this scenario ends, {duration_text(horizon)} after it begins", at,
                "say a later `until`, or another time with `starts`",
            )  # fmt: skip
            return
        ids = [f"{beat.name}-{entry}-{number}" for number in range(1, len(moments) + 1)]
        sent = self.calls.sent(beat, fields, moments, ids, at)
        said = f"{beat.name}: {entry}, {len(moments)} time{'s' if len(moments) > 1 else ''} until the end"
        self._send(beat, sent, said, at)

    def _due(self, fields: Fields, horizon: int, starts: datetime) -> list[int]:
        if "every" in fields:
            every = fields["every"]
            if every == 0:
                raise self.reader.error("endless-beat", "an interval takes time", key_of(fields.node, "every"))
            return list(range(every, horizon + 1, every))
        if "crontab" not in fields:
            raise Unreadable
        given = fields["crontab"]
        try:
            schedule = crontab(str(given)) if isinstance(given, Text) else crontab_of({str(k): str(v) for k, v in given.items()})
        except BadCrontab as problem:
            raise self.reader.error("wrong-crontab", str(problem), fields.node["crontab"]) from None
        end = starts + timedelta(milliseconds=horizon)
        return [(when - starts) // timedelta(milliseconds=1) for when in ticks(schedule, starts, end)]


def horizon_of(root: Mapping) -> int:
    """How long a scenario lasts (ms): `until`, else the sum of its waits."""
    until = root.get("until")
    lasts = parse_duration(until) if isinstance(until, Text) else None
    if lasts is not None:
        return lasts
    steps = root.get("steps")
    total = 0
    for step in steps if isinstance(steps, Sequence) else ():
        waited = step.get("wait") if isinstance(step, Mapping) else None
        total += (parse_duration(waited) or 0) if isinstance(waited, Text) else 0
    return total


def starts_of(reader: Reader, fields: Fields) -> datetime:
    given = fields.get("starts")
    if given is None:
        return EPOCH
    moment = moment_of(str(given))
    if moment is None:
        reader.error("wrong-time", f"expected a time such as 2026-01-01 00:00:00, found '{given}'", given)
    return moment or EPOCH
