"""What branches of a broker share: each queue, channel and exchange, until one of them touches it.

A queue and the channels that consume from it, or hold deliveries of it, know each other: such a group is copied as one, when
the first of it is asked for. At rest a branch is only read; awake it may change, and notes what it looks at.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from routesim.broker import copying
from routesim.broker.broker import Broker
from routesim.broker.records import ExchangeState
from routesim.content import digest_of_plain
from routesim.queues import Channel, QueueType

EVERYTHING = "*"  # among what was touched: nothing can be told apart
Part = TypeVar("Part")


class PartGroup:
    """Queues and channels that know each other, by name; they are not changed any more. `members`: their signs."""

    __slots__ = ("_detail", "at_ms", "channels", "look", "members", "queues", "timed")

    def __init__(self, queues: dict[str, QueueType], channels: dict[str, Channel[QueueType]]) -> None:
        self.queues, self.channels = queues, channels
        self.members = (*(f"q {name}" for name in queues), *(f"c {name}" for name in channels))
        self.look: bytes | None = None
        self.timed, self.at_ms = False, 0
        self._detail: bytes | None = None

    def fingerprint(self, broker: Broker) -> bytes:
        """Equal for groups that behave alike from here on: 128 bits, worked out once, or once an instant where that matters."""
        if self.look is None or (self.timed and self.at_ms != broker.now):
            found, self.timed = copying.print_of_parts(self.queues, self.channels, broker)
            self.look, self.at_ms = digest_of_plain(found), broker.now
        return self.look

    def detail(self) -> bytes:
        """What groups of one fingerprint may differ in: which channel was opened before which, and what a channel has had to do
        with queues. b"": nothing."""
        if self._detail is None:
            opened = sorted(self.channels.values(), key=lambda channel: channel.number)
            known = [(each.last_queue, *sorted(each.publishes_to)) for each in opened]
            plain = len(opened) < 2 and not any(each.last_queue is not None or each.publishes_to for each in opened)
            self._detail = b"" if plain else digest_of_plain(([each.name for each in opened], known))
        return self._detail


class Parts(dict[str, Part]):
    """Parts of a broker by name, at rest. `lent`: those that may be shared, each with what must be copied along; `own`: the
    names of the others; `sign`: how what was touched names them."""

    __slots__ = ("lent", "own", "pool", "sign")

    lent: dict[str, Any]
    own: set[str]
    pool: "SharedPool"
    sign: str

    def branch(self) -> "Parts[Part]":
        """Of parts at rest."""
        other: Parts[Part] = Parts(self)
        other.lent, other.own, other.sign = self.lent.copy(), set(), self.sign
        return other


class AwakeParts(Parts[Part]):
    """Whatever is asked for becomes one's own, and is noted as touched; so is what is not there."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Part:
        if name in self.lent:
            self.pool.take(self, name)
        return dict.__getitem__(self, name)

    def get(self, name: str, default: Any = None) -> Any:
        if name in self.lent:
            self.pool.take(self, name)
        elif not dict.__contains__(self, name):
            self._note(name)
            return default
        return dict.__getitem__(self, name)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return dict.__contains__(self, name)

    def _note(self, name: object) -> None:
        self.pool.touched.add(f"{self.sign}{name}")

    def __setitem__(self, name: str, part: Part) -> None:
        self._leave(name)
        dict.__setitem__(self, name, part)
        self.own.add(name)

    def __delitem__(self, name: str) -> None:
        self._leave(name)
        dict.__delitem__(self, name)

    def pop(self, name: str, *default: Any) -> Any:
        self._leave(name)
        return dict.pop(self, name, *default)

    def _leave(self, name: str) -> None:
        if name in self.lent:
            self.pool.take(self, name)
        self.own.discard(name)
        self._note(name)
        self.pool.reshaped.add(self.sign)

    def _take_all(self) -> None:
        self.pool.touched.add(EVERYTHING)
        while self.lent:
            self.pool.take(self, next(iter(self.lent)))

    def values(self) -> Any:
        self._take_all()
        return dict.values(self)

    def items(self) -> Any:
        self._take_all()
        return dict.items(self)

    def keys(self) -> Any:
        self.pool.touched.add(EVERYTHING)
        return dict.keys(self)

    def __iter__(self) -> Iterator[str]:
        self.pool.touched.add(EVERYTHING)
        return dict.__iter__(self)


class AwakeExchanges(AwakeParts[ExchangeState]):
    """What is only looked at is not noted: when one of them changes, nothing can be told apart anyway."""

    __slots__ = ()

    def _note(self, name: object) -> None:
        """It is no news."""


