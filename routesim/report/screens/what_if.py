"""What may fail at a moment of a run, as a screen to choose from, and what came of it."""

from collections.abc import Sequence

from routesim.celery.fates import FATES
from routesim.durations import seconds
from routesim.explore.what_if import Branch, PossibleFailure
from routesim.report.summary.summary import fate_of
from routesim.run import Result
from routesim.run.tasks.fates import fates_of
from routesim.text import cut, fitted, padded, visible, wrapped

MARK = "> "
LEAST_WORDS = 30


def choice_lines(choices: Sequence[PossibleFailure], now: int, columns: int, encoding: str) -> list[list[str]]:
    """Each choice with its number: what fails, and when, where that is not now; as wide as that at most."""
    digits, kinds = len(str(len(choices))), max(len(choice.kind) for choice in choices)
    found = []
    for number, choice in enumerate(choices, 1):
        head = f"{number:>{digits}}  {padded(choice.kind, kinds)}  "
        when = f" (at {seconds(choice.at_ms)} s)" if choice.at_ms != now else ""
        if columns < len(head) + LEAST_WORDS:  # a narrow terminal: the words say what kind it is
            head = f"{number:>{digits}} "
        words = wrapped(fitted(visible(choice.words) + when, encoding), columns - len(head) - len(MARK))
        found.append([(head if not place else " " * len(head)) + line for place, line in enumerate(words)])
    return found


def menu(choices: Sequence[PossibleFailure], chosen: int, now: int, columns: int, lines: int, encoding: str) -> list[str]:
    """The screen above its last line: the choices around the chosen one, which is marked."""
    room = max(lines - 3, 1)
    items = choice_lines(choices, now, columns - 1, encoding)
    heights = [len(item) for item in items]
    first = 0
    while first < chosen and sum(heights[first : chosen + 1]) > room:
        first += 1
    shown: list[str] = []
    for number, item in enumerate(items[first:], first):
        if len(shown) + len(item) > room and shown:
            break
        shown += [(MARK if number == chosen and not place else "  ") + line for place, line in enumerate(item)]
    return [cut("What if one of these happens now?", columns - 1, fitted("…", encoding)), "", *shown[:room]]


def outcome(run: Result, branch: Branch) -> str:
    """What ends otherwise after the failure than in the run, in a line."""
    then = branch.result
    messages = _otherwise(run, then) if not run.scenario.workers else []  # of which most are about the workers themselves
    found = [f"{message}: {_was(run, message)} → {_was(then, message)}" for message in messages]
    before = fates_of(run)
    for task, fate in fates_of(then).items():
        if task not in before or before[task].name != fate.name:
            was = FATES[before[task].name] if task in before else "not sent"
            found.append(f"{task}: {was} → {FATES[fate.name]}")
    found += [f"the work of {message} from {queue} is done twice" for message, queue in sorted(branch.twice)]
    found += [f"{message}: {how}" for message, how in branch.undone]
    if run.ended != then.ended:
        found.append(f"it ends by {then.ended}")
    return "; ".join(found) or "all ends as it did without it"


def _otherwise(run: Result, then: Result) -> list[str]:
    """The messages with another fate, those of the run first."""
    every = {**run.messages.of, **then.messages.of}
    return [message for message in every if _was(run, message) != _was(then, message)]


def _was(result: Result, message: str) -> str:
    return fate_of(result, message)[0] if message in result.messages.of else "not published"
