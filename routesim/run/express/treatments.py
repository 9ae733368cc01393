"""What becomes of a message that goes to the only consumer of its queue, who answers at once, as its rules say.

It is requeued so often, then acknowledged or rejected; rejected, it is dropped or goes to queues where it waits. How that goes
is found out once, by asking the consumer for its rules, the queue for the copies and the broker for the dead letter.
"""

from collections.abc import Callable, Sequence

from routesim.broker import RabbitBroker
from routesim.broker.deadletters import foreseen
from routesim.broker.records import PendingDeadLetter
from routesim.clients.scripted_consumer import ScriptedConsumer
from routesim.events import Path
from routesim.model import Consumer, Rule
from routesim.named_tuples import NamedTuple
from routesim.queues import Copy, Delivery, LinedQueue
from routesim.run.batches import Numbered, Prepared
from routesim.run.express.emitting import Emits
from routesim.run.express.prepared import AckingConsumer, Burial, PreparedPublish

ANSWERS = frozenset({"ack", "reject", "requeue"})
MOST_ANSWERS = 16  # to one message; who gives more goes the ordinary way, on which an endless round is noticed
NAMELESS = ""  # a message that stands for all that no rule names
SECOND_MS = 1_000  # so exactly x-death tells the time


class Treatment(NamedTuple):
    """The answers to a message. `returned`: how often it is requeued; `burial`: where it goes if it is rejected in the end."""

    returned: int
    burial: Burial | None
    events: Prepared


def answers_at_once(consumer: Consumer) -> bool:
    """Whether it does nothing but answer, which takes it no time."""
    if consumer.auto_ack or consumer.takes:
        return False
    rules = consumer.on_message
    return all(rule.do in ANSWERS and not rule.takes and not rule.publish and rule.message != NAMELESS for rule in rules)


class Fork:
    """A delivery of a message to which these answers have been given: the rules that fit, by their chance and answer, and what
    comes `after` each answer: the next delivery, or all that becomes of the message (None: that goes the ordinary way)."""

    def __init__(self, rules: list[Rule], before: int, answers: tuple[str, ...]) -> None:
        self.rules = [(rule.chance, rule.do) for rule in rules]
        (chance, answer), *rest = self.rules
        self.certain = answer if chance is None else None
        # Where one rule has a chance and the next one none: the chance of the first, and the answer of the other.
        self.unless = (chance, rest[0][1]) if chance is not None and rest[0][0] is None else None
        self.before = before
        self.answers = answers
        self.after: dict[str, Fork | Treatment | None] = {}

    def answer(self, drawn: Callable[[float], bool]) -> str:
        for chance, answer in self.rules:
            if chance is None or drawn(chance):
                return answer
        raise AssertionError("chance has no say in the last one")


