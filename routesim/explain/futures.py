"""What can become of a message in a queue: expired, dropped, dead-lettered, kept back, put back, and where that leads, to the
end."""

from typing import Any

from routesim.broker import Broker
from routesim.broker.deadletters import is_cycle, record_death
from routesim.broker.routing import route
from routesim.content import Content
from routesim.durations import duration_text
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType

DEEPEST = 12


class Future(NamedTuple):
    """`when` it happens, for which `reason`, and where the message goes: the `queues` reached, or none and `why`.

    The reasons are those of x-death, `refused` for what never gets in, and `returned` for what stays."""

    depth: int
    queue: str
    when: str
    reason: str
    queues: tuple[str, ...]
    why: str
    loops: bool

    @property
    def ends_badly(self) -> bool:
        """Whether the message is lost by it, or stuck."""
        return not self.queues and self.reason not in ("refused", "returned")


def ways_out(queue: QueueType) -> list[tuple[str, str]]:
    """The ways in which a message can leave the queue without an ack: (reason, when)."""
    limits = queue.settings
    if queue.keeps_log:
        return []
    ways = [("rejected", "rejected (requeue=false)")]
    if limits.message_ttl is not None:
        ways.append(("expired", f"not consumed for {duration_text(limits.message_ttl)}"))
    if limits.max_length is not None or limits.max_length_bytes is not None:
        limit = f"{limits.max_length} messages" if limits.max_length is not None else f"{limits.max_length_bytes} bytes"
        if limits.overflow == "reject-publish":
            ways.append(("refused", f"published while it holds {limit}"))
        else:
            ways.append(("maxlen", f"the head, once it holds more than {limit}"))
    returns = delivery_limit(queue)
    if returns is not None:
        when = f"{'requeued' if queue.counts_nacks() else 'rejected back'}, or its consumer dies"
        often = f", more than {returns} times" if returns > 1 else ", more than once" if returns else ""
        ways.append(("delivery_limit", when + often))
    return ways


def delivery_limit(queue: QueueType) -> int | None:
    """How many returns of a message the queue allows; None: any number."""
    limit = queue.settings.delivery_limit
    return limit if limit is not None and limit >= 0 else None


def returns_for_ever(queue: QueueType) -> tuple[str, str] | None:
    """When a message comes back to its queue however often that happens, and why nothing ends it; None: never."""
    if queue.keeps_log:
        return None
    if delivery_limit(queue) is None:
        why = "the queue has no delivery limit" if queue.replicated else f"a {queue.kind} queue counts no returns"
        return "requeued, or its consumer dies", f"back in the queue, however often: {why}, so it never becomes a dead letter"
    if not queue.counts_nacks():
        return "nacked with requeue", "back in the queue, however often: a nack does not count towards the delivery limit"
    return None


def futures(broker: Broker, queue: QueueType, content: Content) -> list[Future]:
    """Every way out of the queue, each followed through dead-letter exchanges to its end or its loop."""
    return _futures(broker, queue, content, (), set(), failed=False)


def _futures(
    broker: Broker, queue: QueueType, content: Content, seen: tuple[str, ...], followed: set[tuple[str, bool]], *, failed: bool
) -> list[Future]:
    """`followed`: the queues that have been told of, for messages with and without a rejection behind them. `failed`: whether
    one of the deaths so far was one."""
    found: list[Future] = []
    depth = len(seen)
    stays = returns_for_ever(queue)
    if stays is not None:
        found.append(Future(depth, queue.name, stays[0], "returned", (), stays[1], False))
    for reason, when in ways_out(queue):
        if reason == "refused":
            found.append(Future(depth, queue.name, when, reason, (), "refused, and nacked to its publisher", False))
            continue
        targets, dead, _, why = dead_letter_target(broker, queue, content, reason)
        names = tuple(target.name for target in targets)
        loops = any(name in (*seen, queue.name) for name in names)
        why += _counted(queue, targets, reason, (*seen, queue.name), failed=failed)
        found.append(Future(depth, queue.name, when, reason, names, why, loops))
        for target in targets:
            mark = (target.name, reason == "rejected")  # which decides what the cycle rule does (rules/routing#D16)
            if target.name not in (*seen, queue.name) and depth < DEEPEST and mark not in followed:
                followed.add(mark)
                fails = failed or reason in ("rejected", "delivery_limit")
                found += _futures(broker, target, dead, (*seen, queue.name), followed, failed=fails)
    return found


