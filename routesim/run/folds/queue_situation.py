"""One queue at a moment of a run: which of its copies are ready, held, kept back or on their way out."""

from routesim.named_tuples import NamedTuple
from routesim.queues import QUEUE_TYPES, QueueType


class Ready(NamedTuple):
    """A copy that waits in its queue."""

    message: str
    copy: int
    redelivered: bool


class HeldCopy(NamedTuple):
    """A copy that is out and not settled. `consumer` None: taken with basic.get."""

    message: str
    copy: int
    consumer: str | None
    channel: str
    delivery_tag: int
    redelivered: bool


class AwaitingDeadLetter(NamedTuple):
    """A copy whose at-least-once dead letter nothing has taken yet."""

    message: str
    copy: int
    reason: str
    why: str


# In a stream several consumers can hold one copy (copy, consumer, delivery tag, channel); elsewhere the copy alone says which
# delivery is meant.
HeldKey = int | tuple[int, str, int, str]


class QueueSituation:
    """One queue. Its copies are in exactly one of the tables, those of a stream that are out in `messages` as well.

    `messages` are those that are ready, `later` those that wait for their delayed retry (4.3+), `leaving` those on their way
    to a dead-letter exchange, each by the number of the copy.
    """

    __slots__ = ("awaiting", "kind", "later", "leaving", "messages", "name", "type", "unacked", "unsorted")

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.type = QUEUE_TYPES.get(kind, QueueType)
        self.messages: dict[int, Ready] = {}
        self.unsorted = False
        self.later: dict[int, Ready] = {}
        self.unacked: dict[HeldKey, HeldCopy] = {}
        self.awaiting: dict[int, AwaitingDeadLetter] = {}
        self.leaving: dict[int, str] = {}

    def ready(self) -> list[Ready]:
        """The ready messages: in the order of their delivery in a classic queue without priorities and in a stream. Elsewhere
        in the order in which they came, for events tell neither priorities nor what a quorum queue sends first."""
        if self.unsorted and self.type.returns_to_place:
            self.messages = dict(sorted(self.messages.items()))
            self.unsorted = False
        return list(self.messages.values())

    def put(self, item: Ready) -> None:
        last = next(reversed(self.messages), 0)
        self.messages[item.copy] = item
        self.unsorted = self.unsorted or item.copy < last

    def take(self, copy: int) -> bool:
        """Take the copy out, wherever it is; False when it is not here."""
        for table in (self.unacked, self.messages, self.later, self.awaiting, self.leaving):
            if table.pop(copy, None) is not None:
                return True
        return False

    def clone(self) -> "QueueSituation":
        other = QueueSituation(self.name, self.kind)
        other.messages, other.unsorted, other.later = self.messages.copy(), self.unsorted, self.later.copy()
        other.unacked, other.awaiting, other.leaving = self.unacked.copy(), self.awaiting.copy(), self.leaving.copy()
        return other

    def size(self) -> int:
        return len(self.messages) + len(self.later) + len(self.unacked) + len(self.awaiting) + len(self.leaving)
