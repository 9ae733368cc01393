"""Ends from outside: Ctrl-C, SIGTERM, SIGHUP. Whichever comes, nothing half-written stays behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]  # Windows knows no terminal that hangs up
AGAIN_S = 0.01


class Ended(BaseException):
    """One of `ENDING` came; like Ctrl-C it lets everything be cleaned up."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise `Ended`, once, instead of ending the process; those that are ignored stay so."""
    before = {number: signal.getsignal(number) for number in ENDING}

    def end(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # cleaning up is short, and is not to be cut off
        raise Ended(number)

    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupting() -> Iterator[None]:
    """The same, and Ctrl-C raises KeyboardInterrupt where it is not lost: what a callback of an import raises is only printed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_name == "cb" and "importlib" in frame.f_code.co_filename:
            if hasattr(signal, "setitimer"):
                signal.signal(signal.SIGALRM, interrupt)
                signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
            return
        raise KeyboardInterrupt

    with ended_by_signals():
        signal.signal(signal.SIGINT, interrupt)
        yield


@contextmanager
def undivided() -> Iterator[None]:
    """Within it no signal ends the process: for what is to be done whole, such as making a file and noting that it is there."""
    import threading  # which what is not written into a file does not need

    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDING})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def dies_of(number: int) -> None:
    """Ends this process as the signal would have, so that whoever waits for it sees that."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
