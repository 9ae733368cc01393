"""Ends a run that does not come to rest: at one instant that never ends, or after its last publish."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from routesim.broker import Broker, open_messages
from routesim.carried import deaths_of
from routesim.named_tuples import NamedTuple
from routesim.queues import Copy, QueueType
from routesim.run.agenda import RunAgenda
from routesim.values import Table, raw

if TYPE_CHECKING:
    from routesim.run.tasks.endless import EndlessRetries

BUDGET_EVENTS = 1_000_000
BUDGET_MS = 30 * 86_400_000
PUBLISHED_ANEW = 100  # so often by one name that it is worth telling
LOOK_EVERY = 1_000  # reactions between two looks
BUDGET_RETURNS = 20_000  # of one message; more where there may be more events
OF_MANY = 4  # so many messages may come back as often as one, all together
ROUNDS_TOLD = 10  # from so many on the way of a message is told
MOST_LOOKED_AT = 100  # copies of a queue, or of a channel
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
    the instant began, and, once nothing but reactions can happen (`runs_out`), since messages became fewer: how much, how long,
    and how often each of the messages that are left came back. `beside` counts the steps of clients of which no message tells:
    connecting, consuming, a limit, a crash. `endless`: retries that end the run when it is
    about nothing else. `tick` is called at each look."""

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
        # The fewest open messages; how much had happened by then, how often messages had come back, and when.
        self.least: tuple[int, int, int, int] | None = None
        self.endless: EndlessRetries | None = None
        self.max_returns = BUDGET_RETURNS * max(1, max_events // BUDGET_EVENTS)

    def begin_instant(self) -> None:
        broker = self.broker
        self.instant = (broker.now, broker.ledger.movements() + self.beside)

    def begin_rest(self) -> None:
        """The steps are over: from now on the run is to come to rest."""
        self.runs_out = self.until_idle
        self.least = (open_messages(self.broker), self.happened(), self._returns(), self.broker.now)

    def begin_anew(self) -> None:
        """A step has published its last message: what happened before counts no more."""
        self.least = None

    def happened(self) -> int:
        return self.broker.ledger.movements() + self.beside

    def _returns(self) -> int:
        return self.broker.ledger.redelivered + self.broker.ledger.dead_lettered

    def free(self) -> int:
        """How many reactions there may be until the next look."""
        return self.look_every - 1 - self.reactions % self.look_every

    def rounds(self, a_round: RoundCost, most: int) -> int:
        """How many rounds there may be without a look, of those before which nothing else happens: up to the next look, or beyond
        it where looks would come to nothing."""
        reactions, every = a_round.reactions, self.look_every
        near = min(most, (self.free() - a_round.margin) // reactions)
        if 2 * reactions > every:  # two looks might be at one instant
            return near
        far = min(most, LOOKS_AT_ONCE * every // reactions)
        if not self.runs_out or self.agenda.steps_publishing:
            return max(near, far)
        # Each look is to find fewer open messages than the one before; the last of them is made, and notes how many.
        if self.least is None or a_round.fewer * (every // reactions) <= a_round.sway:
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
        if self.endless is not None and self.endless.nothing_else(broker):
            raise Stopped("budget")
        count = open_messages(broker)
        if self.least is None or count < self.least[0]:
            self.least = (count, so_much, self._returns(), broker.now)
        _, events_then, returns_then, ms_then = self.least
        if so_much - events_then > self.max_events or broker.now - ms_then > BUDGET_MS:
            raise Stopped("budget")
        if self._returns() - returns_then > self.max_returns * max(1, count / OF_MANY):
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
    way = _way(broker)
    return (
        f"messages still go round{some}: {way}"
        f"{broker.ledger.redelivered} redeliveries, {broker.ledger.dead_lettered} dead-lettered{again} so far"
        f"{'; `routesim check` says what ends it' if way else ''}"
    )


def _way(broker: Broker) -> str:
    """The round of the message that has been dead-lettered most often, by what it carries along."""
    rounds, message, way = 0, "", ""
    for copy, headers in _open_copies(broker):
        deaths = [*deaths_of(headers)]
        often = min((count for count, *_ in deaths), default=0)
        if often > rounds:
            places = [queue for _, queue, _ in reversed(deaths)]
            first = raw(headers.get("x-first-death-queue"))
            at = places.index(first) if first in places else 0
            rounds, message, way = often, copy.message, " → ".join([*places[at:], *places[:at], places[at]])
    return f"{message} went {way} {rounds} times; " if rounds >= ROUNDS_TOLD else ""


def _open_copies(broker: Broker) -> Iterator[tuple[Copy, Table]]:
    """Some of what is still open, with its headers."""
    for queue in broker.queues.values():
        for copy in islice(queue.ready(), MOST_LOOKED_AT):
            yield copy, queue.headers(copy)
    for channel in broker.channels.values():
        for delivery in islice(channel.unacked.values(), MOST_LOOKED_AT):
            yield delivery.copy, delivery.queue.headers(delivery.copy)
