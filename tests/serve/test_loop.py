"""The server's event loop: what is ready is found awake and asleep, and waiting ends when it is to end."""

import asyncio
import os
import selectors
import threading
from collections.abc import Iterator

import pytest

from routesim.serve.clocks import ManualClock
from routesim.serve.declared import broker_of, empty_scenario
from routesim.serve.loop import AWAKE_S, REST_S, WakefulLoop, WakefulSelector
from routesim.serve.server import Server
from routesim.serve.transport import FEW_READ, MANY_UNANSWERED, Socket, Transport
from routesim.versions import rules

LONG_S = 30


@pytest.fixture
def pipe() -> Iterator[tuple[WakefulSelector, int, int]]:
    reads, writes = os.pipe()
    selector = WakefulSelector()
    selector.register(reads, selectors.EVENT_READ)
    yield selector, reads, writes
    selector.close()
    os.close(reads)
    os.close(writes)


@pytest.mark.parametrize("timeout", [None, LONG_S, 0])
def test_what_is_ready_is_found(pipe: tuple[WakefulSelector, int, int], timeout: float | None) -> None:
    selector, reads, writes = pipe
    os.write(writes, b"x")
    assert [key.fd for key, _ in selector.select(timeout)] == [reads]


@pytest.mark.parametrize("timeout", [0, AWAKE_S / 2, 3 * AWAKE_S])
@pytest.mark.parametrize("awake", [False, True])
def test_nothing_is_ready(pipe: tuple[WakefulSelector, int, int], timeout: float, awake: bool) -> None:
    selector, reads, writes = pipe
    if awake:
        os.write(writes, b"x")
        assert selector.select(None)
        os.read(reads, 1)
    assert selector.select(timeout) == []


@pytest.mark.parametrize("after_s", [0, 20 * AWAKE_S])
def test_what_comes_later_ends_the_waiting(pipe: tuple[WakefulSelector, int, int], after_s: float) -> None:
    selector, reads, writes = pipe
    os.write(writes, b"x")
    assert selector.select(None)  # awake from here on
    os.read(reads, 1)
    timer = threading.Timer(after_s, os.write, (writes, b"y"))
    timer.start()
    assert [key.fd for key, _ in selector.select(LONG_S)] == [reads]
    timer.join()


def test_it_rests_once_where_nobody_waits_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("routesim.serve.loop.time.sleep", slept.append)
    loop = WakefulLoop()
    try:
        loop.wakeful.select(0)
        loop.rest()
        loop.wakeful.select(0)
        loop.wakeful.select(0)
        assert slept == [REST_S]
    finally:
        loop.close()


def test_a_client_that_only_publishes_is_read_in_larger_pieces_and_one_that_waits_at_once() -> None:
    rested: list[bool] = []
    server = Server(rules("4.0"), {"/": broker_of(empty_scenario("4.0", "/"))}, {}, ManualClock())

    async def run() -> None:
        transport = Transport(server)
        transport.rest = lambda: rested.append(True)
        there = Socket(transport)
        there.connection = Silent()  # type: ignore[assignment]
        for number in range(2 * MANY_UNANSWERED):
            assert bool(rested) == (number > MANY_UNANSWERED)
            there.buffer_updated(10)
        rested.clear()
        there.buffer_updated(FEW_READ)  # there was much to read
        assert not rested
        server.unsent.append(Silent())  # type: ignore[arg-type]  # an answer is due
        there.buffer_updated(10)
        there.buffer_updated(10)
        assert not rested

    asyncio.run(run())


class Silent:
    """A connection that answers nothing."""

    def receive(self, data: bytes) -> None: ...

    def flush(self) -> None: ...
