"""The whole way of a message through a topology: every binding of every exchange on it, and what can come after."""

import shlex
from collections.abc import Iterable
from typing import Any

from routesim.broker import Broker
from routesim.broker.policies import matching
from routesim.broker.records import ExchangeState
from routesim.broker.routing import Visit, route, walk
from routesim.content import Content
from routesim.diagnostics import did_you_mean
from routesim.exchanges import BindingVerdict
from routesim.explain.answer import Answer, CannotExplain, quoted
from routesim.explain.futures import as_data, futures
from routesim.explain.keys.near_misses import nearest
from routesim.explain.known import instead
from routesim.explain.routes.topic import aligned, nearest_change
from routesim.explain.routes.types import shown_table
from routesim.explain.routes.ways import Ways
from routesim.model import DEFAULT_EXCHANGE, Binding, Message, Policy
from routesim.scenario import Scenario, sent_by
from routesim.scenario.engines import topology
from routesim.steps import Bind
from routesim.tables import BAD, GOOD, MISS, NOTICE, QUIET, Cell, Section, mark
from routesim.values import Table, plain

ALL_SHOWN = 30  # bindings of an exchange that are all shown
MAX_HITS, MAX_MISSES = 50, 8
MESSAGE = "m1"
MAX_ELSEWHERE, MAX_NAMED = 500, 3  # exchanges that are tried, and named, where none was asked for
BY_KEY = ("direct", "fanout", "topic")  # types of exchanges that do not look at headers


def explain_route(
    scenario: Scenario, exchange: str, key: str, headers: Table | None, expected: frozenset[str] | None = None, *,
    asked_once: bool = False,
) -> Answer:  # fmt: skip
    """`expected`: the queues that must be reached, no more and no less; None: the question has no wrong answer. `asked_once`: it
    is the only question to the scenario.

    Raises `CannotExplain` for an exchange or an expected queue that is not there.
    """
    broker = topology(scenario, asked_once=asked_once)
    if exchange not in broker.exchanges:
        raise CannotExplain(f"no exchange '{exchange}' is declared" + instead(exchange, _own(broker.exchanges)))
    for name in expected or ():
        if name not in broker.queues:
            raise CannotExplain(f"no queue '{name}' is declared" + instead(name, broker.queues))
    return explain_content(broker, scenario, Content(exchange, key, (key,), headers, ""), expected=expected)


def explain_content(
    broker: Broker, scenario: Scenario, content: Content, *, message: str = MESSAGE, expected: frozenset[str] | None = None,
    delay_over: bool = False,
) -> Answer:  # fmt: skip
    """The way of this content, published now, through the topology of `broker`, which is a copy that may be changed.

    `delay_over`: as if it had waited in its x-delayed-message exchange already.
    """
    exchange, key, headers = content.exchange, content.routing_key, content.headers
    visits: list[Visit] = []
    if exchange == DEFAULT_EXCHANGE:
        found = route(broker, exchange, message, content)
    else:
        found, _ = walk(broker, exchange, message, content, delay_over=delay_over, visits=visits)
    lines = {id(item.step.binding): item.line for item in scenario.declarations if item.line and isinstance(item.step, Bind)}
    sections, described = [], []
    for visit in visits:
        section, data = _visited(broker, visit, content, lines, message)
        sections.append(section)
        described.append(data)
    reached = [queue.name for queue, _ in found.queues]
    later = {queue.name: futures(broker, queue, content) for queue, _ in found.queues}
    sections.append(_reached(reached, found.why_nowhere))
    sections += [section for section in (_later(later),) if section.rows]
    hints = [] if reached else _help(broker, visits, content, scenario)
    if broker.exchanges[exchange].declared.internal:
        hints.append(f"'{exchange}' is internal: a client's publish to it is refused with 403.")
    yes, reasons = expected is None or set(reached) == expected, list[str]()
    if not yes:
        text = f"{MISS} expected {_names(sorted(expected or ()))}, reached {_names(sorted(reached))}"
        reasons = _against(broker, scenario, content, expected or frozenset(), reached)
        sections.insert(0, Section("", (), [(Cell(text, BAD),), *((Cell(f"  {reason}"),) for reason in reasons)]))
    where = f"exchange '{exchange}' ({broker.exchanges[exchange].declared.type})" if exchange else "the default exchange"
    counting = headers_that_count(broker, visits, headers)
    shown = f", headers {shown_table(counting)}" if counting else ""
    headline = f"{where}, routing key {quoted(key)}{shown}: reaches {_names(reached)}"
    data = {
        "exchange": exchange, "key": key, "headers": plain(headers or {}), "queues": reached, "exchanges": described,
        "later": {name: as_data(items) for name, items in later.items()}, "nowhere": found.why_nowhere or None,
        "expected": sorted(expected) if expected is not None else None, "ok": yes, "reasons": reasons,
    }  # fmt: skip
    return Answer(headline, tuple(sections), tuple(hints), data, yes)


