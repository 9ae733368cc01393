"""Why bindings match, for every type of exchange: the exchange type itself is asked, binding by binding."""

from collections.abc import Callable
from typing import Any

from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES, BindingVerdict, ExchangeType
from routesim.explain.answer import Answer, CannotExplain, quoted
from routesim.model import Binding, Exchange
from routesim.replies import AmqpError
from routesim.tables import Cell, Section, mark
from routesim.values import Table, Typed, plain
from routesim.versions import Rules

MESSAGE_ID = "m1"


def content_of(exchange: str, key: str, headers: Table | None = None) -> Content:
    return Content(exchange, key, (key,), headers, "")


def _verdicts(
    kind: str, bindings: list[Binding], content: Content, rules: Rules, arguments: Table | None = None
) -> list[BindingVerdict]:
    """One verdict a binding. A binding that RabbitMQ refuses is a miss with its text. Raises `CannotExplain`."""
    exchange = Exchange("", kind, arguments=arguments or {})
    try:
        EXCHANGE_TYPES[kind].validate(exchange, rules)
    except AmqpError as refused:
        raise CannotExplain(refused.text) from None
    matcher: ExchangeType = EXCHANGE_TYPES[kind](exchange, rules)
    refusals: dict[int, str] = {}
    for index, binding in enumerate(bindings):
        try:
            matcher.validate_binding(binding, "classic")
            matcher.add(binding)
        except AmqpError as refused:
            refusals[index] = refused.text
    return [
        BindingVerdict(False, "refused", f"refused when bound: {refusals[index]}")
        if index in refusals
        else matcher.why(binding, MESSAGE_ID, content)
        for index, binding in enumerate(bindings)
    ]


def _answer(
    headline: str,
    what: str,
    shown: list[str],
    verdicts: list[BindingVerdict],
    data: dict[str, object],
    hints: tuple[str, ...] = (),
) -> Answer:
    rows = [(mark(found.match), Cell(name), Cell(found.text)) for name, found in zip(shown, verdicts, strict=True)]
    items = [
        {"pattern": name, "match": found.match, "reason": {"code": found.code, "text": found.text}}
        for name, found in zip(shown, verdicts, strict=True)
    ]
    hits = sum(found.match for found in verdicts)
    if verdicts:
        headline = f"{headline}: {hits} of {len(verdicts)} match"
    return Answer(headline, (Section("", ("", what, "why"), rows),) if rows else (), hints, {**data, "patterns": items})


def explain_direct(key: str, patterns: list[str], rules: Rules) -> Answer:
    bindings = [Binding("", f"q{index}", "queue", pattern) for index, pattern in enumerate(patterns)]
    found = _verdicts("direct", bindings, content_of("", key), rules)
    hints = ("A direct exchange compares the whole key, byte by byte; several queues may be bound with the same key.",)
    headline = f"direct exchange, routing key {quoted(key)}"
    return _answer(headline, "binding key", [quoted(item) for item in patterns], found, {"key": key}, hints)


def explain_fanout(key: str, patterns: list[str], rules: Rules) -> Answer:
    bindings = [Binding("", f"q{index}", "queue", pattern) for index, pattern in enumerate(patterns)]
    found = _verdicts("fanout", bindings, content_of("", key), rules)
    hints = ("A fanout exchange copies every message to every queue and exchange bound to it, whatever the key.",)
    headline = f"fanout exchange, routing key {quoted(key)}"
    return _answer(headline, "binding key", [quoted(item) for item in patterns], found, {"key": key}, hints)


def explain_default(key: str, queues: list[str], rules: Rules) -> Answer:
    """The default exchange has one binding a queue: its name."""
    bindings = [Binding("", name, "queue", name) for name in queues]
    found = _verdicts("direct", bindings, content_of("", key), rules)
    texts = [
        answer._replace(text="the queue's name is the key" if answer.match else f"its name is not {quoted(key)}")
        for answer in found
    ]
    hints = (
        f"The default exchange puts a message into the queue whose name is the routing key: {quoted(key)}, if there is one.",
        "It cannot be bound to, and has no alternate exchange.",
    )
    return _answer(f"default exchange, routing key {quoted(key)}", "queue", queues, texts, {"key": key}, hints)


