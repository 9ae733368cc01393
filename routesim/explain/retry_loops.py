"""Retry loops whose rounds use up a delivery limit: from 4.3 on a dead letter brings its failed deliveries along, and a
rejection is one (rules/routing#D22)."""

from collections.abc import Iterator

from routesim.broker import Broker
from routesim.explain.arrivals import arriving
from routesim.explain.futures import dead_letter_target, delivery_limit
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.scenario import Scenario

DEEPEST = 8


class RetryLoop(NamedTuple):
    """The queues that a rejected message goes round, the first one last again; the delivery limit of the first; and what
    becomes of a message that exceeds it then."""

    queues: tuple[str, ...]
    limit: int
    then: str
    lost: bool

    @property
    def shown(self) -> str:
        return " → ".join(self.queues)

    @property
    def ends(self) -> str:
        rounds = max(self.limit, 1)
        return f"after {rounds} of them a crash or a rejection back exceeds the delivery limit of {self.limit}: {self.then}"


def counted_loops(broker: Broker, scenario: Scenario) -> Iterator[RetryLoop]:
    """At most one for each queue. `broker` is a copy that may be changed."""
    if broker.rules.dead_letter_counts != "all":
        return
    for queue in broker.queues.values():
        limit = delivery_limit(queue)
        limits = queue.settings
        if limit is not None and limits.dead_letter_exchange is not None and limits.message_ttl is None:
            found = _round(broker, scenario, queue, limit)
            if found is not None:
                yield found


def _round(broker: Broker, scenario: Scenario, queue: QueueType, limit: int) -> RetryLoop | None:
    todo: list[tuple[QueueType, tuple[str, ...], object]] = [(queue, (queue.name,), arriving(broker, scenario, queue.name))]
    seen = {queue.name}
    for here, path, content in todo:  # grows while it is walked
        waits = here is not queue and here.settings.message_ttl is not None
        targets, dead, *_ = dead_letter_target(broker, here, content, "expired" if waits else "rejected")  # type: ignore[arg-type]
        if queue in targets:
            over = dead_letter_target(broker, queue, dead, "delivery_limit")
            then = over.why if not over.targets else f"to {', '.join(target.name for target in over.targets)}"
            return RetryLoop((*path, queue.name), limit, then, not over.targets)
        for target in targets:
            if target.name not in seen and len(path) < DEEPEST:
                seen.add(target.name)
                todo.append((target, (*path, target.name), dead))
    return None
