"""A sweep over seeds: as tables for a person, or as one object of JSON."""

from collections.abc import Iterable
from typing import IO, Any

from routesim.broker.ledger import COPIES_IN, COPIES_OUT, PUBLISHES
from routesim.durations import duration_text
from routesim.named_tuples import NamedTuple
from routesim.report.formats.json import envelope
from routesim.report.formats.plain import section_lines
from routesim.report.style import OutputStyle
from routesim.run.sweeps.histogram import Histogram
from routesim.run.sweeps.sweep import Sweep, Tally
from routesim.run.verdicts import FAILED, HELD, OK, RAN
from routesim.scenario import Scenario
from routesim.scenario.format.expected import ENDLESS
from routesim.tables import BAD, GOOD, NOTICE, PLAIN, QUIET, Cell, Section, mark
from routesim.text import encoding_of, fitted, visible

SHARES = {"median": 0.5, "p90": 0.9, "p99": 0.99}
COUNTS = ("published", *PUBLISHES, *COPIES_IN, *COPIES_OUT, "delivered", "redelivered", "lost")


class SeedsReport(NamedTuple):
    """`seeds` as they were asked for, and how many they are, which may be more than were run."""

    scenario: Scenario
    sweep: Sweep
    seeds: str
    seed_count: int


def write(out: IO[str], report: SeedsReport, style: OutputStyle) -> None:
    """As tables: by rich within the style's columns, or plain where those are None."""
    found, columns, quiet = report.sweep, style.columns, style.quiet
    parts = failures(found) if quiet else sections(found)
    sentences = [*([] if quiet else notes(found, report.seed_count)), verdict(report)]
    encoding = encoding_of(out)
    if columns is None or quiet:
        for part in parts:
            lines = section_lines(part, colour=style.colour and not quiet)
            out.write("".join(fitted(line, encoding) + "\n" for line in lines) + ("" if quiet else "\n"))
        out.write("".join(fitted(cell.text, encoding) + "\n" for cell in sentences))
        return
    from rich.text import Text

    from routesim.report.rich_tables import STYLES, console, drawn

    screen = console(out, colour=style.colour, columns=columns)
    for part in parts:
        screen.print(drawn(part, encoding, columns))
        screen.print()
    for cell in sentences:
        screen.print(Text(fitted(cell.text, encoding), style=STYLES[cell.tone]), overflow="fold")


def sections(found: Sweep) -> list[Section]:
    parts = [_ended(found), _expectations(found), _errors(found), _waits(found), _deliveries(found), _counts(found)]
    return [part for part in parts if part.rows]


def failures(found: Sweep) -> list[Section]:
    """Only what made runs fail."""
    expectations, errors = _expectations(found), _errors(found)
    failed = [row for row, tally in zip(expectations.rows, found.expectations.values(), strict=True) if tally.times]
    wrong = [row for row, kind in zip(errors.rows, found.errors, strict=False) if not kind[2]]
    return [part for part in (expectations._replace(rows=failed), errors._replace(rows=wrong)) if part.rows]


def share(part: int, whole: int) -> str:
    """In per cent, never rounded up to all of it nor down to nothing."""
    if 0 < part < whole:
        tenths = part * 1000 // whole
        return f"{tenths / 10:.1f} %" if tenths else "< 0.1 %"
    return "100 %" if part else "0 %"


def _seeds(tally: Tally) -> str:
    more = " …" if tally.times > len(tally.seeds) else ""
    return ", ".join(str(seed) for seed in tally.seeds) + more


def _ended(found: Sweep) -> Section:
    rows = [
        (
            Cell(name, BAD if name in ENDLESS else PLAIN), Cell(f"{tally.times:,}"),
            Cell(share(tally.times, found.runs), QUIET), Cell("" if tally.times == found.runs else _seeds(tally), QUIET),
        )
        for name, tally in found.ended.items()
    ]  # fmt: skip
    return Section("How the runs ended", ("ended", "runs", "share", "first seeds"), rows, frozenset({"runs", "share"}))


