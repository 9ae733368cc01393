"""What `routesim run` does once its command line is understood."""

import os
from typing import IO, NamedTuple

from routesim.cli.exits import NO, NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.output import CannotWrite, look, opened, read_stdin, told, wants_colour
from routesim.cli.progress import Progress
from routesim.diagnostics import Diagnostic, Invalid, did_you_mean
from routesim.report import diagnostics
from routesim.report.formats import FORMATS, KEEPS_ALL
from routesim.run import Runner
from routesim.scenario import Scenario, load
from routesim.scenario.kinds import duration_ms


class Options(NamedTuple):
    format: str | None
    output: str | None
    quiet: bool
    until: str | int | None
    seed: int | None
    max_events: int


def until_of(text: str | None) -> str | int | None:
    """`idle`, `steps` or a duration in ms. Raises `UsageError`."""
    if text is None or text in ("idle", "steps"):
        return text
    ms = duration_ms(text)
    if ms is None:
        raise UsageError(f"--until takes idle, steps or a duration such as 30s, not '{text}'")
    return ms


def run_files(files: list[str], options: Options) -> int:
    """Runs the scenarios in order; the exit status of the worst. All are loaded before the first one runs."""
    if options.format is not None and options.format not in FORMATS:
        hint = did_you_mean(options.format, FORMATS)
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not '{options.format}'" + (f"; {hint}" if hint else ""))
    if files.count("-") > 1:
        raise UsageError("- stands for stdin and can be given once")
    for path in files if options.output else ():
        if path != "-" and _same_file(path, options.output):
            raise UsageError(f"--output would overwrite the scenario {path}")
    scenarios = [_load(path) for path in files]
    if not all(scenarios):
        return UNUSABLE
    status = OK
    try:
        with opened(options.output) as out:
            for index, scenario in enumerate(scenarios):
                assert scenario is not None
                if index and options.format not in ("json", "ndjson") and not options.quiet:
                    out.write("\n")
                status = max(status, _run(scenario, options, out))
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    return status


def _same_file(left: str, right: str | None) -> bool:
    try:
        return right is not None and os.path.samefile(left, right)
    except OSError:
        return False


def _load(path: str) -> Scenario | None:
    """The scenario, with its warnings told; None when it cannot be used, with everything that is wrong told."""
    problems: list[Diagnostic]
    scenario = None
    try:
        stdin = read_stdin() if path == "-" else None
        scenario = load(path, stdin)
        problems = list(scenario.warnings)
    except Invalid as invalid:
        problems = invalid.diagnostics
    if problems:
        with told() as stream:
            diagnostics.write(stream, problems, colour=wants_colour(stream))
    return scenario


def _run(scenario: Scenario, options: Options, out: IO[str]) -> int:
    format = options.format or ("table" if out.isatty() else "plain")
    report = FORMATS[format](out, scenario, look(out, format, quiet=options.quiet))
    progress = Progress(scenario.name, quiet=options.quiet)
    runner = Runner(
        scenario, report.listen, seed=options.seed, until=options.until, max_events=options.max_events,
        keep=format in KEEPS_ALL and not (options.quiet and format != "json"), tick=progress.tick,
    )  # fmt: skip
    result = runner.run()
    progress.clear()
    report.finish(result)
    if result.ok:
        return OK
    return NO_VERDICT if result.kept_going and result.ended == "budget" and not result.ending_expected else NO
