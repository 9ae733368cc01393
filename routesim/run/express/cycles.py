"""Whether what happens on the fast way repeats itself: then it goes round without being looked at again (`rounds`).

Plain publishers and consumers that are left to themselves soon do the same at the same intervals. What they do next depends
on nothing but what a `Look` holds: what is planned, in hand and whose turn it is, all of it relative to the instant and to the
numbers given out so far. Two looks alike mean that everything between them comes again. How many messages wait is of account
only while they are few.
"""

from collections.abc import Callable

from routesim.broker import RabbitBroker
from routesim.run.agenda import NextPublish, RunAgenda
from routesim.run.budget import Budget
from routesim.run.express.looks import Look, look
from routesim.run.express.moves import Moves
from routesim.run.express.patience import Patience
from routesim.run.express.plain import Plain
from routesim.run.express.rounds import Round

INSTANTS = 128  # so many are looked at before it is given up
LEAST_ROUNDS = 4  # fewer are not worth the looks
SHORT_RUN = 100


class Cycles:
    def __init__(self, broker: RabbitBroker, agenda: RunAgenda, plain: Plain, moves: Moves, budget: Budget) -> None:
        self.broker = broker
        self.agenda = agenda
        self.plain = plain
        self.budget = budget
        self.moves = moves
        self.patience = Patience(6)

    def until_worthwhile(self, free: int) -> int:
        """Of so many reactions, those after which there may be rounds to go."""
        missing = SHORT_RUN - self.budget.reactions
        return min(free, missing) if missing > 0 else free

    def go_round(self, carry_out: Callable[[int, int], int], limit: int) -> None:
        """Time passes as long as it repeats itself, not beyond `limit` nor what the budget leaves. `carry_out(limit, free)` lets
        it pass in every detail, and returns how many reactions there were."""
        if self.budget.reactions < SHORT_RUN:
            return
        if self.patience.asks():
            while self._once(carry_out, limit):
                self.patience.rewarded()

    def _once(self, carry_out: Callable[[int, int], int], limit: int) -> bool:
        """Looks for a round, and goes it as often as it can be gone; whether there was one."""
        moves, heap, budget = self.moves, self.agenda.heap, self.budget
        first, begun = look(self.broker, self.agenda, self.plain), budget.reactions
        since, reach = 0, 1  # how many instants ago the first look was; how many it may be, at most
        moves.begin()
        for _ in range(INSTANTS):
            if first is None or not heap or heap[0][0] > limit:
                break
            due, before = heap[0][0], budget.reactions
            budget.reactions += carry_out(due, budget.free())
            if budget.reactions == before or (heap and heap[0][0] <= due) or moves.odd:
                break
            since += 1
            second = look(self.broker, self.agenda, self.plain)
            found = self._round(first, second) if second is not None else None
            if found is not None:
                moves.end()
                reactions = budget.reactions - begun
                times = budget.rounds(found.cost(reactions), found.most(limit))
                worth = times >= LEAST_ROUNDS and 4 * times * len(found.plays) >= found.in_hand() and found.is_whole()
                if worth:
                    found.repeat(times)
                    budget.reactions += times * reactions
                return worth
            if since == reach:
                first, begun, since, reach = second, budget.reactions, 0, 2 * reach
                moves.begin()
        moves.end()
        return False

    def _round(self, first: Look, second: Look) -> Round | None:
        """What happened between two looks, if it will happen again."""
        ours = sorted(entry for number, entry in first.entries.items() if number not in second.entries)
        if ours != sorted(entry for number, entry in second.entries.items() if number not in first.entries) or not ours:
            return None
        publishing = [id(item[3].action) for item in self.agenda.heap if type(item[3]) is NextPublish]
        if len(set(publishing)) < len(publishing):
            return None
        assert self.moves.kept is not None
        found = Round(self.broker, self.agenda, self.plain.emits, self.moves.kept, first, second)
        for state, lane in found.lanes.items():
            if first.consumers.get(state) != second.consumers[state]:
                return None
            if not lane.goes_on_from(first.waiting[state], second.waiting[state]):
                return None
            if not lane.is_served_alike(first.credits[state], second.credits[state]):
                return None
        for key, source in found.queues.items():
            if first.queues.get(key) != second.queues[key] or not source.goes_on_from(first.counts[key], second.counts[key]):
                return None
        return found
