"""A consumer of a scenario at work: deliveries in, steps out. It knows no engine, so it can work for each of them."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from routesim.carried import fits, has_headers
from routesim.chance import DrawnAhead, uniform
from routesim.clients.replies import message_of
from routesim.comparisons import holds
from routesim.exchanges.topic import matches, words_of
from routesim.model import Consumer, Reply, Rule
from routesim.named_tuples import NamedTuple
from routesim.queues import DeliveringQueue, Delivery
from routesim.steps import Ack, Consume, Crash, Nack, Publish, Reject, Step

JUST_ACK = Rule()
MANY_DRAWS, DRAWN_AT_ONCE = 100, 200  # by one consumer


class ConsumerJob(NamedTuple):
    """A delivery being worked on, and the rule that says how; `attempt`: the n-th time that the message came to the consumer,
    `round`: the n-th with all that was published of it; 0 where no rule asks for it."""

    consumer: "ScriptedConsumer"
    number: int
    delivery: Delivery[DeliveringQueue]
    rule: Rule
    attempt: int
    round: int

    def is_due_still(self) -> bool:
        """Not when the consumer has lost its channel meanwhile."""
        return self.number in self.consumer.jobs

    @property
    def takes(self) -> int:
        """In ms, from its begin to what the rule does."""
        rule = self.rule
        if rule.do == "crash" and rule.after is not None:
            return rule.after
        return self.consumer.consumer.takes if rule.takes is None else rule.takes


class ScriptedConsumer:
    """A consumer with its state: `waiting` deliveries, `jobs` in progress by number, and how often each message came here.

    `published` counts the messages that all consumers together have published under each name; `origins` says of each of them
    of which message it was made in the end (None: no rule asks for rounds).
    """

    def __init__(
        self,
        consumer: Consumer,
        connection: str,
        publishing_channel: str,
        seed: int,
        number: int,
        published: dict[str, int],
        origins: dict[str, str] | None = None,
    ) -> None:
        self.consumer = consumer
        self.connection = connection
        self.publishing_channel = publishing_channel
        self.seed = seed
        self.number = number
        self.waiting: deque[tuple[Delivery[DeliveringQueue], int, int]] = deque()
        self.jobs: dict[int, ConsumerJob] = {}
        self.job_number = 0
        self.attempts: dict[str, int] = {}
        self.chances = 0
        self.drawn_ahead: DrawnAhead | None = None  # draws to come, once there have been many, the first of this number
        self.drawn_from = 0
        self.known_misses: dict[float, bytes] = {}  # by chance: of each of them whether it is against it
        self.published = published
        self.origins = origins
        self.rounds: dict[str, int] = {}
        reached = list(_reached(consumer.on_message))
        self.always = reached[0] if len(reached) == 1 else None
        self.by_chance = reached if all(map(_fits_any, reached)) else None  # the rules, where nothing else decides
        self.places: dict[str | None, list[int]] = {}  # of the rules about a message, and, by None, of those about any
        for place, rule in enumerate(consumer.on_message):
            self.places.setdefault(rule.message, []).append(place)
        self.counts_attempts = any(rule.attempt is not None or rule.publish for rule in consumer.on_message)

    def is_plain(self) -> bool:
        """Whether it acknowledges whatever it gets, and does nothing else."""
        return not self.consumer.auto_ack and self.consumer.on_message[0]._replace(takes=None) == JUST_ACK

    def receive(self, delivery: Delivery[DeliveringQueue]) -> list[ConsumerJob]:
        """Take a delivery; returns the jobs that begin."""
        attempt = number = 0
        message = delivery.copy.message
        if self.counts_attempts:
            attempt = self.attempts[message] = self.attempts.get(message, 0) + 1
        if self.origins is not None:
            origin = self.origins.get(message, message)
            number = self.rounds[origin] = self.rounds.get(origin, 0) + 1
        if self.waiting or len(self.jobs) >= self.consumer.concurrency:
            self.waiting.append((delivery, attempt, number))
            return self.begin()
        return [self._new_job(delivery, attempt, number)]

    def begin(self) -> list[ConsumerJob]:
        """Begin as many waiting jobs as there are hands free."""
        begun: list[ConsumerJob] = []
        while self.waiting and len(self.jobs) < self.consumer.concurrency:
            begun.append(self._new_job(*self.waiting.popleft()))
        return begun

    def _new_job(self, delivery: Delivery[DeliveringQueue], attempt: int, number: int) -> ConsumerJob:
        rule = self.rule(delivery, attempt, number)
        self.job_number += 1
        job = self.jobs[self.job_number] = ConsumerJob(self, self.job_number, delivery, rule, attempt, number)
        return job

    def finish(self, job: ConsumerJob) -> Iterable[Step]:
        """The job is done: what it sends, one after the other."""
        return self._publishes_and_answers(job) if job.rule.publish else self._answers(job)

    def _publishes_and_answers(self, job: ConsumerJob) -> Iterator[Step]:
        for reply in job.rule.publish:
            yield from self._publishes(reply, job)
        yield from self._answers(job)

    def _answers(self, job: ConsumerJob) -> tuple[Step, ...]:
        do, channel, tag = job.rule.do, self.consumer.channel, job.delivery.tag
        if do == "crash":  # it is still at it when the connection goes
            return (Crash(self.connection),)
        self.jobs.pop(job.number, None)
        if self.consumer.auto_ack or do == "hold":
            return ()
        if do == "ack":
            return (Ack(channel, tag),)
        if do == "reject":
            return (Reject(channel, tag, requeue=False),)
        return (Nack(channel, tag, requeue=True),)

    def come_back(self) -> Step:
        return Consume(self.consumer)

    def channel_lost(self) -> list[Delivery[DeliveringQueue]]:
        """Everything at hand is gone; returns what nobody will send again because it was acknowledged when sent."""
        unfinished = [job.delivery for job in self.jobs.values()] + [delivery for delivery, *_ in self.waiting]
        self.jobs.clear()
        self.waiting.clear()
        return [delivery for delivery in unfinished if delivery.auto_ack]

    # Rules -------------------------------------------------------------------------------------------------------------

    def rule(self, delivery: Delivery[DeliveringQueue], attempt: int, number: int) -> Rule:
        """The first that fits; the last one always does."""
        if self.always is not None:
            return self.always
        if self.by_chance is not None:
            return self.choose(self.by_chance)
        if len(self.places) > 1:
            return self.choose(self.eligible(delivery, attempt, number))
        for rule in self.consumer.on_message:  # none is about one message: nothing is to be gathered first
            if self._fits(rule, delivery, attempt, number) and (rule.chance is None or self.drawn(rule.chance)):
                return rule
        raise AssertionError("the last rule has no conditions")

    def eligible(self, delivery: Delivery[DeliveringQueue], attempt: int, number: int) -> list[Rule]:
        """The rules that fit unless chance is against them, up to the first in which it has no say."""
        rules, found = self.consumer.on_message, []
        own, general = self.places.get(self.name_in_rules(delivery.copy.message)), self.places[None]
        for place in general if own is None else merge(own, general):
            if self._fits(rules[place], delivery, attempt, number):
                found.append(rules[place])
                if rules[place].chance is None:
                    return found
        raise AssertionError("the last rule has no conditions")

    def choose(self, eligible: list[Rule]) -> Rule:
        for rule in eligible:
            if rule.chance is None or self.drawn(rule.chance):
                return rule
        raise AssertionError("chance has no say in the last one")

    def _fits(self, rule: Rule, delivery: Delivery[DeliveringQueue], attempt: int, number: int) -> bool:
        content = delivery.copy.content
        if rule.redelivered is not None and rule.redelivered != delivery.copy.redelivered:
            return False
        if rule.attempt is not None and not holds(attempt, rule.attempt):
            return False
        if rule.routing_key is not None and not matches(words_of(rule.routing_key), words_of(content.routing_key)):
            return False
        if rule.headers is not None and not has_headers(delivery.queue.headers(delivery.copy), rule.headers):
            return False
        if rule.carries is not None and not fits(rule.carries, delivery.queue.headers(delivery.copy)):
            return False
        return rule.round is None or holds(number, rule.round)

    def name_in_rules(self, message: str) -> str:
        """What a rule that is about this one message calls it."""
        return message

    def drawn(self, chance: float) -> bool:
        """What chance says this time."""
        self.chances = count = self.chances + 1
        if count < MANY_DRAWS:
            return uniform(self.seed, count, 1 + self.number) < chance
        return not self._misses(chance)[count - self.drawn_from]

    def missed(self, chance: float, most: int) -> int:
        """So often in a row, at most, chance says no: once there have been many draws, and if it would not say yes at once."""
        if self.chances < MANY_DRAWS or most < 1:
            return 0
        misses, place = self._misses(chance, 1), self.chances + 1 - self.drawn_from
        stop = min(len(misses), place + most)
        hit = misses.find(0, place, stop)
        count = (stop if hit < 0 else hit) - place
        self.chances += count
        return count

    def draw_ahead(self, chance: float) -> bytes:
        """What chance says of some draws, which count as made: 1 where it says no."""
        misses, place = self._misses(chance, 1), self.chances + 1 - self.drawn_from
        self.chances += len(misses) - place
        return misses[place:]

    def _misses(self, chance: float, more: int = 0) -> bytes:
        """Of draws from number `drawn_from` on, 1 where chance says no: with the last one made, or so many more."""
        number = self.chances + more
        if self.drawn_ahead is None or not 0 <= number - self.drawn_from < DRAWN_AT_ONCE:
            self.drawn_from, self.known_misses = number, {}
            self.drawn_ahead = DrawnAhead(self.seed, number, DRAWN_AT_ONCE, 1 + self.number)
        found = self.known_misses.get(chance)
        if found is None:
            found = self.known_misses[chance] = self.drawn_ahead.not_below(chance)
        return found

    # Replies -----------------------------------------------------------------------------------------------------------

    def _publishes(self, reply: Reply, job: ConsumerJob) -> Iterator[Step]:
        message = message_of(reply, job.delivery, job.attempt, job.round)
        base = reply.id or self.consumer.name
        for _ in range(reply.times):
            number = self.published[base] = self.published.get(base, 0) + 1
            name = f"{base}-{number}"
            if self.origins is not None:
                came = job.delivery.copy.message
                self.origins[name] = self.origins.get(came, came)
            yield Publish(self.publishing_channel, message, name)


def asks_for_rounds(consumer: Consumer) -> bool:
    return any(
        rule.round is not None or any("$round" in repr(reply.message) for reply in rule.publish) for rule in consumer.on_message
    )


def _reached(rules: Sequence[Rule]) -> Iterator[Rule]:
    """Up to the first that is for whatever comes."""
    for rule in rules:
        yield rule
        if rule.chance is None and _fits_any(rule):
            return


def _fits_any(rule: Rule) -> bool:
    """Whatever the delivery is; chance may be against it still."""
    conditions = (rule.message, rule.redelivered, rule.attempt, rule.routing_key, rule.headers, rule.carries, rule.round)
    return all(item is None for item in conditions)
