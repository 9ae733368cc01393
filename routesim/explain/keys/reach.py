"""Which routing keys lead from an exchange to which queues, as sets of keys rather than key by key."""

from typing import Any

from routesim.broker import Broker
from routesim.broker.records import ExchangeState
from routesim.explain.keys.key_sets import ALL, Keys, TooManyStates, all_of, any_of, exactly, topic
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.values import raw

MAX_VISITS = 2_000
BY_KEY = ("direct", "topic")


def inner_type(state: ExchangeState) -> str:
    """The type that decides: an x-delayed-message exchange routes like the type that it wraps."""
    kind = state.declared.type
    return str(raw(state.declared.arguments["x-delayed-type"])) if kind == "x-delayed-message" else kind


def matched(state: ExchangeState, binding: Binding) -> Keys:
    """The keys that the binding matches; all, where the type looks at something else."""
    kind = inner_type(state)
    if kind == "direct":
        return exactly(binding.routing_key)
    return topic(binding.routing_key) if kind == "topic" else ALL


def missed(state: ExchangeState) -> Keys:
    """The keys that no binding of the exchange matches, which is what its alternate exchange gets."""
    return ~any_of(matched(state, binding) for binding in state.bindings.values())


def reach(broker: Broker, exchange: str) -> dict[str, Keys]:
    """Every queue that a publish to `exchange` can reach, with the keys that do. Raises `TooManyStates`.

    Exact for direct, topic and fanout exchanges. A binding of another type counts as one that matches.
    """
    if exchange == DEFAULT_EXCHANGE:
        return {name: exactly(name) for name in broker.queues}
    found: dict[str, list[Keys]] = {}
    visits = 0

    def visit(name: str, keys: Keys, path: frozenset[str]) -> None:
        nonlocal visits
        visits += 1
        if visits > MAX_VISITS:
            raise TooManyStates
        state = broker.exchanges[name]
        for binding in state.bindings.values():
            through = keys & matched(state, binding)
            if binding.destination_type == "queue":
                if binding.destination in broker.queues:
                    found.setdefault(binding.destination, []).append(through)
            elif binding.destination not in path and binding.destination in broker.exchanges:
                visit(binding.destination, through, path | {binding.destination})
        alternate = state.alternate
        if alternate is not None and alternate not in path and alternate in broker.exchanges:
            visit(alternate, all_of((keys, missed(state))), path | {alternate})

    visit(exchange, ALL, frozenset((exchange,)))
    return {name: any_of(parts) for name, parts in found.items()}


def decides_by_key(broker: Broker, exchange: str) -> bool:
    """Whether the key alone decides, here and at every exchange behind."""
    todo, seen = [exchange], {exchange}
    for name in todo:  # grows while it is walked
        state = broker.exchanges[name]
        if inner_type(state) not in (*BY_KEY, "fanout"):
            return False
        behind: list[Any] = [item.destination for item in state.bindings.values() if item.destination_type == "exchange"]
        for other in (*behind, state.alternate):
            if other in broker.exchanges and other not in seen:
                seen.add(other)
                todo.append(other)
    return True
