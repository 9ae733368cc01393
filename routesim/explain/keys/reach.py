"""Which routing keys lead from an exchange to which queues, as sets of keys rather than key by key."""

from collections.abc import Iterator
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
    visits, path, todo = 0, {exchange}, [(exchange, _onward(broker, exchange, ALL, found))]
    while todo:  # depth first; a chain of exchanges may be longer than Python's stack
        name, onward = todo[-1]
        following = next(onward, None)
        if following is None:
            path.discard(name)
            todo.pop()
        elif following[0] not in path:
            visits += 1
            if visits >= MAX_VISITS:
                raise TooManyStates
            path.add(following[0])
            todo.append((following[0], _onward(broker, *following, found)))
    return {name: any_of(parts) for name, parts in found.items()}


def _onward(broker: Broker, name: str, keys: Keys, found: dict[str, list[Keys]]) -> Iterator[tuple[str, Keys]]:
    """The exchanges behind, each with the keys that get there; queues are noted in `found`."""
    state = broker.exchanges[name]
    for binding in state.bindings.values():
        through = keys & matched(state, binding)
        if binding.destination_type == "queue":
            if binding.destination in broker.queues:
                found.setdefault(binding.destination, []).append(through)
        elif binding.destination in broker.exchanges:
            yield binding.destination, through
    alternate = state.alternate
    if alternate is not None and alternate in broker.exchanges:
        yield alternate, all_of((keys, missed(state)))


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
