"""The fast way through a run: plain publishes to plain queues, whose consumers only acknowledge.

What `Runner`, `Broker`, the queues and `ScriptedConsumer` do in two dozen calls a message is done here in one function, for
what most long runs consist of: no limit, no expiry, no transaction, consumers with the one rule `ack`. Everything else goes
the ordinary way, and so does every moment at which something else is due. Both ways lead to the same state and the same
events in the same order: `tests/run/test_express.py` holds one against the other.

`plain` finds what may go this way, and looks up once what does not change (`prepared`); `emitting` has the events ready;
`bursts` and `delivering` are what happens; `cycles` notices that it repeats itself (`moves`), and goes round (`rounds`).
"""

from collections.abc import Sequence
from heapq import heappop, heapreplace

from routesim.broker import Broker, RabbitBroker
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.queues import Copy, Delivery, LinedQueue
from routesim.run.agenda import RANKS, NextPublish, RunAgenda
from routesim.run.batches import BatchListener
from routesim.run.budget import BUDGET_MS, Budget
from routesim.run.express.bursts import Bursts
from routesim.run.express.cycles import Cycles
from routesim.run.express.delivering import JOB, Delivering
from routesim.run.express.emitting import Emits
from routesim.run.express.moves import Moves
from routesim.run.express.patience import Patience
from routesim.run.express.plain import Plain
from routesim.run.express.prepared import AckingConsumer
from routesim.run.express.soloists import Soloists
from routesim.run.folds.fold import Listener
from routesim.scenario import PublishMany

PUBLISH = RANKS[NextPublish]


def express_for(
    broker: Broker, agenda: RunAgenda, budget: Budget, consumers: dict[str, ScriptedConsumer], listener: Listener | None
) -> "Express | None":
    """None where there is no fast way: on Redis, and for a listener that wants every event."""
    if not isinstance(broker, RabbitBroker) or not (listener is None or isinstance(listener, BatchListener)):
        return None
    return Express(broker, agenda, budget, consumers, listener)


