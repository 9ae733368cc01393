"""Moves that are made again: what one does depends on what it has to do with, so where it finds all of that as it was once
before, it changes it as it did then.

What a move has to do with is known by the same signs that tell which moves are independent of each other; what signs leave out,
since no two moves of one state differ in it, is compared as well. So most states of a search are put together of pieces that
are known already, and few of them are ever carried out on a broker.
"""

from collections.abc import Iterable
from typing import Any

from routesim.broker.branches.parts import PartGroup
from routesim.broker.memory import Memory
from routesim.explore.draws import Draws
from routesim.explore.facts import Facts
from routesim.explore.hands import Hand
from routesim.explore.looking.independence import LOCAL, OF_PUBLISHERS, Independence, clues_of
from routesim.explore.moves import Move, make
from routesim.explore.state.pieces import Counts, Pieces
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.scenario import Scenario

REMEMBERED = 4096  # changes


class Repeated(NamedTuple):
    """What a move has done. `signs`: what it had to do with; `groups`, `looks`: of these signs, afterwards; `gone`: signs of
    channels that have closed, or opened anew, and come last then; `hands`: by their places, each with what it looks like;
    `connections`: None: as before; `changes`: what a broker counts."""

    signs: frozenset[str]
    groups: dict[str, PartGroup]
    looks: dict[str, bytes]
    gone: tuple[str, ...]
    hands: tuple[tuple[int, Hand, bytes], ...]
    connections: dict[str, tuple[str, ...]] | None
    surroundings: tuple[Any, ...] | None
    published: dict[str, int]
    facts: Facts
    counts: Counts
    changes: int


class Reads(NamedTuple):
    """What a move has looked at: signs of queues and channels, places of hands."""

    signs: tuple[str, ...]
    hands: tuple[int, ...]


class Before(NamedTuple):
    """Of a state, what is asked for once a move has been made in it."""

    move: Move
    pieces: Pieces
    extra: Any
    changes: int
    heap: list[Any]


