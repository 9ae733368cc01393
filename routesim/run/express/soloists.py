"""Consumers that have a queue of their own, in which more waits than they may be sent: each answer brings the next message.

What they answer need not repeat itself, since rules and chance say it of each message; but what follows from an answer is always
one of two things, and whose turn it is never a question.
"""

from bisect import insort
from collections import deque
from heapq import heapify
from operator import length_hint
from typing import Any, TypeAlias

from routesim.broker import RabbitBroker
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.content import Content
from routesim.model import Consumer, Rule
from routesim.queues import Copy, Delivery, LinedQueue
from routesim.queues.consumers import UNLIMITED
from routesim.run.agenda import RunAgenda
from routesim.run.express.delivering import JOB
from routesim.run.express.emitting import Emits
from routesim.run.express.hands import Hands
from routesim.run.express.moves import Moves
from routesim.run.express.patience import Patience
from routesim.run.express.plain import Plain
from routesim.run.express.treatments import ANSWERS

WORTH = 4  # what is in hand may be so many times what is answered

# A job as it is planned: when it is done, the rank and number of its entry in the agenda, whose it is and which of his, its rule,
# and the delivery: the copy, its tag, when it was sent, and the attempt. Made for each message, so it has no class.
Planned: TypeAlias = tuple[int, int, int, "Soloist", int, Rule, Copy, int, int, int]


class Soloist:
    """Such a consumer. `line`: where all waits that is in its queue; `gone`: what has left it, which the queue counts still.
    `waiting`: the deliveries that it has not begun with; `misses`: of draws that are made, those of the jobs to come, where
    chance decides between two rules. A copy that expires before `armed_at` sets a timer."""

    __slots__ = (
        "armed_at", "attempts", "channel", "gone", "hands", "line", "misses", "next", "next_again", "queue", "same_again",
        "state", "subscription", "takes", "two", "waiting",
    )  # fmt: skip

    def __init__(self, state: ScriptedConsumer, queue: LinedQueue, line: deque[Copy], hands: Hands, emits: Emits) -> None:
        self.state = state
        self.queue = queue
        self.line = line
        self.hands = hands
        self.subscription = subscription = hands.subscription
        self.channel = subscription.channel
        self.takes = state.consumer.takes
        self.attempts = state.attempts if state.counts_attempts else None
        self.armed_at = UNLIMITED if queue.armed_at is None else queue.armed_at
        self.next, self.next_again, self.same_again = [each.emit for each in emits.of_soloist(queue, subscription)]
        self.gone: list[Content] = []
        self.waiting = deque((item.copy, item.tag, item.at_ms, attempt) for item, attempt, _ in state.waiting)
        self.two = state.by_chance if state.by_chance is not None and len(state.by_chance) == 2 else None
        self.misses = iter(b"")

    def rule(self, copy: Copy, attempt: int) -> Rule:
        """For the next delivery, which is one of this copy; no more `misses` are known."""
        state, two = self.state, self.two
        if two is None or two[0].chance is None:
            return state.rule(self._delivery(copy, 0, 0), attempt, 0)
        self.misses = iter(state.draw_ahead(two[0].chance))
        return two[next(self.misses)]

    def take_back(self, copy: Copy, now: int) -> Copy | None:
        """The copy, which is requeued, as it is the next to leave the queue. None, and nothing has happened: not here."""
        self.count_gone()
        queue = self.queue
        stays = copy.expires_at is None or copy.expires_at >= self.armed_at
        return queue.returned(copy, "nack") if self.line and stays and queue.takes_back_plainly(copy, now) else None

    def count_gone(self) -> None:
        self.queue.let_go(self.gone)
        self.gone.clear()

    def hand_back(self, planned: list[Planned]) -> list[ConsumerJob]:
        """These are its jobs now."""
        state = self.state
        self.count_gone()
        state.chances -= length_hint(self.misses)
        jobs = [
            ConsumerJob(state, number, self._delivery(copy, tag, sent_ms), rule, attempt, 0)
            for *_, number, rule, copy, tag, sent_ms, attempt in planned
        ]
        self.hands.put(jobs, [(self._delivery(copy, tag, sent_ms), attempt, 0) for copy, tag, sent_ms, attempt in self.waiting])
        return jobs

    def _delivery(self, copy: Copy, tag: int, sent_ms: int) -> Delivery[LinedQueue]:
        return Delivery(tag, self.queue, self.subscription, copy, sent_ms, False)


