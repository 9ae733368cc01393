"""Messages that end nowhere: exchanges without a way on, dead letters without a grave, limits without a dead-letter exchange."""

from collections.abc import Iterator, Sequence
from typing import Any

from routesim.broker.routing import Visit, walk
from routesim.check.finding import Cause, Draft, Problem, named, not_checked
from routesim.check.topology.checked_topology import RESERVED, CheckedTopology
from routesim.check.topology.publish_paths import LARGE, PublishPath, dead_letter_exchange
from routesim.check.witness import cause_of, draft, publish_step, publishing, reject_steps, slice_of
from routesim.content import Content
from routesim.diagnostics import NOTE, did_you_mean
from routesim.explain.answer import quoted
from routesim.explain.futures import dead_letter_target, keeps_dead_letters, may_refuse
from routesim.explain.keys.key_sets import ALL, NONE, Keys, TooManyStates, any_of, exactly, witness
from routesim.explain.keys.reach import decides_by_key, reach
from routesim.model import DEFAULT_EXCHANGE
from routesim.queues import QueueType

MAX_SHOWN = 20  # losses of one cause that its witness shows
LONGEST_REFUSED = 20  # messages, each with its own steps, that a witness dead-letters to fill a queue


def drops_all(topology: CheckedTopology) -> Iterator[Problem]:
    for name, state in topology.exchanges():
        if state.declared.internal or name in RESERVED or "dead-letter" in topology.fed.get(name, ()):
            continue
        if name in topology.heard_by_listeners:
            continue
        if name in topology.leading_to_queues:
            continue
        why = "has no binding" if not state.bindings else "leads to no queue"
        if state.alternate is not None:
            gone = state.alternate not in topology.broker.exchanges
            why += f", and its alternate exchange '{state.alternate}' {'does not exist' if gone else 'leads to none either'}"
        else:
            why += " and no alternate exchange"
        way = PublishPath(name, ALL)
        if not topology.broker.queues:
            yield _of_exchanges_alone(topology, name)
            continue
        shown = draft(
            topology, f"{publishing(way, 'any.key')}: dropped", slice_of(topology, [(way, "any.key")]),
            [publish_step(way, "any.key")], {"lost": 1},
        )  # fmt: skip
        cure = "bind a queue, or set alternate-exchange"
        if state.alternate is not None:
            there = state.alternate in topology.broker.exchanges
            cure = f"bind a queue to it, or {'to' if there else 'declare'} '{state.alternate}'"

        def text(names: Sequence[str], why: str = why) -> str:
            if len(names) == 1:
                return f"exchange '{names[0]}' {why}: it drops every message"
            return f"{named('exchange', names)} {why.replace('has no', 'have no')}: they drop every message"

        cause = Cause("unbound", name, text) if not state.bindings and state.alternate is None else None
        yield Problem(text([name]), topology.subject("exchange", name), (), cure, shown, None, cause)


def alternate_missing(topology: CheckedTopology) -> Iterator[Problem]:
    """What no binding matches was to be caught, and is dropped."""
    for name, state in topology.exchanges():
        if state.alternate is None or state.alternate in topology.broker.exchanges or not state.bindings:
            continue
        text = (
            f"the alternate exchange '{state.alternate}' of exchange '{name}' does not exist: what no binding matches is dropped"
        )
        near = did_you_mean(state.alternate, [other for other in topology.broker.exchanges if other not in ("", name)])
        cure = near or f"declare '{state.alternate}', and bind a queue to it"
        inner = ("arguments", "alternate-exchange") if "alternate-exchange" in state.declared.arguments else ("name",)
        yield Problem(text, topology.subject("exchange", name), inner, cure, _missed_shown(topology, name))


def _missed_shown(topology: CheckedTopology, name: str) -> Draft | None:
    """A key that no binding matches. None: every key is matched, or it cannot be known."""
    state = topology.broker.exchanges[name]
    if len(state.bindings) > LARGE or not decides_by_key(topology.broker, name):
        return None
    try:
        key = witness(ALL & ~any_of(reach(topology.broker, name).values()), longer=True, work=topology.work)
    except TooManyStates:
        return None
    if key is None:
        return None
    way = PublishPath(name, exactly(key))
    sections = slice_of(topology, [(way, key)])
    return draft(topology, f"{publishing(way, key)}: dropped", sections, [publish_step(way, key)], {"lost": 1})


def _of_exchanges_alone(topology: CheckedTopology, name: str) -> Problem:
    """A file that declares no queue: whoever consumes brings one."""

    def text(names: Sequence[str]) -> str:
        drops = "drops" if len(names) == 1 else "drop"
        return f"{named('exchange', names)} {drops} every message until somebody binds a queue: this file declares none"

    cure = "right where consumers declare their queues themselves"
    return Problem(text([name]), topology.subject("exchange", name), (), cure, None, NOTE, Cause("no queue", name, text))


