"""What has become of the messages of real clients: of what has ended the last ones are kept, so that it stays bounded."""

from collections import deque
from typing import Any

from routesim import events
from routesim.run.folds.fold import Fold
from routesim.run.folds.records import Fates, Messages

KEPT = 10_000
OPENS = frozenset({events.Enqueued})
ENDS = frozenset({*events.ENDED, events.DeadLettered})
NOWHERE = frozenset({events.Unroutable, events.Returned, events.Refused, events.Unpublished, events.Confirmed})


class History(Fold):
    """`keep`: how many messages that have ended. Older ones are forgotten, and it is known that there were some."""

    def __init__(self, keep: int = KEPT) -> None:
        self.keep = keep
        self.messages = Messages()
        self.fates = Fates()
        self.copies: dict[str, int] = {}  # of each message that is known: those that have not ended
        self.ended: deque[str] = deque()
        self.forgotten = 0

    def name_of(self, connection: str, number: int, message_id: Any) -> str:
        """What a message is called: its message_id where no other message that is known has it, else connection and number."""
        if isinstance(message_id, str) and message_id and message_id not in self.copies:
            return message_id
        return f"{connection}/{number}"

    def hear(self, event: Any) -> None:
        kind = type(event)
        do = Messages.hears.get(kind)
        if do is not None:
            if kind is events.Published:
                self.copies[event.message] = 0
                do(self.messages, event)
                return
            do(self.messages, event)
        if kind in events.COPY_STATES and event.message is not None:
            self.fates._state_changes(event)
            if kind is events.Enqueued:
                self.copies[event.message] = self.copies.get(event.message, 0) + 1
            elif kind in ENDS or ((kind is events.Delivered or kind is events.Got) and event.auto_ack):
                self._one_less(event.message)
        elif kind in NOWHERE and not self.copies.get(event.message, 0):
            self._end(event.message)

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
                self.forgotten += 1
                del self.copies[oldest]
                self.messages.of.pop(oldest, None)
                self.messages.unpublished.pop(oldest, None)
                self.fates.of.pop(oldest, None)
