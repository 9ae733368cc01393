"""Bindings that do not mean what they seem to, or add nothing; queues that nothing reaches."""

import re
from collections.abc import Iterator, Sequence

from routesim.broker.records import ExchangeState
from routesim.check.finding import Cause, Problem, named, not_checked
from routesim.check.topology.checked_topology import RESERVED, CheckedTopology
from routesim.check.topology.publish_paths import LARGE, PublishPath, criteria
from routesim.check.witness import draft, publish_step, publishing, slice_of
from routesim.content import Content
from routesim.diagnostics import NOTE, WARNING
from routesim.exchanges.headers import Headers
from routesim.exchanges.topic import words_of
from routesim.explain.answer import quoted
from routesim.explain.keys.key_sets import Keys, Remainders, TooManyStates, all_of, any_of, covers, exactly, topic, witness
from routesim.explain.keys.reach import inner_type, matched, reach
from routesim.model import Binding
from routesim.values import raw, table_identity

LAST_NUMBER = re.compile(r"(.*?(?<![vV\d]))\d+(\D?|[-_.](?:q|queue))")  # worker-1, jobs2.queue; not orders.v2
# Names of queues that only dead letters are meant to reach.
REPLIES = re.compile(r"(?<![a-z])(repl(y|ies)|respon[sd]\w*|callbacks?|rpc)(?![a-z])", re.IGNORECASE)  # which requests name
GRAVE = re.compile(r"(?<![a-z])(dlq|dlx|dl|dead|dead-?letters?|retry|retries|failed|parked|parking)(?![a-z])", re.IGNORECASE)
MAX_OF_ONE = 50  # bindings between the same two ends that are compared with each other


def wildcard_on_direct(topology: CheckedTopology) -> Iterator[Problem]:
    too_large: dict[str, None] = {}
    for name, state in topology.exchanges():
        if inner_type(state) != "direct" or len(state.bindings) > 10 * LARGE:
            continue
        for binding in state.bindings.values():
            if not {"*", "#"} & set(words_of(binding.routing_key)):
                continue
            meant = topic(binding.routing_key)
            got = any_of(matched(state, item) for item in state.bindings.values() if item.destination == binding.destination)
            try:
                key = witness(meant & ~got, longer=True, work=topology.work)
                reached = exactly(key or "") & any_of(reach(topology.broker, name).values())
                nowhere = witness(reached, work=topology.work) is None
            except TooManyStates:
                too_large.setdefault(name)
                continue
            if key is None:
                continue
            if name in topology.passed_by:
                text = (
                    f"binding key '{binding.routing_key}' on direct exchange '{name}' matches no key but itself, and nobody "
                    f"needs it: Celery sends tasks to '{binding.destination}' by the queue's name"
                )
                cure = "make the exchange a topic exchange, if tasks are to be published with such keys"
                yield Problem(text, topology.bound.get(id(binding)), (), cure, None, NOTE)
                continue
            text = (
                f"binding key '{binding.routing_key}' on direct exchange '{name}': * and # are ordinary words there, so key "
                f"{quoted(key)} does not reach {binding.destination_type} '{binding.destination}'"
            )
            way = PublishPath(name, exactly(key))
            expect: dict[str, object] = {"queues": {binding.destination: {"ready": 0}}}
            if binding.destination_type == "exchange":
                expect = {}
            if nowhere:
                expect["lost"] = 1
            shown = draft(
                topology, f"{publishing(way, key)}: {'dropped' if nowhere else 'it does not get there'}",
                slice_of(topology, [(way, key)], [binding.destination] if binding.destination_type == "queue" else []),
                [publish_step(way, key)], expect,
            )  # fmt: skip
            cure = "make the exchange a topic exchange, or bind the keys themselves"
            yield Problem(text, topology.bound.get(id(binding)), (), cure, shown if expect else None)
    yield from not_checked("exchange", list(too_large))


def star_and_several_words(topology: CheckedTopology) -> Iterator[Problem]:
    """`*` is one word. Keys that are in use, and would match were it a `#`, say that more were meant."""
    too_large: dict[str, None] = {}
    for name, state in topology.exchanges():
        if inner_type(state) != "topic" or len(state.bindings) > LARGE:
            continue
        published = {message.routing_key for message in topology.sent_to.get(name, ())}
        bound = {item.routing_key for item in state.bindings.values() if not {"*", "#"} & set(words_of(item.routing_key))}
        for binding in state.bindings.values():
            words = words_of(binding.routing_key)
            if not words or words[-1] != "*":
                continue
            own = any_of(matched(state, item) for item in state.bindings.values() if item.destination == binding.destination)
            wider = topic(".".join([*words[:-1], "#"]))
            for key in (*sorted(published), *sorted(bound)):
                if len(words_of(key)) <= len(words):
                    continue
                try:
                    missed = witness(all_of((exactly(key), wider, ~own)), work=topology.work) is not None
                except TooManyStates:
                    too_large.setdefault(name)
                    break
                if missed:
                    where = "is published there" if key in published else "is bound there"
                    text = (
                        f"binding key '{binding.routing_key}' to '{binding.destination}': * stands for exactly one word, but "
                        f"'{key}', of {len(words_of(key))} words, {where}"
                    )
                    cure = f"write '{'.'.join([*words[:-1], '#'])}' if longer keys are meant"
                    severity = None if key in published else NOTE
                    yield Problem(text, topology.bound.get(id(binding)), (), cure, None, severity)
                    break
    yield from not_checked("exchange", list(too_large))


