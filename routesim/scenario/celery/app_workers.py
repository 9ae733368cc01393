"""A worker of an app: what it declares, and what it is in the plain section `workers`."""

from typing import Any

from routesim.celery import inboxes
from routesim.celery.pools import POOLS
from routesim.celery.queues import Queues, TaskQueue
from routesim.celery.routes import Routes
from routesim.celery.settings import SETTINGS, CelerySettings
from routesim.durations import written_duration
from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.nodes import made
from routesim.scenario.celery.parts import part_of, sections_of
from routesim.scenario.format.shapes import Fields
from routesim.scenario.topology_data import table
from routesim.scenario.yaml.nodes import Mapping, Node, Text

HEARTBEAT_MS = 2_000
AS_THEY_ARE = ("pool", "remap_sigterm", "restart", "fails")  # of the fields of a worker
SERVER_HEARTBEAT_MS = 60_000  # RabbitMQ's own: the smaller one counts


class App(NamedTuple):
    """`at` is where it is named, `node` its settings as they are written."""

    name: str
    settings: CelerySettings
    queues: Queues
    routes: Routes
    at: Node
    node: Any


class AppWorker(NamedTuple):
    """`declares` is what it declares whenever it connects. `begins_later`: it may start, or start again, in the run."""

    name: str
    app: App
    queues: list[TaskQueue]
    gossip: bool
    sends_events: bool
    begins_later: bool
    declares: list["Declared"]
    at: Node


class Declared(NamedTuple):
    """Something to declare and what there is to say about it. `own`: it comes and goes with its worker."""

    what: Exchange | Queue | Binding
    at: Node
    said: str
    own: bool = False


class WorkerFields:
    """`given` is what the section says of the worker; `by_channel`: its limit is one for all its queues; `tasks`: those that it
    knows, None for all."""

    def __init__(self, worker: AppWorker, given: Fields, by_channel: bool, tasks: list[str] | None, has_events: bool) -> None:
        self.worker = worker
        self.settings = worker.app.settings
        self.given = given
        self.by_channel = by_channel
        self.tasks = tasks
        self.has_events = has_events
        concurrency = given.get("concurrency", self.settings["worker_concurrency"])
        self.concurrency = given["autoscale"]["max"] if "autoscale" in given else concurrency
        self.multiplier = given.get("prefetch_multiplier", self.settings["worker_prefetch_multiplier"])

    def fields(self) -> dict[str, Any]:
        worker, given, at = self.worker, self.given, self.worker.at
        fields = {"queues": [queue.declared_name(worker.name) for queue in worker.queues], **self._pool(), **self._of_settings()}
        for key in AS_THEY_ARE:
            if key in given:
                fields[key] = given.node[key]
        if not given.get("start", True):
            fields["start"] = False
        if self.tasks is not None:
            fields["tasks"] = self.tasks
        fields |= self._told()
        if self.settings.sends_results:
            fields["results"] = True
        if worker.app.queues.first_quorum is not None:
            fields["delays"] = True
        fields["declares"] = sections_of([part_of(what, place) for what, place, _, _ in worker.declares], at)
        return fields

    def said(self) -> str:
        worker, many = self.worker, f"{self.multiplier} × {self.concurrency}"
        return f"{worker.name}: prefetch is worker_prefetch_multiplier {many}, {self._limit(worker.app)}"

    def _pool(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"concurrency": self.concurrency}
        if "autoscale" in self.given:
            fields = {"autoscale": self.given.node["autoscale"]}
        fields |= {"prefetch": self.concurrency * self.multiplier, "prefetch_of": "channel" if self.by_channel else "consumer"}
        pool = str(self.given.get("pool", self.settings["worker_pool"]))
        beats = min(self.settings["broker_heartbeat"], SERVER_HEARTBEAT_MS)
        if POOLS[pool].still and beats:
            fields["broker_heartbeat"] = written_duration(beats)
        return fields

    def _of_settings(self) -> dict[str, Any]:
        """Settings that are options of the worker, where they are not the default, and what they say of all its queues."""
        found: dict[str, Any] = {}
        for key, setting in SETTINGS.items():
            if setting.worker_field is not None and self.settings[key] != setting.default:
                value = self.settings[key]
                found[setting.worker_field] = written_duration(value) if setting.kind == "seconds" else _plain(value)
        no_ack = [queue.declared_name(self.worker.name) for queue in self.worker.app.queues if queue.no_ack]
        if no_ack:
            found["no_ack"] = no_ack
        arguments = {queue.declared_name(self.worker.name): table(queue.consumer_arguments) for queue in self.worker.queues}
        if any(arguments.values()):
            found["consumer_arguments"] = {name: given for name, given in arguments.items() if given}
        if self.settings["worker_deduplicate_successful_tasks"] and self.settings.keeps_results:
            found["deduplicates"] = True
        if not self.settings.rules.reject_is_failure:
            found["reject_is_failure"] = False
        if self.settings.rules.lowers_consumers and not self.by_channel:
            found["lowers_consumers"] = True
        return found

    def _told(self) -> dict[str, Any]:
        """Commands, events of others, its own events."""
        settings, worker, given = self.settings, self.worker, self.given
        fields: dict[str, Any] = {}
        if given.get("mingle", True):
            fields["mingle"] = self._mingle()
        if settings["worker_enable_remote_control"]:
            fields["control"] = inboxes.inbox(settings, worker.name)[0].name
            fields["replies"] = inboxes.reply_exchange(settings).name
        if worker.gossip:
            fields["gossip"] = inboxes.events(settings, worker.name, "")[0].name
        if self.has_events:
            fields["events"] = inboxes.event_exchange(settings).name
            if not worker.sends_events:
                fields["sends_events"] = False
            if given.get("heartbeat"):
                fields["heartbeat"] = written_duration(HEARTBEAT_MS)
        return fields

    def _mingle(self) -> Mapping:
        settings, at = self.settings, self.worker.at
        exchanges = inboxes.control_exchange(settings), inboxes.reply_exchange(settings)
        queue, binding = inboxes.replies(settings, self.worker.name)
        declares = sections_of([part_of(what, at) for what in (*exchanges, queue, binding)], at)
        found: Mapping = made({"exchange": exchanges[0].name, "queue": queue.name, "declares": declares}, at)
        return found

    def _limit(self, app: App) -> str:
        if self.by_channel:
            return "one limit for all its queues"
        quorum = app.queues.first_quorum
        return f"for each queue, because {quorum} is a quorum queue" if quorum else "for each queue, as from RabbitMQ 4.0 on"


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Text) else value