def _counted(queue: QueueType, targets: list[QueueType], reason: str, path: tuple[str, ...], *, failed: bool) -> str:
    """What of the delivery limits of the targets is used up already: from 4.3 on a dead letter brings its failed deliveries
    along (rules/routing#D22)."""
    if queue.rules.dead_letter_counts != "all":
        return ""
    own = delivery_limit(queue)
    for target in targets:
        limit = delivery_limit(target)
        if limit is None:
            continue
        if target.name in path and (failed or reason == "rejected"):
            return f"; each round counts as a failed delivery, and '{target.name}' allows {limit} before one is returned"
        if reason == "delivery_limit" and own is not None:
            return f"; it brings its {own + 1} failed deliver{'ies' if own else 'y'} along, and '{target.name}' allows {limit}"
    return ""


class DeadLetterTarget(NamedTuple):
    """Where a dead letter goes: the queues that take it, those from which the cycle rule keeps it, and why in words."""

    targets: list[QueueType]
    content: Content
    cut: list[QueueType]
    why: str


def dead_letter_target(broker: Broker, queue: QueueType, content: Content, reason: str) -> DeadLetterTarget:
    """Where a message that dies in `queue` goes, as the broker itself would send it."""
    exchange = queue.settings.dead_letter_exchange
    if exchange is None:
        return DeadLetterTarget([], content, [], "dropped: no dead-letter exchange")
    kept_back = keeps_dead_letters(queue)
    lost = "kept back for ever" if kept_back else "dropped"
    if exchange not in broker.exchanges:
        return DeadLetterTarget([], content, [], f"{lost}: its dead-letter exchange '{exchange}' does not exist")
    key = queue.settings.dead_letter_routing_key
    dead, deaths = record_death(broker.rules, content, queue, reason, exchange, key, 0)
    found = route(broker, exchange, "?", dead)
    targets = [target for target, _ in found.queues]
    cut = [target for target in targets if reason != "rejected" and is_cycle(target.broker_name, deaths)]
    kept = [target for target in targets if target not in cut]
    shown = f"'{exchange}' by '{dead.routing_key}'" if exchange else f"the default exchange by '{dead.routing_key}'"
    if kept:
        return DeadLetterTarget(kept, dead, cut, f"through {shown}{_while_full(queue, kept)}")
    if targets:
        by = "" if kept_back else " by RabbitMQ"
        return DeadLetterTarget([], dead, cut, f"{lost}{by}: through {shown} it would come back without a rejection")
    return DeadLetterTarget([], dead, [], f"{lost}: {shown} leads nowhere")


def keeps_dead_letters(queue: QueueType) -> bool:
    """Whether the queue keeps a dead letter until some queue has taken it (rules/routing#D19)."""
    return queue.settings.dead_letter_strategy == "at-least-once"


def may_refuse(source: QueueType, target: QueueType) -> bool:
    """Whether the target, once it is full, does not take the dead letters of the source (rules/queues#6.8)."""
    limits = target.settings
    limited = limits.max_length is not None or limits.max_length_bytes is not None
    return limited and limits.overflow == "reject-publish" and (not target.replicated or keeps_dead_letters(source))


def _while_full(queue: QueueType, targets: list[QueueType]) -> str:
    full = " and ".join(f"'{target.name}'" for target in targets if may_refuse(queue, target))
    if not full:
        return ""
    return f"; {'kept back' if keeps_dead_letters(queue) else 'dropped'} while {full} is full"


def as_data(found: list[Future]) -> list[dict[str, Any]]:
    return [
        {
            "queue": item.queue, "when": item.when, "reason": item.reason, "queues": list(item.queues), "why": item.why,
            "loops": item.loops,
        }
        for item in found
    ]  # fmt: skip