class Express:
    """The fast way of one run. `listener` None: nobody listens."""

    def __init__(
        self, broker: RabbitBroker, agenda: RunAgenda, budget: Budget, consumers: dict[str, ScriptedConsumer],
        listener: BatchListener | None,
    ) -> None:  # fmt: skip
        self.broker = broker
        self.agenda = agenda
        self.budget = budget
        self.listening = listener is not None
        emits = Emits(listener)
        self.plain = Plain(broker, consumers, emits)
        self.moves = moves = Moves()
        self.delivering = Delivering(broker, agenda, moves, listening=self.listening)
        self.soloists = Soloists(broker, agenda, self.plain, emits, moves)
        self.bursts = Bursts(broker, emits, self.delivering, moves)
        self.cycles = Cycles(broker, agenda, self.plain, moves, budget)
        self.patience = Patience(8)

    def burst(self, action: PublishMany, index: int) -> int:
        """Publishes of this instant, from `index` on; returns the first one that is left for the ordinary way."""
        prepared = self.plain.publish(action) if self._is_worth_a_look() else None
        if prepared is None:
            return index
        if prepared.queues[0].by_rules:
            done, reactions = self.bursts.publish_by_rules(prepared, action, range(index, action.times - 1), self.budget.free())
            if done:
                self.patience.rewarded()
                self.budget.reactions += reactions
            return index + done
        # The last one goes the ordinary way: it notes where the instant's budget begins.
        most = min(self.budget.free() // len(prepared.queues), self.bursts.room(prepared))
        stop = min(action.times - 1, index + most)
        if stop > index:
            self.patience.rewarded()
            self.budget.reactions += self.bursts.publish(prepared, action, index, stop)
        return max(index, stop)

    def pass_time(self, until_ms: int | None) -> None:
        """Carries out what is scheduled, up to what needs the ordinary way or comes after `until_ms`."""
        if not self._is_worth_a_look():
            return
        limit = BUDGET_MS - 1 if until_ms is None else min(until_ms, BUDGET_MS - 1)
        budget, before = self.budget, self.budget.reactions
        self.cycles.go_round(self._carry_out, limit)
        budget.reactions += self._carry_out(limit, self.cycles.until_worthwhile(budget.free()))
        if budget.reactions != before:
            self.patience.rewarded()

    def _carry_out(self, limit: int, free: int) -> int:  # noqa: C901
        """Up to and including the instant `limit`, with at most `free` reactions; returns how many there were.

        The one long function: a consumer's answer is written out here, because every call would cost a tenth of it.
        """
        broker, plans, agenda, timers = self.broker, self.agenda, self.agenda.heap, self.broker.agenda.heap
        listening, moves = self.listening, self.moves
        known = self.plain.acking
        now, reactions, acked, delivered, redelivered, make = -1, 0, 0, 0, 0, tuple.__new__
        while agenda:
            at_ms, rank, _, entry = agenda[0]
            if at_ms != now:
                if at_ms > limit or (timers and timers[0].at_ms <= at_ms):
                    break
                if at_ms > broker.now:
                    broker.now = at_ms
                    broker.requeues_now.clear()
                now = at_ms
            if rank == PUBLISH:
                answers = self._publish_next(entry, free - reactions)  # type: ignore[arg-type]
                if answers is None:
                    break
                reactions += answers
            else:
                if rank != JOB or reactions + 2 > free:
                    break
                state, number, delivery, _, _, _ = entry  # type: ignore[misc]
                acking = known.get(state) or self.plain.consumer(state)
                if acking is None:
                    answers = self.soloists.play(limit, free - reactions)
                    if not answers:
                        break
                    reactions += answers
                    now = broker.now
                    continue
                subscription, channel, queue, jobs = acking.subscription, acking.channel, acking.source.queue, state.jobs
                if number in jobs:
                    tag, _, taker, copy, _, _ = delivery
                    if taker is not subscription or tag not in channel.unacked:
                        break
                    del jobs[number], channel.unacked[tag]
                    acked += 1
                    reactions += 1
                    if acking.next is not None and not subscription.credit and queue.count > 1 and not queue.turns:
                        # The queue's one consumer would come back into the rotation, take the head and leave it again.
                        head: Copy = acking.source.line.popleft()
                        queue.let_go((head.content,))
                        channel.next_tag = (new_tag := channel.next_tag) + 1
                        delivery = channel.unacked[new_tag] = make(Delivery, (new_tag, queue, subscription, head, now, False))
                        delivered += 1
                        again = head.returns > 0 or head.failures > 0
                        if listening and not again:
                            acking.next.emit(now, copy.message, copy.serial, tag, head.message, head.serial, new_tag)
                        elif listening:
                            acking.acked.emit(now, copy.message, copy.serial, tag)
                            acking.redelivered.emit(now, head.message, head.serial, new_tag)
                        redelivered += again
                        if moves.kept is not None:
                            moves.consumed(now, acking, acking, again=again)
                        if state.waiting or len(jobs) >= acking.concurrency:
                            heappop(agenda)
                            state.waiting.append((delivery, 0, 0))
                            while state.waiting and len(jobs) < acking.concurrency:
                                self.delivering.begin(acking, state.waiting.popleft()[0])
                        else:
                            state.job_number = number = state.job_number + 1
                            job = jobs[number] = make(ConsumerJob, (state, number, delivery, acking.rule, 0, 0))
                            plans.number = planned = plans.number + 1
                            heapreplace(agenda, (now + acking.takes, JOB, planned, job))
                        reactions += not agenda or agenda[0][0] != now
                        continue
                    heappop(agenda)
                    queue.unacked -= 1
                    if listening:
                        acking.acked.emit(now, copy.message, copy.serial, tag)
                    if moves.kept is not None:
                        moves.consumed(now, acking, None)
                    sent: Sequence[tuple[AckingConsumer, Delivery[LinedQueue]]] = ()
                    if queue.credited(subscription) and queue.count:
                        sent = self.delivering.dispatch(acking.source)
                    waiting = state.waiting
                    while waiting and len(jobs) < acking.concurrency:
                        self.delivering.begin(acking, waiting.popleft()[0])
                    for other, delivery in sent:
                        self.delivering.receive(other, delivery)
                else:
                    heappop(agenda)
            if not agenda or agenda[0][0] != now:
                reactions += 1  # one for every instant
        ledger = broker.ledger
        ledger.acked += acked
        ledger.delivered += delivered
        ledger.redelivered += redelivered
        return reactions

    def _publish_next(self, due: NextPublish, free: int) -> int | None:
        """The next of the publishes that a step has scheduled. None: not here."""
        action, index, at_ms = due
        prepared = self.plain.publish(action)
        if prepared is None or index + 1 >= action.times or free <= len(prepared.queues) + 1 or not self.bursts.room(prepared):
            return None
        if prepared.queues[0].by_rules:
            done, answers = self.bursts.publish_by_rules(prepared, action, range(index, index + 1), free - 1)
            if not done:
                return None
        else:
            answers = self.bursts.publish(prepared, action, index, index + 1)
        at_ms += action.every_ms
        self.agenda.number += 1
        following: NextPublish = tuple.__new__(NextPublish, (action, index + 1, at_ms))
        heapreplace(self.agenda.heap, (at_ms, PUBLISH, self.agenda.number, following))
        return answers

    def _is_worth_a_look(self) -> bool:
        """Since the last look something else has happened: what was plain need not be. Finding nothing, looks ever less often."""
        if not self.patience.asks():
            return False
        self.plain.clear()
        return True
