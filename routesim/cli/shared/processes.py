"""Work shared out to processes: answers by the place of their question, whoever has them first."""

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from routesim.cli.shared.ending import ENDING, undivided
from routesim.named_tuples import NamedTuple

MOST = 60  # Windows cannot wait for more at once
END_S = 2.0


class Died(NamedTuple):
    """In place of an answer: the process that worked on it has ended; `code` is its exit status, or minus a signal."""

    code: int | None

    def __str__(self) -> str:
        if self.code is None or self.code >= 0:
            return f"ended with status {self.code}"
        try:
            return f"was killed by {signal.Signals(-self.code).name}"
        except ValueError:
            return f"was killed by signal {-self.code}"


class _Failed(NamedTuple):
    """In place of an answer: what the work raised."""

    problem: Exception


class _Worker(NamedTuple):
    process: Any
    connection: "Connection[Any, Any]"


def count_of(jobs: int) -> int:
    """How many processes `--jobs` asks for; 0 stands for as many as there are processors to run on."""
    if jobs:
        return min(jobs, MOST)
    usable = getattr(os, "sched_getaffinity", None)
    return min(len(usable(0)) if usable else os.cpu_count() or 1, MOST)


class Pool:
    """Up to `count` processes, started when there is work for them and ended with the `with` block, however it is left.

    `ask` gives them questions; `answered` and `take` look at and fetch an answer; in between whoever waits calls `attend`.
    """

    def __init__(self, count: int) -> None:
        # A fork has everything imported already, but is safe only where the system's libraries and threads take it.
        forks = sys.platform == "linux" and threading.active_count() == 1
        self.context: Any = get_context("fork" if forks else "spawn")
        self.count = count
        self.workers: list[_Worker] = []
        self.busy: dict[int, int] = {}  # a worker's place in `workers` -> the question that it has
        self.task: Callable[[Any], Any] = repr
        self.questions: Iterator[Any] = iter(())
        self.asked = 0
        self.taken = 0
        self.ahead: int | None = None
        self.answers: dict[int, Any] = {}

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.terminate()
        deadline = time.monotonic() + END_S
        for worker in self.workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.connection.close()

    def ask(self, task: Callable[[Any], Any], questions: Iterable[Any], *, ahead: int | None = None) -> None:
        """`task` is a function of a module; `ahead`: how many answers may wait for one that is still to be taken."""
        self.task, self.questions = task, iter(questions)
        self.asked = self.taken = 0
        self.ahead = ahead
        self.answers.clear()
        self._hand_out()

    def answered(self, index: int) -> bool:
        return index in self.answers

    def take(self, index: int) -> Any:
        """The answer, or `Died`. Raises what the work raised."""
        answer = self.answers.pop(index)
        self.taken += 1
        self._hand_out()
        if isinstance(answer, _Failed):
            raise answer.problem
        return answer

    def in_order(self) -> Iterator[Any]:
        """All answers, each as soon as its turn comes."""
        while True:
            while not self.answered(self.taken):
                if not self.busy:
                    return
                self.attend(None)
            yield self.take(self.taken)

    def attend(self, timeout_s: float | None) -> None:
        """Receive answers, waiting at most so long for the first, and hand out more work."""
        places = {id(self.workers[place].connection): place for place in self.busy}
        for ready in wait([self.workers[place].connection for place in self.busy], timeout_s):
            place = places[id(ready)]
            index, worker = self.busy.pop(place), self.workers[place]
            try:
                self.answers[index] = worker.connection.recv()
            except (EOFError, OSError):
                worker.process.join()
                worker.connection.close()
                self.answers[index] = Died(worker.process.exitcode)
                self.workers[place] = self._started()
        self._hand_out()

    def _hand_out(self) -> None:
        while len(self.busy) < self.count and (self.ahead is None or self.asked < self.taken + self.ahead):
            try:
                question = next(self.questions)
            except StopIteration:
                return
            place = next((place for place in range(len(self.workers)) if place not in self.busy), len(self.workers))
            if place == len(self.workers):
                self.workers.append(self._started())
            self.busy[place] = self.asked
            self.asked += 1
            try:
                self.workers[place].connection.send((self.task, question))
            except OSError:
                continue  # it has died already, which `attend` will find

    def _started(self) -> _Worker:
        here, there = self.context.Pipe()
        process = self.context.Process(target=_work, args=(there,), daemon=True)
        with (
            undivided()
        ):  # a signal goes to all processes of a terminal: one that has just begun must not answer as its parent does
            process.start()
        there.close()
        return _Worker(process, here)


def attend_any(pools: Sequence[Pool]) -> None:
    """Waits until one of them has an answer; not where nothing was asked."""
    connections = [pool.workers[place].connection for pool in pools for place in pool.busy]
    if connections:
        wait(connections)
    for pool in pools:
        pool.attend(0)


def _work(connection: "Connection[Any, Any]") -> None:
    """What a process does all its life. Ctrl-C is for the parent, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, *ENDING})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task, question = connection.recv()
            connection.send(_answer(task, question))
        except (EOFError, OSError):
            return


def _end_with_parent() -> None:
    """A parent that is killed can end nobody."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(task: Callable[[Any], Any], question: Any) -> Any:
    try:
        return task(question)
    except Exception as problem:
        problem.add_note(traceback.format_exc())
        try:
            pickle.loads(pickle.dumps(problem))
        except Exception:
            problem = RuntimeError(f"{type(problem).__name__}: {problem}")
        return _Failed(problem)