def _expectations(found: Sweep) -> Section:
    rows = []
    for (line, text, _), tally in found.expectations.items():
        held, failed = tally.runs - tally.times, tally.times
        unseen = found.runs - tally.runs
        where = [f"not with seeds {_seeds(tally)}" if failed > 1 else f"not with seed {_seeds(tally)}"] if failed else []
        where += [f"not come to in {unseen:,} runs"] if unseen else []
        rows.append((
            mark(not failed), Cell(visible(text)), Cell(f"{held:,}"), Cell(share(held, tally.runs), BAD if failed else GOOD),
            Cell("; ".join(where), BAD if failed else QUIET), Cell(f"line {line}", QUIET),
        ))  # fmt: skip
    return Section("Expectations", ("", "expected", "held", "share", "", ""), rows, frozenset({"held", "share"}))


def _errors(found: Sweep) -> Section:
    rows = [
        (
            Cell(visible(text), PLAIN if expected else BAD),
            Cell("as expected" if expected else "not expected", QUIET if expected else BAD),
            Cell(f"{tally.times:,}"), Cell(_seeds(tally), QUIET),
        )
        for (_, text, expected), tally in found.errors.items()
    ]  # fmt: skip
    if found.more_errors:
        rows.append((Cell("… of other kinds"), Cell(""), Cell(f"{found.more_errors:,}"), Cell("")))
    return Section("Errors", ("error", "", "runs", "first seeds"), rows, frozenset({"runs"}))


def _waits(found: Sweep) -> Section:
    rows = []
    for queue in found.copies:
        waits, never = found.waits.get(queue), found.never_delivered(queue)
        spread = _spread(waits, ("min", *SHARES, "max")) if waits else ["", "", "", "", ""]
        rows.append((
            Cell(visible(queue)), Cell(f"{waits.total if waits else 0:,}"), *(Cell(text) for text in spread),
            Cell(f"{never:,}", NOTICE if never else QUIET),
        ))  # fmt: skip
    numbers = ("delivered", "min", *SHARES, "max", "never")
    title = "Waits in ms of virtual time, from entering a queue to the first delivery"
    return Section(title, ("queue", *numbers), rows, frozenset(numbers))


def _deliveries(found: Sweep) -> Section:
    rows = [
        (Cell(visible(consumer)), *(Cell(text) for text in _spread(histogram, ("min", "median", "max"))))
        for consumer, histogram in found.deliveries.items()
    ]
    return Section("Deliveries a run", ("consumer", "min", "median", "max"), rows, frozenset({"min", "median", "max"}))


def _counts(found: Sweep) -> Section:
    rows = []
    for name in _counted(found):
        histogram = found.counts[name]
        if histogram.least != histogram.greatest:
            tone = BAD if name in ("lost", "task_lost") else PLAIN
            label = "virtual ms" if name == "clock_ms" else name.replace("_", " ")
            rows.append((Cell(label, tone), *(Cell(text) for text in _spread(histogram, ("min", "median", "max")))))
    numbers = ("min", "median", "max")
    return Section("Counts that vary from run to run", ("count", *numbers), rows, frozenset(numbers))


def _counted(found: Sweep) -> tuple[str, ...]:
    """The counts of a run, those of tasks only where there are worker processes."""
    return (*COUNTS, *(["task_lost"] if "task_lost" in found.counts else []), "clock_ms")


def _spread(histogram: Histogram, names: Iterable[str]) -> list[str]:
    return [f"{value:,}" for value in _figures(histogram, names).values()]


def _figures(histogram: Histogram, names: Iterable[str]) -> dict[str, int]:
    ends = {"min": histogram.least, "max": histogram.greatest}
    return {name: ends[name] if name in ends else histogram.at(SHARES[name]) for name in names}


