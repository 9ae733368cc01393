"""The verdict on a run, in one word, and what of its losses no expectation is about."""

from collections.abc import Iterator
from typing import Any

from routesim import events
from routesim.celery import fates
from routesim.named_tuples import NamedTuple
from routesim.run.result import Result
from routesim.run.runner import Runner
from routesim.run.tasks.fates import lost_tasks
from routesim.scenario import Expectation, Never

# OK: all that was expected held, and nothing was lost that nobody asked about. HELD: it held, but something was lost, which
# nothing expected. RAN: the same where nothing at all was expected.
OK, HELD, RAN, FAILED = "OK", "HELD", "RAN", "FAILED"
VERDICTS = (OK, RAN, HELD, FAILED)  # the worst last
OF_PUBLISHES = ("unroutable", "returned")  # expectations that ask what reached no queue
ENDS = ("ready", "exists", "messages")  # fields of a queue's expectation that ask what is left there


class Unexpected(NamedTuple):
    """How many messages, or copies of them, and tasks were lost though no expectation is about that."""

    messages: int
    tasks: int

    @property
    def total(self) -> int:
        return self.messages + self.tasks


def verdict_of(result: Result) -> str:
    """One of `VERDICTS`."""
    if not result.ok:
        return FAILED
    if not unexpected_losses(result).total:
        return OK
    return HELD if result.expectations else RAN


def unexpected_losses(result: Result) -> Unexpected:
    """What was lost, in the sense of `events.is_lost`, and is not asked for: not by `lost` as it is at the end, `never: lost`,
    `unroutable` or `returned` (of what reached no queue), that message's state in that queue, or what is left in the queue
    that it went from. Of a real broker only tasks are known. What no event tells, nobody can have asked for."""
    told = _told(result)
    return told._replace(messages=told.messages + len(result.undone))


def _told(result: Result) -> Unexpected:
    """Of the losses that events tell."""
    asked = [item.about for item in result.expectations]
    if result.real is not None:
        return Unexpected(0, 0 if _of_tasks(asked) else len(lost_tasks(result)))
    ledger = result.broker.ledger
    if not ledger.lost or any(_of_all(item.about, item.actual, ledger.lost) for item in result.expectations):
        return Unexpected(0, 0)
    messages = ledger.lost - ledger.task_lost
    if messages and (result.scenario.workers or any(_may_cover(about) for about in asked)):
        messages = sum(1 for _ in uncovered(result))
    return Unexpected(messages, 0 if _of_tasks(asked) else ledger.task_lost)


def uncovered(result: Result) -> Iterator[Any]:
    """The events with which messages were lost that no expectation about single messages or queues is about. A run that kept
    no record of them is made again."""
    paths = [item.about.path for item in result.expectations if isinstance(item.about, Expectation)]
    of_publishes = any(path[0] in OF_PUBLISHES for path in paths)
    states = {path[1:3] for path in paths if path[0] == "messages"}
    messages = {message for message, *_ in states}
    queues = {path[1] for path in paths if path[0] == "queues" and path[2] in ENDS}
    for event in _events(result):
        if isinstance(event, events.TaskLost):
            continue
        if isinstance(event, events.Unroutable):
            covered = of_publishes or event.message in messages
        else:
            left = not isinstance(event, events.LostByConsumer)  # that copy had left its queue before
            covered = (event.message, event.queue) in states or (left and event.queue in queues)
        if not covered:
            yield event


def _events(result: Result) -> list[Any]:
    found = result.losses
    if found is None:
        return []
    if not found.complete:
        runner = Runner(
            result.scenario, found.hear, seed=result.broker.seed, until=result.until, max_events=result.max_events, keep=False
        )
        runner.run()
        found.complete = True
    return found.all


def _of_all(about: Any, actual: Any, lost: int) -> bool:
    """Whether it is about all losses. An expectation of a step has seen only those up to there."""
    if isinstance(about, Never):
        return about.what == "lost"
    return isinstance(about, Expectation) and about.path == ("lost",) and actual == lost


def _may_cover(about: Any) -> bool:
    return isinstance(about, Expectation) and about.path[0] in (*OF_PUBLISHES, "messages", "queues")


def _of_tasks(asked: list[Any]) -> bool:
    """Whether an expectation is about lost tasks."""
    return any(
        about.path[0] in ("lost", "lost_tasks") or about.wanted == fates.LOST for about in asked if isinstance(about, Expectation)
    )
