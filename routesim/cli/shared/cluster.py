"""`--cluster ADDRESS`: portions of work given to a Dask scheduler that is there already, and to the workers that it has."""

import logging
import pickle
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Thread
from typing import Any

import routesim
from routesim.cli.shared.exits import UsageError
from routesim.named_tuples import NamedTuple

CONNECT_S, EXAMINE_S = 5, 20
AHEAD = 3  # portions for each thread of the workers


class ClusterLost(Exception):
    """What was begun on a cluster cannot be ended there; the text says why."""


class Cluster(NamedTuple):
    """What `routesim.run.sweeps.portions` asks of whoever works. `ahead`: how many portions the scheduler is to know at once."""

    executor: "ByPickle"
    ahead: int


class CallElsewhere:
    """A call that is made where it is unpickled: between here and there nobody need know what it is about."""

    def __init__(self, task: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.call = task, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


class ByPickle:
    """An executor that gives another one calls as bytes: a scheduler reads what it is given, and may have no routesim. `gone`:
    what is raised when it is not there any more."""

    def __init__(self, executor: Any, address: str, gone: tuple[type[BaseException], ...]) -> None:
        self.executor, self.address, self.gone = executor, address, gone

    def submit(self, task: Callable[..., Any], /, *args: Any) -> "AnswerOfCluster":
        packed = pickle.dumps(CallElsewhere(task, args), pickle.HIGHEST_PROTOCOL)
        with self.told():
            future = self.executor.submit(pickle.loads, packed)
        return AnswerOfCluster(self, future)

    def lost(self) -> bool:
        """Whether the scheduler is not connected any more."""
        return getattr(self.executor, "_client", None) is not None and self.executor._client.status != "running"

    @contextmanager
    def told(self) -> Generator[None, None, None]:
        """Within it what the cluster raises becomes `ClusterLost`."""
        try:
            yield
        except self.gone as problem:
            why = str(problem) or type(problem).__name__
            raise ClusterLost(f"the cluster at {self.address} has gone, or has given the work up: {why}") from None
        except ImportError as problem:  # a worker that has come since
            raise ClusterLost(f"a worker of {self.address} has no such routesim: {problem}") from None


class AnswerOfCluster:
    """A `Future` of a cluster."""

    def __init__(self, executor: ByPickle, future: "Future[Any]") -> None:
        self.executor, self.future = executor, future
        self.done, self.cancel = future.done, future.cancel

    def result(self, timeout: float | None = None) -> Any:
        if timeout is not None:
            wait([self.future], timeout)
            if not self.future.done():
                if self.executor.lost():  # what was asked of a scheduler that has gone may never be answered
                    raise ClusterLost(f"the cluster at {self.executor.address} has gone, or has given the work up")
                raise TimeoutError
        with self.executor.told():
            found = self.future.result()
        return found


def installed() -> tuple[str, str]:
    """Which routesim this process has: its version, and a digest of its source, since a clone may stand between two versions."""
    root = Path(routesim.__file__).parent
    found = blake2b(digest_size=8)
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return routesim.__version__, found.hexdigest()


@contextmanager
def cluster(address: str) -> Generator[Cluster, None, None]:
    """Raises `UsageError` when nobody is there to work, and `ClusterLost` when that comes to be so."""
    try:
        from distributed import Client
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise UsageError("--cluster needs Dask: pip install distributed") from None
    logging.disable(logging.CRITICAL)  # of what matters its exceptions tell
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that libraries differ which are not used here
        try:
            client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as problem:
            raise UsageError(f"--cluster: no Dask scheduler answers at {address}: {problem}") from None
    try:
        executor = ByPickle(client.get_executor(pure=False), address, (CommClosedError, CancelledError, KilledWorker, OSError))
        with executor.told():
            threads = _examined(client, address)
        yield Cluster(executor, AHEAD * threads)
    finally:
        client.close(timeout=CONNECT_S)
        logging.disable(logging.NOTSET)


def _examined(client: Any, address: str) -> int:
    """How many threads the workers have, each of which has the routesim that is here."""
    threads: dict[str, int] = _within(client.nthreads)
    if not threads:
        raise UsageError(f"--cluster: the scheduler at {address} has no workers; start some: dask worker {address}")
    here = installed()
    for worker, found in _within(lambda: client.run(installed, on_error="return")).items():
        if isinstance(found, BaseException):
            why = "no routesim" if f"'{routesim.__name__}'" in str(found) else "another routesim"
            raise UsageError(f"--cluster: the worker {worker} has {why}; install the one that is here ({here[0]}) there: {found}")
        if tuple(found) != here:
            same = " by the same name" if found[0] == here[0] else ""
            raise UsageError(
                f"--cluster: the worker {worker} has another routesim{same} ({found[0]}); install the one that is here there"
            )
    return sum(threads.values())


def _within(ask: Callable[[], Any]) -> Any:
    """The answer; what is asked waits for ever where a scheduler goes just then."""
    answer: Future[Any] = Future()

    def fetch() -> None:
        try:
            answer.set_result(ask())
        except Exception as problem:
            answer.set_exception(problem)

    Thread(target=fetch, daemon=True).start()
    return answer.result(EXAMINE_S)
