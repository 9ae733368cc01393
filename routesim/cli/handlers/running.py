"""What `routesim run` does once its command line is understood."""

import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import IO, TYPE_CHECKING

from routesim.broker import Broker
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, FilesRefused, UsageError
from routesim.cli.shared.options import choice, stdin_once, unit_checked
from routesim.cli.shared.output import (
    CannotWrite,
    format_for,
    is_terminal,
    keep_apart,
    opened,
    read_stdin,
    stderr,
    stderr_line,
    style_of,
    wants_colour,
)
from routesim.cli.shared.progress import Progress
from routesim.cli.shared.refusing import Loaded, loaded, refuse_runs, rules_of, write_problems
from routesim.named_tuples import NamedTuple
from routesim.report.formats import RUN, formats_of, run_report
from routesim.report.style import OutputStyle
from routesim.run import Listener, Runner, verdicts
from routesim.run.verdicts import verdict_of
from routesim.scenario import Scenario
from routesim.tables import BAD, GOOD, NOTICE, Cell
from routesim.text import encoding_of, fitted, visible

if TYPE_CHECKING:
    from routesim.report.trace.filtering import RowFilter
    from routesim.run.expecting.coverage import Covered

MOST_NAMED = 10  # files in the line that sums up many
TRACED = ("table", "plain", "ndjson")  # formats with rows that can be chosen
PLOTTED = ("table", "plain")  # formats with a plot where one is asked for


class RunOptions(NamedTuple):
    format: str | None
    output: str | None
    quiet: bool
    until: str | int | None
    seed: int | None
    max_events: int
    coverage: bool = False
    fail_under: float | None = None
    plot: bool = False
    fail_on_loss: bool = False
    rabbitmq: str | None = None
    vhost: str | None = None
    rows: "RowFilter | None" = None


ENDED = "ENDED"  # the word for a run whose process has died


class Ran(NamedTuple):
    """What is left of a run when its report has been written. `covered`: only where coverage was asked for. `word`: the verdict,
    or what became of it instead."""

    status: int
    covered: "tuple[Covered, ...]" = ()
    word: str = ENDED
    file: str = ""


def until_of(text: str | None) -> str | int | None:
    """`idle`, `steps` or a duration in ms. Raises `UsageError`."""
    if text is None or text in ("idle", "steps"):
        return text
    ms = unit_checked("--until", text)
    if ms is None:
        raise UsageError(f"--until takes idle, steps or a duration such as 30s, not '{text}'")
    return ms


def run_files(files: list[str], options: RunOptions) -> int:
    """Runs the scenarios in order; the exit status of the worst. All are loaded before the first one runs."""
    check(files, options)
    ran = []
    try:
        try:
            scenarios = load_all(files, options)
        except FilesRefused as problem:
            return refuse_runs(problem, options.format, options.output)
        with opened(options.output) as out:
            before, after = run_report(format_for(options.format, out)).frame(len(files))
            out.write(before)
            for index, scenario in enumerate(scenarios):
                if index and separates(options):
                    out.write("\n")
                ran.append(_run(scenario, options, out))
            out.write(after)
            status = summed(ran, options, out)
        tell_written(ran, options)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    return status


def tell_written(ran: list[Ran], options: RunOptions) -> None:
    """Where the report is, and the verdict, for whoever sits at the terminal and sees neither in a file."""
    if options.output is None or options.quiet or not is_terminal(sys.stderr):
        return
    words = [f"{sum(item.word == word for item in ran)} {word}" for word in (*verdicts.VERDICTS, ENDED)]
    found = [text for text in words if not text.startswith("0 ")]
    stderr_line(f"wrote {options.output}: {found[0][2:] if len(ran) == 1 else ', '.join(found)}")


def summed(ran: list[Ran], options: RunOptions, out: IO[str]) -> int:
    """Ends the report of all runs; the status of the worst."""
    status = max((item.status for item in ran), default=OK)
    if len(ran) > 1 and run_report(format_for(options.format, out)).sums_up:
        write_sum(out, [(item.word, item.file) for item in ran], quiet=options.quiet)
    if not options.coverage:
        return status
    from routesim.report.summary.coverage import write_coverage
    from routesim.run.expecting.coverage import together

    found = together(chain.from_iterable(item.covered for item in ran))
    if options.format in (None, "table", "plain"):
        out.write("" if options.quiet else "\n")
        enough = write_coverage(out, found, options.fail_under)
    else:  # what a program reads stays as it is
        out.flush()
        with stderr() as stream:
            enough = write_coverage(stream, found, options.fail_under)
    return status if enough else max(status, NO)


def write_sum(out: IO[str], words: list[tuple[str, str]], *, quiet: bool) -> None:
    """One line for many runs: `78 scenarios: 77 OK, 1 FAILED (failing.yaml)`. `words`: the verdict of each, and its file."""
    from routesim.report.formats.plain import painted

    parts, tones = [], {verdicts.OK: GOOD, verdicts.RAN: NOTICE, verdicts.HELD: NOTICE}
    for word in (*verdicts.VERDICTS, ENDED):
        files = [file for each, file in words if each == word]
        names = "" if word == verdicts.OK else f" ({', '.join(files[:MOST_NAMED])}{', …' if len(files) > MOST_NAMED else ''})"
        parts += [f"{len(files)} {word}{names}"] if files else []
    text = visible(f"{len(words)} scenarios: {', '.join(parts)}")
    tone = next(
        (tones.get(word, BAD) for word in reversed((*verdicts.VERDICTS, ENDED)) if any(each == word for each, _ in words)), GOOD
    )
    out.write("" if quiet else "\n")
    out.write(painted(Cell(fitted(text, encoding_of(out)), tone), wants_colour(out) and not quiet) + "\n")


