"""A pool that grows and shrinks: autoscale, and the commands (rules/celery#2.2-14)."""

from typing import Any

from routesim import events
from routesim.clients.actions import Actions, After
from routesim.clients.worker.prefetching import update_prefetch
from routesim.clients.worker.timers import Autoscales, PoolGrows
from routesim.clients.worker.worker_state import WorkerState
from routesim.model import Autoscale

KEEPALIVE_MS = 30_000  # AUTOSCALE_KEEPALIVE: so long a process is kept without need, and so often it is looked at
MAINTAIN_MS = 5_000  # so often a prefork pool starts the processes that it lacks


def connected(state: WorkerState) -> Actions:
    if state.autoscale is not None:
        yield After(KEEPALIVE_MS, Autoscales(state.life))


def received(state: WorkerState) -> Actions:
    """A task has been reserved: the pool grows at once where more tasks are at hand than it has processes."""
    if state.autoscale is not None:
        state.needed_ms = state.now
        yield from _grow_to_need(state, state.autoscale)


def look(state: WorkerState) -> Actions:
    """Now and then: what has not been needed for so long goes."""
    if state.autoscale is None:
        return
    yield After(KEEPALIVE_MS, Autoscales(state.life))
    if (yield from _grow_to_need(state, state.autoscale)):
        return
    spare = state.size - max(_at_hand(state), state.autoscale.min)
    if spare > 0 and state.needed_ms is not None and state.now - state.needed_ms > KEEPALIVE_MS:
        yield from _resize(state, -min(spare, _idle(state)), "autoscale")


def _grow_to_need(state: WorkerState, autoscale: Autoscale) -> Any:
    lacking = min(_at_hand(state), autoscale.max) - state.size
    if lacking > 0:
        state.needed_ms = state.now
        yield from _resize(state, lacking, "autoscale")
    return lacking > 0


def _at_hand(state: WorkerState) -> int:
    return len(state.reserved) + len(state.running)


def _idle(state: WorkerState) -> int:
    return max(0, state.size - len(state.running))


def _resize(state: WorkerState, by: int, why: str) -> Actions:
    if by:
        state.size += by
        yield events.PoolResized(state.now, state.plan.name, state.size, why)


# Commands ----------------------------------------------------------------------------------------------------------------


def pool_grow(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    """The limit grows at once, which RabbitMQ does not tell consumers that are there where it is one for each of them; the
    processes of a prefork pool come when it is looked after."""
    n = _number(arguments, "n", 1)
    if state.autoscale is not None or not state.pool.resized:
        return
    if state.pool.process:
        state.coming += n
        yield After(MAINTAIN_MS - (state.now - state.connected_ms) % MAINTAIN_MS, PoolGrows(n))
    else:
        yield from _resize(state, n, "pool_grow")
    yield from _change_prefetch(state, n)


def grow(state: WorkerState, n: int) -> Actions:
    state.coming -= n
    yield from _resize(state, n, "pool_grow")


def pool_shrink(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    """Processes that run something are not taken: where there are too few others the command ends in an error."""
    n = _number(arguments, "n", 1)
    if state.autoscale is not None or not state.pool.resized:
        return
    taken = min(n, _idle(state)) if state.pool.process else min(n, state.size)
    yield from _resize(state, -taken, "pool_shrink")
    if taken == n:
        yield from _change_prefetch(state, -n)


def autoscale(state: WorkerState, arguments: dict[str, Any]) -> Actions:
    if state.autoscale is None:
        return
    most, least = _number(arguments, "max", state.autoscale.max), _number(arguments, "min", state.autoscale.min)
    if most < state.size:
        yield from _resize(state, -min(state.size - most, _idle(state)), "autoscale")
    yield from _change_prefetch(state, most - state.autoscale.max)
    if least > state.size:
        yield from _resize(state, least - state.size, "autoscale")
    state.autoscale = Autoscale(most, least)


def _number(arguments: dict[str, Any], name: str, default: int) -> int:
    found = arguments.get(name)
    return found if isinstance(found, int) else default


def _change_prefetch(state: WorkerState, processes: int) -> Actions:
    if not state.plan.prefetch or not processes:
        return
    by = processes * state.prefetch_per_child()
    state.full_prefetch = max(1, state.full_prefetch + by)
    state.prefetch.change(by)
    yield from update_prefetch(state)
