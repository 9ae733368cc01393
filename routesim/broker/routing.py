"""The routing walk: from an exchange over bindings and alternate exchanges to a set of queues (rules/routing#1.1,
rules/routing#1.10)."""

from collections.abc import Iterable

from routesim.broker.broker import Broker
from routesim.broker.records import RememberedRoute
from routesim.content import Content
from routesim.events import Alternate, Path
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType


class Visit(NamedTuple):
    """An exchange that a message came through: how it got there, what matched, and its alternate exchange."""

    exchange: str
    path: Path
    matched: tuple[Binding, ...]
    alternate: str | None
    took_alternate: bool


def route(broker: Broker, exchange: str, message: str, content: Content, *, delay_over: bool = False) -> RememberedRoute:
    """Where a message published to `exchange` goes. At most one copy a queue; every exchange is visited once.

    `delay_over`: the message has waited in this x-delayed-message exchange already.
    """
    known = broker.routes.get((exchange, content.keys))
    if known is not None:
        return known
    if exchange == DEFAULT_EXCHANGE:
        found, keeps = _default(broker, content), True
    else:
        found, keeps = walk(broker, exchange, message, content, delay_over=delay_over)
        for binding in found.matched:
            broker.used[id(binding)] = binding
    if keeps:
        broker.routes.keep((exchange, content.keys), found)
    return found


def _default(broker: Broker, content: Content) -> RememberedRoute:
    """Every queue is bound to the default exchange by its name; there is no alternate exchange (rules/routing#R2)."""
    queues: list[tuple[QueueType, Path]] = [
        (broker.queues[key], ()) for key in dict.fromkeys(content.keys) if key in broker.queues
    ]
    return RememberedRoute(_in_turn(broker, queues), (), "" if queues else f"no queue is named '{content.routing_key}'")


def _in_turn(broker: Broker, queues: list[tuple[QueueType, Path]]) -> tuple[tuple[QueueType, Path], ...]:
    """The queues in the order in which they are handed a message. Each is a process of its own, so RabbitMQ promises no
    order among them; by their names is what it shows (rules/routing#R9)."""
    if len(queues) > 1:
        queues.sort(key=_name, reverse=broker.rules.queues_by_name == "descending")
    return tuple(queues)


def _name(item: tuple[QueueType, Path]) -> bytes:
    return item[0].broker_name.encode("utf-8", "surrogatepass")


class Trail(NamedTuple):
    """The last hop of a way to an exchange; `before` None: the message is published to where it begins."""

    before: "Trail | None"
    last: Binding | Alternate


def _path(link: Trail | None) -> Path:
    hops: list[Binding | Alternate] = []
    while link is not None:
        hops.append(link.last)
        link = link.before
    return tuple(reversed(hops))


def walk(
    broker: Broker, start: str, message: str, content: Content, *, delay_over: bool = False, visits: list[Visit] | None = None,
    comes: bool = True,
) -> tuple[RememberedRoute, bool]:  # fmt: skip
    """The route, and whether it depends on the keys alone, so that it may be remembered. `visits` is filled on the way. `comes`:
    the message does come, so that exchanges remember it."""
    queues: dict[str, tuple[QueueType, Path]] = {}
    matched: list[Binding] = []
    delayed_by: list[tuple[str, int]] = []
    missed: list[str] = []
    seen = {start}
    todo: list[tuple[str, Trail | None]] = [(start, None)]
    keeps = True
    for name, link in todo:  # grows while it is walked
        path: Path | None = None
        state = broker.exchanges[name]
        matcher = state.matcher
        own: Iterable[Binding]
        if matcher.sees != "keys":
            keeps = False
        if comes and matcher.remembers:
            matcher.remember(message, content)
        delay = 0 if delay_over and name == start else matcher.delay_ms(content)
        if delay:
            delayed_by.append((name, delay))
            own = ()
        else:
            own = matcher.route(message, content, broker.draw)
            if broker.rules.topic_empty_keys_shared and state.declared.type == "topic" and "" in content.keys:
                own = [*own, *_empty_keys_elsewhere(broker, name)]
        hits = []
        for binding in own:
            hits.append(binding)
            destination = binding.destination
            if binding.destination_type == "queue":
                if destination not in queues and destination in broker.queues:
                    if path is None:
                        path = _path(link)
                    queues[destination] = (broker.queues[destination], (*path, binding))
            elif destination not in seen and destination in broker.exchanges:
                seen.add(destination)
                todo.append((destination, Trail(link, binding)))
        matched += hits
        alternate = state.alternate
        takes_alternate = not hits and alternate is not None and alternate not in seen and alternate in broker.exchanges
        if not hits:
            missed.append(_missed(broker, name, alternate, link))
        if takes_alternate and alternate is not None:
            seen.add(alternate)
            todo.append((alternate, Trail(link, Alternate(name, alternate))))
        if visits is not None:
            visits.append(Visit(name, _path(link), tuple(hits), alternate, takes_alternate))
    why = "" if queues else "; ".join(missed) or "the bindings that matched lead to no queue"
    return RememberedRoute(_in_turn(broker, list(queues.values())), tuple(matched), why, tuple(delayed_by)), keeps


def _empty_keys_elsewhere(broker: Broker, name: str) -> list[Binding]:
    """4.3.0 keeps the bindings with an empty key of all topic exchanges in one place (rules/routing#T7)."""
    return [
        binding
        for other, state in broker.exchanges.items()
        if other != name and state.declared.type == "topic"
        for binding in state.bindings.values()
        if binding.routing_key == ""
    ]


def _missed(broker: Broker, name: str, alternate: str | None, link: Trail | None) -> str:
    text = f"no binding of exchange '{name}' matched"
    if link is not None and isinstance(link.last, Binding):
        source = link.last.source
        text = f"'{link.last.routing_key}' of '{source}' led to exchange '{name}', where no binding matched"
        if broker.exchanges[source].alternate is not None:
            text += f" (the alternate exchange of '{source}' is only for what matches no binding of its own)"
    if alternate is None:
        return f"{text} and it has no alternate exchange"
    if alternate not in broker.exchanges:
        return f"{text} and its alternate exchange '{alternate}' does not exist"
    return text