def redundant(topology: CheckedTopology) -> Iterator[Problem]:
    for name, state in topology.exchanges():
        kind = inner_type(state)
        if kind not in ("direct", "topic", "fanout", "headers"):
            continue
        ends: dict[tuple[str, str], list[Binding]] = {}
        for binding in state.bindings.values():
            ends.setdefault((binding.destination_type, binding.destination), []).append(binding)
        for (_, destination), bindings in ends.items():
            if 1 < len(bindings) <= MAX_OF_ONE:
                for binding, by in _covered(topology.work, state, kind, bindings):
                    text = (
                        f"binding {quoted(binding.routing_key)} of '{name}' to '{destination}' adds nothing: "
                        f"{by} matches all of its messages"
                    )
                    yield Problem(text, topology.bound.get(id(binding)), (), "take it out", None)


def _covered(work: Remainders, state: ExchangeState, kind: str, bindings: list[Binding]) -> Iterator[tuple[Binding, str]]:
    """Each binding that the ones left over make superfluous, and which of them do."""
    if kind == "headers":
        return  # equal criteria are one binding to RabbitMQ; wider ones are seldom a mistake
    left = list(bindings)
    for binding in sorted(bindings, key=lambda item: item.routing_key.count("#")):
        others = [item for item in left if item is not binding]
        own = matched(state, binding)
        try:
            single = next((item for item in others if covers(matched(state, item), own, work)), None)
            together = single is not None or covers(any_of(matched(state, item) for item in others), own, work)
        except TooManyStates:
            continue
        if others and together:
            left = others
            yield binding, f"{quoted(single.routing_key)}" if single else "the others together"


def headers_always(topology: CheckedTopology) -> Iterator[Problem]:
    for binding, mode, names in _headers_bindings(topology):
        if names or mode.startswith("any"):
            continue
        ignored = [key for key in binding.arguments if key != "x-match"]
        what = f"x-match {mode} passes over '{ignored[0]}', as over all that begins with x-" if ignored else "it has no criteria"
        text = f"headers binding of '{binding.source}' to '{binding.destination}' matches every message: {what}"
        way = PublishPath(binding.source, exactly("any.key"))
        shown = draft(
            topology, f"{publishing(way, 'any.key')} and no headers: it arrives", slice_of(topology, [(way, "any.key")]),
            [publish_step(way, "any.key")], {"queues": {binding.destination: {"ready": ">= 1"}}},
        )  # fmt: skip
        cure = f"set x-match to {mode}-with-x" if ignored else "name the headers, or use a fanout exchange"
        shown_for = shown if binding.destination_type == "queue" else None
        severity = WARNING if ignored else NOTE
        yield Problem(text, topology.bound.get(id(binding)), (), cure, shown_for, severity)


def headers_never(topology: CheckedTopology) -> Iterator[Problem]:
    for binding, mode, names in _headers_bindings(topology):
        if not names and mode.startswith("any"):
            ends = f"'{binding.source}' to '{binding.destination}'"
            text = f"headers binding of {ends} matches nothing: x-match {mode} without criteria"
            yield Problem(text, topology.bound.get(id(binding)), (), "name the headers that it is about")


def _headers_bindings(topology: CheckedTopology) -> Iterator[tuple[Binding, str, list[str]]]:
    for _, state in topology.exchanges():
        if inner_type(state) == "headers":
            for binding in state.bindings.values():
                yield binding, *criteria(state, binding)


def same_binding(topology: CheckedTopology) -> Iterator[Problem]:
    """Two queues under one key each get a copy. That is what exchanges are for, unless their names differ in a number alone: then
    they were to share the work, and one queue is what is meant."""
    for name, state in topology.exchanges():
        if inner_type(state) not in ("direct", "topic") or name in topology.passed_by:
            continue
        alike: dict[tuple[object, ...], list[Binding]] = {}
        for binding in state.bindings.values():
            queue = topology.broker.queues.get(binding.destination) if binding.destination_type == "queue" else None
            if queue is not None and queue.owner is None and not queue.auto_delete and queue.settings.expires is None:
                alike.setdefault((binding.routing_key, table_identity(binding.arguments)), []).append(binding)
        for (key, _), bindings in alike.items():
            for replicas in _replicas(bindings):
                names = [item.destination for item in replicas]
                text = (
                    f"{named('queue', names, 5)} are bound to '{name}' by {quoted(str(key))} and each get a copy of every message"
                )
                cure = "if they are to share the work, let their consumers share one queue"
                yield Problem(text, topology.bound.get(id(replicas[1])), (), cure)


