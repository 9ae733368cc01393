"""What made a run fail, one by one: what was expected, what was found, and the shortest reason.

The reasons come from a second run of the same scenario, which listens only for what the failed expectations are about and
looks around at the very moment at which each of them is checked.
"""

from typing import Any

from routesim import events
from routesim.diagnostics import ERROR, Diagnostic, Place
from routesim.durations import duration_text, seconds
from routesim.explain.failing.witness import ExpectationWitness, with_time
from routesim.explain.refusals import cure_of
from routesim.narration import sentence_of
from routesim.run import Checked, Result, Runner, shown_actual
from routesim.run.failures import told_once
from routesim.scenario import Expectation, Never, Signal

OF_CELERY = ("control ", "flower ")  # steps that declare what a worker's queues are like


def failures(result: Result) -> list[Diagnostic]:
    """Everything that is wrong with a run that failed, in the order of the file; nothing where it is `ok`.

    `code`: the section, `message`: what was expected; `place` has line 0 where it is of no line.
    """
    if result.ok:
        return []
    found = [*_expectations(result), *_errors(result)]
    if result.endless and not result.ending_expected:
        found.append(_failure(result, 0, "end", "the run comes to rest", result.ended, result.kept_going))
    return sorted(found, key=lambda item: (item.code == "end", item.place.line if item.place else 0))


def section_of(checked: Checked) -> str:
    """The section that a checked expectation comes from."""
    return {"Never": "never", "ExpectedRoute": "routes"}.get(type(checked.about).__name__, "expect")


def _failure(result: Result, line: int, section: str, expected: str, found: str, why: str = "") -> Diagnostic:
    return Diagnostic(ERROR, section, expected, Place(result.scenario.file, line, 0), found=found, why=why)


def _errors(result: Result) -> list[Diagnostic]:
    found = []
    for error in told_once(result.errors):
        if error.expected:
            continue
        text = f"{error.text} (and {error.more} times more)" if error.more else error.text
        step = result.scenario.steps[error.step] if error.step is not None else None
        of_worker = step is None or isinstance(step.action, Signal) or step.text.startswith(OF_CELERY)
        cure = cure_of(result.scenario, error.text, of_worker=of_worker)
        if step is None or error.step is None:
            found.append(_failure(result, 0, "step", "no error outside the steps", text)._replace(cure=cure))
        else:
            wanted = f"step {error.step + 1} fails with {step.fails}" if step.fails else f"step {error.step + 1} is carried out"
            found.append(_failure(result, step.line, "step", f"{wanted}: {step.text}", text)._replace(cure=cure))
    return found


def _expectations(result: Result) -> list[Diagnostic]:
    failed = {index: item for index, item in enumerate(result.expectations) if not item.ok}
    reasons = {index: _at_once(result, item) for index, item in failed.items()}
    asked = {index: item for index, item in failed.items() if reasons[index] is None}
    if asked and result.repeatable:
        reasons |= _witnessed(result, asked)
    return [
        _failure(result, item.line, section_of(item), item.text, shown_actual(item), reasons[index] or "")
        for index, item in failed.items()
    ]


def _at_once(result: Result, checked: Checked) -> str | None:
    """The reason where the result itself holds it; None: a second run must tell."""
    if isinstance(checked.about, Never):
        return _breach(checked.witness)
    if isinstance(checked.about, Expectation) and checked.about.path[0] == "chords":
        return _of_chord(result, checked)
    if checked.about is None or checked.about[1] == ("ended",):
        return result.kept_going
    return None


def _of_chord(result: Result, checked: Checked) -> str:
    """Nothing of one that a step asked for: what the result holds came later."""
    group = checked.about.path[1]
    chord = result.processes.chords.by_group.get(group) if result.processes is not None else None
    if checked.step is not None:
        return ""
    if chord is None:
        return f"no task of {group} returned"
    return chord.why_never or f"{len(chord.parts)} of {'?' if chord.size is None else chord.size} returned"


def _breach(witness: Any) -> str:
    """What broke a rule of `never` first."""
    if not isinstance(witness, tuple) or hasattr(witness, "at_ms"):
        return with_time(witness)
    since, left, until_ms = witness
    waited = duration_text(until_ms - since.at_ms)
    if left is since:
        return f"{with_time(since)}; there it still waits at {seconds(until_ms)} s, for {waited}"
    return f"{with_time(since)}; after {waited} {sentence_of(left)}"


def _witnessed(result: Result, asked: dict[int, Checked]) -> dict[int, str | None]:
    witness = ExpectationWitness(result, list(asked.values()))
    reasons: dict[int, str | None] = {}
    number = -1

    def listen(event: Any) -> None:
        nonlocal number
        if type(event) is events.Expected:
            number += 1
            if number in asked:
                reasons[number] = witness.reason(runner.broker, asked[number])
        else:
            witness.hear(event)

    runner = Runner(
        result.scenario, listen, seed=result.broker.seed, until=result.until, max_events=result.max_events, keep=False
    )
    runner.run()
    return reasons
