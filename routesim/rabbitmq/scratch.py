"""Virtual hosts of one's own: made for a run, removed whatever happens, and swept up after whoever was killed."""

import calendar
import os
import re
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from routesim.rabbitmq.http.management import Management
from routesim.rabbitmq.problems import BrokerProblem

NAME = re.compile(r"routesim-(\d{8}T\d{6})Z-\d+-[0-9a-f]{6}")
STAMP = "%Y%m%dT%H%M%S"
OLD_S = 3600
ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]  # Windows knows no terminal that hangs up


def fresh_name() -> str:
    return f"routesim-{time.strftime(STAMP, time.gmtime())}Z-{os.getpid()}-{secrets.token_hex(3)}"


def is_left_over(name: str, now_s: float) -> bool:
    """Whether a vhost is one of ours and so old that whoever made it must be gone."""
    found = NAME.fullmatch(name)
    if not found:
        return False
    try:
        made = calendar.timegm(time.strptime(found[1], STAMP))
    except ValueError:
        return False
    return now_s - made > OLD_S


def sweep(management: Management) -> list[str]:
    """Removes what killed runs have left behind, and nobody is connected to; returns the names."""
    old = [name for name in management.vhosts() if is_left_over(name, time.time()) and not management.in_use(name)]
    for name in old:
        with suppress(BrokerProblem):
            management.delete_vhost(name)
    return old


@contextmanager
def scratch_vhost(management: Management, default_queue_type: str | None = None) -> Iterator[str]:
    """A new vhost, removed at the end, also when that comes as a signal."""
    name = fresh_name()
    try:
        management.create_vhost(name, default_queue_type)
        yield name
    finally:
        with _undisturbed():
            _remove(management, name)


def _remove(management: Management, name: str) -> None:
    problem: BrokerProblem | None = None
    for pause in (0.0, 0.2, 1.0):
        time.sleep(pause)
        try:
            management.delete_vhost(name)
            return
        except BrokerProblem as found:
            problem = found
    if sys.exc_info()[0] is None and problem is not None:  # what ended the run says more than this
        raise problem


class Terminated(BaseException):
    """SIGTERM came; like Ctrl-C it lets everything be cleaned up."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within it SIGTERM (and SIGHUP) raise `Terminated` instead of ending the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = [(number, signal.signal(number, terminate)) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Cleaning up is short; a second Ctrl-C must not cut it off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, *ENDING)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
