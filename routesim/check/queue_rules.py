"""Queues that lose or keep more than is thought: by delivery limits, without them, and without an end."""

from collections.abc import Iterator, Sequence

from routesim.broker.policies import effective
from routesim.check.finding import Cause, Draft, Problem, named
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.witness import draft, publish_step, publishing, reject_steps, slice_of
from routesim.explain.futures import delivery_limit
from routesim.queues import QueueType

MAX_RETURNS = 50  # returns that a witness makes to reach a delivery limit


def _work(topology: CheckedTopology) -> Iterator[QueueType]:
    """Queues that last, and to which not only dead letters come."""
    for queue in topology.broker.queues.values():
        lasts = queue.owner is None and not queue.auto_delete and queue.broker_name == queue.name
        if lasts and queue.name not in topology.parking:
            yield queue


def limit_drops(topology: CheckedTopology) -> Iterator[Problem]:
    """rules/queues#2.10: what exceeds the limit is dead-lettered, or dropped where nothing takes it."""
    for queue in _work(topology):
        limit = delivery_limit(queue)
        if not queue.replicated or queue.keeps_log or limit is None or queue.settings.dead_letter_exchange is not None:
            continue
        own = queue.origins["delivery_limit"].source
        what = f"{limit}, the default from 4.0 on" if own == "default" else f"{limit} ({own})"

        def text(names: Sequence[str], what: str = what) -> str:
            one = len(names) == 1
            return (
                f"{named('quorum queue', names)} {'has' if one else 'have'} no dead-letter exchange and drop{'s' * one} "
                f"a message that has come back more often than the delivery limit, {what}"
            )

        cause = Cause((limit, own), queue.name, text)
        inner = ("arguments", "x-delivery-limit") if "x-delivery-limit" in queue.arguments else ("name",)
        yield Problem(
            text([queue.name]), topology.subject("queue", queue.name), inner, "set x-dead-letter-exchange",
            _drops_shown(topology, queue, limit), None, cause,
        )  # fmt: skip


def _drops_shown(topology: CheckedTopology, queue: QueueType, limit: int) -> Draft | None:
    if limit > MAX_RETURNS:
        return None
    way, key = topology.publish(queue.name)
    returns = [step for _ in range(limit + 1) for step in reject_steps(queue.name, "m1", requeue=True)]
    sentence = f"{publishing(way, key)}, reject it {limit + 1} times with requeue: dropped from '{queue.name}'"
    fate = {"messages": {"m1": {queue.name: "dropped: delivery_limit"}}}
    return draft(topology, sentence, slice_of(topology, [(way, key)], [queue.name]), [publish_step(way, key), *returns], fate)


def no_limit(topology: CheckedTopology) -> Iterator[Problem]:
    """Before 4.0 a quorum queue has no delivery limit of its own."""
    for queue in _work(topology):
        if not queue.replicated or queue.keeps_log or delivery_limit(queue) is not None:
            continue
        if queue.origins.get("delivery_limit") is not None:
            continue  # it was said that there is to be none
        if queue.settings.message_ttl is not None and queue.settings.dead_letter_exchange is not None:
            continue  # messages wait there, and nobody consumes them

        def text(names: Sequence[str]) -> str:
            which = "it" if len(names) == 1 else "one of them"
            who = f"{named('quorum queue', names)} {'has' if len(names) == 1 else 'have'} no delivery limit"
            return f"{who}: a message that its consumer dies of comes back to {which} for ever"

        cure = "set x-delivery-limit and x-dead-letter-exchange; from 4.0 on the limit is 20 unless it is set"
        yield Problem(
            text([queue.name]), topology.subject("queue", queue.name), ("name",), cure, None, None, Cause("", queue.name, text)
        )


def stream_keeps_all(topology: CheckedTopology) -> Iterator[Problem]:
    for name, queue in topology.broker.queues.items():
        if not queue.keeps_log or {"x-max-age", "x-max-length-bytes"} & queue.arguments.keys():
            continue
        if queue.settings.max_length_bytes is not None or _policed_age(topology, queue):
            continue

        def text(names: Sequence[str]) -> str:
            who = f"{named('stream', names)} {'keeps' if len(names) == 1 else 'keep'} every message, until the disk is full"
            return f"{who}: neither max-age nor max-length-bytes is set"

        cure = "set x-max-age or x-max-length-bytes, or a policy with max-age or max-length-bytes"
        yield Problem(text([name]), topology.subject("queue", name), ("name",), cure, None, None, Cause("", name, text))


def _policed_age(topology: CheckedTopology, queue: QueueType) -> bool:
    return "max-age" in effective(topology.broker, queue.broker_name, queue.kind)


def unbounded(topology: CheckedTopology) -> Iterator[Problem]:
    for queue in _work(topology):
        limits = queue.settings
        if queue.keeps_log or limits.max_length is not None or limits.max_length_bytes is not None:
            continue
        if limits.message_ttl is not None:
            continue

        def text(names: Sequence[str]) -> str:
            grows = "grows" if len(names) == 1 else "grow"
            return f"{named('queue', names)} {grows} without an end while nobody consumes: no limit of length or time is set"

        cure = "set x-max-length with x-overflow: reject-publish, which tells publishers, or a policy"
        yield Problem(
            text([queue.name]), topology.subject("queue", queue.name), ("name",), cure, None, None, Cause("", queue.name, text)
        )
