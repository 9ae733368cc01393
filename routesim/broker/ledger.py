"""The ledger: every publish and every copy of a message ends in exactly one column, and both sides balance."""

from routesim.events import EVENTS, LOST

PUBLISHES = ("routed", "returned", "unroutable", "refused", "failed", "delayed", "uncommitted", "rolled_back")
COPIES_IN = ("enqueued", "dead_letter_copies", "replayed")
COPIES_OUT = (
    "ready", "unacked", "awaiting_dead_letter", "acked", "dead_lettered", "dropped", "purged", "deleted", "lost_at_restart",
)  # fmt: skip
STANDING = ("ready", "unacked", "awaiting_dead_letter")  # read off the queues, not counted as they happen


class Ledger:
    """Counters over a run."""

    __slots__ = (
        "acked", "dead_letter_copies", "dead_lettered", "delayed", "deleted", "delivered", "dropped", "enqueued", "failed",
        "lost_at_restart", "lost_by_consumer", "published", "purged", "redelivered", "refused", "replayed", "returned",
        "rolled_back", "routed", "task_lost", "uncommitted", "unroutable",
    )  # fmt: skip

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    acked: int
    dead_letter_copies: int
    dead_lettered: int
    delayed: int
    deleted: int
    delivered: int
    dropped: int
    enqueued: int
    failed: int
    lost_at_restart: int
    lost_by_consumer: int
    published: int
    purged: int
    redelivered: int
    refused: int
    replayed: int
    returned: int
    rolled_back: int
    routed: int
    task_lost: int
    uncommitted: int
    unroutable: int

    def movements(self) -> int:
        """How much has happened: every publish, copy, delivery and answer counts."""
        copies = self.enqueued + self.dead_letter_copies
        return self.published + copies + self.delivered + self.acked + self.redelivered + self.dead_lettered

    @property
    def lost(self) -> int:
        """How often something was lost, in the sense of `events.is_lost`."""
        return sum(getattr(self, EVENTS[kind]) for kind in LOST)

    def clone(self) -> "Ledger":
        other = object.__new__(Ledger)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        return other
