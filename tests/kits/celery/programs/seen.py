"""What can be seen of a program that has run, by a real worker or by the simulator.

One thing is a race of Celery's own, and both outcomes count as one: what a run has sent anew comes from the broker, by the
connection of the pool's process, before or after the worker hears that the run is over (rules/celery#2.3-10).
"""

from typing import NamedTuple

from routesim.celery.states import COUNTED

KINDS = frozenset(COUNTED.values())
Left = dict[str, list[str]]


class Seen(NamedTuple):
    """`told`: each task's events in their order, without `task-`; `began`: the tasks whose bodies began, in order, where one
    process runs them all (of two nobody knows which is told of first); `left`: what is in the queues once all workers are dead, as id and retries."""

    told: dict[str, list[str]]
    began: list[str]
    left: Left


class Moment(NamedTuple):
    """An event of a task, and when it was, in seconds from the first step."""

    at_s: float
    kind: str
    task: str


def seen(moments: list[Moment], left: Left, *, concurrency: int) -> Seen:
    told: dict[str, list[str]] = {}
    for moment in moments:
        kinds = told.setdefault(moment.task, [])
        # Celery 5.7 tells of the hard time limit twice (worker/request.py, on_timeout and on_failure).
        if moment.kind in KINDS and not (moment.kind == "failed" and kinds[-1:] == ["failed"]):
            kinds.append(moment.kind)
    for kinds in told.values():
        _retry_first(kinds)
    began = [moment.task for moment in moments if moment.kind == "started"]
    return Seen(told, began if concurrency == 1 else [], left)


def _retry_first(kinds: list[str]) -> None:
    """Has the end of a run before the receipt of what it has sent anew."""
    for place in range(len(kinds) - 1):
        if kinds[place] in ("received", "revoked") and kinds[place + 1] == "retried":
            kinds[place], kinds[place + 1] = kinds[place + 1], kinds[place]