def drops_some(topology: CheckedTopology) -> Iterator[Problem]:
    for name, state in topology.exchanges():
        if name not in topology.entries or not state.bindings or not decides_by_key(topology.broker, name):
            continue
        if name in topology.heard_by_listeners or name in topology.passed_by:
            continue
        if len(state.bindings) > LARGE or name not in topology.leading_to_queues:
            continue
        try:
            dropped = topology.published(name) & ~any_of(reach(topology.broker, name).values())
            key = witness(dropped, longer=True, work=topology.work)
        except TooManyStates:
            continue
        if key is None:
            continue
        way = PublishPath(name, exactly(key))
        shown = draft(
            topology, f"{publishing(way, key)}: dropped", slice_of(topology, [(way, key)]), [publish_step(way, key)],
            {"lost": 1},
        )  # fmt: skip
        text, cure = _dropped(topology, way, key)
        yield Problem(text, topology.subject("exchange", name), (), cure, shown)


def _dropped(topology: CheckedTopology, way: PublishPath, key: str) -> tuple[str, str]:
    """What to say of keys such as this one, which lead nowhere from the exchange, and what there is not yet that helps."""
    broker, name = topology.broker, way.exchange
    visits: list[Visit] = []
    found, _ = walk(broker, name, "?", Content(name, key, (key,), None, ""), visits=visits)
    last = visits[-1]
    text = f"exchange '{name}' drops keys that no binding matches, such as {quoted(key)}"
    cure = "an alternate-exchange catches them"
    if len(visits) > 1 or last.matched or last.alternate is not None:
        text = f"exchange '{name}' drops keys that lead to no queue, such as {quoted(key)}: {found.why_nowhere}"
        if last.alternate is not None and last.alternate not in broker.exchanges:
            cure = f"declare '{last.alternate}', and bind a queue to it"
        else:
            cure = f"bind a queue to '{last.exchange}' for them"
    published = topology.sent_to.get(name, ())
    if not published or not all(message.mandatory for message in published):
        cure += "; `mandatory` tells the publisher"
    return text, cure


# Dead letters ----------------------------------------------------------------------------------------------------------