def explain_headers(headers: Table, criteria: list[Table], rules: Rules) -> Answer:
    bindings = [Binding("", f"q{index}", "queue", "", table) for index, table in enumerate(criteria)]
    found = _verdicts("headers", bindings, content_of("", "", headers), rules)
    shown = [shown_table(table) for table in criteria]
    hints = [
        "x-match: all (default) wants every criterion, any at least one; both pass over criteria whose names begin with x-, "
        "all-with-x and any-with-x do not."
    ]
    if any(isinstance(plain(value), str) and plain(value).isdigit() for table in criteria for value in table.values()):
        hints.append("Types count: '42' as text is not the number 42. k=42 is text, k:=42 the number.")
    headline = f"headers exchange, headers {shown_table(headers)}"
    return _answer(headline, "binding arguments", shown, found, {"headers": plain(headers)}, tuple(hints))


def shown_table(table: Table) -> str:
    parts = []
    for key, value in table.items():
        inner = plain(value)
        parts.append(f"{key}={inner!r}" if isinstance(inner, str) else f"{key}={'void' if inner is None else inner}")
    return "{" + ", ".join(parts) + "}"


def explain_hash(kind: str, key: str, destinations: list[str], rules: Rules) -> Answer:
    """x-consistent-hash and x-modulus-hash: destinations as NAME or NAME=BINDING_KEY, in the order of their bindings."""
    bindings = []
    for text in destinations:
        name, equals, weight = text.partition("=")
        bindings.append(Binding("", name, "queue", weight if equals else "1" if kind == "x-consistent-hash" else ""))
    found = _verdicts(kind, bindings, content_of("", key), rules)
    shown = [f"{binding.destination} by {quoted(binding.routing_key)}" for binding in bindings]
    hints = {
        "x-consistent-hash": "The binding key is a weight: so many buckets of the ring. The order of the bindings matters.",
        "x-modulus-hash": "The hash of the keys modulo the number of bindings chooses one of them.",
    }
    return _answer(f"{kind} exchange, routing key {quoted(key)}", "binding", shown, found, {"key": key}, (hints[kind],))


def explain_any(kind: str, key: str, patterns: list[str], rules: Rules) -> Answer:
    """Types whose answer the key does not decide."""
    bindings = [Binding("", f"q{index}", "queue", pattern) for index, pattern in enumerate(patterns)]
    found = _verdicts(kind, bindings, content_of("", key), rules, NEEDED.get(kind))
    headline = f"{kind} exchange, routing key {quoted(key)}"
    return _answer(headline, "binding key", [quoted(item) for item in patterns], found, {"key": key}, HINTS.get(kind, ()))


NEEDED: dict[str, dict[str, Any]] = {
    "x-delayed-message": {"x-delayed-type": "topic"},
    "x-federation-upstream": {"x-max-hops": Typed("long", 1)},
}
HINTS: dict[str, tuple[str, ...]] = {
    "x-federation-upstream": (
        "It routes like fanout, but for what has come through federation already, too far or in a circle.",
    ),
    "x-random": ("One binding is chosen by chance; a queue bound twice is twice as likely.",),
    "x-local-random": ("One queue of the publisher's node is chosen by chance; binding keys must be empty.",),
    "x-recent-history": ("It routes like fanout, and gives the last messages (20 by default) to every new binding.",),
    "x-delayed-message": (
        "It routes like its x-delayed-type (here: topic), after the milliseconds in the message's x-delay header.",
    ),
}
Explainer = Callable[[str, list[str], Rules], Answer]
