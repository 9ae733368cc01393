"""Which messages reach other queues than before: exact for keys, by witnesses for headers."""

from collections.abc import Iterator
from itertools import islice, product

from routesim.broker import Broker
from routesim.broker.routing import route
from routesim.content import Content
from routesim.explain.keys.key_sets import NONE, Keys, TooManyStates, classes, witness
from routesim.explain.keys.reach import BY_KEY, decides_by_key, inner_type, matched, reach
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.named_tuples import NamedTuple
from routesim.values import Table, raw, table_identity

MAX_SAMPLES = 2_000  # messages that are tried where keys alone do not decide
MAX_OF_AN_EXCHANGE = 40  # classes that are looked at each at one exchange
OF_OTHERS = "other"


class Rerouted(NamedTuple):
    """A message, as a witness of all that are routed alike, and the queues that it reached and reaches."""

    exchange: str
    key: str
    headers: Table | None
    before: tuple[str, ...]
    after: tuple[str, ...]


def rerouted(old: Broker, new: Broker, exchange: str) -> list[Rerouted]:
    """What changes for publishes to an exchange that both have; one witness for every kind of change."""
    if decides_by_key(old, exchange) and decides_by_key(new, exchange):
        try:
            return _by_key(old, new, exchange)
        except TooManyStates:
            pass
    return _by_samples(old, new, exchange)


def _by_key(old: Broker, new: Broker, exchange: str) -> list[Rerouted]:
    before, after = reach(old, exchange), reach(new, exchange)
    changed = [name for name in {**before, **after} if before.get(name, NONE) != after.get(name, NONE)]
    sets: dict[str, Keys] = {}
    for name in changed:
        sets[f"-{name}"] = before.get(name, NONE)
        sets[f"+{name}"] = after.get(name, NONE)
    found: dict[tuple[frozenset[str], frozenset[str]], Rerouted] = {}
    for members, key in classes(sets).items():
        lost = frozenset(name for name in changed if f"-{name}" in members and f"+{name}" not in members)
        gained = frozenset(name for name in changed if f"+{name}" in members and f"-{name}" not in members)
        if (lost or gained) and (lost, gained) not in found:
            content = _content(exchange, key, None)
            found[lost, gained] = Rerouted(exchange, key, None, _reached(old, content), _reached(new, content))
    return list(found.values())[:MAX_OF_AN_EXCHANGE]


def _by_samples(old: Broker, new: Broker, exchange: str) -> list[Rerouted]:
    """Messages made from every binding on the way, in both topologies: what satisfies it, and what nearly does."""
    before, after = _samples(old, exchange), _samples(new, exchange)
    sets = {**before[0], **after[0]}
    try:
        keys = list(classes(sets).values())
    except TooManyStates:
        keys = [witness(item, longer=True) or "" for item in sets.values()]
    all_keys = list(dict.fromkeys([OF_OTHERS, *keys, *before[1], *after[1]]))
    all_headers: dict[object, Table] = {table_identity(table): table for table in [{}, *before[2], *after[2]]}
    found: dict[tuple[frozenset[str], frozenset[str]], Rerouted] = {}
    for table, key in islice(product(all_headers.values(), all_keys), MAX_SAMPLES):
        content = _content(exchange, key, table or None)
        was, now = _reached(old, content), _reached(new, content)
        mark = (frozenset(was) - frozenset(now), frozenset(now) - frozenset(was))
        if any(mark) and mark not in found:
            found[mark] = Rerouted(exchange, key, table or None, was, now)
    return list(found.values())[:MAX_OF_AN_EXCHANGE]


def _samples(broker: Broker, exchange: str) -> tuple[dict[str, Keys], list[str], list[Table]]:
    """What the bindings of this exchange and of those behind it want: sets of keys, other keys, headers."""
    sets: dict[str, Keys] = {}
    keys: list[str] = []
    tables: list[Table] = []
    todo, seen = [exchange], {exchange}
    for name in todo:  # grows while it is walked
        state = broker.exchanges.get(name)
        if state is None:
            continue
        kind = inner_type(state)
        for binding in state.bindings.values():
            if kind in BY_KEY:
                wanted = matched(state, binding)
                sets[repr(wanted)] = wanted
            else:
                keys.append(binding.routing_key)
            if kind == "headers":
                tables += _satisfying(binding)
            if binding.destination_type == "exchange" and binding.destination not in seen:
                seen.add(binding.destination)
                todo.append(binding.destination)
        if state.alternate is not None and state.alternate not in seen:
            seen.add(state.alternate)
            todo.append(state.alternate)
    return sets, keys, tables


def _satisfying(binding: Binding) -> Iterator[Table]:
    criteria = {
        key: value if raw(value) is not None else "present" for key, value in binding.arguments.items() if key != "x-match"
    }
    yield criteria
    for left_out in criteria if len(criteria) > 1 else ():
        yield {key: value for key, value in criteria.items() if key != left_out}


def _content(exchange: str, key: str, headers: Table | None) -> Content:
    return Content(exchange, key, (key,), headers, "")


def _reached(broker: Broker, content: Content) -> tuple[str, ...]:
    return tuple(sorted(queue.name for queue, _ in route(broker, content.exchange, "m1", content).queues))


def may_differ(old: Broker, new: Broker) -> set[str]:
    """The exchanges from which a message can get to one that is not the same in both; the others route as before."""
    names = {**old.exchanges, **new.exchanges}
    if old.rules != new.rules:
        return set(names)
    led_to: dict[str, list[str]] = {}
    for broker in (old, new):
        for name, state in broker.exchanges.items():
            behind = [item.destination for item in state.bindings.values() if item.destination_type == "exchange"]
            for other in (*behind, state.alternate):
                if other is not None:
                    led_to.setdefault(other, []).append(name)
    todo = [name for name in names if _way_on(old, name) != _way_on(new, name)]
    seen = set(todo)
    for name in todo:  # grows while it is walked
        fresh = [before for before in led_to.get(name, ()) if before not in seen]
        seen.update(fresh)
        todo += dict.fromkeys(fresh)
    return seen


def _way_on(broker: Broker, name: str) -> object:
    """All of an exchange that decides where it sends a message."""
    state = broker.exchanges.get(name)
    if state is None:
        return None
    if name == DEFAULT_EXCHANGE:
        return broker.queues.keys()
    arguments = table_identity(state.declared.arguments)
    bindings = {
        (item.destination_type, item.destination, item.routing_key, table_identity(item.arguments))
        for item in state.bindings.values()
    }
    return state.declared.type, arguments, state.alternate, bindings


def by_chance(broker: Broker, exchange: str) -> bool:
    """Whether a hash or chance chooses among the bindings, here or behind, so that no message is a witness for long."""
    todo, seen = [exchange], {exchange}
    for name in todo:  # grows while it is walked
        state = broker.exchanges.get(name)
        if state is None:
            continue
        if inner_type(state) not in (*BY_KEY, "fanout", "headers"):
            return True
        behind = [item.destination for item in state.bindings.values() if item.destination_type == "exchange"]
        fresh = [other for other in dict.fromkeys(behind) if other not in seen]
        seen.update(fresh)
        todo += fresh
    return False


def default_exchange(old: Broker, new: Broker) -> list[Rerouted]:
    """Every queue that comes or goes is a key of the default exchange."""
    names = [name for name in {**old.queues, **new.queues} if (name in old.queues) is not (name in new.queues)]
    return [
        Rerouted(
            DEFAULT_EXCHANGE, name, None, (name,) if name in old.queues else (), (name,) if name in new.queues else ()
        )
        for name in names
    ]  # fmt: skip
