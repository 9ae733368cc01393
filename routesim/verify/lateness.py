"""When the steps of a run begin, when its timers go off, and whether a real clock could keep the two apart."""

from bisect import bisect_left, bisect_right

from routesim import events
from routesim.broker import Broker
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import Fold
from routesim.run.on_rabbitmq.rehearsal import LEASE_OVER

CLIENTS_DO = (
    events.StepStarted, events.Published, events.Acked, events.Rejected, events.Got, events.ConsumerStarted, events.ChannelClosed,
)  # fmt: skip


class Timer(NamedTuple):
    """It goes off at `at_ms`, counted from `since_ms`; 0 where nobody knows from when."""

    at_ms: int
    since_ms: int


class Timing(Fold):
    """When the steps of a simulated run begin, when its clients do something, and when its timers go off. `broker` is set before
    the run begins; `margin_ms`: how long before it would have expired a message was handed to a client, at the least; `lease_ms`:
    the shortest time after which a queue that nobody uses is deleted."""

    broker: Broker
    live = True

    def __init__(self) -> None:
        self.margin_ms: int | None = None
        self.lease_ms: int | None = None
        self.steps: list[int] = []
        self.acts: list[int] = []
        self.timers: list[Timer] = []
        self.entered: dict[tuple[str, int], int] = {}  # (queue, copy) -> when

    def _entered(self, event: events.Enqueued) -> None:
        self.entered[event.queue, event.copy] = event.at_ms

    def _removed(self, event: events.DeadLettered | events.Dropped) -> None:
        if event.reason == "expired":
            self.timers.append(Timer(event.at_ms, self.entered.get((event.queue, event.copy), 0)))

    def _ended(self, event: events.ConsumerCancelled | events.QueueDeleted) -> None:
        if event.why.endswith((LEASE_OVER, "acknowledgement timeout")):
            self.timers.append(Timer(event.at_ms, 0))

    def _declared(self, event: events.QueueDeclared) -> None:
        queue = self.broker.queues.get(event.queue)
        lease = None if queue is None else queue.settings.expires
        if lease is not None:
            self.lease_ms = lease if self.lease_ms is None else min(lease, self.lease_ms)

    def _delayed(self, event: events.Delayed | events.RetryDelayed) -> None:
        self.timers.append(Timer(event.until_ms, event.at_ms))

    def _handed(self, event: events.Delivered | events.Got) -> None:
        handed = self.broker.handed
        if event.message is not None and handed is not None and handed.copy.expires_at is not None:
            left = handed.copy.expires_at - event.at_ms
            self.margin_ms = left if self.margin_ms is None else min(left, self.margin_ms)
        if isinstance(event, events.Got):
            self.acts.append(event.at_ms)

    def _did(self, event: events.Event) -> None:
        self.acts.append(event.at_ms)

    def _began(self, event: events.StepStarted) -> None:
        self.steps.append(event.at_ms)
        self.acts.append(event.at_ms)

    hears = {
        **dict.fromkeys(CLIENTS_DO, _did),
        events.StepStarted: _began,
        events.Enqueued: _entered,
        events.Delivered: _handed,
        events.Got: _handed,
        events.DeadLettered: _removed,
        events.Dropped: _removed,
        events.ConsumerCancelled: _ended,
        events.QueueDeleted: _ended,
        events.QueueDeclared: _declared,
        events.Delayed: _delayed,
        events.RetryDelayed: _delayed,
    }

    def nearest_ms(self) -> int | None:
        """The shortest time from the beginning of a step to a later timer."""
        return _nearest(self.steps, self.timers)

    def why_void(self, real_steps: list[int], late_ms: int) -> str | None:
        """Why a real run says nothing: what clients did came so late that a timer may have gone off before it.

        `real_steps`: when the steps began there, and last when the run ended, `late_ms`: by how much their consumers fell
        behind; both in the scenario's time.
        """
        for timer in self.timers:
            first, last = self._group(timer.since_ms)[0], self._group(timer.at_ms - 1)[1]
            if not 0 <= first <= last < len(real_steps):
                continue
            lag = (real_steps[last] - self.steps[last]) - (real_steps[first] - self.steps[first])
            left = timer.at_ms - self.steps[last]
            if lag * 2 > left:
                return f"step {last + 1} came {lag} ms late, {left} ms before a timer"
        latest = max((real - planned for real, planned in zip(real_steps, self.steps, strict=False)), default=0)
        if self.margin_ms is not None and latest * 2 > self.margin_ms:
            return f"a step came {latest} ms late, and a message would have expired {self.margin_ms} ms after it was handed out"
        if self.lease_ms is not None and latest * 2 > self.lease_ms:
            return f"a step came {latest} ms late, and a queue would have been deleted after {self.lease_ms} ms without use"
        left_ms = _nearest(sorted(self.acts), self.timers)
        if left_ms is not None and late_ms * 2 > left_ms:
            return f"what clients did was {late_ms} ms late, {left_ms} ms before a timer"
        return None

    def _group(self, at_ms: int) -> tuple[int, int]:
        """The first and the last of the steps that began at one instant, the last such instant up to this one; what the others
        did has ended when the last one begins, since only a wait takes time."""
        last = bisect_right(self.steps, at_ms) - 1
        return (bisect_left(self.steps, self.steps[last]), last) if last >= 0 else (0, -1)


class StepTimes(Fold):
    """When the steps of a run began, on its own clock."""

    def __init__(self) -> None:
        self.at_ms: list[int] = []

    hears = {events.StepStarted: lambda self, event: self.at_ms.append(event.at_ms)}


def _nearest(times: list[int], timers: list[Timer]) -> int | None:
    nearest = None
    for timer in timers:
        index = bisect_left(times, timer.at_ms)
        if index and (nearest is None or timer.at_ms - times[index - 1] < nearest):
            nearest = timer.at_ms - times[index - 1]
    return nearest
