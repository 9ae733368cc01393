"""A worker process at work, as Celery's: deliveries, commands and time in, what it does out (rules/celery#2.2).

It knows no engine. Each function is a generator of what the process does: steps for a broker (the generator is sent the
refusal, or None), events, and timers: `After` some time, or `Soon`. Its state is at the bottom, and each module uses those
below it: `messages` it publishes, `connecting` has its life, `executing` the ways of tasks, `commands` remote control.
"""

from collections.abc import Callable
from typing import Any

from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.clients.actions import Actions, Soon
from routesim.clients.worker import connecting, executing, fetching, mingling, scaling, settling, shutdown
from routesim.clients.worker.timers import (
    Autoscales,
    Heartbeat,
    HeartbeatsMissed,
    JobEnds,
    JobReported,
    Mingled,
    PastTaskDue,
    PoolGrows,
    Reconnect,
    SoftShutdownEnds,
    StartAgain,
    TaskDue,
    Timer,
    TokenReady,
)
from routesim.clients.worker.worker_state import WorkerState
from routesim.queues import DeliveringQueue, Delivery

TIMERS: dict[type, Callable[[WorkerState, Any], Actions]] = {
    JobEnds: lambda state, timer: executing.end(state, timer.number),
    JobReported: lambda state, timer: executing.done(state, timer.number),
    TaskDue: lambda state, timer: executing.due(state, timer.number),
    PastTaskDue: lambda state, timer: executing.past_due(state),
    TokenReady: lambda state, timer: executing.token_ready(state, timer.number),
    Heartbeat: lambda state, timer: connecting.heartbeat(state),
    SoftShutdownEnds: lambda state, timer: shutdown.stop_at_once(state),
    StartAgain: lambda state, timer: connecting.start(state, "started again"),
    Mingled: lambda state, timer: connecting.mingled(state),
    Autoscales: lambda state, timer: scaling.look(state),
    PoolGrows: lambda state, timer: scaling.grow(state, timer.by),
    HeartbeatsMissed: lambda state, timer: connecting.given_up(state),
    Reconnect: lambda state, timer: connecting.connect(state, "reconnected"),
}
SIGNALS: dict[str, Callable[[WorkerState], Actions]] = {
    "warm": shutdown.warm,
    "cold": shutdown.cold,  # QUIT
    "term": shutdown.sigterm,
    "kill": lambda state: connecting.die(state, "killed"),
    "disconnect": connecting.disconnect,
    "kill_child": executing.lose_children,
}

# No event loop has to turn for them.
UNMINDFUL = frozenset({JobEnds, JobReported, SoftShutdownEnds, StartAgain, HeartbeatsMissed})


def begin(state: WorkerState, now: int) -> Actions:
    """It is there when the scenario begins."""
    state.now = now
    yield from connecting.start(state, "started", mingles=False)


def signal(state: WorkerState, do: str, now: int) -> Actions:
    """start, or one of `SIGNALS`, which are nothing to a process that is not there."""
    state.now = now
    if do != "start":
        if state.alive:
            yield from SIGNALS[do](state)
            yield from _catch_up(state)
    elif not state.alive:
        yield from connecting.start(state, "started")


def receive(state: WorkerState, delivery: Delivery[DeliveringQueue], now: int) -> Actions:
    """A message has arrived."""
    state.now = now
    if not state.connected:
        return
    if delivery.subscription is not None and delivery.subscription.name in state.consumers:
        state.fetching = False
    if state.stands_still() or (state.is_full() and not _is_told(state, delivery)):
        state.unread.append(delivery)
    else:
        yield from _read(state, delivery)
        yield from _catch_up(state)


def _is_told(state: WorkerState, delivery: Delivery[DeliveringQueue]) -> bool:
    """A command or an event, for which a green pool has a thread of its own."""
    consumer = delivery.subscription.name if delivery.subscription else ""
    return consumer in (state.control_consumer, state.gossip_consumer)


def _read(state: WorkerState, delivery: Delivery[DeliveringQueue]) -> Actions:
    consumer = delivery.subscription.name if delivery.subscription else ""
    if consumer == state.control_consumer:
        from routesim.clients.worker.commands import carry_out  # few workers are sent commands

        yield from carry_out(state, delivery)
        return
    if consumer == state.gossip_consumer:
        return
    if consumer == state.mingle_consumer:
        mingling.hear(state, delivery)
        return
    yield from executing.receive(state, delivery, consumer)
    yield from executing.begin(state)


def consumer_ended(state: WorkerState, ended: ConsumerEnded, now: int) -> Actions:
    """basic.cancel from the broker: it drops its connection and declares everything anew."""
    state.now = now
    if state.connected and not state.stopping and not ended.channel_lost and _is_taken_away(state, ended.consumer):
        yield from connecting.disconnect(state)


def _is_taken_away(state: WorkerState, consumer: str) -> bool:
    """Not one that the process has cancelled itself."""
    return consumer not in state.cancelled and consumer != state.mingle_consumer


def channel_ended(state: WorkerState, ended: ChannelEnded, now: int) -> Actions:
    """A channel of its main connection is gone, or all of them with the connection. A process that is stopping does not come
    back to it: what runs is finished, but cannot be acknowledged any more (rules/celery#2.2-8)."""
    state.now = now
    if not state.connected:
        return
    if state.stopping:
        state.connected = False
    elif ended.why == "channel closed":
        yield from connecting.die(state, "unrecoverable error: the broker closed its channel")
    else:
        yield from connecting.lose(state)
        yield Soon(Reconnect())


def fire(state: WorkerState, timer: Timer, now: int) -> Actions:
    """The timer has gone off, and is due still."""
    state.now = now
    if type(timer) not in UNMINDFUL and state.stands_still():
        state.overslept.append(timer)
        return
    yield from TIMERS[type(timer)](state, timer)
    yield from executing.begin(state)
    yield from _catch_up(state)


def _catch_up(state: WorkerState) -> Actions:
    """It stands still no more: what has been due meanwhile, then what has come meanwhile. A solo worker that was told to end
    reads on to the end of what has come, one of a green pool reads one more message."""
    if not state.alive:
        return
    while (state.overslept or state.unread) and not (state.stands_still() or state.is_full()):
        if state.overslept:
            timer = state.overslept.pop(0)
            if timer.is_due_still(state):
                yield from TIMERS[type(timer)](state, timer)
                yield from executing.begin(state)
        elif state.told_to_end == 2:
            break
        else:
            if state.told_to_end and state.pool.waits:
                state.told_to_end = 2
            yield from _read(state, state.unread.popleft())
    if state.unsent and not state.stands_still():
        yield from settling.send_unsent(state)
    if state.told_to_end and not (state.stands_still() or state.is_full()):
        yield from shutdown.warm(state)
    if state.shared.on_redis:
        yield from fetching.go_on(state)
