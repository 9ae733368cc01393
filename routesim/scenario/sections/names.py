"""What a scenario names, and what its names refer to."""

from typing import Any

from routesim.broker.records import PREDECLARED
from routesim.diagnostics import did_you_mean
from routesim.model import DECLARE_CHANNEL, GET_CHANNEL, PUBLISH_CHANNEL, REPLY_TO, ChannelPlan
from routesim.named_tuples import NamedTuple
from routesim.scenario.format.kinds import Reader
from routesim.scenario.sections.ids import Ids
from routesim.scenario.yaml.nodes import Node, Text

OF_TASKS = (
    "retry",
    "result",
    "sub",
    "link",
    "errback",
    "again",
)  # how a worker process names what it publishes: after the task …
OF_WORKERS = ("event", "reply")  # … or after itself, and numbered
MAX_LISTED = 10
MAX_HINTS = 50  # looking for near names takes time; nobody reads more of them


class Owner(NamedTuple):
    """Of an exclusive queue."""

    connection: str


class Names:
    """Everything declared anywhere in the scenario, steps included; a name that is none of it exists nowhere."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.exchanges: set[str] = {item.name for item in PREDECLARED}
        self.queues: set[str] = {REPLY_TO}
        self.policies: set[str] = set()
        self.consumer_channels: dict[str, str] = {}  # consumer -> channel
        self.named_channels: set[str] = set()  # in the section `channels`
        self.channels_in_steps: set[str] = set()
        self.channels: dict[str, ChannelPlan] = {
            name: ChannelPlan(name, name) for name in (DECLARE_CHANNEL, PUBLISH_CHANNEL, GET_CHANNEL)
        }
        self.workers: dict[str, tuple[str, bool]] = {}  # each with its pool, and whether SIGTERM is remapped
        self.task_ids: set[str] = set()  # that messages carry in their header `id`
        self.groups: set[str] = set()  # of tasks that are called together
        self.called: list[Any] = []  # signatures that bodies of messages hold
        self.owners: dict[str, Owner] = {}
        self.ids = Ids()
        self.hints = MAX_HINTS

    def exchange(self, name: str, node: Node, *, in_step: bool = False) -> None:
        if name not in self.exchanges and name not in self.reader.unread_names:
            cure = self._cure(name, self.exchanges, in_step)
            self.reader.error("unknown-exchange", f"no exchange '{name}' is declared", node, cure)

    def queue(self, name: str, node: Node, *, in_step: bool = False) -> None:
        if name not in self.queues and name not in self.reader.unread_names and not name.startswith("amq.gen-"):
            cure = self._cure(name, self.queues, in_step)
            self.reader.error("unknown-queue", f"no queue '{name}' is declared", node, cure)

    def has_queue_to_bind(self, name: str) -> bool:
        """Direct replies are consumed from a queue that does not exist (rules/routing#B3)."""
        return name in self.queues and name != REPLY_TO

    def queue_to_bind(self, name: str, node: Node, *, in_step: bool) -> None:
        if not in_step and (name == REPLY_TO or name.startswith(f"{REPLY_TO}.")):
            cure = "replies come without a binding, over the default exchange, by the address in `reply_to`"
            self.reader.error("unknown-queue", f"'{name}' is no queue to which anything can be bound", node, cure)
        else:
            self.queue(name, node, in_step=in_step)

    def _cure(self, name: str, known: set[str], in_step: bool) -> str:
        self.hints -= 1
        if self.hints < 0:
            return "declare it"
        mine = {item for item in known if item and not item.startswith("amq.")}
        last = "declare it, or add `fails: 404` to the step" if in_step else "declare it"
        return did_you_mean(name, mine) or did_you_mean(name, known) or last

    def near_miss(self, what: str, name: str, node: Node, known: set[str]) -> None:
        """A name that may not exist, but is almost one that does."""
        if name and name not in known and self.hints > 0:
            self.hints -= 1
            cure = did_you_mean(name, [item for item in known if item])
            if cure:
                self.reader.warning(f"unknown-{what}", f"no {what} '{name}' is declared; RabbitMQ allows that here", node, cure)

    def consumer(self, name: str, node: Node) -> bool:
        if name in self.consumer_channels:
            return True
        if name in self.reader.unread_names:
            return False
        cure = did_you_mean(name, [*self.consumer_channels, *self.workers]) or self._consumers()
        if name == "broker":
            cure = "what befalls the broker is `restart: broker`, or `restart: kill`"
        self.reader.error("unknown-consumer", f"no consumer '{name}' is declared", node, cure)
        return False

    def _consumers(self) -> str:
        there = [*self.consumer_channels, *self.workers]
        return _listed(there) if there else "declare it under `consumers:`, or `workers:`"

    def message(self, name: str, node: Node) -> None:
        if name not in self.ids and not self.reader.unread_steps and not self._by_a_worker(name):
            self.reader.error("unknown-message", f"no message has the id '{name}'", node, did_you_mean(name, self.ids.some()))

    def _by_a_worker(self, name: str) -> bool:
        """Whether a worker process may publish a message of this name: after a task of a known id, or after itself."""
        base, number = name.rpartition("-")[::2]
        if not self.workers or not number.isdecimal():
            return False
        owner, _, what = base.rpartition("-")
        if what in OF_TASKS:
            return owner in self.task_ids or owner in self.ids or self._by_a_worker(owner)
        return what in OF_WORKERS and owner in self.workers

    def worker(self, name: str, node: Node) -> bool:
        if name in self.workers:
            return True
        if name not in self.reader.unread_names:
            cure = did_you_mean(name, self.workers) or (
                _listed(list(self.workers)) if self.workers else "declare it under `workers:`"
            )
            self.reader.error("unknown-worker", f"no worker '{name}' is declared", node, cure)
        return False

    def task(self, name: str, node: Node) -> None:
        """The id of a task: that of its message, unless a header gives another."""
        known_id = name in self.task_ids or name in self.ids or self._by_a_worker(name)
        if not known_id and not self.reader.unread_steps:
            known = [*sorted(self.task_ids)[:200], *self.ids.some()]
            self.reader.error("unknown-task", f"no message has a task of the id '{name}'", node, did_you_mean(name, known))

    def chord(self, name: str, node: Node) -> None:
        """The id of the group that its header is."""
        by_a_task = self.workers and name.rpartition("-")[0].endswith("-group")
        if name not in self.groups and not by_a_task and not self.reader.unread_steps:
            self.reader.error("unknown-chord", f"no group has the id '{name}'", node, did_you_mean(name, self.groups))

    def use_channel(self, name: str) -> str:
        """The plan of a channel that something names."""
        self.channels.setdefault(name, ChannelPlan(name, name))
        return name

    def on_connection(self, connection: str, purpose: str) -> str:
        """A channel of routesim's own on a connection of the scenario's."""
        name = f"{connection} ({purpose})"
        self.channels.setdefault(name, ChannelPlan(name, connection))
        return name

    def connection_of(self, name: str) -> str:
        """The connection of a consumer or channel, or the one of that name."""
        channel = self.consumer_channels.get(name, name)
        plan = self.channels.get(channel)
        return plan.connection if plan else channel

    def is_connection(self, name: str) -> bool:
        return any(plan.connection == name for plan in self.channels.values())

    def channel_for(self, purpose: str, queue: str | None, explicit: Text | None) -> str:
        """The channel of a step: the one that it names, else the owner's of an exclusive queue, else the common one."""
        if explicit is not None:
            return self.use_channel(str(explicit))
        owner = self.owners.get(queue) if queue is not None else None
        if owner is not None:
            return self.on_connection(owner.connection, purpose)
        return {"declare": DECLARE_CHANNEL, "get": GET_CHANNEL, "publish": PUBLISH_CHANNEL}[purpose]


def _listed(names: list[str]) -> str:
    more = " …" if len(names) > MAX_LISTED else ""
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:MAX_LISTED])}{more}"
