"""Time-to-live and length limits that lose messages, of work queues and of queues that only dead letters reach."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from routesim.check.finding import Cause, Draft, Problem, named
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.witness import cause_of, draft, lasting, publish_step, publishing, slice_of
from routesim.diagnostics import ERROR, NOTE
from routesim.durations import duration_text
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType

LONGEST_FILL = 20_000  # messages that a witness publishes to fill a queue
LARGEST_FILL = 100_000  # bytes
AT_ONCE_MS = 3_600_000  # what is parked for less is gone before anybody is told
WEEKEND_MS = 3 * 86_400_000  # what is parked for less may be gone on Monday
HANDFUL = 100  # parked messages
# Names of what is worth nothing when it is old: there a limit is what is meant.
SHORT_LIVED = re.compile(
    r"(?<![a-z])(metrics?|telemetry|stats?|statistics|logs?|logging|traces?|tracing|caches?|heartbeats?|presence|ticks?|tickers?"
    r"|quotes?|prices?|positions?|locations?|live|real-?time|status(es)?|temp|tmp|monitor(ing)?|samples?|ws|websockets?|typing"
    r"|broadcasts?|invalidat(e|ion)s?|market|order-?book|push)(?![a-z])",
    re.IGNORECASE,
)


def limit_loses(topology: CheckedTopology) -> Iterator[Problem]:
    """Work that a limit drops. One finding a policy; what is made to be the newest only, by its name, is left out."""
    for queue in topology.broker.queues.values():
        if queue.name in topology.parking or SHORT_LIVED.search(queue.name):
            continue
        limit = _limit(queue)
        if limit is None:
            continue
        kind, name, inner = _where(topology, queue, limit)
        by = f"policy '{name}': " if kind != "queue" else ""

        def text(found: Sequence[tuple[str, str]], by: str = by) -> str:
            names, limits = [name for name, _ in found], {said for _, said in found}
            one = len(found) == 1
            said = found[0][1] if len(limits) == 1 else f"what is too old or too much for them, '{names[0]}' {found[0][1]}"
            return f"{by}{named('queue', names)} {'has' if one else 'have'} no dead-letter exchange and drop{'s' * one} {said}"

        cause = Cause((kind, name if kind != "queue" else ""), (queue.name, limit.said), text)
        cure = "set x-dead-letter-exchange"
        yield Problem(
            text([(queue.name, limit.said)]),
            topology.subject(kind, name),
            inner,
            cure,
            _limit_shown(topology, queue),
            None,
            cause,
        )


def parking_loses(topology: CheckedTopology) -> Iterator[Problem]:
    """What was put aside, and does not stay until somebody has looked: an error where that is nobody's fault."""
    for queue in topology.broker.queues.values():
        if queue.name not in topology.parking:
            continue
        limit = _limit(queue)
        severity = None if limit is None else _how_bad(queue)
        if limit is None or severity is None:
            continue
        kind, name, inner = _where(topology, queue, limit)

        def text(names: Sequence[str], said: str = limit.said) -> str:
            one = len(names) == 1
            return (
                f"{named('parking queue', names)} {'has' if one else 'have'} no dead-letter exchange and drop{'s' * one} {said}"
            )

        cause = Cause((severity, kind, name if kind != "queue" else limit.said), queue.name, text)
        yield Problem(
            text([queue.name]), topology.subject(kind, name), inner, "let what is parked stay, or set x-dead-letter-exchange",
            _limit_shown(topology, queue), severity, cause,
        )  # fmt: skip


class _Limit(NamedTuple):
    """What a queue drops for good, in words, and the setting that says so first."""

    said: str
    setting: str


def _limit(queue: QueueType) -> _Limit | None:
    limits = queue.settings
    if queue.keeps_log or limits.dead_letter_exchange is not None:
        return None
    if queue.owner is not None or queue.auto_delete or queue.broker_name != queue.name:
        return None  # made for one client, gone with it
    lossy = limits.overflow == "drop-head"
    set_by = {key: origin.source for key, origin in queue.origins.items()}
    said, setting = [], ""
    if limits.message_ttl is not None:
        said.append(f"what is not consumed within {duration_text(limits.message_ttl)} ({set_by['message_ttl']} message-ttl)")
        setting = "message_ttl"
    if limits.max_length is not None and lossy:
        said.append(f"the oldest beyond {limits.max_length:,} messages ({set_by['max_length']} max-length)")
        setting = setting or "max_length"
    if limits.max_length_bytes is not None and lossy:
        said.append(f"the oldest beyond {limits.max_length_bytes:,} bytes ({set_by['max_length_bytes']} max-length-bytes)")
        setting = setting or "max_length_bytes"
    return _Limit(", and ".join(said), setting) if said else None


def _how_bad(queue: QueueType) -> str | None:
    """Of a limit of a parking queue. None: long enough for somebody to look."""
    limits = queue.settings
    waits = limits.message_ttl
    few = limits.max_length if limits.overflow == "drop-head" else None
    if (waits is not None and waits < AT_ONCE_MS) or (few is not None and few < HANDFUL):
        return ERROR
    return NOTE if waits is not None and waits < WEEKEND_MS else None


def _where(topology: CheckedTopology, queue: QueueType, limit: _Limit) -> tuple[str, str, tuple[str, ...]]:
    """What declares the limit, and the part of it: the queue itself or a policy."""
    kind, name = cause_of(topology, queue, limit.setting)
    key = limit.setting.replace("_", "-")
    return kind, name, (("arguments", f"x-{key}") if kind == "queue" else ("definition", key))


def _limit_shown(topology: CheckedTopology, queue: QueueType) -> Draft | None:
    limits = queue.settings
    way, key = topology.publish(queue.name)
    sections = slice_of(topology, [(way, key)], [queue.name])
    step: dict[str, Any]
    if limits.message_ttl is not None:
        sentence = f"{publishing(way, key)}, wait {duration_text(limits.message_ttl)}: dropped from '{queue.name}'"
        steps = [publish_step(way, key), {"wait": lasting(limits.message_ttl)}]
        return draft(topology, sentence, sections, steps, {"messages": {"m1": {queue.name: "dropped: expired"}}})
    if limits.max_length is not None and limits.max_length <= LONGEST_FILL:
        count, fate = limits.max_length + 1, {queue.name: "dropped: maxlen"}
        sentence = f"{publishing(way, key)} {count:,} times: the first one is dropped from '{queue.name}'"
        step = publish_step(way, key, count=count)
        return draft(topology, sentence, sections, [step], {"messages": {"m1": fate}})
    if limits.max_length_bytes is not None and limits.max_length_bytes <= LARGEST_FILL:
        sentence = f"{publishing(way, key)} twice with {limits.max_length_bytes + 1} bytes: dropped from '{queue.name}'"
        step = publish_step(way, key, body="x" * (limits.max_length_bytes + 1), count=2)
        return draft(topology, sentence, sections, [step], {"messages": {"m1": {queue.name: "dropped: maxlen"}}})
    return None
