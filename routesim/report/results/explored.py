"""What `explore` found: a case a property, that it holds, or the course of events in which it does not."""

from collections.abc import Sequence
from typing import Any

from routesim.diagnostics import ERROR, Diagnostic, Place
from routesim.durations import duration_text
from routesim.explore import BROKEN, UNDECIDED, VACUOUS, Exploration, Explored, PropertyVerdict
from routesim.named_tuples import NamedTuple
from routesim.report.results import FAILED, NOTED, PASSED, SKIPPED, Case, Suite
from routesim.report.results.findings import file_object
from routesim.text import so_many

HOW = {
    "lost": "is lost", "lost-confirmed": "is lost, though it was confirmed", "stuck": "is stuck",
    "duplicated": "is worked at twice", "order": "is overtaken", "order-by-key": "is overtaken",
    "unbounded": "grows without bound", "livelock": "goes round for ever",
}  # fmt: skip


class Explorations(NamedTuple):
    """`refused`: files that cannot be used, or not explored; the others were explored nevertheless."""

    found: Sequence[Exploration]
    refused: Sequence[Suite] = ()

    @property
    def suites(self) -> list[Suite]:
        return [*self.refused, *(suite_of(item) for item in self.found)]

    @property
    def data(self) -> dict[str, Any]:
        """Everything, for programs."""
        rows = [_object(item) for item in self.found]
        ok = not self.refused and all(item.as_said and item.explored.complete for item in self.found)
        return {"ok": ok, "explorations": [*rows, *(file_object(suite) for suite in self.refused)]}


def sum_of(item: Exploration) -> str:
    """The sum of an exploration in a sentence."""
    found = item.explored
    broken = [asked.name for asked in found.broken]
    how = f"{so_many(found.states, found.counted)}, {'complete' if found.complete else f'NOT COMPLETE ({found.why})'}"
    what = f"{', '.join(dict.fromkeys(broken))} broken" if broken else "all holds" if found.complete else "nothing found so far"
    if not found.asked:
        what = "nothing was asked"
    said = ", as the scenario says" if broken and item.as_said else ""
    if item.missed and found.complete:
        said = f", but {', '.join(item.missed)} was to be broken"
    return f"{what} with {item.budget}{said}: {how}"


def suite_of(item: Exploration) -> Suite:
    cases = [_case(item, asked) for asked in item.explored.asked]
    for name in item.missed if item.explored.complete else ():
        text = f"explore says that {name} is broken, and it holds"
        cases.append(Case(f"breaks {name}", FAILED, 0, Diagnostic(ERROR, "explored", text, Place(item.file, 0, 0)), text))
    if not item.explored.complete:
        cases.append(Case("complete", SKIPPED, 0, None, f"not all states are known: {item.explored.why}"))
    return Suite(item.name, item.file, tuple(cases), sum_of(item))


def _case(item: Exploration, asked: PropertyVerdict) -> Case:
    if asked.verdict == UNDECIDED:
        return Case(asked.sentence, SKIPPED, asked.line, None, "not all states are known")
    if asked.verdict == VACUOUS:
        return Case(asked.sentence, NOTED, asked.line, None, "vacuous: no state has asked it")
    if asked.verdict != BROKEN:
        return Case(asked.sentence, PASSED, asked.line)
    text = told(asked)
    problem = Diagnostic(ERROR, "explored", text, Place(item.file, asked.line, 0), why="; ".join(course_of(asked)))
    if asked.name in item.breaks:
        return Case(asked.sentence, NOTED, asked.line, problem, f"as the scenario says: {text}")
    return Case(asked.sentence, FAILED, asked.line, problem, text)


def told(asked: PropertyVerdict) -> str:
    """A counterexample in a sentence: what is broken, by which failures."""
    example = asked.example
    if example is None:
        return f"it does not hold: {asked.sentence}"
    broken = example.broken
    causes = [*example.failures, broken.how]
    what = HOW.get(asked.name, f"breaks {asked.name}")
    return f"{broken.message or 'it'} {what}: {'; '.join(causes)}"


def moments_told(asked: PropertyVerdict) -> str:
    """At how many other moments the failure of the counterexample does no harm; "": there is none, or nobody knows."""
    if asked.moments is None:
        return ""
    harmless, others = asked.moments[0], asked.moments[1] - 1
    if others < 1:
        return "There is no other moment at which this failure may happen."
    return f"The same failure is harmless at {harmless:,} of {so_many(others, 'other moments')}."


def races_told(asked: PropertyVerdict) -> str:
    """How the counterexample can be met again, where it needs an outcome that RabbitMQ leaves open; "": it needs none."""
    if asked.example is None or not asked.example.races:
        return ""
    return "No scenario can force what RabbitMQ leaves open: `run` takes the usual outcome, a broker any, sometimes this one."


def covered(found: Explored) -> str:
    """How much was looked at, in words."""
    counts = f"{so_many(found.tried, 'moves')}, {so_many(found.ends, 'ends')}"
    if found.complete:
        return f"{counts}, depth {found.whole_depth}"
    if not found.by_depth:  # random walks
        return counts
    left = f", {so_many(found.frontier, found.counted)} still to be looked at" if found.frontier else ""
    what = so_many(found.whole_depth, "moves" if found.counted == "states" else "failures")
    return f"{counts}; all that takes at most {what} is known{left}"


def course_of(asked: PropertyVerdict) -> list[str]:
    """Each thing that happens in the counterexample, with its time, failures marked."""
    example = asked.example
    if example is None:
        return []
    return [
        f"{duration_text(at_ms)} {'FAILURE ' if move.failure else ''}{words}"
        for at_ms, move, words in zip(example.times, example.moves, example.words, strict=True)
    ]


def _object(item: Exploration) -> dict[str, Any]:
    found = item.explored
    return {
        "file": item.file, "scenario": item.name, "ok": item.as_said and found.complete, "verdict": sum_of(item),
        "complete": found.complete, "stopped_by": found.why or None, "states": found.states, "moves": found.tried,
        "ends": found.ends, "races": found.races, "depth": found.whole_depth, "frontier": found.frontier,
        "hash_bits": item.hash_bits,
        "failures": item.budget, "properties": [_asked(asked, item) for asked in found.asked],
        "not_explored": list(item.left_out),
    }  # fmt: skip


def _asked(asked: PropertyVerdict, item: Exploration) -> dict[str, Any]:
    example = asked.example
    counterexample = None
    if example is not None:
        counterexample = {
            "told": told(asked), "message": example.broken.message or None, "how": example.broken.how,
            "failures": example.failures, "races": list(example.races),
            "course": [
                {"at_ms": at_ms, "what": words, "failure": move.failure or None}
                for at_ms, move, words in zip(example.times, example.moves, example.words, strict=True)
            ],
        }  # fmt: skip
    moments = None if asked.moments is None else {"harmless": asked.moments[0], "all": asked.moments[1]}
    return {
        "name": asked.name, "property": asked.sentence, "line": asked.line, "verdict": asked.verdict,
        "expected": asked.name in item.breaks, "counterexample": counterexample, "moments": moments,
        "cures": [cure._asdict() for cure in asked.cures],
    }  # fmt: skip
