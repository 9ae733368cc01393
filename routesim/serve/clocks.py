"""The two clocks of a server: the wall's, perhaps faster, and one that stands still until it is told."""

import time
from typing import Protocol


class ServerClock(Protocol):
    """`epoch_s`: the date at which it begins, in seconds since 1970."""

    epoch_s: int

    def now_ms(self) -> int:
        """The engines' time."""

    def seconds_until(self, at_ms: int) -> float | None:
        """How long by the wall until that instant; None: nobody knows."""

    def advance(self, ms: int) -> None:
        """So much time passes at once."""


class WallClock:
    """`speed`: how many times faster than the wall's it goes."""

    def __init__(self, speed: int = 1) -> None:
        self.speed = speed
        self.epoch_s = int(time.time())
        self.began = time.monotonic()
        self.paused_at: float | None = None

    @property
    def paused(self) -> bool:
        return self.paused_at is not None

    def pause(self) -> None:
        """It stands still."""
        if self.paused_at is None:
            self.paused_at = time.monotonic()

    def resume(self) -> None:
        """It goes on from where it stood."""
        if self.paused_at is not None:
            self.began += time.monotonic() - self.paused_at
            self.paused_at = None

    def now_ms(self) -> int:
        now = time.monotonic() if self.paused_at is None else self.paused_at
        return int((now - self.began) * 1000 * self.speed)

    def advance(self, ms: int) -> None:
        self.began -= ms / 1000 / self.speed

    def seconds_until(self, at_ms: int) -> float | None:
        if self.paused_at is not None:
            return None
        return max(0.0, self.began + at_ms / 1000 / self.speed - time.monotonic())


class ManualClock:
    def __init__(self) -> None:
        self.at_ms = 0
        self.epoch_s = int(time.time())

    def now_ms(self) -> int:
        return self.at_ms

    def seconds_until(self, at_ms: int) -> None:
        return None

    def advance(self, ms: int) -> None:
        self.at_ms += ms
