"""Celery's pools: who runs the tasks of a worker, and what can be done to a task that runs (rules/celery#2.2-11)."""

from routesim.named_tuples import NamedTuple


class TaskPool(NamedTuple):
    """Whether time limits strike, `hard` and `soft`; whether a task that runs can be `killed`, and the pool grow and shrink
    (`resized`); whether each task has a `process` of its own, whose death is not the worker's. `still`: the process that reads
    from the broker runs the tasks itself, and does nothing else meanwhile. `queues`: what is reserved waits in the pool, where
    nobody looks for a revoke or an expiry any more. `waits`: the process reads no task while one waits for room in the pool.
    `cold`: a cold shutdown ends it, as it should. `declares`: a task that calls another declares the queue of results before."""

    hard: bool = False
    soft: bool = False
    killed: bool = False
    resized: bool = False
    process: bool = False
    still: bool = False
    queues: bool = False
    waits: bool = False
    cold: bool = False
    declares: bool = False


PREFORK = "prefork"
POOLS = {
    PREFORK: TaskPool(hard=True, soft=True, killed=True, resized=True, process=True, cold=True),
    "solo": TaskPool(still=True),
    "threads": TaskPool(queues=True, cold=True),
    "gevent": TaskPool(hard=True, killed=True, resized=True, queues=True, waits=True, declares=True),
    "eventlet": TaskPool(killed=True, resized=True, queues=True, waits=True, declares=True),
}
