"""What holds tasks back in a worker: the counter behind `basic.qos`, and rate limits."""

from collections import deque

from routesim.clients.worker.requests import Request

MAX_PREFETCH = 65_535


class PrefetchCount:
    """The prefetch limit that a worker wants, and what the broker has been told last (kombu's `QoS`, rules/celery#2.1).

    While a message is held for its ETA the value is one higher, up to `limit`. 0, no limit, stays 0.
    """

    __slots__ = ("announced", "limit", "value")

    def __init__(self, value: int, limit: int | None) -> None:
        self.value = value
        self.limit = limit
        self.announced = value

    def increment(self) -> None:
        if self.value:
            self.value += 1
            if self.limit is not None and self.value > self.limit:
                self.value = self.limit

    def decrement(self) -> None:
        if self.value:
            self.value = max(1, self.value - 1)

    def change(self, by: int) -> None:
        """The pool has another size."""
        if self.value:
            self.value = max(1, self.value + by)
            if self.limit is not None and by > 0:
                self.value = min(self.value, self.limit)

    def to_announce(self) -> int | None:
        """The limit to send now; None: nothing has changed. Beyond 16 bits the limit is given up."""
        if self.value == self.announced:
            return None
        self.announced = self.value
        return self.sent

    @property
    def sent(self) -> int:
        """The limit that the broker has: beyond 16 bits none."""
        return self.announced if self.announced <= MAX_PREFETCH else 0


class RateLimit:
    """One task's limit in one worker: a bucket that holds one token, and the requests that wait for theirs. `timer`: it is
    to be looked at again when the next token is there."""

    __slots__ = ("every_ms", "next_ms", "timer", "waiting")

    def __init__(self, a_second: float) -> None:
        self.every_ms = 1000 / a_second
        self.next_ms = 0.0
        self.timer = False
        self.waiting: deque[Request] = deque()

    def take(self, now: int) -> Request | None:
        """The next request that has a token at this moment; None: nobody waits, or no token is there."""
        if not self.waiting or now < self.next_ms:
            return None
        self.next_ms = now + self.every_ms
        return self.waiting.popleft()
