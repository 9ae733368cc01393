"""Which moves have nothing to do with each other: then either may come first, and the state after both is the same.

What a move looks at and changes is known once it has been made: the signs of the parts of the broker that it touched, and signs
for the rest of a state. Of two moves from one state that share no sign each does the same after the other as before it.
"""

from collections import Counter

from routesim.broker.branches.parts import EVERYTHING
from routesim.explore.moves import Move
from routesim.explore.world import World
from routesim.named_tuples import NamedTuple
from routesim.scenario import Do, PublishMany, Scenario

OF_PUBLISHERS = frozenset({"turn", "publish lost", "confirm lost"})
OF_CONSUMERS = frozenset({"finish", "return", "crash after work", "cancel", "close_channel"})
LOCAL = OF_PUBLISHERS | OF_CONSUMERS | {"crash"}  # a move of any other kind may have to do with all


class Clues(NamedTuple):
    """Of a state before a move, what tells whether the move has changed more than signs can say."""

    later: int
    names_drawn: int
    agenda: int


def clues_of(world: World) -> Clues:
    broker = world.stem
    return Clues(len(world.later), broker.names_drawn, broker.agenda.seq)


class Independence:
    """Of the moves of one scenario."""

    def __init__(self, scenario: Scenario, root: World) -> None:
        self.names = {
            name: frozenset(f"n {reply.id or name}" for rule in consumer.on_message for reply in rule.publish)
            for name, consumer in scenario.consumers.items()
        }  # what is published is numbered by these names, which consumers may share
        self.scenario = scenario
        self.crashing = {
            name for name, consumer in scenario.consumers.items() if any(each.do == "crash" for each in consumer.on_message)
        }
        self.channels = {name: f"c {consumer.channel}" for name, consumer in scenario.consumers.items()}
        self.ranked = _ranked(scenario)
        # A rule of never is asked of each move, what is remembered and order of all that is done, and rounds of who made which
        # message.
        facts = root.facts
        self.known = not scenario.never and not facts.asks_for_order and facts.remembered is None and root.origins is None

    def signs(self, world: World, move: Move, before: Clues) -> frozenset[str] | None:
        """What the move, which has led to this state, had to do with; None: perhaps with everything."""
        touched, broker = world.touched, world.stem
        if touched is None or move.kind not in LOCAL or EVERYTHING in touched or not self.known:
            return None
        if broker.resting or broker.names_drawn != before.names_drawn or len(world.later) != before.later:
            return None
        found = set(touched)
        if move.kind in OF_PUBLISHERS:
            found.add(f"c {move.who}")
        elif move.kind in OF_CONSUMERS:
            found.add(self.channels[move.who])
            found |= self.names[move.who]
        if move.failure:
            found.add("failure")  # of which there may be only so many
        if move.kind == "crash":
            found.add(f"k {move.who}")
        elif move.failure or move.who in self.crashing:
            found |= {self._connection(sign) for sign in found if sign.startswith("c ")}
        if world.reshaped:
            found |= {self._connection(sign) for sign in touched if sign.startswith("c ")}
            if any(sign in self.ranked for sign in touched):
                found.add("channels")
        if broker.agenda.seq != before.agenda:
            found.update(f"t {entry.at_ms}" for entry in broker.agenda.heap if entry.seq > before.agenda)
        return frozenset(found)

    def _connection(self, sign: str) -> str:
        """The sign of the connection of a channel: which channels it has."""
        plan = self.scenario.channels.get(sign.removeprefix("c "))
        return f"k {plan.connection}" if plan is not None else sign.replace("c ", "k ", 1)


def _ranked(scenario: Scenario) -> frozenset[str]:
    """The signs of channels of which the order of their coming may tell in which order they end, and give back what they hold,
    when all end. Who comes only to consume touches its queue then, and who only publishes holds nothing."""
    consuming = {consumer.channel for consumer in scenario.consumers.values()}
    publishing = {f"{name} (publish)" for name in scenario.consumers}
    getting = set[str]()
    for step in scenario.steps:
        if isinstance(step.action, PublishMany):
            publishing.add(step.action.channel)
        elif isinstance(step.action, Do):
            getting |= {getattr(each, "channel", "") for each in step.action.steps}
    names = consuming | publishing | getting | scenario.channels.keys()
    of = {name: scenario.channels[name].connection if name in scenario.channels else name for name in names}
    alone = {connection for connection, count in Counter(of.values()).items() if count == 1}
    plain = (consuming ^ publishing) - getting
    return frozenset(f"c {name}" for name in names if name not in plain or of[name] not in alone)
