"""The life of a worker process: its connection and what it declares and consumes there, its ends (rules/celery#2.2)."""

from collections.abc import Iterable

from routesim import events
from routesim.clients.actions import Actions, After, Soon, StepRefusal
from routesim.clients.worker import fetching, messages, mingling, scaling
from routesim.clients.worker.calls import following
from routesim.clients.worker.limits import PrefetchCount, RateLimit
from routesim.clients.worker.messages import emit
from routesim.clients.worker.prefetching import qos
from routesim.clients.worker.requests import Request
from routesim.clients.worker.timers import Heartbeat, Reconnect, StartAgain
from routesim.clients.worker.worker_state import WorkerState
from routesim.model import Consumer, control_channel, gossip_channel, task_consumer
from routesim.steps import Cancel, Close, Consume, Crash, Step

RECONNECT_MS = 1_000  # between two attempts to get what the broker refused
MAX_ATTEMPTS = 100  # Celery's broker_connection_max_retries


def start(state: WorkerState, why: str, *, mingles: bool = True) -> Actions:
    state.alive = True
    state.stopping, state.reduced, state.attempts, state.refusal = "", False, 0, ""
    state.softly = state.killed_softly = False
    state.told_to_end = 0
    state.autoscale, state.size, state.full_prefetch = state.plan.autoscale, state.first_size(), state.plan.prefetch
    state.coming, state.needed_ms = 0, None
    state.overslept, state.over, state.unsent = [], {}, []
    state.prefetch = PrefetchCount(state.plan.prefetch, state.plan.eta_limit)
    state.revoked, state.rates, state.cancelled = {}, {}, set()
    state.consumers = {task_consumer(state.plan.name, queue): queue for queue in state.plan.queues}
    state.sends_events = state.plan.sends_events
    yield from connect(state, why, mingles=mingles)


def connect(state: WorkerState, why: str, *, mingles: bool = True) -> Actions:
    """Asks the other workers first, where it does; what is there when the scenario begins is past that."""
    state.life += 1
    state.connected, state.connected_ms = True, state.now
    if state.plan.mingle is not None and mingles:
        refused = yield from mingling.ask(state, state.plan.mingle, why)
        if refused is not None:
            yield from _refused(state, refused)
    else:
        yield from consume(state, why)


def mingled(state: WorkerState) -> Actions:
    why = state.mingling
    yield from mingling.answers_are_in(state)
    yield from consume(state, why)


def consume(state: WorkerState, why: str) -> Actions:
    """basic.qos, then everything that it declares, then its consumers in order."""
    plan = state.plan
    state.fetching = False
    yield from fetching.begin(state)
    for step in (qos(state, state.prefetch.value), *plan.declares, *_consumes(state)):
        refused = yield step
        if refused is not None:
            yield from _refused(state, refused)
            return
    state.attempts, state.refusal = 0, ""
    if plan.control is not None:
        state.shared.listeners[plan.name] = plan.mingle.exchange if plan.mingle is not None else None
    yield events.WorkerOnline(state.now, plan.name, why)
    yield from messages.worker_event(state, "online")
    yield from scaling.connected(state)
    if plan.heartbeat is not None and plan.events is not None:
        yield After(plan.heartbeat, Heartbeat(state.life))


def heartbeat(state: WorkerState) -> Actions:
    yield from messages.worker_event(state, "heartbeat")
    if state.plan.heartbeat is not None:
        yield After(state.plan.heartbeat, Heartbeat(state.life))


def _consumes(state: WorkerState) -> list[Step]:
    name = state.plan.name
    steps: list[Step] = []
    if state.control_consumer is not None and state.plan.control is not None:
        channel = control_channel(name)
        steps.append(Consume(Consumer(state.control_consumer, state.plan.control, channel, auto_ack=True)))
    if state.gossip_consumer is not None and state.plan.gossip is not None:
        steps.append(Consume(Consumer(state.gossip_consumer, state.plan.gossip, gossip_channel(name), auto_ack=True)))
    own = {consumer: queue for consumer, queue in state.consumers.items() if consumer not in state.cancelled}
    return steps + [Consume(task_queue_consumer(state, consumer, queue)) for consumer, queue in own.items()]


def task_queue_consumer(state: WorkerState, consumer: str, queue: str) -> Consumer:
    plan = state.plan
    return Consumer(consumer, queue, plan.name, auto_ack=queue in plan.no_ack, arguments=plan.consumer_arguments.get(queue, {}))


def _refused(state: WorkerState, refused: StepRefusal) -> Actions:
    """The broker does not give it what it asks for: another connection helps only where this one was closed."""
    state.attempts += 1
    state.refusal = refused.text
    if not refused.closes_connection or state.attempts > MAX_ATTEMPTS:
        yield from die(state, f"unrecoverable error: {refused.text}")
        return
    yield from lose(state)
    yield After(RECONNECT_MS, Reconnect())


