"""How a worker process is told to end: warm, cold, and softly before cold (rules/celery#2.2-8, rules/celery#2.2-10)."""

from routesim.clients.actions import Actions, After
from routesim.clients.worker import connecting, executing, fetching
from routesim.clients.worker.timers import SoftShutdownEnds
from routesim.clients.worker.worker_state import WorkerState

WARM, COLD = "warm shutdown", "cold shutdown"


def sigterm(state: WorkerState) -> Actions:
    yield from cold(state) if state.plan.remap_sigterm else warm(state)


def warm(state: WorkerState) -> Actions:
    """No more deliveries; what runs is finished and acknowledged before the channel is closed. A process that stands still
    does not look before it moves again."""
    if state.stopping:
        return  # it is at it, or at something harder
    if state.stands_still() or state.is_full():
        state.told_to_end = state.told_to_end or 1
        return
    state.told_to_end = 0
    yield from connecting.cancel_consumers(state)
    state.stopping = WARM
    if not state.running:
        yield from connecting.leave(state, WARM)


def cold(state: WorkerState) -> Actions:
    """The first one gives what runs `soft_shutdown`, in which the process stands still; a second one kills what runs, and the
    process sleeps on; a third one is the end. Threads cannot be killed: the second one is the end of the sleep."""
    if state.stopping == COLD and not state.softly:
        return  # what runs in threads is waited for
    if state.softly and not state.killed_softly and state.pool.killed:
        state.killed_softly = True
        yield from executing.kill_runs(state)
    elif not state.softly and state.plan.soft_shutdown and (state.running or state.plan.soft_shutdown_on_idle):
        state.stopping, state.softly = COLD, True
        yield from fetching.stop(state)
        yield After(state.plan.soft_shutdown, SoftShutdownEnds(state.life))
    else:
        yield from stop_at_once(state)


def stop_at_once(state: WorkerState) -> Actions:
    """What runs is not finished, where it can be killed. What ended while the process stood still is acknowledged now, so that
    it does not come back."""
    state.softly, state.stopping = False, COLD
    yield from connecting.cancel_consumers(state)
    if state.pool.killed:
        yield from executing.kill_runs(state)
    ended, state.over = state.over, {}
    for number in ended:
        yield from executing.done(state, number)
    if state.alive and not state.running:
        yield from connecting.leave(state, COLD)
