"""From what was heard to the scenario that is written: the same story, with what is declared at the top, without what did
nothing, and with no more of its times than matters. Every change is tried, and what changes the story is not made.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from routesim import events, steps
from routesim.named_tuples import NamedTuple
from routesim.recording.drafts import DECLARING, RecordingDraft
from routesim.recording.recorder import Taken
from routesim.recording.trials import Seen, Trial, tried
from routesim.scenario import Scenario

FINENESS_MS = (100, 10)  # to which times are rounded
STEPS_TRIED = 500_000  # of all trials together
FEWEST_TRIALS = 6
CREATED = (events.ExchangeDeclared, events.QueueDeclared, events.Bound)


class Shaped(NamedTuple):
    """`exact`: the recording as it was heard; `draft` and `trial`: what is written of it."""

    draft: RecordingDraft
    trial: Trial
    exact: Trial


class _Search:
    """Drafts, tried within bounds against the story of the first. `left`: how many more may be tried, `kept` afterwards."""

    def __init__(self, draft: RecordingDraft, exact: Trial) -> None:
        self.draft, self.trial, self.exact = draft, exact, exact
        self.left = max(FEWEST_TRIALS, STEPS_TRIED // (len(draft.taken) + 1))
        self.kept = 0

    def spend(self, *, half: bool) -> None:
        """Try as much as may be, or half of it for now."""
        left = self.left + self.kept
        self.kept = left // 2 if half else 0
        self.left = left - self.kept

    def accept(self, draft: RecordingDraft) -> bool:
        """Whether it tells the same story; then it is gone on from."""
        if draft == self.draft:
            return True
        if not self.left:
            return False
        self.left -= 1
        trial = tried(draft)
        if not trial.same_as(self.exact) or not all(error.expected for error in trial.result.errors):
            return False
        self.draft, self.trial = draft, trial
        return True


def shaped(given: Scenario, taken: Sequence[Taken], ended_ms: int) -> Shaped:
    """`given`: what was there from the beginning; `ended_ms`: when the recording ends."""
    times = [0, *(item.at_ms for item in taken), ended_ms]
    draft = RecordingDraft(given, tuple(taken), tuple(later - sooner for sooner, later in pairwise(times)))
    draft, seen, exact = _first(draft)
    search, made = _Search(draft, exact), _creations(draft, exact)
    search.spend(half=True)
    _leave_out(search, seen, made)
    _put_at_top(search, made)
    search.spend(half=False)
    _round(search, seen)
    return Shaped(search.draft, search.trial, exact)


def _first(draft: RecordingDraft) -> tuple[RecordingDraft, Seen, Trial]:
    """With what the broker closes by itself, which a wait is to fail with."""
    seen = Seen(draft)
    trial = tried(draft, seen.look)
    late: dict[int, int] = {}
    _, origins = draft.scenario()
    for error in trial.result.errors:
        if error.step is not None and not error.expected and error.code is not None and origins[error.step] is None:
            following = next((item for item in origins[error.step :] if item is not None), len(draft.taken))
            late[following] = error.code
    if late:
        draft = draft._replace(late=late)
        seen = Seen(draft)
        trial = tried(draft, seen.look)
    return draft, seen, trial


# Steps ---------------------------------------------------------------------------------------------------------------------


def _leave_out(search: _Search, seen: Seen, made: set[int]) -> None:
    """What did nothing."""
    search.accept(search.draft._replace(left_out=frozenset(seen.idle)))

    def without(numbers: Sequence[int]) -> bool:
        draft = search.draft
        return search.accept(draft._replace(left_out=draft.left_out | frozenset(numbers)))

    _most([number for number, item in enumerate(search.draft.taken) if _asks(item, number in made)], without)


def _put_at_top(search: _Search, made: set[int]) -> None:
    """What is declared for the first time."""
    taken = search.draft.taken
    declared = [item.step for item in taken if isinstance(item.step, steps.DeclareQueue)]
    owned = {step.queue.name for step in declared if step.queue.exclusive or step.queue.server_named}
    at_top = [number for number in sorted(made) if _may_stand_at_the_top(taken[number], owned)]

    def with_top(numbers: Sequence[int]) -> bool:
        draft = search.draft
        return search.accept(draft._replace(at_top=draft.at_top | frozenset(numbers)))

    _most(at_top, with_top)


def _creations(draft: RecordingDraft, exact: Trial) -> set[int]:
    """The steps that brought something into being."""
    _, origins = draft.scenario()
    made, now = set(), None
    for event in exact.events:
        kind = type(event)
        if kind is events.StepStarted:
            now = origins[event.step]
        elif kind in CREATED and now is not None:
            made.add(now)
    return made


def _asks(item: Taken, creates: bool) -> bool:
    """Whether it only asks, or declares again what is there."""
    asks = isinstance(item.step, (steps.AskExchange, steps.AskQueue, *DECLARING))
    return asks and not creates and item.refused is None


def _may_stand_at_the_top(item: Taken, owned: set[str]) -> bool:
    """Not what has to do with the queue of one connection."""
    step: Any = item.step
    if not isinstance(step, DECLARING) or item.refused is not None:
        return False
    if isinstance(step, steps.Bind):
        return step.binding.destination not in owned
    return not isinstance(step, steps.DeclareQueue) or step.queue.name not in owned


def _most(numbers: Sequence[int], accept: Callable[[Sequence[int]], bool]) -> None:
    """As many of them as may be: all, else each half by itself."""
    if not numbers or accept(numbers) or len(numbers) == 1:
        return
    middle = len(numbers) // 2
    _most(numbers[:middle], accept)
    _most(numbers[middle:], accept)


# Times ---------------------------------------------------------------------------------------------------------------------


def _round(search: _Search, seen: Seen) -> None:
    """A wait for nothing is none; the others are rounded, each as far as that changes nothing."""
    waits, quiet = search.draft.waits, set(seen.quiet)
    if not search.accept(search.draft._replace(waits=_rounded(waits, quiet, {}))):
        quiet = set()
    fineness: dict[int, int] = {}
    for coarse in FINENESS_MS:

        def rounded(numbers: Sequence[int], coarse: int = coarse) -> bool:
            tried = {**fineness, **dict.fromkeys(numbers, coarse)}
            found = search.accept(search.draft._replace(waits=_rounded(waits, quiet, tried)))
            if found:
                fineness.update(tried)
            return found

        _most([number for number, wait in enumerate(waits) if wait and number not in fineness], rounded)


def _rounded(waits: tuple[int, ...], quiet: set[int], fineness: dict[int, int]) -> tuple[int, ...]:
    """Instants in whole steps of their fineness, in their order."""
    found, now, before = [], 0, 0
    for number, wait in enumerate(waits):
        now += 0 if number in quiet else wait
        instant = max(now - now % fineness.get(number, 1), before) if wait else before
        found.append(instant - before)
        before = instant
    return tuple(found)
