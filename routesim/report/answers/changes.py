"""The outcome of one run of a scenario, and what is different in that of another, after an edit."""

from collections.abc import Container, Iterator

from routesim.broker.ledger import STANDING
from routesim.diagnostics import Diagnostic
from routesim.named_tuples import NamedTuple
from routesim.report.formats.diagnostics import one_line
from routesim.run import Checked, Result, shown_actual
from routesim.scenario import Expectation
from routesim.tables import BAD, GOOD, HIT, MISS, NOTICE, PLAIN, Cell
from routesim.text import visible

Numbered = tuple[str, int]  # a text, and how many like it come before: lines move when a file is edited


class RunOutcome(NamedTuple):
    """What is compared of a run."""

    expectations: dict[Numbered, Checked]
    queues: dict[str, tuple[int, int]]
    counts: dict[str, int]
    errors: dict[Numbered, str]
    ended: str


def outcome_of(result: Result) -> RunOutcome:
    queues = {name: (queue.ready_count(), queue.unacked) for name, queue in result.broker.queues.items()}
    columns = {name: count for name, count in result.counts().items() if name not in STANDING}
    errors: dict[Numbered, str] = {}
    for error in result.errors:
        if not error.expected:
            where = "" if error.step is None else f"step {error.step + 1}, line {result.scenario.steps[error.step].line}: "
            errors[_numbered(error.text, errors)] = where + error.text
    expectations: dict[Numbered, Checked] = {}
    for item in result.expectations:
        expectations[_numbered(item.text, expectations)] = item
    return RunOutcome(expectations, queues, columns, errors, result.ended)


def _numbered(text: str, known: Container[Numbered]) -> Numbered:
    number = 0
    while (text, number) in known:
        number += 1
    return text, number


def differences(before: RunOutcome, after: RunOutcome) -> list[Cell]:
    """One line each, the most telling first; none where both outcomes are the same."""
    return [
        *_expectations(before, after),
        *_errors(before, after),
        *_ended(before, after),
        *_queues(before, after),
        *_counts(before, after),
    ]


def _expectations(before: RunOutcome, after: RunOutcome) -> Iterator[Cell]:
    for key, item in after.expectations.items():
        old = before.expectations.get(key)
        text = f"{visible(item.text)}{_but(item)} (line {item.line})"
        if old is None:
            yield Cell(f"{HIT} new, holds: {text}", GOOD) if item.ok else Cell(f"{MISS} new, fails: {text}", BAD)
        elif old.ok and not item.ok:
            yield Cell(f"{MISS} now fails: {text}", BAD)
        elif item.ok and not old.ok:
            yield Cell(f"{HIT} now holds: {text}", GOOD)
        elif not item.ok and shown_actual(item) != shown_actual(old):
            yield Cell(f"{MISS} still fails: {text}, before {visible(shown_actual(old))}", BAD)
    for key, item in before.expectations.items():
        if key not in after.expectations:
            yield Cell(f"- no longer asked: {visible(item.text)}", NOTICE)


def _but(item: Checked) -> str:
    if item.ok:
        return ""
    return f", {'but is' if isinstance(item.about, Expectation) else 'but'} {visible(shown_actual(item))}"


def _errors(before: RunOutcome, after: RunOutcome) -> Iterator[Cell]:
    yield from (Cell(f"{MISS} new error: {visible(text)}", BAD) for key, text in after.errors.items() if key not in before.errors)
    yield from (
        Cell(f"{HIT} error gone: {visible(text)}", GOOD) for key, text in before.errors.items() if key not in after.errors
    )


def _ended(before: RunOutcome, after: RunOutcome) -> Iterator[Cell]:
    if before.ended != after.ended:
        yield Cell(f"ended: {before.ended} → {after.ended}", NOTICE)


def _queues(before: RunOutcome, after: RunOutcome) -> Iterator[Cell]:
    for name, (ready, unacked) in after.queues.items():
        old = before.queues.get(name)
        if old is None:
            yield Cell(f"queue {visible(name)} is new: {ready} ready, {unacked} unacked")
        elif old != (ready, unacked):
            parts = [
                f"{was} → {now} {state}"
                for was, now, state in zip(old, (ready, unacked), ("ready", "unacked"), strict=True)
                if was != now
            ]
            yield Cell(f"queue {visible(name)}: {', '.join(parts)}", NOTICE)
    yield from (Cell(f"queue {visible(name)} is gone") for name in before.queues if name not in after.queues)


def _counts(before: RunOutcome, after: RunOutcome) -> Iterator[Cell]:
    parts = [
        f"{name.replace('_', ' ')} {before.counts[name]} → {count}"
        for name, count in after.counts.items()
        if count != before.counts[name]
    ]
    if parts:
        worse = after.counts["lost"] > before.counts["lost"]
        yield Cell(f"ledger: {', '.join(parts)}", BAD if worse else PLAIN)


# Diagnostics ---------------------------------------------------------------------------------------------------------


def alike(item: Diagnostic) -> tuple[str, str, str]:
    """What is the same of a diagnostic wherever in its file it has moved to."""
    return item.severity, item.code, item.message


UNREAD = frozenset({"yaml-syntax", "not-json", "not-text", "unreadable-file"})


def new_and_known(before: list[Diagnostic], after: list[Diagnostic]) -> tuple[list[Diagnostic], list[Cell]]:
    """The diagnostics that were not there before, and lines for those that are still there, or no more."""
    known, now = {alike(item) for item in before}, {alike(item) for item in after}
    lines = [Cell(f"still: {one_line(item)}", NOTICE) for item in after if alike(item) in known]
    hidden = any(item.code in UNREAD for item in after)  # who cannot read a file does not know what else is wrong in it
    mended = {f"{item.severity}[{item.code}] {visible(item.message)}" for item in before if alike(item) not in now and not hidden}
    lines += [Cell(f"{HIT} mended: {text}", GOOD) for text in sorted(mended)]
    return [item for item in after if alike(item) not in known], lines
