"""How messages get to a queue: all publishes followed over bindings, alternate exchanges and dead letters."""

from collections.abc import Iterable

from routesim.broker import Broker
from routesim.broker.records import ExchangeState
from routesim.content import Content
from routesim.exchanges.headers import Headers
from routesim.explain.keys.key_sets import ALL, Keys, Remainders, TooManyStates, exactly, witness
from routesim.explain.keys.reach import inner_type, matched, missed
from routesim.model import DEFAULT_EXCHANGE, Binding
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.values import Value, raw

MAX_WAYS = 12  # of reaching one place that are looked at each
LARGE = 300  # bindings of an exchange, or queues, beyond which sets of keys are not built


class PublishPath(NamedTuple):
    """Publishing to `exchange` with one of `keys` (and these headers) leads to the place in question."""

    exchange: str
    keys: Keys
    headers: tuple[tuple[str, Value], ...] = ()
    dead: bool = False  # only as a dead letter do messages take it

    def content(self, key: str) -> Content:
        """A message that takes it with that key."""
        return Content(self.exchange, key, (key,), dict(self.headers) or None, "")

    def key(self, work: Remainders, within: Keys = ALL) -> str | None:
        """A key of this way that is also in `within`; None: there is none. Raises `TooManyStates`."""
        return witness(self.keys & within, longer=True, work=work)

    def sample(self, work: Remainders) -> str | None:
        """A key of this way; None: there is none, or none can be found."""
        try:
            return self.key(work)
        except TooManyStates:
            return None


def dead_letter_exchange(queue: QueueType) -> str | None:
    return None if queue.keeps_log else queue.settings.dead_letter_exchange


def followed(broker: Broker, beginnings: Iterable[tuple[str, str, PublishPath]]) -> dict[str, list[PublishPath]]:
    """For every queue the ways in which messages get there, dead letters included. `beginnings`: the exchanges and queues (kind,
    name) to which somebody publishes. A queue that nothing leads to is published to by its name."""
    spread = _Spread(broker)
    for kind, name, way in beginnings:
        spread.arrive(kind, name, way)
    spread.follow()
    for name in broker.queues:
        if name not in spread.at_queue and not broker.incoming.to("queue", name):
            spread.arrive("queue", name, PublishPath(DEFAULT_EXCHANGE, exactly(name)))
            spread.follow()
    return spread.at_queue


class _Spread:
    """Follows publishes over bindings, alternate exchanges and dead letters until nothing is new."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.work = Remainders()
        self.at_queue: dict[str, list[PublishPath]] = {}
        self.at_exchange: dict[str, list[PublishPath]] = {}
        self.todo: list[tuple[str, str, PublishPath]] = []

    def arrive(self, kind: str, name: str, way: PublishPath) -> None:
        known = (self.at_queue if kind == "queue" else self.at_exchange).setdefault(name, [])
        if len(known) >= MAX_WAYS or any(
            other.exchange == way.exchange and set(other.keys.parts or (other.keys,)) <= set(way.keys.parts or (way.keys,))
            and repr(other.headers) == repr(way.headers) for other in known
        ):  # fmt: skip
            return
        known.append(way)
        self.todo.append((kind, name, way))

    def follow(self) -> None:
        while self.todo:
            kind, name, way = self.todo.pop(0)
            if kind == "exchange":
                self._through_exchange(name, way)
            else:
                self._out_of_queue(self.broker.queues[name], way)

    def _through_exchange(self, name: str, way: PublishPath) -> None:
        state = self.broker.exchanges[name]
        for binding in state.bindings.values():
            keys = way.keys & matched(state, binding)
            if way.keys != ALL and _empty(self.work, keys):
                continue
            further = way._replace(keys=keys, headers=(*way.headers, *_wanted(state, binding)))
            there = self.broker.queues if binding.destination_type == "queue" else self.broker.exchanges
            if binding.destination in there:
                self.arrive(binding.destination_type, binding.destination, further)
        if state.alternate in self.broker.exchanges and state.alternate is not None and len(state.bindings) <= LARGE:
            keys = way.keys & missed(state)
            if inner_type(state) == "headers" or not _empty(self.work, keys):
                self.arrive("exchange", state.alternate, way._replace(keys=way.keys if inner_type(state) == "headers" else keys))

    def _out_of_queue(self, queue: QueueType, way: PublishPath) -> None:
        exchange = dead_letter_exchange(queue)
        if exchange is None or exchange not in self.broker.exchanges:
            return
        key = queue.settings.dead_letter_routing_key
        keys = way.keys if key is None else exactly(key)
        if exchange:
            self.arrive("exchange", exchange, PublishPath(exchange, keys, way.headers, True))
            return
        names = [key] if key is not None else list(self.broker.queues) if len(self.broker.queues) <= LARGE else []
        for name in names:
            if name in self.broker.queues and not _empty(self.work, keys & exactly(name)):
                self.arrive("queue", name, PublishPath(DEFAULT_EXCHANGE, exactly(name), way.headers, True))


def _empty(work: Remainders, keys: Keys) -> bool:
    try:
        return witness(keys, work=work) is None
    except TooManyStates:
        return False


def criteria(state: ExchangeState, binding: Binding) -> tuple[str, list[str]]:
    """The x-match of a headers binding, and the names of the arguments that count under it."""
    mode, wanted = Headers(state.declared, state.matcher.rules).criteria(binding)
    return mode, list(wanted)


def _wanted(state: ExchangeState, binding: Binding) -> tuple[tuple[str, Value], ...]:
    """Headers that satisfy the binding."""
    if inner_type(state) != "headers":
        return ()
    mode, names = criteria(state, binding)
    wanted = [(key, binding.arguments[key] if raw(binding.arguments[key]) is not None else "present") for key in names]
    return tuple(wanted[:1] if mode.startswith("any") else wanted)
