"""The sections `tasks` and `workers`: from the fields that were read to the values of the model."""

import contextlib
from collections.abc import Iterator
from typing import Any

from routesim.celery.canvas.calling import TaskCall
from routesim.celery.canvas.composing import signatures_of
from routesim.celery.pools import PREFORK
from routesim.celery.queues import QueueNotFound
from routesim.celery.sending import send, sender_of
from routesim.diagnostics import did_you_mean
from routesim.model import (
    Autoscale,
    ChannelPlan,
    Consumer,
    Mingle,
    Run,
    Task,
    TaskWorker,
    control_channel,
    events_channel,
    gossip_channel,
    mingle_channel,
    pool_channel,
    task_consumer,
)
from routesim.scenario.format.kinds import Reader
from routesim.scenario.sections import values_of
from routesim.scenario.sections.canvases import members_of, options_of
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.names import Names, Owner
from routesim.steps import Step

Fields = dict[str, Any]
OWN = ("queues", "declares", "mingle", "autoscale")  # that are more than a value of the model's


class WorkerSection:
    """What the two sections declare. `read` first notes names; `workers` is called when all names are known."""

    def __init__(self, reader: Reader, names: Names, declarations: Declarations, fields: Fields) -> None:
        self.reader = reader
        self.names = names
        self.declarations = declarations
        self.fields: dict[str, Fields] = fields.get("workers", {})
        self.tasks = {str(name): _task(str(name), options) for name, options in fields.get("tasks", {}).items()}
        for options in fields.get("tasks", {}).values():
            self._gather_replies(options)
        for name, options in self.fields.items():
            self._gather(name, options)

    def _gather_replies(self, options: Fields) -> None:
        for rule in (options, *options.get("runs", ())):
            for reply in rule.get("publish", ()):
                if "id" in reply:
                    self.names.ids.open_prefixes.add(f"{reply['id']}-")

    def _gather(self, name: Any, options: Fields) -> None:
        """The worker's channels, its consumers, and the queues that belong to its connection."""
        names, worker = self.names, str(name)
        if worker in names.consumer_channels:
            self.reader.error("duplicate-consumer", f"a consumer and a worker are both named '{name}'", name, "rename one")
        names.workers[worker] = str(options.get("pool", PREFORK)), options.get("remap_sigterm", False)
        names.channels[worker] = ChannelPlan(worker, worker)
        for channel in (control_channel(worker), *([gossip_channel(worker)] if "gossip" in options else [])):
            names.channels[channel] = ChannelPlan(channel, worker)
        for channel in (events_channel(worker), pool_channel(worker)):
            names.channels[channel] = ChannelPlan(channel, channel, confirms=False)
        mingle = options.get("mingle", {})
        if mingle:
            names.channels[mingle_channel(worker)] = ChannelPlan(mingle_channel(worker), worker)
        for declares in (options.get("declares", {}), mingle.get("declares", {})):
            self._gather_declared(worker, declares)
        for queue in self._queues(options):
            consumer = task_consumer(worker, str(queue))
            listens = {id(options.get("control")): control_channel(worker), id(options.get("gossip")): gossip_channel(worker)}
            channel = listens.get(id(queue), worker)
            auto_ack = channel != worker or str(queue) in map(str, options.get("no_ack", ()))
            arguments = options.get("consumer_arguments", {}).get(queue, {}) if channel == worker else {}
            self.declarations.consumers[consumer] = Consumer(
                consumer, str(queue), channel, None, auto_ack, arguments=arguments, start=False
            )
            names.consumer_channels[consumer] = channel
            self.declarations.consumed.setdefault(str(queue), consumer)

    def _gather_declared(self, worker: str, declares: Fields) -> None:
        names = self.names
        names.exchanges.update(str(item) for item in declares.get("exchanges", ()))
        for queue, given in declares.get("queues", {}).items():
            names.queues.add(str(queue))
            if given.get("exclusive"):
                names.owners[str(queue)] = Owner(worker)

    def _queues(self, options: Fields) -> list[Any]:
        return [*(options[key] for key in ("control", "gossip") if key in options), *options.get("queues", ())]

    def workers(self) -> dict[str, TaskWorker]:
        found = {str(name): self._worker(str(name), options) for name, options in self.fields.items()}
        for plan in found.values():
            if plan.app is not None:
                self.names.queues.update(self._queues_sent_to(plan))
        return found

    def _queues_sent_to(self, plan: TaskWorker) -> Iterator[str]:
        """The queues that the worker declares because its tasks call something, or something follows them."""
        sender = sender_of(plan.app or {}, {name: task.options for name, task in self.tasks.items()})
        bodies = [
            canvas for task in self.tasks.values() for canvas in (*task.calls, *(x for run in task.runs for x in run.calls or ()))
        ]
        for signature in (*(each for canvas in bodies for each in signatures_of(canvas)), *self.names.called):
            call = TaskCall(signature.task, (), {}, signature.options)
            with contextlib.suppress(QueueNotFound, ValueError):
                declared = send(sender, call, "", by="", reply_to="", now=0).declares
                if declared is not None:
                    yield declared.name

    def _worker(self, name: str, options: Fields) -> TaskWorker:
        for queue in self._queues(options):
            self.names.queue(str(queue), queue)
        for key in ("events", "replies"):
            if key in options:
                self.names.exchange(str(options[key]), options[key])
        plan = TaskWorker(name, tuple(str(item) for item in options.get("queues", ())))
        given = {key: value for key, value in options.items() if key in TaskWorker._fields and key not in OWN}
        plain: dict[str, Any] = {key: str(value) if isinstance(value, str) else value for key, value in given.items()}
        for key in ("tasks", "no_ack"):
            if key in plain:
                plain[key] = tuple(map(str, plain[key]))
        if "consumer_arguments" in plain:
            plain["consumer_arguments"] = {str(queue): given for queue, given in plain["consumer_arguments"].items()}
            for queue in options["consumer_arguments"]:
                if str(queue) not in plan.queues:
                    cure = did_you_mean(str(queue), plan.queues)
                    self.reader.error("unknown-queue", f"worker '{name}' does not consume '{queue}'", queue, cure)
        if "app" in plain:
            plain["app"] = _bare(plain["app"])
        if "autoscale" in options:
            plain["autoscale"] = Autoscale(options["autoscale"]["max"], options["autoscale"].get("min", 0))
        if "mingle" in options:
            plain["mingle"] = self._mingle(name, options["mingle"])
        return plan._replace(**plain, declares=self._declares(name, options))

    def _mingle(self, worker: str, options: Fields) -> Mingle:
        for key, known in (("exchange", self.names.exchange), ("queue", self.names.queue)):
            known(str(options[key]), options[key])
        declares = self._declares(mingle_channel(worker), options)
        return Mingle(str(options["exchange"]), str(options["queue"]), declares)

    def _declares(self, channel: str, options: Fields) -> tuple[Step, ...]:
        declared = options.get("declares", {})
        steps = self.declarations.steps_of(declared, getattr(declared, "node", None), check_names=True)
        return tuple(item.step._replace(channel=channel) for item in steps)  # type: ignore[call-arg]


def _task(name: str, options: Fields) -> Task:
    given = _given(options, Task._fields)
    if "runs" in options:
        given["runs"] = tuple(Run(**_given(rule, Run._fields), carries=values_of.carried(rule)) for rule in options["runs"])
    return Task(name, **given)


def _given(options: Fields, known: tuple[str, ...]) -> Fields:
    given = {key: str(value) if isinstance(value, str) else value for key, value in options.items() if key in known}
    if "publish" in options:
        given["publish"] = tuple(values_of.reply(item) for item in options["publish"])
    if "calls" in options:
        given["calls"] = tuple(members_of(options["calls"]))
    if "options" in options:
        given["options"] = options_of(options["options"])
    return given


def _bare(value: Any) -> Any:
    """Settings as plain data, without their places."""
    if isinstance(value, dict):
        return {str(key): _bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return str(value) if isinstance(value, str) else value
