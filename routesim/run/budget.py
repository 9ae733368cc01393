"""Ends a run that does not come to rest: at one instant that never ends, or after its last publish."""

from collections.abc import Callable

from routesim.broker import Broker, open_messages
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.run.agenda import RunAgenda

BUDGET_EVENTS = 1_000_000
BUDGET_MS = 30 * 86_400_000
PUBLISHED_ANEW = 100  # so often by one name that it is worth telling
LOOK_EVERY = 1_000  # reactions between two looks


LOOKS_AT_ONCE = 100  # so many may be left out in a row


class RoundCost(NamedTuple):
    """Of what comes again and again: its reactions, its movements in the ledger, how many fewer open messages there are after it,
    by how many that may sway meanwhile, and how many reactions to leave before a look."""

    reactions: int
    events: int
    fewer: int
    sway: int
    margin: int


class Stopped(Exception):
    """The run is over before its steps are: `livelock` or `budget`."""

    def __init__(self, ended: str) -> None:
        self.ended = ended
        super().__init__(ended)


class Budget:
    """`reactions` counts what consumers have sent, and instants; every so many of them it is looked what has happened since
    the instant began, and, once nothing but reactions can happen (`runs_out`), since messages became fewer. `beside` counts the
    steps of clients of which no message tells: connecting, consuming, a limit, a crash. `tick` is called at each look."""

    def __init__(
        self, broker: Broker, agenda: RunAgenda, max_events: int, tick: Callable[[Broker], None] | None, *, until_idle: bool
    ) -> None:
        self.broker = broker
        self.agenda = agenda
        self.max_events = max_events
        self.tick = tick
        self.until_idle = until_idle
        self.runs_out = False
        self.reactions = 0
        self.beside = 0
        self.look_every = max(1, min(LOOK_EVERY, max_events // 10))
        self.instant = (0, 0)  # the instant looked at last, and how much had happened when it began
        self.least: tuple[int, int, int] | None = None  # the fewest open messages; how much had happened by then, and when

    def begin_instant(self) -> None:
        broker = self.broker
        self.instant = (broker.now, broker.ledger.movements() + self.beside)

    def begin_rest(self) -> None:
        """The steps are over: from now on the run is to come to rest."""
        self.runs_out = self.until_idle
        self.least = (open_messages(self.broker), self.happened(), self.broker.now)

    def begin_anew(self) -> None:
        """A step has published its last message: what happened before counts no more."""
        self.least = None

    def happened(self) -> int:
        return self.broker.ledger.movements() + self.beside

    def free(self) -> int:
        """How many reactions there may be until the next look."""
        return self.look_every - 1 - self.reactions % self.look_every

    def rounds(self, a_round: RoundCost, *, alone: bool) -> int:
        """How many rounds there may be without a look: up to the next one, or beyond it where looks would come to nothing.
        `alone`: nothing else is planned."""
        reactions, every = a_round.reactions, self.look_every
        near = (self.free() - a_round.margin) // reactions
        if 2 * reactions > every:  # two looks might be at one instant
            return near
        far = LOOKS_AT_ONCE * every // reactions
        if not self.runs_out or self.agenda.steps_publishing:
            return max(near, far)
        # Each look is to find fewer open messages than the one before; the last of them is made, and notes how many.
        if not alone or self.least is None or a_round.fewer * (every // reactions) <= a_round.sway:
            return near
        far = min(far, (self.max_events - self.happened() + self.least[1]) // a_round.events - 1)
        last_look = (self.reactions + far * reactions) // every * every
        return max(near, (last_look - self.reactions - a_round.margin) // reactions)

    def react(self) -> None:
        """Counts a reaction. Raises `Stopped` when the budget is used up."""
        self.reactions += 1
        if self.reactions % self.look_every and self.broker.now < BUDGET_MS:
            return
        if self.tick is not None:
            self.tick(self.broker)
        broker, so_much = self.broker, self.happened()
        if broker.now != self.instant[0]:
            self.instant = (broker.now, so_much)
        if so_much - self.instant[1] > self.max_events:
            raise Stopped("budget")
        if not self.runs_out or self.agenda.steps_publishing:
            return
        count = open_messages(broker)
        if self.least is None or count < self.least[0]:
            self.least = (count, so_much, broker.now)
        _, events_then, ms_then = self.least
        if so_much - events_then > self.max_events or broker.now - ms_then > BUDGET_MS:
            raise Stopped("budget")


def _waiting(queue: QueueType) -> int:
    """What is in a queue, whatever it waits for: a consumer, an answer, its delayed retry, or to be dead-lettered."""
    return queue.ready_count() + len(queue.held_back()) + queue.unacked + len(queue.awaiting)


def kept_going(broker: Broker, ended: str, beside: int, published: dict[str, int]) -> str:
    """What a run was about that did not come to rest. `beside`: as `Budget` counts; `published`: how often clients have
    published under each name."""
    if ended == "livelock" and broker.livelock is not None:
        message, places = broker.livelock
        return f"message {message} came back 1,000 times without time passing: {' → '.join(places)}"
    if beside > broker.ledger.movements():
        return f"clients connect, consume and lose their channels again and again, {beside} such steps so far"
    open_in = [f"{count} in {queue.name}" for queue in broker.queues.values() if (count := _waiting(queue))]
    some = f" ({', '.join(open_in[:4])}{' …' if len(open_in) > 4 else ''})" if open_in else ""
    most = max(published, key=published.__getitem__, default="")
    again = f", {published[most]} times {most} published anew" if most and published[most] >= PUBLISHED_ANEW else ""
    return (
        f"messages still go round{some}: "
        f"{broker.ledger.redelivered} redeliveries, {broker.ledger.dead_lettered} dead-lettered{again} so far"
    )
