"""What classic and quorum queues have in common: copies wait in lines, and are sent to whose turn it is.

It is what the fast way through a run (`run/express`) knows of a queue. Plain is one where nothing else than that happens.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from routesim.content import Content
from routesim.queues.base import Host, QueueType
from routesim.queues.consumers import Channel, Copy, Subscription

CONTENT, SIZE = attrgetter("content"), attrgetter("size")


class LinedQueue(QueueType):
    """State:

    - `levels`: the ready copies by priority; `count`, `bytes`: of all that are ready;
    - `expiring`: whether a copy that can expire was ever ready here;
    - `turns`: by consumer priority, the consumers whose turn comes round.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.levels: list[deque[Copy]] = [deque()]
        self.count = 0
        self.bytes = 0
        self.expiring = False
        self.turns: dict[int, deque[Subscription]] = {}

    # Whose turn it is ----------------------------------------------------------------------------------------------

    def next_consumer(self) -> Subscription | None:
        """Whose turn it is; takes one credit."""
        raise NotImplementedError

    def credited(self, subscription: Subscription) -> bool:
        """It has answered: one more credit, if it needs any. Whether it had none before."""
        raise NotImplementedError

    def whose_turn(self) -> tuple[Any, ...]:
        """The same for queues that send what comes to the same consumers, in the same order, as long as these have credit."""
        raise NotImplementedError

    # What waits ----------------------------------------------------------------------------------------------------

    def line(self) -> deque[Copy]:
        """Where all wait in a queue that keeps plainly, while it does."""
        raise NotImplementedError

    def single_line(self) -> deque[Copy] | None:
        """Where all that is ready waits, if it is in one line and none of it is overdue."""
        return next((line for line in self.levels if len(line) == self.count), None)

    def is_plain(self) -> bool:
        """Whether a published copy that a consumer takes at once meets no rule but whose turn it is."""
        raise NotImplementedError

    def keeps_plainly(self) -> bool:
        """Whether a plain queue has no rule either for copies that wait: no limit, no expiry, no priorities."""
        raise NotImplementedError

    def keeps_so_many_plainly(self) -> bool:
        """The same, but that there may be a maximal length, and what is over it drives the head out."""
        return False

    def is_plain_for(self, content: Content) -> bool:
        """Whether it makes no difference to a queue that keeps plainly that it is this message."""
        return True

    def knows_publisher(self, channel: Channel[QueueType]) -> bool:
        """Whether publishes by the channel tell it nothing new, and none is refused."""
        return True

    def room(self, content: Content) -> int:
        """How many more of these it keeps behind others that wait, with no other rule: none before them, and no limit reached."""
        return 0

    def join(self, copies: Sequence[Copy]) -> None:
        """Copies of one message, alike but for their names, for which there is room, wait."""
        raise NotImplementedError

    def let_go(self, contents: Sequence[Content]) -> None:
        """Copies of these have left the line for consumers."""
        self.count -= len(contents)
        self.bytes -= sum(map(SIZE, contents))

    def took(self, count: int) -> None:
        """So many copies have left the line, or passed it, for consumers."""

    def all_bytes(self, copies: Iterable[Copy]) -> int:
        """What they count towards max-length-bytes."""
        size = self.size
        return sum([times * size(content) for content, times in Counter(map(CONTENT, copies)).items()])

    # What comes back -----------------------------------------------------------------------------------------------

    def takes_back_plainly(self, copy: Copy, now: int) -> bool:
        """Whether a copy that comes back to a plain queue, by a nack, meets no rule either, and is the next to leave it."""
        return False

    def returned(self, copy: Copy, why: str) -> Copy:
        """The copy as it comes back."""
        raise NotImplementedError

    def discarded(self, copy: Copy, why: str) -> Copy:
        """The copy as it is dead-lettered."""
        raise NotImplementedError

    def wait_for_expiry(self, host: Host, at_ms: int | None) -> None:
        """A copy that expires then, if ever, was ready at the head for a moment."""
        if at_ms is not None:
            self.expiring = True
            host.arm(self, at_ms)
