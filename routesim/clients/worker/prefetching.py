"""basic.qos: what a worker process tells the broker of the limit that it wants (rules/celery#2.1)."""

from routesim.clients.actions import Actions
from routesim.clients.worker.worker_state import WorkerState
from routesim.steps import Qos


def qos(state: WorkerState, value: int) -> Qos:
    return Qos(state.plan.name, value, state.plan.prefetch_of == "channel")


def update_prefetch(state: WorkerState) -> Actions:
    value = state.prefetch.to_announce()
    if value is not None and state.connected:
        yield qos(state, value)


def restore_prefetch(state: WorkerState) -> Actions:
    """After a reconnection each message of the new channel that is settled gives back a part of the limit. What was running at
    the loss gives nothing back: it cannot be settled."""
    if not state.reduced or not state.connected:
        return
    state.prefetch.value = min(state.full_prefetch, state.prefetch.value + state.prefetch_per_child())
    state.reduced = state.prefetch.value != state.full_prefetch
    yield from update_prefetch(state)
