"""What a worker process plans, and whether it still means anything when its time comes. `process` says what happens then."""

from typing import TypeAlias

from routesim.clients.worker.worker_state import WorkerState
from routesim.named_tuples import NamedTuple


class JobEnds(NamedTuple):
    """The body of a run is over."""

    number: int

    def is_due_still(self, state: WorkerState) -> bool:
        return self.number in state.running


class JobReported(NamedTuple):
    """The process hears how a run ended, after what its child has published."""

    number: int

    def is_due_still(self, state: WorkerState) -> bool:
        return self.number in state.running


class TaskDue(NamedTuple):
    """The ETA of a task that is held."""

    number: int

    def is_due_still(self, state: WorkerState) -> bool:
        return self.number in state.held


class PastTaskDue(NamedTuple):
    """One of the tasks whose ETA was past when they came: the one with the earliest."""

    def is_due_still(self, state: WorkerState) -> bool:
        return bool(state.past)


class TokenReady(NamedTuple):
    """A rate limit has a token again."""

    number: int

    def is_due_still(self, state: WorkerState) -> bool:
        return self.number in state.buckets


class Heartbeat(NamedTuple):
    """An event of the process, as long as the connection is the same; it keeps no run going."""

    life: int

    def is_due_still(self, state: WorkerState) -> bool:
        return state.connected and state.life == self.life


class SoftShutdownEnds(NamedTuple):
    """The time that a cold shutdown gives to what runs."""

    life: int

    def is_due_still(self, state: WorkerState) -> bool:
        return state.alive and state.softly and state.life == self.life


class StartAgain(NamedTuple):
    """Whoever watches over the process starts it again."""

    def is_due_still(self, state: WorkerState) -> bool:
        return not state.alive


class Autoscales(NamedTuple):
    """It looks whether its pool is too large; that keeps no run going."""

    life: int

    def is_due_still(self, state: WorkerState) -> bool:
        return state.connected and state.life == self.life


class PoolGrows(NamedTuple):
    """So many processes more, which a command has asked for."""

    by: int

    def is_due_still(self, state: WorkerState) -> bool:
        return state.alive and state.coming >= self.by


class HeartbeatsMissed(NamedTuple):
    """RabbitMQ gives up a connection by which nothing has come for so long; `stood`: the time of standing still."""

    life: int
    stood: int

    def is_due_still(self, state: WorkerState) -> bool:
        return state.connected and state.life == self.life and state.stood == self.stood and state.stands_still()


class Mingled(NamedTuple):
    """The others have had their time to answer."""

    life: int

    def is_due_still(self, state: WorkerState) -> bool:
        return bool(state.mingling) and state.connected and state.life == self.life


class Reconnect(NamedTuple):
    """It tries to get a connection again."""

    def is_due_still(self, state: WorkerState) -> bool:
        return state.alive and not state.connected


Timer: TypeAlias = (
    JobEnds | JobReported | TaskDue | PastTaskDue | TokenReady | Heartbeat | SoftShutdownEnds | StartAgain | Reconnect | Mingled
    | Autoscales | PoolGrows | HeartbeatsMissed
)  # fmt: skip
KEEP_NO_RUN_GOING = (Heartbeat, Autoscales)  # they would go on for ever
