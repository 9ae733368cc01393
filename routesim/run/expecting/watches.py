"""The rules of `never` against what happens: each event is shown only to the rules that it can concern.

What must be known of the past is known once for all rules of a kind: nothing for `reaches` and `lost`, for `delivered` a number
for each message that is still somewhere, and for `waits` the event that put a message where it still waits.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from routesim import events
from routesim.comparisons import holds
from routesim.run.expecting.checked import SHOWN_IDS, Checked
from routesim.run.expecting.promises import said
from routesim.run.folds.fold import Fold
from routesim.scenario import Never

About = tuple[str | None, str | None]  # message, queue; None: any


class BrokenRule:
    """How often a rule was broken, by which messages, and what broke it first."""

    __slots__ = ("ids", "rule", "times", "witness")

    def __init__(self, rule: Never) -> None:
        self.rule = rule
        self.times = 0
        self.ids: dict[str, None] = {}
        self.witness: Any = None

    def broken(self, event: Any, witness: Any = None) -> None:
        if not self.times:
            self.witness = witness or event
        self.times += 1
        if len(self.ids) < SHOWN_IDS:
            self.ids[event.message] = None

    def checked(self) -> Checked:
        actual = {"times": self.times, "messages": list(self.ids)}
        return Checked(self.rule.line, said(self.rule), not self.times, actual, self.rule, witness=self.witness)


class RulesAbout:
    """The numbers of rules, by the messages and queues that the rules are about."""

    def __init__(self, rules: dict[int, Never]) -> None:
        self.by: dict[About, list[int]] = {}
        self.queues: dict[int, frozenset[str]] = {}  # of rules that are found by their messages alone
        for number, rule in rules.items():
            for about in self._abouts(number, rule):
                self.by.setdefault(about, []).append(number)

    def _abouts(self, number: int, rule: Never) -> Iterable[About]:
        messages: Iterable[str | None] = dict.fromkeys(rule.messages) or (None,)
        queues: Iterable[str | None] = dict.fromkeys(rule.queues) or (None,)
        if len(rule.messages) > 1 and len(rule.queues) > 1:  # not every pair of them, which may be many
            self.queues[number] = frozenset(rule.queues)
            queues = (None,)
        return [(message, queue) for message in messages for queue in queues]

    def of(self, message: str, queue: str | None) -> list[int]:
        """Those that are about the message in the queue."""
        by = self.by
        found = by.get((None, None), [])
        if len(by) == bool(found):
            return found
        named = by.get((message, None), [])
        if self.queues:
            named = [number for number in named if number not in self.queues or queue in self.queues[number]]
        return [*found, *named, *by.get((None, queue), ()), *by.get((message, queue), ())] if queue is not None else found + named

    def naming(self, message: str, queue: str) -> list[int]:
        """Those of them that name the message."""
        others = {*self.by.get((None, None), ()), *self.by.get((None, queue), ())}
        return [number for number in self.of(message, queue) if number not in others]


class Watches(Fold):
    """A record of rules of one kind, by their numbers."""

    def __init__(self, rules: dict[int, Never]) -> None:
        self.rules, self.about = rules, RulesAbout(rules)
        self.forget()

    def forget(self) -> None:
        """Which rules were broken, not what is known of the messages."""
        self.broken_rules: dict[int, BrokenRule] = {}

    def copy(self) -> "Watches":
        """One that knows as much of the messages, and of which no rule was broken yet."""
        other: Watches = object.__new__(type(self))
        other.rules, other.about = self.rules, self.about
        other.forget()
        return other

    def still_so(self, now: int) -> None:
        """What goes on counts as having gone on until `now`."""

    def checked(self, now: int) -> dict[int, Checked]:
        """The verdicts at the end of the run, which is at `now`. To be asked for once."""
        self.still_so(now)
        return {number: (self.broken_rules.get(number) or BrokenRule(rule)).checked() for number, rule in self.rules.items()}

    def broken(self, number: int, event: Any, witness: Any = None) -> None:
        rule = self.broken_rules.get(number)
        if rule is None:
            rule = self.broken_rules[number] = BrokenRule(self.rules[number])
        rule.broken(event, witness)

    def passed(self, number: int, actual: int) -> bool:
        limit = self.rules[number].limit
        return limit is not None and holds(actual, limit)


class ReachWatches(Watches):
    def reached(self, event: events.Enqueued) -> None:
        for number in self.about.of(event.message, event.queue):
            self.broken(number, event)

    hears = {events.Enqueued: reached}


class LossWatches(Watches):
    def lost(self, event: Any) -> None:
        if not events.is_lost(event):
            return
        queue = getattr(event, "queue", None)
        of_task: list[int] = []
        if type(event) is events.TaskLost:  # whichever message it was of
            of_task = self.about.naming(event.task, event.queue)
            for number in of_task:
                self.broken(number, event._replace(message=event.task))
        for number in self.about.of(event.message, queue):
            if number not in of_task:
                self.broken(number, event)

    hears = dict.fromkeys(events.LOST, lost)


class DeliveryWatches(Watches):
    """Deliveries of a message from one queue: counted over all its copies, so that a loop of retries shows."""

    def __init__(self, rules: dict[int, Never]) -> None:
        super().__init__(rules)
        every = [rule.messages for rule in rules.values()]
        self.messages = frozenset(message for messages in every for message in messages) if all(every) else None  # None: any
        self.open: dict[str, int] = {}  # message -> its copies in queues
        self.deliveries: dict[str, dict[str, int]] = {}  # message -> queue -> how often

    def copy(self) -> "DeliveryWatches":
        other = super().copy()
        assert isinstance(other, DeliveryWatches)
        other.messages, other.open = self.messages, self.open.copy()
        other.deliveries = {message: by_queue.copy() for message, by_queue in self.deliveries.items()}
        return other

    def copied(self, event: events.Enqueued) -> None:
        if self.messages is None or event.message in self.messages:
            self.open[event.message] = self.open.get(event.message, 0) + 1

    def delivered(self, event: events.Delivered | events.Got) -> None:
        if event.message is None or event.message not in self.open:
            return
        asking = self.about.of(event.message, event.queue)
        if asking:
            by_queue = self.deliveries.setdefault(event.message, {})
            count = by_queue[event.queue] = by_queue.get(event.queue, 0) + 1
            for number in asking:
                if self.passed(number, count):
                    self.broken(number, event)
        if event.auto_ack:
            self.gone(event)

    def dead(self, event: events.DeadLettered) -> None:
        """Another copy follows: the message is still somewhere."""
        if event.message in self.open:
            self.open[event.message] -= 1

    def gone(self, event: Any) -> None:
        left = self.open.get(event.message)
        if left is None:
            return
        self.open[event.message] = left - 1
        if left <= 1:
            del self.open[event.message]
            self.deliveries.pop(event.message, None)

    hears = {
        events.Enqueued: copied, events.Delivered: delivered, events.Got: delivered, events.DeadLettered: dead,
        **dict.fromkeys(events.ENDED, gone),
    }  # fmt: skip


class WaitWatches(Watches):
    """What still waits at the end of the run counts as having waited until then."""

    def __init__(self, rules: dict[int, Never]) -> None:
        super().__init__(rules)
        self.entered: dict[int, Any] = {}  # copy -> the event that put it into its queue

    def copy(self) -> "WaitWatches":
        other = super().copy()
        assert isinstance(other, WaitWatches)
        other.entered = self.entered.copy()
        return other

    def still_so(self, now: int) -> None:
        for event in self.entered.values():
            self._waited(event, event, now)

    def enters(self, event: events.Enqueued) -> None:
        if self.about.of(event.message, event.queue):
            self.entered[event.copy] = event

    def leaves(self, event: Any) -> None:
        since = self.entered.pop(event.copy, None) if event.copy is not None else None
        if since is not None:
            self._waited(since, event, event.at_ms)

    def _waited(self, since: Any, witness: Any, until_ms: int) -> None:
        for number in self.about.of(since.message, since.queue):
            if self.passed(number, until_ms - since.at_ms):
                self.broken(number, since, (since, witness, until_ms))

    hears = {
        events.Enqueued: enters,
        **dict.fromkeys((events.Delivered, events.Got, events.DeadLettered, events.Awaiting, *events.ENDED), leaves),
    }


KINDS: dict[str, type[Watches]] = {
    "reaches": ReachWatches, "lost": LossWatches, "delivered": DeliveryWatches, "waits": WaitWatches,
}  # fmt: skip


def rules_of(rules: Sequence[Never], kind: str) -> dict[int, Never]:
    """Those of a kind, by their numbers."""
    return {number: rule for number, rule in enumerate(rules) if rule.what == kind}


def watches_of(rules: Sequence[Never], kinds: Iterable[str] = KINDS) -> list[Watches]:
    """Of the rules of these kinds, one for each kind that there is."""
    return [KINDS[kind](found) for kind in kinds if (found := rules_of(rules, kind))]


def verdicts(watches: Iterable[Watches], now: int) -> list[Checked]:
    """Of all rules in their order, at the end of the run, which is at `now`. To be asked for once."""
    found = {number: checked for each in watches for number, checked in each.checked(now).items()}
    return [found[number] for number in sorted(found)]
