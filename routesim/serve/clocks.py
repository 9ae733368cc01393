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

    def now_ms(self) -> int:
        return int((time.monotonic() - self.began) * 1000 * self.speed)

    def advance(self, ms: int) -> None:
        self.began -= ms / 1000 / self.speed

    def seconds_until(self, at_ms: int) -> float:
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