def notes(found: Sweep, count: int) -> list[Cell]:
    """What is to be known about the figures."""
    found_notes = []
    coarse = [(queue, histogram.step) for queue, histogram in found.waits.items() if histogram.step > 1]
    for queue, step in coarse:
        found_notes.append(
            Cell(f"The waits of {visible(queue)} are known to {duration_text(step)}: there are too many different ones.", QUIET)
        )
    lost = found.counts.get("task_lost")
    if lost is not None and lost.greatest:
        most = f"{lost.least:,} to {lost.greatest:,}" if lost.least != lost.greatest else f"{lost.least:,}"
        found_notes.append(Cell(f"Tasks lost with their worker, acknowledged and not done: {most} a run.", BAD))
    if not found.drawn:
        once = f"; run once, it stands for all {count:,}" if count > 1 else ""
        found_notes.append(Cell(f"The seeds changed nothing: this scenario draws nothing from its seed{once}.", NOTICE))
    elif found.runs > 1 and not found.varies():
        found_notes.append(Cell("The seeds changed nothing that is counted here, though something is drawn from them.", NOTICE))
    return found_notes


def verdict(report: SeedsReport) -> Cell:
    scenario, found, seeds = report.scenario, report.sweep, report.seeds
    runs = f"{found.runs:,} run{'' if found.runs == 1 else 's'} (seed{'' if seeds.isdigit() else 's'} {seeds})"
    failed = found.failed.times
    if failed:
        with_seeds = f"with seed {_seeds(found.failed)}" if failed == 1 else f"first with seeds {_seeds(found.failed)}"
        first = f"{failed:,} of {runs} failed, {with_seeds}"
    else:
        first = f"all expectations held in {runs}" if found.expectations else f"nothing failed in {runs}"
    if found.losing.times:
        tail = "which nothing expected" if found.expectations else "nothing expected"
        first += f"; in {found.losing.times:,} something was LOST, {tail} (seeds {_seeds(found.losing)})"
    clock = found.counts["clock_ms"]
    spread = dict.fromkeys((duration_text(clock.least), duration_text(clock.greatest)))
    parts = [first, f"{' to '.join(spread)} of virtual time each, rules of {scenario.whose_rules}"]
    word = verdict_word(found)
    return Cell(f"{word}  {visible(scenario.name)}: {'; '.join(parts)}", {OK: GOOD, FAILED: BAD}.get(word, NOTICE))


def verdict_word(found: Sweep) -> str:
    """As of one run: the worst of all."""
    if found.failed.times:
        return FAILED
    return OK if not found.losing.times else HELD if found.expectations else RAN


def write_json(out: IO[str], report: SeedsReport, style: OutputStyle) -> None:
    out.write(envelope(sweep_object(report)) + "\n")


def sweep_object(report: SeedsReport) -> dict[str, Any]:
    """Everything, for programs. `step`: 1 where waits are exact, else to how many ms they are known."""
    scenario, found = report.scenario, report.sweep
    return {
        "file": scenario.file,
        "scenario": scenario.name,
        "rabbitmq": scenario.rabbitmq,
        "seeds": report.seeds,
        "seed_count": report.seed_count,
        "runs": found.runs,
        "drawn": found.drawn,
        "varies": found.varies(),
        "ok": found.ok,
        "verdict": verdict_word(found),
        "failed": _tally(found.failed),
        "unexpected_losses": _tally(found.losing),
        "ended": {name: _tally(tally) for name, tally in found.ended.items()},
        "expectations": [
            {
                "line": line,
                "text": text,
                "checked": tally.runs,
                "held": tally.runs - tally.times,
                "share": round((tally.runs - tally.times) / tally.runs, 6),
                "first_failing_seeds": tally.seeds,
            }
            for (line, text, _), tally in found.expectations.items()
        ],
        "errors": [
            {"code": code, "text": text, "expected": expected, **_tally(tally)}
            for (code, text, expected), tally in found.errors.items()
        ],
        "more_errors": found.more_errors,
        "waits_ms": {
            queue: {
                "deliveries": found.waits[queue].total if queue in found.waits else 0,
                "never_delivered": found.never_delivered(queue),
                **(
                    {**_figures(found.waits[queue], ("min", *SHARES, "max")), "step": found.waits[queue].step}
                    if queue in found.waits
                    else {}
                ),
            }
            for queue in found.copies
        },
        "deliveries": {name: _figures(item, ("min", "median", "max")) for name, item in found.deliveries.items()},
        "counts": {name: _figures(found.counts[name], ("min", "median", "max")) for name in _counted(found)},
    }


def _tally(tally: Tally) -> dict[str, object]:
    return {"runs": tally.times, "first_seeds": tally.seeds}