class Repeats:
    """Of one scenario. None are known where chance has a say (`by_chance`), or what has been is asked for."""

    def __init__(self, scenario: Scenario, independence: Independence, root: World, *, by_chance: bool) -> None:
        self.known = independence.known and not by_chance
        self.independence = independence
        self.names = {
            name: tuple(dict.fromkeys(reply.id or name for rule in consumer.on_message for reply in rule.publish))
            for name, consumer in scenario.consumers.items()
        }
        self.hands: dict[str, tuple[int, ...]] = {}  # by the sign of their channel
        for place, hand in enumerate(root.hands):
            sign = f"c {hand.consumer.channel}"
            self.hands[sign] = (*self.hands.get(sign, ()), place)
        self.reads: dict[Any, list[Reads]] = {}
        self.changes: Memory[Any, Repeated] = Memory(REMEMBERED)
        self.surroundings: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def find(self, world: World, move: Move) -> Repeated | None:
        """What the move does in this state; None: that is not known."""
        if not self.known or move.kind not in LOCAL:
            return None
        extra = self._extra(world, move)
        variants = self.reads.get((move, extra))
        if variants is None or world.stem.livelock is not None:
            return None
        pieces = world.in_pieces()
        surroundings = pieces.surroundings or self._surroundings(world, pieces)
        look, hands = pieces.looks.get, pieces.hands
        for number, reads in enumerate(variants):
            looks = tuple(map(look, reads.signs)), tuple([hands[place] for place in reads.hands])
            found = self.changes.get((move, extra, number, surroundings, looks))
            if found is not None:
                return found
        return None

    def _extra(self, world: World, move: Move) -> Any:
        """How far those are that the move is about."""
        who = move.who
        if move.kind in OF_PUBLISHERS:
            return world.stage, world.places[who]
        names = self.names.get(who)
        return tuple([world.published.get(name, 0) for name in names]) if names else None

    def _surroundings(self, world: World, pieces: Pieces) -> tuple[Any, ...]:
        """What any move may depend on, and what only some change."""
        broker = world.stem
        planned = tuple([(entry.at_ms, entry.kind, entry.what) for entry in broker.agenda.heap])
        found = pieces.rest, broker.now, planned, tuple(pieces.connections.items())
        pieces.surroundings = self.surroundings.setdefault(found, found)
        return pieces.surroundings

    # Noting ------------------------------------------------------------------------------------------------------------

    def make(self, world: World, move: Move) -> tuple[Draws, frozenset[str] | None]:
        """The state is changed by the move, and what that was is kept for the next time. Returns its draws, and its signs."""
        before = clues_of(world)
        if not self.known:
            draws = make(world, move)
            return draws, None if draws.made or not self.independence.known else self.independence.signs(world, move, before)
        pieces = world.in_pieces()
        self._surroundings(world, pieces)
        broker = world.broker
        start = Before(move, pieces, self._extra(world, move), broker.changes, broker.agenda.heap.copy())
        facts, journal = world.facts, Facts()
        world.facts = journal
        loops = broker.livelock is not None
        draws = make(world, move)
        world.facts = facts.with_those(journal)
        signs = None if draws.made else self.independence.signs(world, move, before)
        if signs is None or loops or draws.races or broker.livelock is not None or broker.agenda.heap != start.heap:
            return draws, signs
        after = world.in_pieces()
        if after.rest == pieces.rest:
            self._keep(world, start, after, signs, journal)
        return draws, signs

    def _keep(self, world: World, before: Before, after: Pieces, signs: frozenset[str], journal: Facts) -> None:
        """What a move has done."""
        move, old = before.move, before.pieces
        touched = self._touched(signs, old.groups, after.groups)
        broker = world.stem
        was, now = old.connections, after.connections
        gone = [
            sign for sign in touched
            if sign[0] == "c" and sign in old.groups
            and (sign not in after.groups or _number(after.groups, sign) != _number(old.groups, sign))
        ]  # fmt: skip
        places = tuple(sorted({place for sign in touched for place in self.hands.get(sign, ())}))
        same = list(was.items()) == list(now.items())
        names = self.names.get(move.who, ()) if move.kind not in OF_PUBLISHERS else ()
        change = Repeated(
            signs,
            {sign: after.groups[sign] for sign in after.groups if sign in touched},
            {sign: after.looks[sign] for sign in after.looks if sign in touched},
            tuple(gone),
            tuple([(place, world.hands[place], after.hands[place]) for place in places]),
            None if same else now, None if same else self._surroundings(world, after),
            {name: world.published[name] for name in names if name in world.published}, journal,
            (broker.serial, broker.registrations, broker.channel_number, 0), broker.changes - before.changes,
        )  # fmt: skip
        reads = Reads(tuple(sorted(touched)), places)
        variants = self.reads.setdefault((move, before.extra), [])
        if reads not in variants:
            variants.append(reads)
        looks = tuple(map(old.looks.get, reads.signs)), tuple([old.hands[place] for place in places])
        self.changes.keep((move, before.extra, variants.index(reads), old.surroundings, looks), change)
        world.lent = True

    def _touched(self, signs: Iterable[str], *groups: dict[str, PartGroup]) -> set[str]:
        """The signs of queues and channels, with those of all that belong to their groups."""
        found = {sign for sign in signs if sign[:2] in ("q ", "c ")}
        todo = list(found)
        while todo:
            sign = todo.pop()
            for each in groups:
                if sign in each:
                    new = set(each[sign].members) - found
                    found |= new
                    todo += new
        return found


def _number(groups: dict[str, PartGroup], sign: str) -> int:
    """Of a channel, the n-th that was opened."""
    return groups[sign].channels[sign[2:]].number


def repeated(world: World, move: Move, change: Repeated) -> World:
    """The state after a move that does this, of which all that can be is shared."""
    other = world.branch()
    pieces = world.in_pieces()
    groups, looks = pieces.groups.copy(), pieces.looks.copy()
    for sign in change.gone:
        del groups[sign], looks[sign]
    groups.update(change.groups)
    looks.update(change.looks)
    hands = pieces.hands
    if change.hands:
        other.hands, seen = world.hands.copy(), list(hands)
        for place, hand, look in change.hands:
            other.hands[place], seen[place] = hand, look
        hands = tuple(seen)
    connections, surroundings = pieces.connections, pieces.surroundings
    if change.connections is not None:
        connections, surroundings = change.connections, change.surroundings
    other.pieces = Pieces(groups, looks, hands, connections, pieces.rest, surroundings)
    broker = world.stem
    one = world.counts or (broker.serial, broker.registrations, broker.channel_number, broker.changes)
    two = change.counts
    other.counts = max(one[0], two[0]), max(one[1], two[1]), max(one[2], two[2]), one[3] + change.changes
    if change.published:
        other.published = {**world.published, **change.published}
    other.facts = world.facts.with_those(change.facts)
    if move.failure:
        other.spend(move.failure)
    if move.kind in OF_PUBLISHERS:
        other.turn_over(move.who)
    return other
