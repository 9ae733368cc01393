"""What a worker asks Redis for, message by message; RabbitMQ sends unasked, up to the prefetch (rules/celery#3.3)."""

from routesim.clients.actions import Actions
from routesim.clients.worker.worker_state import WorkerState
from routesim.steps import Fetch


def one_by_one(state: WorkerState) -> bool:
    """Whether it looks before it asks for the next message: a pool that stops the event loop leaves it no other way."""
    return state.shared.on_redis and (state.pool.still or state.pool.waits or state.plan.fetches_when_free)


def begin(state: WorkerState) -> Actions:
    """Before it consumes."""
    if one_by_one(state):
        state.fetching = True
        yield Fetch(state.plan.name, 1)


def go_on(state: WorkerState) -> Actions:
    """The event loop turns: the next message, when there is none on its way and it would be taken."""
    if state.fetching or not one_by_one(state) or not state.connected or state.stopping or state.mingling:
        return
    if not (state.stands_still() or state.is_full()) and _has_room(state):
        state.fetching = True
        yield Fetch(state.plan.name, 1)


def stop(state: WorkerState) -> Actions:
    """The loop stands still for long: what it has asked for may still come, nothing else."""
    if state.shared.on_redis:
        yield Fetch(state.plan.name, 0)


def _has_room(state: WorkerState) -> bool:
    """What waits for its time or for a token does not count (worker_disable_prefetch)."""
    return not state.plan.fetches_when_free or len(state.reserved) + len(state.running) < state.limit()
