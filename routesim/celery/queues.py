"""Task queues: what `task_queues` and a missing queue become, and what is declared for them (celery/app/amqp.py:Queues)."""

from collections.abc import Iterator
from typing import Any

from routesim.celery.settings import CelerySettings
from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.values import Table

# Options of a queue that are arguments on RabbitMQ (times are in ms here already).
ARGUMENTS = {
    "max_priority": "x-max-priority", "message_ttl": "x-message-ttl", "expires": "x-expires",
    "max_length": "x-max-length", "max_length_bytes": "x-max-length-bytes",
}  # fmt: skip


class QueueNotFound(LookupError):
    """task_create_missing_queues is off and nobody configured this queue."""


class TaskQueue(NamedTuple):
    """`broadcast`: each worker has a queue of its own on this exchange, and a message goes to all of them.

    `delivery_mode`: of what is sent to its exchange; `no_ack`: workers do not acknowledge; `consumer_arguments`: with
    which they consume.
    """

    name: str
    exchange: Exchange
    routing_key: str
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    arguments: Table = {}
    binding_arguments: Table = {}
    broadcast: bool = False
    delivery_mode: int | None = None
    no_ack: bool = False
    consumer_arguments: Table = {}

    @property
    def is_quorum(self) -> bool:
        return self.arguments.get("x-queue-type") == "quorum"

    @property
    def is_direct(self) -> bool:
        return self.exchange.type == "direct"

    def declared_name(self, worker: str) -> str:
        """The queue that this worker consumes."""
        return f"bcast.{self.name}.{worker}" if self.broadcast else self.name

    def queue(self, worker: str = "") -> Queue:
        return Queue(self.declared_name(worker), self.durable, self.exclusive, self.auto_delete, self.arguments)

    def binding(self, worker: str = "") -> Binding | None:
        """None on the default exchange, where every queue is bound by its name already."""
        if not self.exchange.name:
            return None
        return Binding(self.exchange.name, self.declared_name(worker), "queue", self.routing_key, self.binding_arguments)


class Queues:
    """The queues of one app, in order. Asking for one that nobody configured creates it where the settings allow that."""

    def __init__(self, settings: CelerySettings) -> None:
        self.settings = settings
        self.by_name: dict[str, TaskQueue] = {}
        self.configured: list[str] = []
        given: dict[str, dict[str, Any]] | None = settings["task_queues"]
        if given:
            for name, options in given.items():
                self._add(_configured(name, options, settings))
        else:
            quorum = settings["task_default_queue_type"] == "quorum"
            arguments: Table = {"x-queue-type": "quorum"} if quorum else {}
            name = settings["task_default_queue"]
            self._add(TaskQueue(name, _default_exchange(settings), settings.default_routing_key, arguments=arguments))
        self.configured = list(self.by_name)

    def __getitem__(self, name: str) -> TaskQueue:
        """Raises `QueueNotFound`."""
        found = self.by_name.get(name)
        if found is not None:
            return found
        if not self.settings["task_create_missing_queues"]:
            raise QueueNotFound(name)
        return self._add(_missing(name, self.settings))

    def __iter__(self) -> Iterator[TaskQueue]:
        return iter(self.by_name.values())

    @property
    def first_quorum(self) -> str | None:
        """The queue for which Celery changes its ways: prefetch for each consumer, native delayed delivery."""
        return next((queue.name for queue in self if queue.is_quorum), None)

    def direct_to(self, worker: str) -> TaskQueue:
        """The queue that `worker_direct` gives to a worker."""
        return self._add(TaskQueue(f"{worker}.dq2", Exchange("C.dq2"), worker))

    def _add(self, queue: TaskQueue) -> TaskQueue:
        most = self.settings["task_queue_max_priority"]
        if most is not None:
            queue = queue._replace(arguments={"x-max-priority": most, **queue.arguments})
        self.by_name[queue.name] = queue
        return queue


def _default_exchange(settings: CelerySettings) -> Exchange:
    return Exchange(settings.default_exchange, str(settings["task_default_exchange_type"]))


def _configured(name: str, options: dict[str, Any], settings: CelerySettings) -> TaskQueue:
    """kombu's Queue.from_dict, or a Broadcast."""
    durable, auto_delete = options.get("durable", True), options.get("auto_delete", False)
    arguments = {argument: options[key] for key, argument in ARGUMENTS.items() if key in options}
    arguments |= options.get("queue_arguments", {})
    of_messages = options.get("delivery_mode"), options.get("no_ack", False), options.get("consumer_arguments", {})
    if options.get("broadcast"):
        exchange = Exchange(str(options.get("exchange", name)), "fanout")
        key = str(options.get("routing_key") or settings.default_routing_key)
        auto_delete = options.get("auto_delete", True)
        return TaskQueue(name, exchange, key, durable, False, auto_delete, arguments, {}, True, *of_messages)
    if options.get("exchange"):
        exchange = Exchange(
            str(options["exchange"]), str(options.get("exchange_type", "direct")), options.get("exchange_durable", durable),
            options.get("exchange_auto_delete", auto_delete), False, options.get("exchange_arguments", {}),
        )  # fmt: skip
    else:
        exchange = _default_exchange(settings)
    return TaskQueue(
        name, exchange, str(options.get("binding_key") or options.get("routing_key") or name),
        options.get("queue_durable", durable), options.get("exclusive", False), options.get("queue_auto_delete", auto_delete),
        arguments, options.get("binding_arguments", {}), False, *of_messages,
    )  # fmt: skip


def _missing(name: str, settings: CelerySettings) -> TaskQueue:
    quorum = settings["task_create_missing_queue_type"] == "quorum"
    kind = settings["task_create_missing_queue_exchange_type"] or "direct"
    return TaskQueue(name, Exchange(name, str(kind)), name, arguments={"x-queue-type": "quorum"} if quorum else {})