def check(files: list[str], options: RunOptions) -> None:
    """Raises `UsageError` when the command line asks for what there is not, or would overwrite a scenario."""
    choice("--format", options.format, formats_of(RUN))
    if options.plot and options.format not in (None, *PLOTTED):
        raise UsageError(f"--plot goes with --format {' or '.join(PLOTTED)}; {options.format} is for programs")
    if options.rows is not None and options.format not in (None, *TRACED):
        raise UsageError(
            f"{options.rows.described()} goes with --format {', '.join(TRACED)}: {options.format} shows no rows, or all"
        )
    if options.rabbitmq is not None:
        rules_of(options.rabbitmq)
    stdin_once(files)
    keep_apart(files, options.output)


def separates(options: RunOptions) -> bool:
    """Whether an empty line stands between two reports."""
    return run_report(options.format or "plain").blank_between and not options.quiet


def load_all(files: list[str], options: RunOptions) -> list[Scenario]:
    """The scenarios, with their warnings written. Raises `FilesRefused` when one of them cannot be used."""
    return usable((read(path, read_stdin() if path == "-" else None, options) for path in files), options)


def read(path: str, stdin: bytes | None, options: RunOptions) -> Loaded:
    """One of the files, as the command line wants it to be read."""
    return loaded(path, stdin, rabbitmq=options.rabbitmq, vhost=options.vhost)


def usable(files: Iterable[Loaded], options: RunOptions) -> list[Scenario]:
    """As `load_all`, of what has been loaded."""
    annotated = options.format == "github" and options.output is None  # then annotations say it, and they are seen
    scenarios: list[Scenario] = []
    refused = []
    for file, scenario, problems in files:
        if scenario is None:
            refused.append((file, problems))
        else:
            scenarios.append(scenario)
        if not annotated:
            write_problems(problems)
        elif scenario is not None and problems:
            from routesim.report.formats.github import GitHub
            from routesim.report.results.findings import Findings, found_in

            with opened(None) as out:
                GitHub.write(out, Findings([found_in(file, problems, "error")]), style_of(out, "github"))
    if refused:
        raise FilesRefused(refused)
    return scenarios


class _Plot:
    """Hears what a report hears, and draws the queues below it."""

    def __init__(self, listener: Listener | None) -> None:
        from routesim.run.folds.depths import Depths
        from routesim.run.folds.fold import fan_out

        self.depths = Depths()
        self.listen = fan_out(listener, [self.depths])

    def write(self, out: IO[str], end_ms: int, style: OutputStyle) -> None:
        from routesim.report.answers.monitor import PLAIN_COLUMNS, depth_fields, write_plot

        self.depths.advance(end_ms)
        fields, left_out = depth_fields(self.depths.of)
        out.write("\n")
        write_plot(out, fields, left_out, end_ms, columns=style.columns or PLAIN_COLUMNS, colour=style.colour)


def _run(scenario: Scenario, options: RunOptions, out: IO[str]) -> Ran:
    format = format_for(options.format, out)
    progress = Progress(scenario.name, quiet=options.quiet)
    style = style_of(out, format, quiet=options.quiet)._replace(rows=options.rows)
    return run_one(scenario, options, format, style, out, progress.tick, progress.clear)


def run_one(
    scenario: Scenario, options: RunOptions, format: str, style: OutputStyle, out: IO[str], tick: Callable[[Broker], None],
    clear: Callable[[], None] = lambda: None,
) -> Ran:  # fmt: skip
    """Run it, with its report on `out`; `tick` is called now and then, `clear` when the run is over."""
    report = run_report(format)(out, scenario, style)
    plot = _Plot(report.listen) if options.plot else None
    # The last line of a run with workers and without expectations tells of tasks that nobody takes.
    asked = not options.quiet or format == "json" or bool(scenario.workers and not scenario.expect)
    runner = Runner(
        scenario, plot.listen if plot else report.listen, seed=options.seed, until=options.until, max_events=options.max_events,
        keep=report.needs_records and asked, tick=tick,
    )  # fmt: skip
    result = runner.run()
    clear()
    report.finish(result)
    if plot is not None:
        plot.write(out, result.clock_ms, style)
    found: tuple[Covered, ...] = ()
    if options.coverage:
        from routesim.run.expecting.coverage import covered

        found = covered(result)
    word = verdict_of(result)
    if result.ok:
        return Ran(NO if options.fail_on_loss and result.counts()["lost"] else OK, found, word, scenario.file)
    no_verdict = result.kept_going and result.ended == "budget" and not result.ending_expected
    return Ran(NO_VERDICT if no_verdict else NO, found, word, scenario.file)
