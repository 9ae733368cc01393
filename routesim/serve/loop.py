"""The event loop of a server: asyncio's, but after each thing that happened it looks for the next before it sleeps.

A process that sleeps is woken late: on a virtual machine that takes longer than the server's own work on a message, and a client
that waits for each confirm waits for it each time. Erlang's schedulers, and so RabbitMQ, look again for a while in the same way.
"""

import asyncio
import os
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

AWAKE_S = 0.0005
REST_S = 0.0001
T = TypeVar("T")
_give_way: Callable[[], None] = getattr(os, "sched_yield", lambda: None)


class WakefulSelector(selectors.DefaultSelector):
    """Stays awake for `AWAKE_S` after something has happened; whoever else has something to do goes first. `rests`: before it
    looks again it waits for `REST_S`."""

    awake_until = 0.0
    rests = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        look, clock = super().select, time.monotonic
        if self.rests:
            self.rests = False
            time.sleep(REST_S)
        found = look(0)
        if not found and (timeout is None or timeout > AWAKE_S):
            while not found and clock() < self.awake_until:
                _give_way()
                found = look(0)
        if not found and (timeout is None or timeout > 0):
            found = look(timeout)
        if found:
            self.awake_until = clock() + AWAKE_S
        return found


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    with asyncio.Runner(loop_factory=WakefulLoop if os.name == "posix" else None) as runner:
        return runner.run(main)


class WakefulLoop(asyncio.SelectorEventLoop):
    """A client that only publishes, and waits for nothing, is disturbed by whoever reads each message as it comes: it is faster
    when several are read at once."""

    def __init__(self) -> None:
        self.wakeful = WakefulSelector()
        super().__init__(self.wakeful)

    def rest(self) -> None:
        """Nobody waits for an answer: let something more come."""
        self.wakeful.rests = True