def disconnect(state: WorkerState) -> Actions:
    yield from lose(state)
    yield Crash(state.plan.name)
    yield Soon(Reconnect())


def given_up(state: WorkerState) -> Actions:
    """By RabbitMQ, for it sends nothing. It notices when it moves again."""
    yield events.Warned(state.now, f"{state.plan.name} has missed two heartbeats: RabbitMQ closes its connection")
    yield from disconnect(state)


def lose(state: WorkerState) -> Actions:
    """What waits can never be acknowledged and is forgotten; what runs goes on, unless it is to be cancelled."""
    _not_connected(state)
    yield from _forget_waiting(state, "its connection was lost")
    plan = state.plan
    if plan.cancels_on_loss and state.pool.killed:
        for number, job in list(state.running.items()):
            if job.request.task.acks == "late":
                del state.running[number]
                yield from emit(
                    state, events.TaskRevoked(state.now, job.request.id, job.request.task.name, plan.name, "cancelled")
                )
    if plan.reduces_prefetch and plan.prefetch and (plan.prefetch_of == "channel" or plan.lowers_consumers):
        each, full = state.prefetch_per_child(), state.full_prefetch
        runs = 0 if state.pool.still else len(state.running)  # when a solo worker sees it, its task is over
        state.prefetch = PrefetchCount(max(each, full - runs * each), plan.eta_limit)
        state.reduced = state.prefetch.value != full
    else:
        state.prefetch = PrefetchCount(state.full_prefetch, plan.eta_limit)


def _not_connected(state: WorkerState) -> None:
    state.connected, state.asked, state.mingling = False, False, ""
    state.shared.listeners.pop(state.plan.name, None)


def _forget_waiting(state: WorkerState, why: str) -> Actions:
    waiting = [*state.reserved, *state.held.values(), *(item for limit in _buckets(state) for item in limit.waiting)]
    yield from _lost(state, waiting, why)
    state.reserved.clear()
    state.held.clear()
    state.past.clear()
    state.limits.clear()
    state.buckets.clear()
    state.unread.clear()
    state.dropped = True


def _buckets(state: WorkerState) -> list[RateLimit]:
    """Those in which tasks wait, each once; some have been replaced since."""
    return list({id(limit): limit for limit in (*state.limits.values(), *state.buckets.values())}.values())


def _lost(state: WorkerState, requests: Iterable[Request], why: str) -> Actions:
    """What the process had of tasks and nobody has any more, for their messages are acknowledged (rules/celery#2.3-23)."""
    for request in requests:
        if _acknowledged(request):
            following.vanished(state, request.delivery, why)
            copy, queue = request.delivery.copy, request.delivery.queue.name
            yield events.TaskLost(
                state.now, request.id, request.task.name, state.plan.name, why, copy.message, queue, copy.serial
            )


def _acknowledged(request: Request) -> bool:
    return request.settled or request.delivery.auto_ack


def lose_runs(state: WorkerState, numbers: Iterable[int], why: str) -> Actions:
    """Their children are gone. A body that had come to its end is not lost, though the process can tell nobody."""
    runs = {number: state.running.pop(number) for number in numbers}
    unfinished = [job.request for number, job in runs.items() if not job.over and number not in state.over]
    for request in unfinished:
        if not _acknowledged(request):
            yield events.TaskInterrupted(state.now, request.id, request.task.name, state.plan.name, why)
    yield from _lost(state, unfinished, why)


# Its end -----------------------------------------------------------------------------------------------------------


def cancel_consumers(state: WorkerState) -> Actions:
    state.stopping = state.stopping or "shutdown"
    for consumer in state.consumers:
        if consumer not in state.cancelled and state.connected and not state.mingling:
            state.cancelled.add(consumer)
            yield Cancel(state.plan.name, consumer)


def leave(state: WorkerState, why: str) -> Actions:
    """It takes leave of the broker in good order."""
    state.alive = False
    _not_connected(state)
    yield from _forget_waiting(state, why)
    yield from messages.worker_event(state, "offline")
    for connection in (state.plan.name, *sorted(state.opened)):
        yield Close(connection)
    state.opened.clear()
    state.declared.clear()
    yield events.WorkerOffline(state.now, state.plan.name, why)


def die(state: WorkerState, why: str) -> Actions:
    """All its connections are gone at once, and its children with it."""
    state.alive = False
    _not_connected(state)
    for connection in (state.plan.name, *sorted(state.opened)):
        yield Crash(connection)
    state.opened.clear()
    state.declared.clear()
    yield from _forget_waiting(state, why)
    yield from lose_runs(state, list(state.running), why)
    yield events.WorkerOffline(state.now, state.plan.name, why)
    if state.plan.restart is not None:
        yield After(state.plan.restart, StartAgain())
