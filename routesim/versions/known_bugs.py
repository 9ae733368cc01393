"""Bugs of single patch releases of RabbitMQ that are not simulated: a scenario that they may touch is told of them.

What a bug makes a broker do differently, and is simulated, is a row of `versions.DIFFERENCES` instead.
"""

from routesim.named_tuples import NamedTuple
from routesim.versions.differences import numbers, parse

DEAD_LETTERS = "dead letters"
QUORUM = "quorum queues"
SINGLE_BY_PRIORITY = "quorum queues with a single active consumer, by priority"
EXCLUSIVE = "exclusive queues"
DELAYED_OVER_LIMIT = "quorum queues with delayed retry and a length limit that drops the head"
OTHER_TYPE = "queues that are deleted and declared again as another type"
TOUCHED = (DEAD_LETTERS, QUORUM, SINGLE_BY_PRIORITY, EXCLUSIVE, DELAYED_OVER_LIMIT, OTHER_TYPE)


class KnownBug(NamedTuple):
    """`since` and `mended`: the first patch that has it, and the first without, whose release notes tell of it (None: no patch
    that is known); `touches`: what a scenario must have that it may show (one of `TOUCHED`). `hangs`: a queue's process goes
    round for ever then, and takes a processor with it."""

    what: str
    since: str
    mended: str | None
    touches: str
    hangs: bool = False


# From the release notes of 3.13.1 to 4.3.5, as far as AMQP 0-9-1 on one node may show them; the last two were seen on live
# brokers (`tests/queues/test_hanging_queue.py` on a 4.3.6, `tests/queues/test_other_type.py` on 3.10.8, 4.0.5 and 4.3.6).
KNOWN_BUGS = (
    KnownBug("x-death does not count that a message expired again", "3.13.0", "3.13.2", DEAD_LETTERS),
    KnownBug("x-death and what stands beside it are wrong in several cases", "3.13.0", "3.13.3", DEAD_LETTERS),
    KnownBug("what a consumer requeues just before it is cancelled may stay unacked", "4.0.0", "4.0.3", QUORUM),
    KnownBug("a delivery limit may let the queue's process fail", "4.0.0", "4.0.3", QUORUM),
    KnownBug("some messages cannot be dead-lettered: an exception", "4.0.0", "4.0.5", DEAD_LETTERS),
    KnownBug(
        "the consumer of higher priority does not take over when the active one gives back its last delivery", "4.0.0", "4.1.2",
        SINGLE_BY_PRIORITY,
    ),
    KnownBug(
        "the queue that is declared again just after its connection has gone may be deleted", "4.1.0", "4.1.8", EXCLUSIVE
    ),
    KnownBug(
        "the queue that is declared again just after its connection has gone may be deleted", "4.2.0", "4.2.3", EXCLUSIVE
    ),
    KnownBug(
        "when more messages than the limit allows wait for their delayed retry, the queue's process never answers again", "4.3.0",
        None, DELAYED_OVER_LIMIT, hangs=True,
    ),
    KnownBug(
        "a channel that has read from the queue keeps its former type, and may lose its connection (541 INTERNAL_ERROR) when it "
        "reads again", "3.10.0", None, OTHER_TYPE,
    ),
)  # fmt: skip


def bugs_of(version: str) -> tuple[KnownBug, ...]:
    """Those that this version has, a minor version being its newest known patch. Raises `UnknownVersion`."""
    exact = parse(version)
    return tuple(bug for bug in KNOWN_BUGS if numbers(bug.since) <= exact and (bug.mended is None or exact < numbers(bug.mended)))
