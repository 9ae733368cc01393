"""What has become of the messages and consumers of real clients: of what has ended the last ones are kept, so that it stays
bounded.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from routesim import events
from routesim.named_tuples import NamedTuple
from routesim.run.folds.fold import Fold
from routesim.run.folds.records import Answers, Deliveries, Fates, Messages

KEPT = 10_000
ACKED, REJECTED, REQUEUED, CUT_OFF, OPEN = range(2, 7)  # of the counts of `Answers`
LONGEST_LIFE = 100  # events of one message: the first and the last ones
OPENS = frozenset({events.Enqueued})
ENDS = frozenset({*events.ENDED, events.DeadLettered})
NOWHERE = frozenset({events.Unroutable, events.Returned, events.Refused, events.Unpublished, events.Confirmed})


class Known(NamedTuple):
    """What is known of a message. `life`: its events, `left_out` of them in the middle are forgotten."""

    name: str
    states: dict[str, str]
    life: list[Any]
    left_out: int


class Remembered(NamedTuple):
    """What a `History` knew at one moment."""

    own: dict[str, Any]
    folds: dict[str, dict[str, Any]]


class History(Fold):
    """`keep`: how many messages that have ended. Older ones are forgotten, and it is known that there were some."""

    def __init__(self, keep: int = KEPT) -> None:
        self.keep = keep
        self.messages = Messages()
        self.fates = Fates()
        self.consumed = Consumed(keep)
        self.copies: dict[str, int] = {}  # of each message that is known: those that have not ended
        self.lives: dict[str, list[Any]] = {}
        self.left_out: dict[str, int] = {}  # events of long lives
        self.others: dict[str, str] = {}  # of a message that is called by its message_id: connection and number; else the id
        self.ended: deque[str] = deque()
        self.forgotten = 0
        self.losses: deque[Any] = deque(maxlen=keep)  # the events that tell of them

    def remembered(self) -> Remembered:
        """What it knows now, whatever it hears later."""
        folds = {name: vars(value) for name, value in vars(self).items() if isinstance(value, Fold)}
        own = {name: value for name, value in vars(self).items() if name not in folds}
        return Remembered(_copied(own), _copied(folds))

    def set_back(self, remembered: Remembered) -> None:
        """It knows what it knew then. What was remembered can be used again."""
        vars(self).update(_copied(remembered.own))
        for name, values in remembered.folds.items():
            vars(getattr(self, name)).update(_copied(values))

    def name_of(self, connection: str, number: int, message_id: Any) -> str:
        """What a message is called: its message_id where no other message that is known has it, else connection and number."""
        counted = f"{connection}/{number}"
        if not isinstance(message_id, str) or not message_id:
            return counted
        name, other = (counted, message_id) if message_id in self.copies else (message_id, counted)
        self.others[name] = other
        return name

    def named(self, text: str) -> Iterator[Known]:
        """The messages that are called so, be it by message_id or by connection and number; of those that are forgotten none."""
        for name in [text, *(name for name, other in self.others.items() if other == text)]:
            if name in self.copies:
                states = {queue: state for queue, (_, state) in self.fates.of.get(name, {}).items()}
                yield Known(name, states, self.lives.get(name, []), self.left_out.get(name, 0))

    def hear(self, event: Any) -> None:
        kind = type(event)
        do = Messages.hears.get(kind)
        if kind in events.LOST and events.is_lost(event):
            self.losses.append(event)
        if kind in CONSUMED:
            self.consumed.hear(event)
        if do is not None:
            if kind is events.Published:
                self.copies[event.message] = 0
                self.lives[event.message] = [event]
                do(self.messages, event)
                return
            do(self.messages, event)
        message = getattr(event, "message", None)
        if message is None:
            return
        self._live(message, event)
        if kind in events.COPY_STATES:
            self.fates._state_changes(event)
            if kind is events.Enqueued:
                self.copies[message] = self.copies.get(message, 0) + 1
            elif kind in ENDS or ((kind is events.Delivered or kind is events.Got) and event.auto_ack):
                self._one_less(message)
        elif kind in NOWHERE and not self.copies.get(message, 0):
            self._end(message)

    def _live(self, message: str, event: Any) -> None:
        life = self.lives.get(message)
        if life is None:  # it is no message that is known
            return
        life.append(event)
        if len(life) > LONGEST_LIFE:
            del life[LONGEST_LIFE // 2]
            self.left_out[message] = self.left_out.get(message, 0) + 1

    def _one_less(self, message: str) -> None:
        left = self.copies.get(message, 1) - 1
        self.copies[message] = max(left, 0)
        if left <= 0:
            self._end(message)

    def _end(self, message: str) -> None:
        ended = self.ended
        ended.append(message)
        while len(ended) > self.keep:
            oldest = ended.popleft()
            if self.copies.get(oldest) == 0:
                self._forget(oldest)

    def _forget(self, message: str) -> None:
        self.forgotten += 1
        del self.copies[message]
        for known in (self.messages.of, self.messages.unpublished, self.fates.of, self.lives, self.left_out, self.others):
            known.pop(message, None)


class Consumed(Deliveries):
    """How often consumers were delivered something, and what they answered. `keep`: how many of those that have ended."""

    def __init__(self, keep: int = KEPT) -> None:
        super().__init__(())
        self.keep = keep
        self.counts: dict[str, list[int]] = {}
        self.holders: dict[int, list[str]] = {}  # of each copy that is open
        self.ended: deque[str] = deque()

    def answers(self) -> dict[str, Answers]:
        return {name: Answers._make([*counts, counts[0] - sum(counts[2:])]) for name, counts in self.counts.items()}

    def _consuming(self, event: events.ConsumerStarted) -> None:
        self.counts.setdefault(event.consumer, [0] * OPEN)
        self.queues[event.consumer] = event.queue

    def _delivered(self, event: events.Delivered) -> None:
        counts = self.counts.get(event.consumer)
        if counts is None:
            return
        counts[0] += 1
        counts[1] += event.redelivered
        if event.auto_ack:
            counts[ACKED] += 1
        else:
            self.holders.setdefault(event.copy, []).append(event.consumer)

    def _settle(self, copy: int, by: str, how: int) -> None:
        holders = self.holders.get(copy)
        if not holders:
            return
        consumer = holders.pop(holders.index(by) if by in holders else 0)
        if not holders:
            del self.holders[copy]
        if consumer in self.counts:
            self.counts[consumer][how] += 1

    def _requeued(self, event: events.Requeued) -> None:
        self._settle(event.copy, event.by, REQUEUED if event.why in ("nack", "reject", "recover") else CUT_OFF)

    def _died(self, event: events.DeadLettered | events.Dropped) -> None:
        if event.reason == "delivery_limit":  # it was to be requeued, once too often
            self._settle(event.copy, event.by, REQUEUED if event.by in self.counts else CUT_OFF)

    def _ended(self, event: events.ConsumerCancelled) -> None:
        self.ended.append(event.consumer)
        while len(self.ended) > self.keep:
            oldest = self.ended.popleft()
            self.counts.pop(oldest, None)
            self.queues.pop(oldest, None)

    hears = {
        events.ConsumerStarted: _consuming,
        events.Delivered: _delivered,
        events.Acked: lambda self, event: self._settle(event.copy, event.by, ACKED),
        events.Rejected: lambda self, event: self._settle(event.copy, event.by, REJECTED),
        events.Requeued: _requeued,
        events.DeadLettered: _died,
        events.Dropped: _died,
        events.ConsumerCancelled: _ended,
    }


CONSUMED = frozenset(Consumed.hears)


def _copied(value: Any) -> Any:
    """Of nested tables and lists; what they hold in the end never changes."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value.copy() if isinstance(value, (list, deque)) else value
