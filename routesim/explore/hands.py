"""A consumer in an explored state: what it has in hand, and until when it works at it."""

from collections.abc import Iterator
from typing import Any

from routesim.broker import Broker
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.explore.draws import CHANCE, Draws
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Step
from routesim.values import raw

AGAIN = " (again)"  # after the name of a message that its publisher sends a second time
HUNG = 1 << 62  # when a job is over that hangs


class Hand(ScriptedConsumer):
    """The consumer of a run, with what an explored state must know: `due`, the instants at which jobs are over, by their number;
    `consumes`: it has told the broker that it consumes, and nothing has ended that; `back_at`: when it consumes again."""

    due: dict[int, int]
    consumes: bool = False
    back_at: int | None = None
    draws: Draws | None = None
    first: "Hand"  # of the first state: what never changes is asked of it

    def of_root(self) -> "Hand":
        self.due = {}
        self.first = self
        return self

    def copied(self, published: dict[str, int], origins: dict[str, str] | None) -> "Hand":
        """The same consumer in a copy of the state, which has its own `published` and `origins`."""
        other = object.__new__(Hand)
        state = other.__dict__
        state.update(self.__dict__)
        state["waiting"], state["jobs"], state["due"] = self.waiting.copy(), self.jobs.copy(), self.due.copy()
        state["published"], state["origins"] = published, origins
        if self.counts_attempts:
            state["attempts"] = self.attempts.copy()
        if origins is not None:
            state["rounds"] = self.rounds.copy()
        return other

    def take(self, delivery: Delivery[Any], queue: DeliveringQueue, now: int) -> None:
        """A delivery comes. `queue` stands for its queue: one that keeps no older state alive."""
        light: Delivery[DeliveringQueue] = Delivery(delivery.tag, queue, None, delivery.copy, delivery.at_ms, delivery.auto_ack)
        self._note(self.receive(light), now)

    def go_on(self, now: int) -> None:
        """Begin what there is a hand free for."""
        self._note(self.begin(), now)

    def _note(self, begun: list[ConsumerJob], now: int) -> None:
        for job in begun:
            self.due[job.number] = now + job.takes

    def begin(self) -> list[ConsumerJob]:
        begun: list[ConsumerJob] = []
        while self.waiting and len(self.jobs) < self.consumer.concurrency:
            delivery, attempt, number = self.waiting.popleft()
            rule = self.rule(delivery, attempt, number)
            self.job_number += 1
            job = self.jobs[self.job_number] = ConsumerJob(self.first, self.job_number, delivery, rule, attempt, number)
            begun.append(job)
        return begun

    @property
    def hangs(self) -> bool:
        """Whether it hangs at a message that it has to answer: it comes back when the broker has taken that from it."""
        return not self.consumer.auto_ack and HUNG in self.due.values()

    @property
    def hangs_for_good(self) -> bool:
        """Whether it hangs with every hand that it has at messages that the broker believes to be done."""
        if not self.consumer.auto_ack:
            return False
        return sum(due == HUNG for due in self.due.values()) >= self.consumer.concurrency

    def works_at(self) -> Iterator[str]:
        """The messages that it is at, or may come to still."""
        auto_ack = self.consumer.auto_ack
        for number, job in self.jobs.items():
            if not (auto_ack and self.due[number] == HUNG):
                yield job.delivery.copy.message
        if not self.hangs_for_good:
            yield from (delivery.copy.message for delivery, *_ in self.waiting)

    def gives_up(self) -> None:
        """What it hangs at is another's from now on."""
        for number in [number for number, due in self.due.items() if due == HUNG]:
            del self.due[number], self.jobs[number]

    def _age(self, broker: Broker, delivery: Delivery[Any]) -> int:
        """Since when it has hung, as far as that matters to the broker's patience with it."""
        own = raw(self.consumer.arguments.get("x-consumer-timeout", 0))
        patience = max(own if isinstance(own, int) else 0, broker.patience_with(delivery.queue))
        return min(broker.now - delivery.at_ms, patience)

    def drawn(self, chance: float) -> bool:
        if chance <= 0 or chance >= 1 or self.draws is None:
            return chance > 0
        return self.draws.draw(2, CHANCE.format(self.consumer.name, chance)) == 0

    def name_in_rules(self, message: str) -> str:
        return message.removesuffix(AGAIN)

    def work_of(self, job: ConsumerJob) -> Iterator[Step]:
        """What the job publishes, without the answer to its delivery."""
        for reply in job.rule.publish:
            yield from self._publishes(reply, job)

    def channel_lost(self) -> list[Delivery[DeliveringQueue]]:
        self.due.clear()
        return super().channel_lost()

    def fingerprint(self, broker: Broker, most_attempts: int | None) -> tuple[Any, ...]:
        """`most_attempts`: no rule tells higher numbers of attempts apart; None: one may."""
        channel = broker.channels.get(self.consumer.channel)
        places = {} if channel is None else {tag: place for place, tag in enumerate(channel.unacked)}
        rules = self.consumer.on_message

        def which(delivery: Delivery[DeliveringQueue]) -> Any:
            place = places.get(delivery.tag)
            if place is not None and not delivery.auto_ack:
                return place
            copy = delivery.copy
            return delivery.queue.name, copy.message, copy.redelivered, copy.failures, copy.content.fingerprint()

        def left(number: int, job: ConsumerJob) -> Any:
            due = self.due[number]
            if due < HUNG:
                return max(due - now, 0)
            return "hangs", 0 if job.delivery.auto_ack else self._age(broker, job.delivery)

        now = broker.now
        jobs = tuple(
            (which(job.delivery), left(number, job), rules.index(job.rule), job.attempt, job.round)
            for number, job in self.jobs.items()
        )
        attempts: tuple[Any, ...] = ()
        if self.counts_attempts:
            highest = most_attempts if most_attempts is not None else 1 << 60
            attempts = tuple(sorted((name, min(count, highest)) for name, count in self.attempts.items()))
        return (
            jobs, tuple((which(delivery), attempt, number) for delivery, attempt, number in self.waiting), attempts,
            tuple(sorted(self.rounds.items())) if self.origins is not None else (), self.consumes,
            None if self.back_at is None else max(self.back_at - now, 0),
        )  # fmt: skip