class SharedPool:
    """What a broker shares with its branches. `touched`: the signs of what it has looked at since it woke; `reshaped`: of which
    kinds of parts some came or went; `before`: of exchanges, what was taken; `looks`: what is known of exchanges, and of the
    order of queues."""

    __slots__ = ("before", "channels", "exchanges", "looks", "queues", "reply_queue", "reshaped", "touched")

    def __init__(
        self,
        queues: Parts[QueueType],
        channels: Parts[Channel[QueueType]],
        exchanges: Parts[ExchangeState],
        reply_queue: QueueType,
    ) -> None:
        self.queues, self.channels, self.exchanges = queues, channels, exchanges
        queues.pool = channels.pool = exchanges.pool = self
        self.reply_queue = reply_queue
        self.touched: set[str] = set()
        self.reshaped: set[str] = set()
        self.before: dict[str, ExchangeState] = {}
        self.looks: tuple[bytes, tuple[str, ...]] | None = None

    def take(self, parts: Parts[Any], name: str) -> None:
        """Make a part one's own, with all that knows it."""
        lent = parts.lent[name]
        if parts is self.exchanges:
            del parts.lent[name]
            dict.__setitem__(parts, name, lent.clone())
            parts.own.add(name)
            self.before[name] = lent
            return
        queues, channels = copying.cloned_parts(lent.queues, lent.channels, self.reply_queue)
        _give(self.queues, queues)
        _give(self.channels, channels)
        self.touched.update(lent.members)

    def wake(self) -> None:
        self.touched, self.reshaped = set(), set()
        self.before.clear()
        self.queues.__class__ = self.channels.__class__ = AwakeParts
        self.exchanges.__class__ = AwakeExchanges

    def rest(self) -> None:
        """All that was one's own may be shared from now on."""
        queues, channels, exchanges = self.queues, self.channels, self.exchanges
        queues.__class__ = channels.__class__ = exchanges.__class__ = Parts
        if queues.own or channels.own:
            own = {name: queues[name] for name in queues.own}, {name: channels[name] for name in channels.own}
            for group in grouped(*own):
                queues.lent.update(dict.fromkeys(group.queues, group))
                channels.lent.update(dict.fromkeys(group.channels, group))
            queues.own, channels.own = set(), set()
        if exchanges.own:
            self._rest_exchanges()
        if queues.sign in self.reshaped or exchanges.sign in self.reshaped:
            self._topology_changed()

    def _rest_exchanges(self) -> None:
        exchanges = self.exchanges
        for name in exchanges.own:
            state, before = exchanges[name], self.before.get(name)
            if before is not None and state.shared and state.alternate == before.alternate:
                state = exchanges[name] = before  # it was only looked at
            else:
                state.shared = state.matcher.sees != "state"
                self._topology_changed()
            exchanges.lent[name] = state
        exchanges.own = set()

    def _topology_changed(self) -> None:
        self.looks = None
        self.touched.add(EVERYTHING)

    def branch(self) -> "SharedPool":
        other = SharedPool(self.queues.branch(), self.channels.branch(), self.exchanges.branch(), self.reply_queue)
        other.looks = self.looks
        return other

    def groups(self) -> dict[str, PartGroup]:
        """At rest: by the signs of queues and channels, in the order in which they are here."""
        queues, channels = self.queues, self.channels
        found = {f"{queues.sign}{name}": queues.lent[name] for name in queues}
        found.update({f"{channels.sign}{name}": channels.lent[name] for name in channels})
        return found

    def put(self, groups: dict[str, PartGroup]) -> None:
        """At rest: all queues and channels are what they are in these."""
        queues, channels = self.queues, self.channels
        dict.clear(channels)
        channels.lent.clear()
        for sign, group in groups.items():
            if sign[0] == channels.sign[0]:
                name = sign[2:]
                dict.__setitem__(channels, name, group.channels[name])
                channels.lent[name] = group
            elif queues.lent[name := sign[2:]] is not group:
                dict.__setitem__(queues, name, group.queues[name])
                queues.lent[name] = group


def _give(parts: Parts[Part], clones: dict[str, Part]) -> None:
    """Clones in the place of what they were made of."""
    dict.update(parts, clones)
    parts.own.update(clones)
    lent = parts.lent
    for name in clones:
        del lent[name]


def by_sign(groups: list[PartGroup], queues: Iterable[str], channels: Iterable[str]) -> dict[str, PartGroup]:
    """In the order of these names."""
    found = {sign: group for group in groups for sign in group.members}
    return {sign: found[sign] for sign in (*(f"q {name}" for name in queues), *(f"c {name}" for name in channels))}


def grouped(queues: dict[str, QueueType], channels: dict[str, Channel[QueueType]]) -> list[PartGroup]:
    """Those that know each other together."""
    clusters: list[tuple[set[str], set[str]]] = []
    for name, channel in channels.items():
        known, knowing, others = copying.known_queues(channel, queues), {name}, []
        for cluster in clusters:
            if known.isdisjoint(cluster[0]):
                others.append(cluster)
            else:
                known |= cluster[0]
                knowing |= cluster[1]
        clusters = [*others, (known, knowing)]
    alone = queues.keys() - {name for cluster in clusters for name in cluster[0]}
    found = [
        PartGroup({name: queues[name] for name in sorted(q)}, {name: channels[name] for name in sorted(c)}) for q, c in clusters
    ]
    return found + [PartGroup({name: queues[name]}, {}) for name in alone]
