"""The ledger read together with what stands in the queues now, and whether both sides balance."""

from routesim.broker.broker import Broker
from routesim.broker.ledger import COPIES_IN, COPIES_OUT, PUBLISHES


def counts(broker: Broker) -> dict[str, int]:
    """All columns, in the order in which the balance is read; with what stands in the queues now."""
    ledger = broker.ledger
    queues = broker.queues.values()
    standing = {
        "ready": sum(queue.ready_count() + len(queue.held_back()) for queue in queues),
        "unacked": sum(queue.unacked for queue in queues),
        # What a livelock cut short is still on its way.
        "awaiting_dead_letter": sum(len(queue.awaiting) for queue in queues) + broker.dead_letters_on_their_way(),
    }
    names = ("published", *PUBLISHES, *COPIES_IN, *COPIES_OUT, "delivered", "redelivered", "lost")
    return {name: standing[name] if name in standing else getattr(ledger, name) for name in names}


def open_messages(broker: Broker) -> int:
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
