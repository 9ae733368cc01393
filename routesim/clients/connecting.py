"""The life of a worker process: its connection and what it declares and consumes there, its ends (rules/celery#2.2)."""

from typing import TYPE_CHECKING

from routesim import events
from routesim.clients import messages
from routesim.clients.actions import Actions, After, Soon, StepRefusal
from routesim.clients.limits import PrefetchCount
from routesim.model import Consumer, control_channel, gossip_channel, task_consumer
from routesim.steps import Cancel, Close, Consume, Crash, Step

if TYPE_CHECKING:
    from routesim.clients.process import Process

RECONNECT_MS = 1_000  # between two attempts to get what the broker refused
MAX_ATTEMPTS = 100  # Celery's broker_connection_max_retries


def start(process: "Process", why: str) -> Actions:
    process.alive = True
    process.stopping, process.reduced, process.attempts = "", False, 0
    process.prefetch = PrefetchCount(process.plan.prefetch, process.plan.eta_limit)
    process.revoked, process.rates, process.cancelled = set(), {}, set()
    process.consumers = {task_consumer(process.plan.name, queue): queue for queue in process.plan.queues}
    process.sends_events = process.plan.sends_events
    yield from connect(process, why)


def connect(process: "Process", why: str) -> Actions:
    """basic.qos, then everything that it declares, then its consumers in order."""
    plan = process.plan
    process.life += 1
    process.connected = True
    for step in (process.qos(process.prefetch.value), *plan.declares, *_consumes(process)):
        refused = yield step
        if refused is not None:
            yield from _refused(process, refused)
            return
    process.attempts = 0
    yield events.WorkerOnline(process.now, plan.name, why)
    yield from messages.worker_event(process, "online")
    if plan.heartbeat is not None and plan.events is not None:
        yield After(plan.heartbeat, ("heartbeat", process.life))


def _consumes(process: "Process") -> list[Step]:
    name = process.plan.name
    steps: list[Step] = []
    if process.control_consumer is not None and process.plan.control is not None:
        channel = control_channel(name)
        steps.append(Consume(Consumer(process.control_consumer, process.plan.control, channel, auto_ack=True)))
    if process.gossip_consumer is not None and process.plan.gossip is not None:
        steps.append(Consume(Consumer(process.gossip_consumer, process.plan.gossip, gossip_channel(name), auto_ack=True)))
    own = {consumer: queue for consumer, queue in process.consumers.items() if consumer not in process.cancelled}
    return steps + [Consume(Consumer(consumer, queue, name)) for consumer, queue in own.items()]


def _refused(process: "Process", refused: StepRefusal) -> Actions:
    """The broker does not give it what it asks for: another connection helps only where this one was closed."""
    process.attempts += 1
    if not refused.closes_connection or process.attempts > MAX_ATTEMPTS:
        yield from die(process, f"unrecoverable error: {refused.text}")
        return
    yield from lose(process)
    yield After(RECONNECT_MS, ("reconnect",))


def disconnect(process: "Process") -> Actions:
    yield from lose(process)
    yield Crash(process.plan.name)
    yield Soon(("reconnect",))


def lose(process: "Process") -> Actions:
    """What waits can never be acknowledged and is forgotten; what runs goes on, unless it is to be cancelled."""
    process.connected = False
    _forget_waiting(process)
    plan = process.plan
    if plan.cancels_on_loss:
        for number, job in list(process.running.items()):
            if job.request.task.acks == "late":
                del process.running[number]
                yield from process.tell(
                    events.TaskRevoked(process.now, job.request.id, job.request.task.name, plan.name, "cancelled")
                )
    if plan.reduces_prefetch and plan.prefetch and plan.prefetch_of == "channel":
        each = process.prefetch_per_child()
        process.prefetch = PrefetchCount(max(each, plan.prefetch - len(process.running) * each), plan.eta_limit)
        process.reduced = process.prefetch.value != plan.prefetch
    else:
        process.prefetch = PrefetchCount(plan.prefetch, plan.eta_limit)


def _forget_waiting(process: "Process") -> None:
    process.reserved.clear()
    process.held.clear()
    process.limits.clear()
    process.buckets.clear()
    process.dropped = True


# Its end -----------------------------------------------------------------------------------------------------------


def shut_down(process: "Process") -> Actions:
    """Warm: no more deliveries; what runs is finished and acknowledged before the channel is closed."""
    yield from cancel_consumers(process)
    process.stopping = "warm shutdown"
    if not process.running:
        yield from leave(process, process.stopping)


def cancel_consumers(process: "Process") -> Actions:
    process.stopping = process.stopping or "shutdown"
    for consumer in process.consumers:
        if consumer not in process.cancelled:
            yield Cancel(process.plan.name, consumer)


def leave(process: "Process", why: str) -> Actions:
    """It takes leave of the broker in good order."""
    process.alive = process.connected = False
    _forget_waiting(process)
    yield from messages.worker_event(process, "offline")
    for connection in (process.plan.name, *sorted(process.opened)):
        yield Close(connection)
    process.opened.clear()
    yield events.WorkerOffline(process.now, process.plan.name, why)


def die(process: "Process", why: str) -> Actions:
    """All its connections are gone at once, and its children with it."""
    process.alive = process.connected = False
    _forget_waiting(process)
    process.running.clear()
    for connection in (process.plan.name, *sorted(process.opened)):
        yield Crash(connection)
    process.opened.clear()
    yield events.WorkerOffline(process.now, process.plan.name, why)
    if process.plan.restart is not None:
        yield After(process.plan.restart, ("restart",))
