"""The queues that Celery declares for itself: commands, their answers, events, results (rules/celery#1.1 to rules/celery#1.3)."""

from routesim.celery.settings import CelerySettings
from routesim.model import Binding, Exchange, Queue


def control_exchange(settings: CelerySettings) -> Exchange:
    return Exchange(f"{settings['control_exchange']}.pidbox", "fanout", durable=False)


def reply_exchange(settings: CelerySettings) -> Exchange:
    return Exchange(f"reply.{settings['control_exchange']}.pidbox", "direct", durable=False)


def event_exchange(settings: CelerySettings) -> Exchange:
    return Exchange(str(settings["event_exchange"]), "topic")


def inbox(settings: CelerySettings, node: str) -> tuple[Queue, Binding]:
    """Where a worker gets its commands."""
    exchange = control_exchange(settings).name
    name = f"{node}.{exchange}"
    return _control_queue(settings, name), Binding(exchange, name)


def replies(settings: CelerySettings, oid: str) -> tuple[Queue, Binding]:
    """Where whoever asked the workers gets their answers, for the time of one call."""
    exchange = reply_exchange(settings).name
    name = f"{oid}.{exchange}"
    return _control_queue(settings, name), Binding(exchange, name, "queue", oid)


def _control_queue(settings: CelerySettings, name: str) -> Queue:
    durable = settings["control_queue_durable"]
    arguments = {"x-expires": settings["control_queue_expires"], "x-message-ttl": settings["control_queue_ttl"]}
    return Queue(name, durable, settings["control_queue_exclusive"], not durable, _given(arguments))


def events(settings: CelerySettings, who: str, pattern: str) -> tuple[Queue, Binding]:
    """Where a monitor gets events (`#`), or a worker those of the other workers (gossip, `worker.#`)."""
    name = f"{settings['event_queue_prefix']}.{who}"
    durable = settings["event_queue_durable"]
    arguments = {"x-expires": settings["event_queue_expires"], "x-message-ttl": settings["event_queue_ttl"]}
    queue = Queue(name, durable, settings["event_queue_exclusive"], not durable, _given(arguments))
    return queue, Binding(str(settings["event_exchange"]), name, "queue", pattern)


def results(settings: CelerySettings, oid: str) -> Queue:
    """Where a caller gets results (rpc://). It goes when a first consumer has left, or unused after result_expires."""
    return Queue(oid, auto_delete=True, arguments=_given({"x-expires": settings["result_expires"]}))


def _given(arguments: dict[str, int | None]) -> dict[str, object]:
    return {name: value for name, value in arguments.items() if value is not None}
