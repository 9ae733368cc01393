"""Deliveries from a plain queue, and the jobs that begin with them."""

from heapq import heappush

from routesim.broker import RabbitBroker
from routesim.clients.scripted_consumer import ConsumerJob
from routesim.queues import DeliveringQueue, Delivery, LinedQueue
from routesim.run.agenda import RANKS, RunAgenda
from routesim.run.express.moves import Moves
from routesim.run.express.prepared import AckingConsumer, PlainQueue

JOB = RANKS[ConsumerJob]


class Delivering:
    """`listening`: whether anybody hears of it."""

    def __init__(self, broker: RabbitBroker, agenda: RunAgenda, moves: Moves, *, listening: bool) -> None:
        self.broker = broker
        self.moves = moves
        self.agenda = agenda
        self.listening = listening

    def dispatch(self, plain: PlainQueue) -> list[tuple[AckingConsumer, Delivery[LinedQueue]]]:
        queue, sent = plain.queue, []
        while queue.count:
            subscription = queue.next_consumer()
            if subscription is None:
                break
            consumer = plain.consumers[id(subscription)]
            sent.append((consumer, self._send(consumer, plain)))
        return sent

    def _send(self, consumer: AckingConsumer, plain: PlainQueue) -> Delivery[LinedQueue]:
        """The head of the queue, to this consumer."""
        broker, channel, queue = self.broker, consumer.channel, plain.queue
        copy = plain.line.popleft()
        queue.let_go((copy.content,))
        tag = channel.next_tag
        channel.next_tag = tag + 1
        delivery: Delivery[LinedQueue] = tuple.__new__(Delivery, (tag, queue, consumer.subscription, copy, broker.now, False))
        channel.unacked[tag] = delivery
        queue.unacked += 1
        broker.ledger.delivered += 1
        if copy.redelivered:
            broker.ledger.redelivered += 1
        if self.listening:
            found = consumer.redelivered if copy.redelivered else consumer.delivered
            found.emit(broker.now, copy.message, copy.serial, tag)
        if self.moves.kept is not None:
            self.moves.consumed(broker.now, None, consumer, again=copy.redelivered)
        return delivery

    def receive(self, consumer: AckingConsumer, delivery: Delivery[LinedQueue]) -> None:
        state = consumer.state
        if len(state.jobs) < consumer.concurrency and not state.waiting:
            self.begin(consumer, delivery)
        else:
            state.waiting.append((delivery, 0, 0))

    def begin(self, consumer: AckingConsumer, delivery: Delivery[DeliveringQueue]) -> None:
        agenda, state = self.agenda, consumer.state
        number = state.job_number = state.job_number + 1
        job: ConsumerJob = tuple.__new__(ConsumerJob, (state, number, delivery, consumer.rule, 0, 0))
        state.jobs[number] = job
        agenda.number = planned = agenda.number + 1
        heappush(agenda.heap, (self.broker.now + consumer.takes, JOB, planned, job))
