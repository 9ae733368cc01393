"""The server's event loop: what is ready is found awake and asleep, and waiting ends when it is to end."""

import os
import selectors
import threading
from collections.abc import Iterator

import pytest

from routesim.serve.loop import AWAKE_S, WakefulSelector

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
