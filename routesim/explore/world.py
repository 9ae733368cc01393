"""A state of everything: the broker, what consumers have in hand, how far publishers are, which failures are spent.

A state is a value that can be copied and changed: copies share what neither side changes. Two states with equal fingerprints
behave alike for ever.
"""

from typing import Any

from routesim.broker import ChannelEnded, ConsumerEnded, RabbitBroker
from routesim.broker.branches import branching
from routesim.broker.clock import DELAYED
from routesim.content import digest_of_plain
from routesim.explore.course import Stage, Turn
from routesim.explore.draws import Draws
from routesim.explore.facts import Facts
from routesim.explore.hands import AGAIN, Hand
from routesim.explore.state.pieces import LOOK_BYTES, Counts, Pieces, pieces_of
from routesim.explore.state.setting import Scribe, WorldSetting
from routesim.queues import Delivery
from routesim.scenario import PublishMany
from routesim.steps import Consume, Publish, Step

NEVER_BEGUN = "{} hangs and never comes to it, and it was acknowledged when it was sent"


class World:
    """`stage` and `places`: how far the publishers are; `wait_until`: all of them wait; `later`: publishes that are planned, by
    instant; `spent`: how many failures of each kind of the setting there were. `dead`: connections whose process is gone for
    good. `touched`: the signs of the parts of the broker that the last move had to do with, None: not known; `reshaped`: whether
    channels came or went in it.

    `stem`: the broker, which others may have too while it is `lent`, as they may have hands, facts and all else that changes;
    then it is taken before the first change. `counts`: the state differs from the stem in `pieces`, and the broker has counted
    so far; None: it does not. What a state at rest that is not looked into needs of the broker (the instant, what is planned) is
    the stem's."""

    __slots__ = (
        "clients_return", "counts", "dead", "draws", "events", "facts", "hands", "later", "lent", "origins", "pieces", "places",
        "published", "reshaped", "scribe", "setting", "spent", "stage", "stem", "touched", "wait_until",
    )  # fmt: skip

    def __init__(self, setting: WorldSetting, broker: RabbitBroker, hands: list[Hand], published: dict[str, int]) -> None:
        self.setting = setting
        self.stem = broker
        self.lent = False
        self.counts: Counts | None = None
        self.pieces: Pieces | None = None
        self.hands = hands
        self.published = published
        self.origins = hands[0].origins if hands else None
        self.stage = 0
        self.places: dict[str, int] = {}
        self.wait_until: int | None = None
        self.later: tuple[tuple[int, PublishMany, int], ...] = ()
        self.spent: tuple[int, ...] = (0,) * len(setting.kinds)
        self.dead: frozenset[str] = frozenset()
        self.facts = Facts()
        self.events: list[Any] = []
        self.clients_return = False
        self.draws: Draws | None = None
        self.scribe: Scribe | None = None
        self.touched: set[str] | None = None
        self.reshaped = True
        broker.listen = self.events.append
        self.begin_stage()

    def copy(self) -> "World":
        """An equal state, without a scribe."""
        lent = self.lent
        other = self.branch()
        if self.stem.uncommitted:  # which nobody can share
            self.lent = lent
            other._own()
        return other

    def branch(self) -> "World":
        """An equal state at rest, of which all is shared."""
        other = object.__new__(World)
        other.setting, other.stage, other.places = self.setting, self.stage, self.places
        other.wait_until, other.later, other.spent, other.dead = self.wait_until, self.later, self.spent, self.dead
        other.published, other.origins, other.hands, other.facts = self.published, self.origins, self.hands, self.facts
        other.stem, other.counts, other.pieces = self.stem, self.counts, self.pieces
        other.lent = self.lent = True
        other.events = []
        other.clients_return = False
        other.draws = other.scribe = other.touched = None
        other.reshaped = True
        return other

    def _own(self) -> None:
        """Of what is lent, make one's own."""
        broker = branching.branch(self.stem)
        if self.counts is not None:
            assert self.pieces is not None
            branching.put(broker, self.pieces.groups)
            broker.connections = {name: [*names] for name, names in self.pieces.connections.items()}
            broker.serial, broker.registrations, broker.channel_number, broker.changes = self.counts
            self.counts = None
        self.stem, self.lent = broker, False
        broker.listen = self.events.append
        self.published = self.published.copy()
        self.origins = None if self.origins is None else self.origins.copy()
        self.hands = [hand.copied(self.published, self.origins) for hand in self.hands]
        self.facts = self.facts.copy()

    @property
    def broker(self) -> RabbitBroker:
        """One's own."""
        if self.lent:
            self._own()
        return self.stem

    @property
    def now(self) -> int:
        return self.stem.now

    def in_pieces(self) -> Pieces:
        if self.pieces is None:
            self.pieces = pieces_of(self, self.setting.most_attempts)
        return self.pieces

    def fingerprint(self) -> bytes:
        """128 bits that stand for the state."""
        pieces = self.pieces or self.in_pieces()
        looks = b"".join(sorted({look[:LOOK_BYTES] for look in pieces.looks.values()}))
        return digest_of_plain((
            looks, pieces.hands, pieces.rest, self.stage, tuple(sorted(self.places.items())), self.spent,
            tuple(sorted(self.published.items())), self.facts.fingerprint(self.stem.now),
        ))  # fmt: skip

    def wake(self) -> None:
        """Before a move: what the state shares with copies of it is taken when it is touched."""
        if self.lent:
            self._own()
        self.pieces = self.facts.look = None
        branching.wake(self.stem)

    def rest(self) -> None:
        """After a move: what it touched is known then."""
        self.touched, self.reshaped = branching.rest(self.stem)

    # What happens ------------------------------------------------------------------------------------------------------

    def apply(self, step: Step) -> bool:
        """The broker is asked for it; True when it refuses. What it sets off is to be settled."""
        if self.scribe is None:
            return self.broker.apply(step) is not None
        self.scribe.step(step, self.broker)
        refused = self.broker.apply(step)
        if refused is not None:
            self.scribe.refused(refused.code)
        return refused is not None

    def settle(self) -> None:
        """Clients take what they are sent."""
        outbox = self.broker.outbox
        while outbox:
            received = outbox.popleft()
            if isinstance(received, Delivery):
                self._take(received)
            elif isinstance(received, ChannelEnded):
                self._channel_ended(received.channel)
            elif isinstance(received, ConsumerEnded) and not received.channel_lost:
                hand = self.hand(received.consumer)
                if hand is not None:
                    hand.consumes = False
                    if hand.hangs:
                        hand.gives_up()
                        hand.back_at = self.broker.now
        facts = self.facts
        for event in self.events:
            facts.hear(event)
        if facts.remembered is not None:
            facts.remembered.hear(self.events)
        self.broker.failures.clear()

    def hand(self, name: str) -> Hand | None:
        return next((hand for hand in self.hands if hand.consumer.name == name), None)

    def _take(self, delivery: Delivery[Any]) -> None:
        if delivery.subscription is None:
            return
        hand = self.hand(delivery.subscription.name)
        if hand is None:
            return
        queue = delivery.queue
        stands = queue if queue.keeps_log else self.setting.queues.setdefault(queue.name, queue)
        hand.draws = self.draws
        hand.take(delivery, stands, self.broker.now)
        if hand.hangs_for_good:
            self.facts.gone[delivery.copy.message.removesuffix(AGAIN)] = NEVER_BEGUN.format(hand.consumer.name)

    def _channel_ended(self, channel: str) -> None:
        for hand in self.hands:
            if hand.consumer.channel != channel:
                continue
            name = hand.consumer.name
            back = self.clients_return or hand.hangs or (self.setting.any_time and bool(hand.jobs))
            for delivery in hand.channel_lost():
                self.broker.lost_by_consumer(name, delivery.copy.message, delivery.queue.name, delivery.copy.serial)
            if hand.consumes and back and hand.connection not in self.dead:
                hand.back_at = self.broker.now
            hand.consumes = False

    def consume(self, hand: Hand) -> None:
        hand.back_at = None
        hand.consumes = not self.apply(Consume(hand.consumer))

    def publish(self, action: PublishMany, number: int, again: str = "") -> bool:
        """True when the broker refuses it."""
        return self.apply(Publish(action.channel, action.message, action.id(number) + again))

    def spend(self, failure: str) -> None:
        """One of its kind."""
        index = self.setting.kinds.index(failure)
        self.spent = (*self.spent[:index], self.spent[index] + 1, *self.spent[index + 1 :])

    def pass_time(self, to_ms: int) -> None:
        if self.scribe is not None:
            self.scribe.passes(to_ms - self.broker.now)
        self.broker.advance(to_ms)
        code = self.broker.failures[0].code if self.broker.failures else None  # it may have lost patience with somebody
        if self.scribe is not None and code is not None:
            self.scribe.refused(code)
        if self.wait_until is not None and to_ms >= self.wait_until:
            self.end_stage()

    # Publishers --------------------------------------------------------------------------------------------------------

    def stage_now(self) -> Stage | None:
        """None: the steps are over."""
        stages = self.setting.stages
        return stages[self.stage] if self.stage < len(stages) else None

    def begin_stage(self) -> None:
        stage = self.stage_now()
        self.places = {} if stage is None else dict.fromkeys(stage.turns, 0)
        self.wait_until = None
        if self.dead:
            self.skip_the_dead()

    def skip_the_dead(self) -> None:
        """Who is dead does nothing more in this stage."""
        stage = self.stage_now()
        if stage is None or stage.barrier is not None:
            return
        self.places = {
            name: len(stage.turns[name]) if self.connection_of(name) in self.dead else place
            for name, place in self.places.items()
        }
        if all(place == len(stage.turns[name]) for name, place in self.places.items()):
            self.end_stage()

    def connection_of(self, channel: str) -> str:
        plan = self.setting.scenario.channels.get(channel)
        return plan.connection if plan is not None else channel

    def end_stage(self) -> None:
        self.stage += 1
        self.begin_stage()

    def turn(self, channel: str) -> Turn | None:
        """What the channel's publisher does next; None: it has done all of this stage."""
        stage = self.stage_now()
        assert stage is not None
        turns, place = stage.turns[channel], self.places[channel]
        return turns[place] if place < len(turns) else None

    def turn_over(self, channel: str) -> None:
        self.places = {**self.places, channel: self.places[channel] + 1}
        stage = self.stage_now()
        assert stage is not None
        if all(place == len(stage.turns[name]) for name, place in self.places.items()):
            self.end_stage()

    # Messages ----------------------------------------------------------------------------------------------------------

    def somewhere(self) -> set[str]:
        """The messages of which a copy is left anywhere: in a queue, on its way, with a client that is at it, or not published
        yet for good."""
        broker: Any = self.broker
        found = {copy.message for queue in broker.queues.values() for copy in queue.copies()}
        found |= {item.copy.message for channel in broker.channels.values() for item in channel.outstanding()}
        found |= {part for entry in broker.agenda.heap if entry.kind == DELAYED for part in entry.what if isinstance(part, str)}
        found |= {item.id for publishes in broker.uncommitted.values() for item in publishes}
        for hand in self.hands:
            found.update(hand.works_at())
        return {name.removesuffix(AGAIN) for name in found}
