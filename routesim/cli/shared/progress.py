"""A line on stderr for runs that take a while; gone again when they end."""

import sys
import time

from routesim.broker import Broker
from routesim.cli.shared.output import is_terminal
from routesim.durations import duration_text
from routesim.text import encoding_of, fitted, visible

AFTER_S = 1.0
EVERY_S = 0.2


class Progress:
    """`tick` may be called often; it looks at the clock and seldom writes. Silent where stderr is no terminal."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        self.name = fitted(visible(name), encoding_of(sys.stderr))
        self.on = is_terminal(sys.stderr) and not quiet
        self.next = time.monotonic() + AFTER_S
        self.shown = False

    def tick(self, broker: Broker) -> None:
        ledger = broker.ledger
        self.say(f"{ledger.published:,} published, {ledger.delivered:,} delivered, {duration_text(broker.now)} virtual")

    def say(self, how_far: str) -> None:
        if not self.on or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + EVERY_S
        self.shown = True
        text = f"{self.name}: {how_far}"
        sys.stderr.write(f"\r\x1b[2K{text[:78]}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