class _Losses:
    """Dead letters of several queues that one policy, or one queue's argument, sends nowhere."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.found: list[
            tuple[str, PublishPath, str, str]
        ] = []  # queue, how to publish to it, by which key; the key of the dead letter


def dead_letter_nowhere(topology: CheckedTopology) -> Iterator[Problem]:
    yield from _dead_letters_nowhere(topology, kept=False)


def dead_letter_kept(topology: CheckedTopology) -> Iterator[Problem]:
    """At-least-once dead letters that no queue takes, which their own queue keeps (rules/routing#D19)."""
    yield from _dead_letters_nowhere(topology, kept=True)
    for queue in topology.broker.queues.values():
        if dead_letter_exchange(queue) is not None and keeps_dead_letters(queue):
            yield from _behind_a_full_queue(topology, queue)


def _dead_letters_nowhere(topology: CheckedTopology, *, kept: bool) -> Iterator[Problem]:
    """One problem a cause: a policy that does this to a hundred queues is one mistake."""
    causes: dict[tuple[str, str], _Losses] = {}
    first_of: dict[str, str] = {}
    too_large: list[str] = []
    for name, queue in topology.broker.queues.items():
        target = dead_letter_exchange(queue)
        if target is None or keeps_dead_letters(queue) is not kept:
            continue
        try:
            found = next(filter(None, (_lost_key(topology, queue, target, way) for way in topology.ways.get(name, ()))), None)
        except TooManyStates:
            too_large.append(name)
            continue
        if found is not None:
            kind, who = cause_of(topology, queue, "dead_letter_exchange")
            state = topology.broker.exchanges.get(target)
            if kind == "queue" and (state is None or (target and not state.bindings)):
                who = first_of.setdefault(target, who)  # one exchange is missing, or was forgotten
            causes.setdefault((kind, who), _Losses(target)).found.append((name, *found))
    for (kind, name), losses in causes.items():
        yield _nowhere(topology, kind, name, losses, kept=kept)
    yield from not_checked("dead letters of queue", too_large)


def _lost_key(topology: CheckedTopology, queue: QueueType, target: str, way: PublishPath) -> tuple[PublishPath, str, str] | None:
    """A key of this way whose dead letter reaches no queue, and the key that the dead letter has. Raises `TooManyStates`."""
    broker, fixed = topology.broker, queue.settings.dead_letter_routing_key
    if target not in broker.exchanges:
        caught: Keys = NONE
    elif len(broker.queues if target == DEFAULT_EXCHANGE else broker.exchanges[target].bindings) > LARGE:
        raise TooManyStates
    else:
        caught = any_of(reach(broker, target).values())
    if fixed is not None:
        if witness(exactly(fixed) & caught, work=topology.work) is not None:
            return None
        key = way.key(topology.work)
        return None if key is None else (way, key, fixed)
    key = way.key(topology.work, ~caught)
    return None if key is None else (way, key, key)


def _nowhere(topology: CheckedTopology, kind: str, name: str, losses: _Losses, *, kept: bool) -> Problem:
    state = "kept back" if kept else "dropped"
    steps: list[dict[str, Any]] = []
    fates: dict[str, Any] = {}
    shown = losses.found[:MAX_SHOWN]
    for number, (queue, way, key, _) in enumerate(shown, 1):
        steps += [publish_step(way, key, id=f"lost-{number}"), *reject_steps(queue, f"lost-{number}")]
        fates[f"lost-{number}"] = {queue: f"{state}: rejected"}
    queue, way, key, dead_key = losses.found[0]
    sentence = f"{publishing(way, key)}, reject it from queue '{queue}': {state}"
    if len(losses.found) > 1:
        sentence += f"; the same for {len(shown) - 1} more queues"
    sections = slice_of(topology, [(way, key) for _, way, key, _ in shown], [item[0] for item in shown])
    who = f"queue '{queue}'"
    if len(losses.found) > 1:
        names = ", ".join(f"'{item[0]}'" for item in losses.found[:6])
        more = f" and {len(losses.found) - 6} more" if len(losses.found) > 6 else ""
        who = f"{len(losses.found)} queues ({names}{more})"
    target = f"exchange '{losses.target}'" if losses.target else "the default exchange"
    if losses.target not in topology.broker.exchanges:
        why, cure = "which does not exist", f"declare '{losses.target}' and bind a queue to it"
        if topology.scenario.workers:
            cure += "; where a bootstep of the Celery app does, write here what it declares"
    elif losses.target and not topology.broker.exchanges[losses.target].bindings:
        why, cure = "to which nothing is bound", f"bind a parking queue to '{losses.target}'"
    else:
        why = f"which leads nowhere for key {quoted(dead_key)}"
        fixed = topology.broker.queues[queue].settings.dead_letter_routing_key is not None
        cure = "bind a parking queue for that key" if losses.target else f"declare a queue of the name {quoted(dead_key)}"
        cure += f", or set {'another ' if fixed else ''}x-dead-letter-routing-key"
    inner = ("arguments", "x-dead-letter-exchange") if kind == "queue" else ("definition", "dead-letter-exchange")
    by = "" if kind == "queue" else f"policy '{name}': "
    what = "are lost"
    if kept:
        there = "it" if len(losses.found) == 1 else "them"
        what = f"are kept back in {there} for ever, neither ready nor unacked, and count towards its length limit"
    text = f"{by}dead letters of {who} {what}: they go to {target}, {why}"
    return Problem(
        text, topology.subject(kind, name), inner, cure, draft(topology, sentence, sections, steps, {"messages": fates})
    )


def _behind_a_full_queue(topology: CheckedTopology, queue: QueueType) -> Iterator[Problem]:
    """Nothing is lost, and nobody sees it: what waits there is neither ready nor unacked."""
    for way in topology.ways.get(queue.name, ()):
        key = way.sample(topology.work)
        if key is None or not topology.arrives(way, key, queue.name):
            continue
        content = way.content(key)
        targets = dead_letter_target(topology.broker, queue, content, "rejected").targets
        full = next((target for target in targets if may_refuse(queue, target)), None)
        if full is None:
            continue
        text = (
            f"dead letters of queue '{queue.name}' are kept back in it, neither ready nor unacked, while '{full.name}' is full: "
            f"it refuses what is beyond its limit ({_limit_of(full)})"
        )
        cure = (
            f"see to it that '{full.name}' is consumed, and watch the total of '{queue.name}', or let '{full.name}' drop its head"
        )
        yield Problem(
            text, topology.subject("queue", queue.name), ("name",), cure, _full_shown(topology, queue, full, way, key), NOTE
        )
        return


def _limit_of(queue: QueueType) -> str:
    limits = queue.settings
    return (
        f"max-length {limits.max_length:,}" if limits.max_length is not None else f"max-length-bytes {limits.max_length_bytes:,}"
    )


def _full_shown(topology: CheckedTopology, queue: QueueType, full: QueueType, way: PublishPath, key: str) -> Draft | None:
    """Dead letters until the queue behind takes no more: one beyond the limit, and one that finds it full."""
    limits = full.settings
    if limits.max_length is None or limits.max_length > LONGEST_REFUSED:
        return None
    count = limits.max_length + 2
    steps: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        steps += [publish_step(way, key, id=f"dead-{number}"), *reject_steps(queue.name, f"dead-{number}")]
    sentence = f"{publishing(way, key)} and reject it from '{queue.name}', {count} times: the last one is kept back"
    sections = slice_of(topology, [(way, key)], [queue.name])
    return draft(topology, sentence, sections, steps, {"messages": {f"dead-{count}": {queue.name: "kept back: rejected"}}})