class Soloists:
    def __init__(self, broker: RabbitBroker, agenda: RunAgenda, plain: Plain, emits: Emits, moves: Moves) -> None:
        self.broker = broker
        self.agenda = agenda
        self.plain = plain
        self.emits = emits
        self.moves = moves
        self.listening = emits.listener is not None
        self.patience = Patience(8)

    def play(self, limit: int, free: int) -> int:
        """What they do from now on, as long as nothing else comes before: up to and including the instant `limit`, with at most
        `free` reactions; returns how many there were."""
        heap: list[Any] = self.agenda.heap
        job = heap[0][3]
        if job.rule.do == "reject" or not self.patience.asks():
            return 0
        found = {job.consumer: self._soloist(job.consumer)}
        if found[job.consumer] is None:
            return 0
        own: list[Planned] = []
        others: list[Any] = []
        for item in heap:
            at_ms, rank, number, entry = item
            soloist = None
            if rank == JOB:
                state = entry.consumer
                if state not in found:
                    found[state] = self._soloist(state)
                soloist = found[state]
            if soloist is None:
                others.append(item)
            else:
                (tag, _, _, copy, sent_ms, _), rule, attempt = entry.delivery, entry.rule, entry.attempt
                own.append((at_ms, rank, number, soloist, entry.number, rule, copy, tag, sent_ms, attempt))
        own.sort()
        line_up, before = deque(own), self.agenda.number
        until = min([(limit + 1,), *((timer.at_ms,) for timer in self.broker.agenda.heap[:1]), *(item[:3] for item in others)])
        instants = self._play(line_up, until, free)
        answers = self.agenda.number - before
        if not answers:
            return 0
        if WORTH * answers >= len(heap) + sum(len(soloist.hands.tags) for soloist in found.values() if soloist is not None):
            self.patience.rewarded()
        self.moves.odd = True
        self._hand_back(line_up, others)
        return answers + instants + int(heap[0][0] != self.broker.now)

    def _hand_back(self, line_up: deque[Planned], others: list[Any]) -> None:
        planned: dict[Soloist, list[Planned]] = {}
        for item in line_up:
            planned.setdefault(item[3], []).append(item)
        for soloist, items in planned.items():
            others += [(*item[:3], job) for item, job in zip(items, soloist.hand_back(items), strict=True)]
        heapify(others)
        self.agenda.heap[:] = others

    def _soloist(self, state: ScriptedConsumer) -> Soloist | None:
        """The consumer as one, if it is."""
        queue = self.broker.queues.get(state.consumer.queue)
        if not isinstance(queue, LinedQueue) or not queue.is_plain() or len(queue.subscriptions) != 1 or queue.turns:
            return None
        subscription, line = next(iter(queue.subscriptions.values())), queue.single_line()
        if line is None or subscription.name != state.consumer.name or subscription.credit or state.origins is not None:
            return None
        if not _answers_in_time(state.consumer) or not self.plain.is_served_plainly(queue, subscription):
            return None
        hands = Hands(state, subscription)
        return Soloist(state, queue, line, hands, self.emits) if hands.is_whole() else None

    def _play(self, line_up: deque[Planned], until: tuple[int, ...], free: int) -> int:
        """All of it in one function, because every call would cost a tenth of an answer. Returns how many instants ended."""
        broker, listening, requeues_now = self.broker, self.listening, self.broker.requeues_now
        now, first, instants, requeued, again = broker.now, self.agenda.number, 0, 0, 0
        planned, stop = first, first + free - 2  # an answer may be in another instant, and both may end
        while line_up[0] < until and planned + instants < stop:
            at_ms, _, _, soloist, _, rule, copy, tag, _, _ = line_up[0]
            if at_ms != now:
                instants += 1
                broker.now = now = at_ms
                requeues_now.clear()
            line, channel = soloist.line, soloist.channel
            fresh = channel.next_tag
            head: Copy | None
            if rule.do == "ack":
                if len(line) < 2 or ((expires_at := line[1].expires_at) is not None and expires_at < soloist.armed_at):
                    break
                head = line.popleft()
                soloist.gone.append(head.content)
                if requeues_now:
                    requeues_now.pop(copy.message, None)
                if head.returns or head.failures:
                    again += 1
                    if listening:
                        soloist.next_again(now, copy.message, copy.serial, tag, head.message, head.serial, fresh)
                elif listening:
                    soloist.next(now, copy.message, copy.serial, tag, head.message, head.serial, fresh)
            else:
                head = soloist.take_back(copy, now) if rule.do == "requeue" else None
                if head is None:
                    break
                requeued += 1
                requeues_now.setdefault(head.message, []).append(soloist.queue.name)
                if listening:
                    soloist.same_again(now, head.message, head.serial, fresh)
            line_up.popleft()
            soloist.queue.last_taken = head.message
            channel.next_tag = fresh + 1
            attempt, sent_ms, state = 0, now, soloist.state
            if soloist.attempts is not None:
                attempt = soloist.attempts[head.message] = soloist.attempts.get(head.message, 0) + 1
            if soloist.waiting:
                soloist.waiting.append((head, fresh, now, attempt))
                head, fresh, sent_ms, attempt = soloist.waiting.popleft()
            miss = next(soloist.misses, None)
            rule = soloist.rule(head, attempt) if miss is None else soloist.two[miss]  # type: ignore[index]
            state.job_number = number = state.job_number + 1
            planned += 1
            at_ms = now + (soloist.takes if rule.takes is None else rule.takes)
            item = (at_ms, JOB, planned, soloist, number, rule, head, fresh, sent_ms, attempt)
            if not line_up or item > line_up[-1]:
                line_up.append(item)
            else:
                insort(line_up, item)
        answers = planned - first
        self.agenda.number = planned
        ledger = broker.ledger
        ledger.delivered += answers
        ledger.acked += answers - requeued
        ledger.redelivered += again + requeued
        return instants


def _answers_in_time(consumer: Consumer) -> bool:
    """Whether it does nothing but answer, which always takes it time."""
    takes, rules = consumer.takes, consumer.on_message
    return all(rule.do in ANSWERS and not rule.publish and (takes if rule.takes is None else rule.takes) for rule in rules)