class Treatments:
    """Of the messages that one step publishes to one queue. `named`: those that a rule is about, which go the ordinary way."""

    def __init__(self, broker: RabbitBroker, emits: Emits, publish: PreparedPublish, consumer: AckingConsumer) -> None:
        self.broker = broker
        self.emits = emits
        self.publish = publish
        self.consumer = consumer
        self.queue = publish.queues[0].queue
        self.state: ScriptedConsumer = consumer.state
        rules = self.state.consumer.on_message
        self.named = {rule.message for rule in rules if rule.message is not None}
        self.second = -1
        self.known: dict[tuple[str, ...], Treatment | None] = {}
        self.forks: dict[int, Fork] = {}  # by the attempts before

    def begin(self) -> None:
        """The publishes of an instant are about to come."""
        second = self.broker.epoch_s + self.broker.now // SECOND_MS
        if second != self.second:
            self.second = second
            self._forget()
        elif any(burial is not None and any(target.turns for target, _ in burial.targets) for burial in self._burials()):
            self._forget()

    def _burials(self) -> list[Burial | None]:
        return [treatment.burial for treatment in self.known.values() if treatment is not None]

    def _forget(self) -> None:
        self.known.clear()
        self.forks.clear()

    def of_all(self, prefix: str, numbers: range, free: int) -> list[tuple[Treatment, range]]:
        """Of the messages of these numbers, in their order: stretches of those that are treated alike. As many from the first on
        as go this way, with at most so many answers."""
        self.begin()
        most, runs = min(len(numbers), free), list[tuple[Treatment, range]]()
        are_new = self._are_new(Numbered(prefix, numbers[:most]))
        answered, done, begin, last = 0, 0, 0, None
        while done < most and answered + MOST_ANSWERS <= free:
            treatment, count = None, 0
            if are_new:
                treatment, count = self.alike(most - done, free - answered)
            if not count:
                treatment, count = self.of(f"{prefix}{numbers.start + done}"), 1
            if treatment is None:
                break
            if last is not None and treatment is not last:
                runs.append((last, numbers[begin:done]))
                begin = done
            last = treatment
            answered += count * (treatment.returned + 1)
            done += count
        if last is not None:
            runs.append((last, numbers[begin:done]))
        return runs

    def _are_new(self, messages: Sequence[str]) -> bool:
        """Whether nothing is known of any of these messages, and no rule is about one."""
        texts = list(messages)
        known = (self.named, self.broker.requeues_now.keys(), self.state.attempts.keys())
        return all(names.isdisjoint(texts) for names in known)

    def alike(self, most: int, free: int) -> tuple[Treatment | None, int]:
        """How many of the next messages, which are new, are treated alike, because chance has no say or says no to one after the
        other; and how. At most so many, with so many answers. 0: that must be asked of each."""
        found: Fork | Treatment | None = self._fork(0)
        chance = None
        while isinstance(found, Fork) and found.certain is not None:
            found = found.after.get(found.certain)
        if isinstance(found, Fork) and found.unless is not None:
            chance, answer = found.unless
            found = found.after.get(answer)
        if not isinstance(found, Treatment):
            return None, 0
        most = min(most, (free - MOST_ANSWERS) // (found.returned + 1) + 1)
        return found, most if chance is None else self.state.missed(chance, most)

    def of(self, message: str) -> Treatment | None:
        """The treatment of the next message. None, and nothing has happened: not here."""
        state = self.state
        if message in self.named or message in self.broker.requeues_now:
            return None
        before = state.attempts.get(message, 0) if state.counts_attempts else 0
        fork = self.forks.get(before) or self._fork(before)
        drawn, so_far = state.drawn, state.chances
        while True:
            answer = fork.certain or fork.answer(drawn)
            if answer not in fork.after:
                fork.after[answer] = self._after(fork, answer)
            found = fork.after[answer]
            if not isinstance(found, Fork):
                break
            fork = found
        if found is None:
            state.chances = so_far
        return found

    def _fork(self, before: int) -> Fork:
        """That of the first delivery of a message, after so many before."""
        if before not in self.forks:
            self.forks[before] = Fork(self._rules(before + 1, 0), before, ())
        return self.forks[before]

    def _after(self, fork: Fork, answer: str) -> Fork | Treatment | None:
        answers = (*fork.answers, answer)
        if answer != "requeue":
            return self._treatment(answers)
        returned = len(answers)
        if returned == MOST_ANSWERS:
            return None
        return Fork(self._rules(fork.before + 1 + returned, returned), fork.before, answers)

    def _rules(self, attempt: int, returned: int) -> list[Rule]:
        copy = Copy(0, NAMELESS, self.publish.content)
        for _ in range(returned):
            copy = self.queue.returned(copy, "nack")
        delivery: Delivery[LinedQueue] = Delivery(0, self.queue, self.consumer.subscription, copy, self.broker.now, False)
        return self.state.eligible(delivery, attempt, 0)

    def _treatment(self, answers: tuple[str, ...]) -> Treatment | None:
        if answers not in self.known:
            self.known[answers] = self._new_treatment(answers)
        return self.known[answers]

    def _new_treatment(self, answers: tuple[str, ...]) -> Treatment | None:
        queue, content = self.queue, self.publish.content
        copy = Copy(0, NAMELESS, content, queue.expires_at(content, self.broker.now))
        returned, burial = len(answers) - 1, None
        for _ in range(returned):
            if not queue.takes_back_plainly(copy, self.broker.now):
                return None
            copy = queue.returned(copy, "nack")
        if answers[-1] == "reject":
            burial = self._burial(queue.discarded(copy, "reject"))
            if burial is None:
                return None
        return Treatment(returned, burial, self.emits.of_treatment(self.publish, self.consumer, returned, burial))

    def _burial(self, copy: Copy) -> Burial | None:
        by = self.consumer.subscription.name
        if self.queue.settings.dead_letter_exchange is None:
            return Burial("", None, ())
        found = foreseen(self.broker, PendingDeadLetter(self.queue, copy, "rejected", by, True))
        if found is None:
            return None
        content, targets = found
        waiting: list[tuple[LinedQueue, Path]] = []
        for target, path in targets:
            if not isinstance(target, LinedQueue) or not target.is_plain() or not target.keeps_plainly() or target.turns:
                return None
            if not target.is_plain_for(content):
                return None
            waiting.append((target, path))
        return Burial(self.queue.settings.dead_letter_exchange, content, tuple(waiting))
