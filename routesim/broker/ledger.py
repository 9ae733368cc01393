"""The ledger: every publish and every copy of a message ends in exactly one column, and both sides balance."""

from typing import TYPE_CHECKING

from routesim.events import EVENTS, LOST

if TYPE_CHECKING:
    from routesim.broker.state import State

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
        "rolled_back", "routed", "uncommitted", "unroutable",
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
    uncommitted: int
    unroutable: int

    @property
    def lost(self) -> int:
        """How often something was lost, in the sense of `events.is_lost`."""
        return sum(getattr(self, EVENTS[kind]) for kind in LOST)

    def clone(self) -> "Ledger":
        other = Ledger()
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        return other


def counts(broker: "State") -> dict[str, int]:
    """All columns, in the order in which the balance is read; with what stands in the queues now."""
    ledger = broker.ledger
    queues = broker.queues.values()
    standing = {
        "ready": sum(queue.ready_count() + len(queue.held_back()) for queue in queues),
        "unacked": sum(queue.unacked for queue in queues),
        # What a livelock cut short is still on its way.
        "awaiting_dead_letter": sum(len(queue.awaiting) for queue in queues)
        + sum(item.entered for item in broker.pending_dead_letters),
    }
    names = ("published", *PUBLISHES, *COPIES_IN, *COPIES_OUT, "delivered", "redelivered", "lost")
    return {name: standing[name] if name in standing else getattr(ledger, name) for name in names}


def open_messages(broker: "State") -> int:
    """Copies that are ready, unacked, awaiting or delayed: what a run may still be about."""
    return broker.ledger.delayed + sum(
        queue.ready_count() + len(queue.held_back()) + queue.unacked + len(queue.awaiting) for queue in broker.queues.values()
    )


def imbalance(columns: dict[str, int]) -> str | None:
    """The equation that does not hold, or None. Nothing may be lost silently."""
    for whole, parts in ((("published",), PUBLISHES), (COPIES_IN, COPIES_OUT)):
        left, right = sum(columns[name] for name in whole), sum(columns[name] for name in parts)
        if left != right:
            shown = " + ".join(f"{name} {columns[name]}" for name in parts)
            return f"{' + '.join(whole)} is {left}, but {shown} is {right}"
    return None
