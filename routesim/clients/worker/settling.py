"""What a worker process answers to the messages that it was sent: basic.ack and basic.reject (rules/celery#2.2)."""

from routesim import events
from routesim.clients.actions import Actions
from routesim.clients.worker.prefetching import restore_prefetch
from routesim.clients.worker.requests import Request
from routesim.clients.worker.worker_state import WorkerState
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Ack, Reject


def acknowledge(state: WorkerState, request: Request) -> Actions:
    yield from _settle(state, request, None)


def reject(state: WorkerState, request: Request, *, requeue: bool) -> Actions:
    yield from _settle(state, request, requeue)


def _settle(state: WorkerState, request: Request, requeue: bool | None) -> Actions:
    """None: acknowledge. It is sent when the event loop turns, and that of a solo worker runs first what has come."""
    if state.pool.still:
        state.unsent.append((request, requeue))
    else:
        yield from _send_settled(state, request, requeue)


def send_unsent(state: WorkerState) -> Actions:
    unsent, state.unsent = state.unsent, []
    for request, requeue in unsent:
        yield from _send_settled(state, request, requeue)


def _send_settled(state: WorkerState, request: Request, requeue: bool | None) -> Actions:
    if request.life != state.life or not state.connected:
        yield events.TaskUnsettled(state.now, request.id, request.task.name, state.plan.name)
        return
    yield from restore_prefetch(state)
    request.settled = True
    if requeue is None:
        yield from ack_tag(state, request.delivery)
    else:
        yield from reject_tag(state, request.delivery, requeue=requeue)


def ack_tag(state: WorkerState, delivery: Delivery[DeliveringQueue]) -> Actions:
    """Nothing for what came without acknowledgement; a reject would be sent all the same (kombu/message.py)."""
    if delivery.queue.name not in state.plan.no_ack:
        yield Ack(state.plan.name, delivery.tag)


def reject_tag(state: WorkerState, delivery: Delivery[DeliveringQueue], *, requeue: bool) -> Actions:
    yield Reject(state.plan.name, delivery.tag, requeue)
