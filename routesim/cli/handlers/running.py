"""What `routesim run` does once its command line is understood."""

import os
from collections.abc import Callable
from itertools import chain
from typing import IO, TYPE_CHECKING, NamedTuple

from routesim.broker import Broker
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.shared.output import CannotWrite, look, opened, read_stdin, stderr, wants_colour
from routesim.cli.shared.progress import Progress
from routesim.diagnostics import Diagnostic, Invalid, did_you_mean
from routesim.durations import parse_duration
from routesim.report.formats import diagnostics
from routesim.report.formats.run_formats import APART, FORMATS, KEEPS_ALL, frame
from routesim.report.style import OutputStyle
from routesim.run import Listener, Runner
from routesim.scenario import Scenario, load
from routesim.text import encoding_of, fitted

if TYPE_CHECKING:
    from routesim.run.expecting.coverage import Covered

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


class Ran(NamedTuple):
    """What is left of a run when its report has been written. `covered`: only where coverage was asked for."""

    status: int
    covered: "tuple[Covered, ...]" = ()


def until_of(text: str | None) -> str | int | None:
    """`idle`, `steps` or a duration in ms. Raises `UsageError`."""
    if text is None or text in ("idle", "steps"):
        return text
    ms = parse_duration(text)
    if ms is None:
        raise UsageError(f"--until takes idle, steps or a duration such as 30s, not '{text}'")
    return ms


def run_files(files: list[str], options: RunOptions) -> int:
    """Runs the scenarios in order; the exit status of the worst. All are loaded before the first one runs."""
    check(files, options)
    scenarios = load_all(files, options.format)
    if scenarios is None:
        return UNUSABLE
    ran = []
    try:
        with opened(options.output) as out:
            before, after = frame(format_for(options, out), len(files))
            out.write(before)
            for index, scenario in enumerate(scenarios):
                if index and separates(options):
                    out.write("\n")
                ran.append(_run(scenario, options, out))
            out.write(after)
            status = summed(ran, options, out)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    return status


def summed(ran: list[Ran], options: RunOptions, out: IO[str]) -> int:
    """Ends the report of all runs; the status of the worst."""
    status = max((item.status for item in ran), default=OK)
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


def check(files: list[str], options: RunOptions) -> None:
    """Raises `UsageError` when the command line asks for what there is not, or would overwrite a scenario."""
    if options.format is not None and options.format not in FORMATS:
        hint = did_you_mean(options.format, FORMATS)
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not '{options.format}'" + (f"; {hint}" if hint else ""))
    if options.plot and options.format not in (None, *PLOTTED):
        raise UsageError(f"--plot goes with --format {' or '.join(PLOTTED)}; {options.format} is for programs")
    if files.count("-") > 1:
        raise UsageError("- stands for stdin and can be given once")
    for path in files if options.output else ():
        if path != "-" and same_file(path, options.output):
            raise UsageError(f"--output would overwrite the scenario {path}")


def separates(options: RunOptions) -> bool:
    """Whether an empty line stands between two reports."""
    return (options.format or "plain") in APART and not options.quiet


def same_file(left: str, right: str | None) -> bool:
    try:
        return right is not None and os.path.samefile(left, right)
    except OSError:
        return False


def load_all(files: list[str], format: str | None = None) -> list[Scenario] | None:
    """The scenarios, with their warnings told; None when one cannot be used, with everything that is wrong told."""
    usable = []
    for path in files:
        scenario, problems = loaded(path, read_stdin() if path == "-" else None)
        tell_problems(problems, format)
        if scenario is not None:
            usable.append(scenario)
    return usable if len(usable) == len(files) else None


def loaded(path: str, stdin: bytes | None) -> tuple[Scenario | None, list[Diagnostic]]:
    """The scenario (None: it cannot be used) and all that is to be said about it."""
    try:
        scenario = load(path, stdin)
        return scenario, list(scenario.warnings)
    except Invalid as invalid:
        return None, invalid.diagnostics


def tell_problems(problems: list[Diagnostic], format: str | None = None) -> None:
    if problems and format == "github":
        from routesim.report.formats.github import of_diagnostics

        with opened(None) as out:
            out.write(fitted("\n".join([*of_diagnostics(problems), ""]), encoding_of(out)))
    elif problems:
        with stderr() as stream:
            diagnostics.write(stream, problems, colour=wants_colour(stream))


def format_for(options: RunOptions, out: IO[str]) -> str:
    return options.format or ("table" if out.isatty() else "plain")


class _Plot:
    """Hears what a report hears, and draws the queues below it."""

    def __init__(self, listener: Listener | None) -> None:
        from routesim.run.folds.fold import fan_out
        from routesim.run.folds.situation import Depths

        self.depths = Depths()
        self.listen = fan_out(listener, [self.depths])

    def write(self, out: IO[str], end_ms: int, looks: OutputStyle) -> None:
        from routesim.report.answers.monitor import PLAIN_COLUMNS, depth_fields, write_plot

        self.depths.advance(end_ms)
        fields, left_out = depth_fields(self.depths.of)
        out.write("\n")
        write_plot(out, fields, left_out, end_ms, columns=looks.columns or PLAIN_COLUMNS, colour=looks.colour)


def _run(scenario: Scenario, options: RunOptions, out: IO[str]) -> Ran:
    format = format_for(options, out)
    progress = Progress(scenario.name, quiet=options.quiet)
    return run_one(scenario, options, format, look(out, format, quiet=options.quiet), out, progress.tick, progress.clear)


def run_one(
    scenario: Scenario, options: RunOptions, format: str, looks: OutputStyle, out: IO[str], tick: Callable[[Broker], None],
    clear: Callable[[], None] = lambda: None,
) -> Ran:  # fmt: skip
    """Run it, with its report on `out`; `tick` is called now and then, `clear` when the run is over."""
    report = FORMATS[format](out, scenario, looks)
    plot = _Plot(report.listen) if options.plot else None
    runner = Runner(
        scenario, plot.listen if plot else report.listen, seed=options.seed, until=options.until, max_events=options.max_events,
        keep=format in KEEPS_ALL and not (options.quiet and format != "json"), tick=tick,
    )  # fmt: skip
    result = runner.run()
    clear()
    report.finish(result)
    if plot is not None:
        plot.write(out, result.clock_ms, looks)
    found: tuple[Covered, ...] = ()
    if options.coverage:
        from routesim.run.expecting.coverage import covered

        found = covered(result)
    if result.ok:
        return Ran(OK, found)
    no_verdict = result.kept_going and result.ended == "budget" and not result.ending_expected
    return Ran(NO_VERDICT if no_verdict else NO, found)
