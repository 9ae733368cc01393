"""The moment with which the page of a run begins: the first that tells of a failure, or the beginning."""

from collections.abc import Iterator, Sequence
from typing import Any

from routesim.graph import Key
from routesim.graph.model import QUEUE
from routesim.report.html.moments import Frame
from routesim.run import Checked, Result
from routesim.run.verdicts import FAILED, OK, verdict_of
from routesim.scenario import Expectation, Never
from routesim.tables import BAD


def opening(result: Result, moments: Sequence[Frame]) -> int:
    """The number of the moment. Of a run that failed it is where its first failed expectation came to fail: the last event about
    that message, queue, consumer or task, or what broke a rule of `never`. Where something was lost, it is that."""
    word = verdict_of(result)
    if word == OK:
        return 0
    bad = next((number for number, moment in enumerate(moments) if _tone(moment) == BAD), None)
    if word != FAILED:
        return bad or 0
    found = [_moment_of(item, moments) for item in result.expectations if not item.ok]
    if any(not error.expected for error in result.errors) and bad is not None:
        found.append(bad)
    return min(found, default=len(moments) - 1)


def _moment_of(item: Checked, moments: Sequence[Frame]) -> int:
    last = len(moments) - 1
    if isinstance(item.about, Never):
        return _first_like(item.witness[0] if _is_wait(item.witness) else item.witness, moments)
    if item.step is not None:
        return _end_of_step(item.step, moments)
    if isinstance(item.about, Expectation) and len(item.about.path) > 1:
        name = item.about.path[1]
        return next((at for at in range(last, 0, -1) if name in _names(moments[at])), last)
    return last


def _is_wait(witness: Any) -> bool:
    """A wait that was too long is told by its beginning, its end and an instant; an event is a tuple too, with an instant."""
    return isinstance(witness, tuple) and not hasattr(witness, "at_ms")


def _first_like(event: Any, moments: Sequence[Frame]) -> int:
    at_ms, message = getattr(event, "at_ms", -1), getattr(event, "message", "")
    same = [
        number
        for number, moment in enumerate(moments)
        if moment.row is not None and moment.at_ms == at_ms and moment.row.message in ("", message)
    ]
    queue = Key(QUEUE, getattr(event, "queue", ""))
    return max(same, key=lambda at: (_tone(moments[at]) == BAD, queue in moments[at].keys), default=len(moments) - 1)


def _tone(moment: Frame) -> str:
    return moment.row.tone if moment.row is not None else ""


def _end_of_step(step: int, moments: Sequence[Frame]) -> int:
    """The last moment of a step, where it is checked."""
    begun = next((number for number, moment in enumerate(moments) if moment.step == step and moment.row is None), 0)
    return next((number for number in range(begun + 1, len(moments)) if moments[number].row is None), len(moments)) - 1


def _names(moment: Frame) -> Iterator[str]:
    if moment.row is not None:
        yield moment.row.message
    yield from (key.name for key in moment.keys)