def _against(broker: Broker, scenario: Scenario, content: Content, expected: frozenset[str], reached: list[str]) -> list[str]:
    """Why each queue that is expected is not reached, and why each other one is."""
    ways, sent = Ways(scenario), Message(content.exchange, content.routing_key, headers=dict(content.headers or {}))
    missing = [f"{queue} is not reached: {ways.not_there(broker, sent, queue)}" for queue in sorted(expected - {*reached})]
    return missing + [f"{queue} is reached: {ways.there(broker, sent, queue)}" for queue in sorted({*reached} - expected)]


def headers_that_count(broker: Broker, visits: list[Visit], headers: Any) -> dict[str, Any]:
    """Those that the way can depend on: none but CC and BCC where all exchanges on it go by the key alone."""
    if any(broker.exchanges[visit.exchange].declared.type not in BY_KEY for visit in visits):
        return dict(headers or {})
    return {name: value for name, value in (headers or {}).items() if name in ("CC", "BCC")}


def _own(exchanges: Iterable[str]) -> list[str]:
    """Those of the scenario before those that every broker has."""
    return sorted((name for name in exchanges if name), key=lambda name: name.startswith("amq."))


def unused_alternate(broker: Broker) -> Policy | None:
    """The policy that would give the default exchange an alternate exchange, if it could have one (rules/routing#R2)."""
    applies = matching(broker, False, DEFAULT_EXCHANGE, "exchange")[:1]
    return next((policy for policy in applies if "alternate-exchange" in policy.definition), None)


def _names(names: list[str]) -> str:
    return ", ".join(names) if names else "no queue"


def _visited(
    broker: Broker, visit: Visit, content: Content, lines: dict[int, int], message: str
) -> tuple[Section, dict[str, Any]]:
    state = broker.exchanges[visit.exchange]
    # What the walk chose counts, also where chance decided.
    matched = {id(binding) for binding in visit.matched}
    hits = [binding for binding in state.bindings.values() if id(binding) in matched]
    misses = [binding for binding in state.bindings.values() if id(binding) not in matched]
    count, hit_count = len(state.bindings), len(hits)
    if count > ALL_SHOWN:
        hits, misses = hits[:MAX_HITS], nearest(state.matcher, misses, content, MAX_MISSES)
    shown_hits = [(binding, state.matcher.why(binding, message, content)) for binding in hits]
    shown_misses = [(binding, state.matcher.why(binding, message, content)) for binding in misses]
    rows = [_row(binding, answer, True, lines) for binding, answer in shown_hits]
    rows += [_row(binding, answer, False, lines) for binding, answer in shown_misses]
    hidden = count - len(rows)
    if hidden:
        note = f"{hidden} more that do not match, these being the nearest"
        rows.append((Cell("…"), Cell(""), Cell(""), Cell(note, QUIET), Cell("")))
    rows += _alternate(broker, state, visit, hit_count > 0)
    how = ""
    if visit.path:
        last = visit.path[-1]
        how = " by exchange-to-exchange binding" if isinstance(last, Binding) else " as alternate exchange"
        how += f" from {last.source}"
    title = f"{visit.exchange} ({state.declared.type}){how}: {hit_count} of {count} bindings match"
    data = {
        "exchange": visit.exchange, "type": state.declared.type,
        "bindings": [
            {
                "pattern": binding.routing_key, "arguments": plain(binding.arguments), "destination": binding.destination,
                "destination_type": binding.destination_type, "match": id(binding) in matched,
                "alignment": aligned(answer),
                "reason": {"code": answer.code, "text": answer.text},
            }
            for binding, answer in (*shown_hits, *shown_misses)
        ],
        "bindings_left_out": hidden, "alternate": visit.alternate, "alternate_taken": visit.took_alternate,
    }  # fmt: skip
    return Section(title, ("", "binding", "to", "why", ""), rows), data


def _row(binding: Binding, answer: BindingVerdict, hit: bool, lines: dict[int, int]) -> tuple[Cell, ...]:
    shown = quoted(binding.routing_key)
    if binding.arguments:
        shown = shown_table(binding.arguments) if not binding.routing_key else f"{shown} {shown_table(binding.arguments)}"
    to = binding.destination if binding.destination_type == "queue" else f"exchange {binding.destination}"
    line = lines.get(id(binding))
    text = answer.text
    if hit is not answer.match:
        text = "chosen" if hit else f"not chosen this time: {answer.text}"
    return mark(hit), Cell(shown), Cell(to), Cell(text), Cell(f"line {line}" if line else "", QUIET)


