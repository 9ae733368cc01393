"""What a round is gone with: consumers with what they have in hand, queues with what waits, steps that publish."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from routesim.clients.scripted_consumer import ConsumerJob
from routesim.content import Content
from routesim.named_tuples import NamedTuple
from routesim.queues import Copy, Delivery, LinedQueue
from routesim.run.batches import BatchRows, in_turn
from routesim.run.express.hands import Hands
from routesim.run.express.prepared import AckingConsumer
from routesim.scenario import PublishMany

Held: TypeAlias = tuple[Copy, int, int]  # what a delivery is made of: the copy, its tag, and when it was sent


class Lane:
    """A consumer with what it has in hand, in the order in which it answers. `sent`, `answered`: how many a round.

    `fresh`: of rounds that are being gone, what the n-th move sends it.
    """

    def __init__(self, acking: AckingConsumer) -> None:
        self.acking = acking
        self.channel = acking.channel
        state = acking.state
        self.waiting = len(state.waiting)
        self.hands = Hands(state, acking.subscription)
        self.held: deque[Held] = deque()
        self.sent = self.answered = 0
        self.credit = acking.subscription.credit
        self.credits = 0  # how many it has more after a round than before
        self.fresh: list[tuple[int, Iterable[Held]]] = []

    def goes_on_from(self, before: int, now: int) -> bool:
        """Whether so many waiting, then and now, make no difference to the round."""
        return before == now or min(before, now) >= self.answered + 2

    def is_served_alike(self, before: int, now: int) -> bool:
        """The same of so much credit."""
        self.credits = now - before
        return before == now or min(before, now) >= self.sent + 2

    def most(self, limit: int) -> int:
        """How many rounds there can be before those that wait are few, or it has little credit."""
        fewer = self.answered - self.sent
        if fewer > 0 and self.waiting:
            limit = min(limit, (self.waiting - self.answered - 2) // fewer)
        return limit if self.credits >= 0 else min(limit, (self.credit - self.sent - 2) // -self.credits)

    def ago(self) -> int:
        """How many rounds ago what it has in hand was sent, at most."""
        return -(-len(self.held) // self.sent) if self.sent else 0

    def take_over(self) -> None:
        unacked = self.channel.unacked
        self.held.extend((item.copy, tag, item.at_ms) for tag in self.hands.tags for item in (unacked[tag],))

    def answers(self, times: int) -> list[Held]:
        """What it answers in so many rounds, once all that is `fresh` has reached it."""
        self.held.extend(in_turn([column for _, column in sorted(self.fresh, key=itemgetter(0))]))
        self.fresh = []
        gone = self.held.popleft
        return [gone() for _ in range(times * self.answered)]

    def hand_back(self, more: int) -> Iterator[tuple[int, ConsumerJob]]:
        """What it has in hand now, in place of what it had; `more` jobs have begun. Yields the jobs that it is at, each with the
        number of the one in whose place it is."""
        state, source, subscription = self.acking.state, self.acking.source.queue, self.acking.subscription
        fresh = [Delivery(tag, source, subscription, copy, at_ms, False) for copy, tag, at_ms in self.held]
        before, state.job_number = list(state.jobs), state.job_number + more
        jobs = [
            ConsumerJob(state, number + more, delivery, self.acking.rule, 0, 0)
            for number, delivery in zip(before, fresh, strict=False)
        ]
        self.hands.put(jobs, [(delivery, 0, 0) for delivery in fresh[len(jobs) :]])
        return zip(before, jobs, strict=True)


class WaitingLine:
    """A queue. `came`, `went`: how many copies join those that wait, and leave them, in a round; `passed`: how many do not wait.

    `fresh`: of rounds that are being gone, what each move puts into it.
    """

    def __init__(self, queue: LinedQueue) -> None:
        self.queue = queue
        self.line = queue.line()
        self.came = self.went = self.passed = 0
        self.fresh: list[Iterable[Copy]] = []

    def goes_on_from(self, before: int, now: int) -> bool:
        """Whether so many copies in the queue, then and now, make no difference to the round."""
        return before == now or not self.went or min(before, now) >= self.went + 2

    def most(self, limit: int) -> int:
        """How many rounds there can be, before those that wait are few or have been delivered before."""
        queue, fewer = self.queue, self.went - self.came
        most = limit if fewer <= 0 else min(limit, (queue.count - self.went - 2) // fewer)
        if self.went and most > 0:
            ready = islice(self.line, self.went * most)
            first = next((index for index, copy in enumerate(ready) if copy.returns or copy.failures), None)
            most = most if first is None else first // self.went
        return most

    def join(self, copies: Iterable[Copy], size: int) -> None:
        """Of one move, of so many bytes."""
        self.fresh.append(copies)
        self.queue.bytes += size

    def heads(self, times: int) -> list[Copy]:
        """What leaves it in so many rounds, once all that is `fresh` has joined it."""
        queue, line = self.queue, self.line
        line.extend(in_turn(self.fresh))
        self.fresh = []
        taken = self.leave(times * self.went)
        queue.count = len(line)
        return taken

    def leave(self, count: int) -> list[Copy]:
        """So many leave it."""
        queue = self.queue
        gone = self.line.popleft
        taken = [gone() for _ in range(count)]
        queue.bytes -= queue.all_bytes(taken)
        queue.count -= count
        return taken


class Publishing:
    """A step that publishes: the number of its next message, and how many a round."""

    def __init__(self, action: PublishMany, index: int) -> None:
        self.action = action
        self.prefix = action.id_prefix
        self.number = (action.first or 0) + index
        self.left = action.times - index - 1  # the last one goes the ordinary way
        self.a_round = 0


class Publishes(NamedTuple):
    """A publish as it comes again: `offset` ms after the begin of the round, the `place`-th of its step in the round, with
    `serial` copies made before it; into each queue, or to the consumer that is sent it (`to`), with so many sent before on its
    channel (`tags`, of consumers alone)."""

    offset: int
    rows: BatchRows
    publishing: Publishing
    place: int
    serial: int
    content: Content
    to: tuple[Lane | WaitingLine, ...]
    tags: tuple[int, ...]


class Consumes(NamedTuple):
    """An answer, the `answer`-th of who gives it; or, and, the `place`-th head of `source` for a consumer, with `tag` deliveries
    sent before on its channel."""

    offset: int
    rows: BatchRows
    acks: Lane | None
    answer: int
    takes: Lane | None
    tag: int
    source: WaitingLine | None
    place: int