def _replicas(bindings: list[Binding]) -> Iterator[list[Binding]]:
    """Those of several queues whose names differ in their last number alone, which is no version."""
    alike: dict[tuple[str, str], list[Binding]] = {}
    for binding in bindings:
        number = LAST_NUMBER.fullmatch(binding.destination)
        if number is not None:
            alike.setdefault((number[1], number[2]), []).append(binding)
    return (found for found in alike.values() if len(found) > 1)


def unreachable(topology: CheckedTopology) -> Iterator[Problem]:
    dead = {queue.settings.dead_letter_exchange for queue in topology.broker.queues.values()}
    if not any(state.bindings for name, state in topology.exchanges() if name not in dead):
        return  # a file that only uses the default exchange, or an exchange of its own for dead letters alone
    said = {message.routing_key for _, message in topology.publishes if message.exchange == ""}
    said |= {item.queue for item in topology.scenario.consumers.values()}
    said |= {message.routing_key for message in topology.sent_at_work if message.exchange == ""}
    targets = {queue.settings.dead_letter_routing_key for queue in topology.broker.queues.values()}
    reached: _Reached | None = None
    for name, queue in topology.broker.queues.items():
        bindings = topology.broker.incoming.to("queue", name)
        if name in said or name in targets or queue.owner is not None or queue.broker_name != name:
            continue
        subject = topology.subject("queue", name)
        if not bindings and REPLIES.search(name):
            continue
        if not bindings:
            grave = GRAVE.search(name) is not None

            def unbound(names: Sequence[str]) -> str:
                which = "its name reaches it" if len(names) == 1 else "their names reaches them"
                return f"nothing is bound to {named('queue', names)}: only a publish to the default exchange with {which}"

            cure = "bind it to the dead-letter exchange" if grave else "bind it, if that is not meant"
            severity = WARNING if grave else None
            yield Problem(unbound([name]), subject, (), cure, None, severity, Cause(("unbound", grave), name, unbound))
        elif name not in topology.ways:
            if any(_let_in(topology, binding) for binding in bindings):
                continue
            reached = reached or _Reached(topology)
            if reached.by_any(name):
                continue

            def unreached(names: Sequence[str]) -> str:
                return f"no key reaches {named('queue', names)} through {'its' if len(names) == 1 else 'their'} bindings"

            cure = "look at what the exchanges before it let through"
            yield Problem(unreached([name]), subject, (), cure, None, WARNING, Cause("unreached", name, unreached))


def _open(name: str, state: ExchangeState) -> bool:
    """Whether clients may publish to the exchange."""
    return not state.declared.internal or name in RESERVED


def _let_in(topology: CheckedTopology, binding: Binding) -> bool:
    """Whether a publish to the exchange of the binding takes it. That is nearly always so, and soon said."""
    state = topology.broker.exchanges[binding.source]
    return _open(binding.source, state) and _any_key(topology.work, matched(state, binding))


def _any_key(work: Remainders, keys: Keys) -> bool:
    try:
        return witness(keys, work=work) is not None
    except TooManyStates:
        return True  # it cannot be known


class _Reached:
    """What publishes to any exchange whatever can reach."""

    def __init__(self, topology: CheckedTopology) -> None:
        self.work = topology.work
        self.known = True  # of every exchange, what a publish to it reaches
        self.queues: dict[str, list[Keys]] = {}
        for name, state in topology.exchanges():
            if not _open(name, state):
                continue
            try:
                found = reach(topology.broker, name)
            except TooManyStates:
                self.known = False
                return
            for queue, keys in found.items():
                self.queues.setdefault(queue, []).append(keys)

    def by_any(self, queue: str) -> bool:
        return not self.known or any(_any_key(self.work, keys) for keys in self.queues.get(queue, ()))


def headers_unsatisfied(topology: CheckedTopology) -> Iterator[Problem]:
    """Only where the scenario publishes to the exchange: none of its messages satisfies the binding."""
    for name, state in topology.exchanges():
        messages = topology.sent_to.get(name, ())
        if inner_type(state) != "headers" or not messages:
            continue
        matcher, bindings = Headers(state.declared, state.matcher.rules), list(state.bindings.values())
        for binding in bindings:
            matcher.add(binding)
        hits: set[int] = set()
        for message in messages:
            content = _with(message.exchange, message.routing_key, {**(message.headers or {})})
            hits.update(id(binding) for binding in matcher.route("m1", content, _no_draw))
        for binding in bindings:
            mode, names = criteria(state, binding)
            hit = id(binding) in hits
            if names and not hit:
                wanted = ", ".join(f"{key}={raw(binding.arguments[key])!r}" for key in names)
                text = (
                    f"none of the {len(messages)} publishes to '{name}' satisfies the headers binding to "
                    f"'{binding.destination}' (x-match {mode}: {wanted})"
                )
                yield Problem(text, topology.bound.get(id(binding)), (), "values must be equal in type too: '42' is not 42")


def _no_draw(count: int) -> int:
    raise AssertionError("no headers exchange draws")


def _with(exchange: str, key: str, headers: dict[str, object]) -> Content:
    return Content(exchange, key, (key,), headers, "")
