"""A state in its pieces, each with what it looks like: groups of queues and channels, the hands of consumers, and the rest."""

from typing import Any, Protocol

from routesim.broker import RabbitBroker
from routesim.broker.branches import branching
from routesim.broker.branches.parts import PartGroup
from routesim.content import digest_of_plain
from routesim.explore.hands import Hand
from routesim.scenario import PublishMany

Counts = tuple[int, int, int, int]  # of a broker: serial numbers, registrations, channels, changes
LOOK_BYTES = 16  # of a look, those that stand for all that matters


class InPieces(Protocol):
    """What is asked of a state. `stem`: its broker, or that of a state before it, from which it differs in its pieces alone."""

    stem: RabbitBroker
    hands: list[Hand]
    wait_until: int | None
    later: tuple[tuple[int, PublishMany, int], ...]
    dead: frozenset[str]


class Pieces:
    """`groups`, `looks`: by sign, queues and channels, these in the order of their coming; `hands`: what they look like;
    `connections`: as the broker has them; `rest`: what all else looks like but facts, failures, what is published and how far
    publishers are. None of it is changed any more. `surroundings`: see `Repeats`, which fills them in."""

    __slots__ = ("connections", "groups", "hands", "looks", "rest", "surroundings")

    def __init__(
        self, groups: dict[str, PartGroup], looks: dict[str, bytes], hands: tuple[bytes, ...],
        connections: dict[str, tuple[str, ...]], rest: bytes, surroundings: tuple[Any, ...] | None = None,
    ) -> None:  # fmt: skip
        self.groups, self.looks, self.hands = groups, looks, hands
        self.connections, self.rest, self.surroundings = connections, rest, surroundings


def pieces_of(state: InPieces, most_attempts: int | None) -> Pieces:
    """Of a state at rest that has a broker of its own."""
    broker = state.stem
    now = broker.now
    groups = branching.groups_of(broker)
    looks = {sign: group.fingerprint(broker) + group.detail() for sign, group in groups.items()}
    later = tuple([(at_ms - now, action.id(number)) for at_ms, action, number in state.later])
    wait = None if state.wait_until is None else state.wait_until - now
    return Pieces(
        groups, looks, tuple([digest_of_plain(hand.fingerprint(broker, most_attempts)) for hand in state.hands]),
        {name: tuple(names) for name, names in broker.connections.items()},
        digest_of_plain((branching.rest_of_print(broker), wait, later, tuple(sorted(state.dead)))),
    )  # fmt: skip