def _alternate(broker: Broker, state: ExchangeState, visit: Visit, hit: bool) -> list[tuple[Cell, ...]]:
    alternate = visit.alternate
    if alternate is None:
        return []
    if visit.took_alternate:
        note = Cell("taken: no binding matched", GOOD)
    elif hit:
        note = Cell("not taken: a binding matched, even if it leads to no queue", QUIET)
    elif alternate not in broker.exchanges:
        note = Cell("does not exist: the message is dropped or returned", BAD)
    else:
        note = Cell("not taken: it has been visited already", NOTICE)
    return [(Cell("↳"), Cell("alternate-exchange", QUIET), Cell(f"exchange {alternate}"), note, Cell(""))]


def _reached(reached: list[str], why: str) -> Section:
    if reached:
        return Section("Queues reached", (), [(Cell(name, GOOD),) for name in reached])
    return Section("No queue is reached", (), [(Cell(why, BAD),)])


def _later(later: dict[str, list[Any]]) -> Section:
    rows = []
    seen: set[tuple[str, str, str]] = set()
    for items in later.values():
        for item in items:
            mark = (item.queue, item.reason, item.why)
            if mark in seen:
                continue
            seen.add(mark)
            if item.queues:
                target = ", ".join(item.queues)
                text = f"→ {target} {item.why}"
                tone = NOTICE if item.loops else "plain"
                if item.loops:
                    text += " (a loop)"
            else:
                text, tone = item.why, BAD if item.ends_badly else NOTICE
            rows.append((Cell("  " * item.depth + item.queue), Cell(item.when), Cell(text, tone)))
    return Section("What can become of it there, beside an ack", ("queue", "when", "then"), rows)


def _elsewhere(broker: Broker, content: Content, file: str) -> list[str]:
    """The exchanges of which this key would lead to a queue, each with the command that says how."""
    hints = []
    names = [name for name in broker.exchanges if name][:MAX_ELSEWHERE]
    names.sort(key=lambda name: broker.exchanges[name].declared.type == "fanout")  # which takes every key: the least telling
    for name in names:
        if broker.exchanges[name].declared.type in BY_KEY:
            found, _ = walk(broker, name, MESSAGE, content)
            if found.queues:
                command = f"routesim explain route {shlex.join([file, name, content.routing_key])}"
                hints.append(
                    f"Exchange '{name}' has bindings that match ({_names([queue.name for queue, _ in found.queues])}): {command}"
                )
    return hints[:MAX_NAMED]


def _help(broker: Broker, visits: list[Visit], content: Content, scenario: Scenario) -> list[str]:
    """What would have led to a queue."""
    exchange, key, file = content.exchange, content.routing_key, scenario.file
    if exchange == DEFAULT_EXCHANGE:
        cure, policy = did_you_mean(key, broker.queues), unused_alternate(broker)
        hints = [cure] if cure else []
        if key in broker.exchanges and key:
            hints = [f"'{key}' is an exchange: add a routing key: routesim explain route {shlex.join([file, key])} KEY"]
        elif sent_by(scenario, key) is not None:
            hints = [f"'{key}' is a message: routesim explain message {shlex.join([file, key])}"]
        hints += _elsewhere(broker, content, file)
        if policy is not None:
            target = plain(policy.definition["alternate-exchange"])
            hints.append(
                f"Policy '{policy.name}' matches the default exchange, but its alternate exchange '{target}' is never used there."
            )
        return hints
    hints = []
    for visit in visits:
        state = broker.exchanges[visit.exchange]
        if visit.matched or not state.bindings:
            if not state.bindings:
                hints.append(f"Nothing is bound to '{visit.exchange}'.")
            continue
        if state.declared.type == "topic":
            content = Content("", key, (key,), None, "")
            closest = nearest(state.matcher, list(state.bindings.values()), content, 1)[0]
            hints.append(
                f"Nearest on '{visit.exchange}': {quoted(closest.routing_key)} to {closest.destination}; "
                f"bound as {nearest_change(closest.routing_key, key)} it would match."
            )
        elif state.declared.type == "direct":
            cure = did_you_mean(key, {binding.routing_key for binding in state.bindings.values()})
            if cure:
                hints.append(f"On '{visit.exchange}' the routing key must be equal: {cure}")
    if not any(visit.alternate for visit in visits):
        hints.append("An alternate-exchange would catch what no binding matches.")
    return hints
