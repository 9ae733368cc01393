"""Work in portions, shared out to any executor with the interface of Python's `concurrent.futures`."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import Any, Protocol

LOOK_S = 0.25  # seconds between two looks at whether to go on


class Awaited(Protocol):
    """Of a `Future` what is asked here."""

    def result(self, timeout: float | None = None) -> Any: ...

    def done(self) -> bool: ...

    def cancel(self) -> bool: ...


class Executor(Protocol):
    """Whoever carries out work elsewhere, and at the same time."""

    def submit(self, task: Callable[..., Any], /, *args: Any) -> Awaited:
        """`task` is a function of a module, and it and its arguments can be pickled."""


class SharedOut(Protocol):
    """An executor, and how many portions it is to have at once."""

    @property
    def executor(self) -> Executor: ...

    @property
    def ahead(self) -> int: ...


def in_order(
    shared: SharedOut, task: Callable[[Any], Any], portions: Iterable[Any], stops: Callable[[], bool] | None = None
) -> Generator[Any, None, None]:
    """The answers in the order of the portions. `stops` is asked while there is nothing but to wait; what is left then is
    cancelled. Raises what the work raises."""
    waiting: deque[Awaited] = deque()
    left = iter(portions)
    try:
        while True:
            waiting.extend(shared.executor.submit(task, portion) for portion in islice(left, shared.ahead - len(waiting)))
            if not waiting:
                return
            try:
                answer = waiting[0].result(LOOK_S)
            except TimeoutError:
                if waiting[0].done():
                    raise
                if stops is not None and stops():
                    return
                continue
            waiting.popleft()
            yield answer
    finally:
        for each in waiting:
            each.cancel()
