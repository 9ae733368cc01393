"""What `routesim explore` does once its command line is understood."""

import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from routesim.cli.explorers.crew import CrewLost, ExploringCrew, exploring_crew, memory_mb
from routesim.cli.shared.cluster import ClusterLost, cluster
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.shared.files import found as found_files
from routesim.cli.shared.options import choice, format_of, stdin_once
from routesim.cli.shared.output import CannotWrite, format_for, keep_apart, opened, read_stdin, same_file, stderr_line, style_of
from routesim.cli.shared.processes import count_of
from routesim.cli.shared.progress import Progress
from routesim.cli.shared.refusing import FOR_PEOPLE, Loaded, loaded, rules_of, write_problems
from routesim.diagnostics import ERROR, WARNING, Diagnostic, Place
from routesim.explore import Bounds, Exploration, NotExplored, PropertyVerdict, bounds_of, explored
from routesim.explore.bounds import with_most_ready
from routesim.explore.exploring import Helpers
from routesim.explore.properties import PROPERTIES
from routesim.explore.search import HowFar
from routesim.failure_kinds import EXPLORED, FAILURES
from routesim.named_tuples import NamedTuple
from routesim.report.formats import EXPLORE, formats_of, writer_of
from routesim.report.results import Suite
from routesim.report.results.explored import Explorations
from routesim.report.results.findings import refused
from routesim.run.sweeps.portions import SharedOut
from routesim.scenario import Scenario
from routesim.scenario.format.explore_format import EXPECT_MODES, TIMINGS
from routesim.scenario.yaml.source import read_source

MOST_FAILURES = 9
MAX_SECONDS = 60.0
INTERRUPTED = "interrupted"
FAILURES_FORM = f"--failures takes a number from 0 to {MOST_FAILURES}, or KIND=N,... such as crash=1,restart=1"


class ExploreOptions(NamedTuple):
    """The command line of `routesim explore`."""

    files: list[str]
    failures: str | None = None
    properties: tuple[str, ...] = ()
    at_most_once: bool = False
    most_ready: int | None = None
    expect: str | None = None
    timing: str | None = None
    races: bool = False
    retry: bool = False
    cures: bool = True
    max_states: int | None = None
    max_seconds: float | None = None
    max_memory: int | None = None
    walks: int | None = None
    seed: int = 0
    cluster: str | None = None
    jobs: int = 1
    write: str | None = None
    force: bool = False
    rabbitmq: str | None = None
    format: str | None = None
    output: str | None = None


def explore_all(options: ExploreOptions) -> int:
    """Explores every file; status 1 where something does not hold, 2 where a file cannot be used, 3 where not all was tried."""
    options = options._replace(files=found_files(options.files))
    options = options._replace(format=format_of(options.format, options.output, formats_of(EXPLORE)))
    _understood(options)
    stdin = read_stdin() if "-" in options.files else None
    files = [loaded(path, stdin if path == "-" else None, rabbitmq=options.rabbitmq) for path in options.files]
    for item in files:
        write_problems(item.problems)
    if all(item.scenario is None for item in files) and (options.format or "plain") in FOR_PEOPLE:
        return UNUSABLE
    unusable = [refused(item.file, item.problems) for item in files if item.scenario is None]
    try:
        with opened(options.output) as out:  # what cannot be written is to be known before the work, not after it
            with _sharing(options.cluster) as shared, exploring_crew(count_of(options.jobs)) as crew:
                done, not_explored, not_begun = _each(files, options, Helpers(shared, crew))
            unusable += not_explored
            shown = Explorations(done, [*unusable, *not_begun])
            format = format_for(options.format, out)
            writer_of(format, EXPLORE)(out, shown, style_of(out, format))
        if options.write is not None and done:
            _keep(options.write, done[0], options.files[0], stdin)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    except (ClusterLost, CrewLost) as problem:
        stderr_line(f"error: {problem}")
        return NO_VERDICT
    return _status(Explorations(done, unusable))


def _status(shown: Explorations) -> int:
    if shown.refused:
        return UNUSABLE
    broken = any([item for item in each.explored.broken if item.name not in each.breaks] for each in shown.found)
    if broken or any(each.explored.complete and each.missed for each in shown.found):
        return NO
    return OK if all(each.explored.complete for each in shown.found) else NO_VERDICT


def _understood(options: ExploreOptions) -> None:
    """Raises `UsageError`."""
    if "unbounded" in options.properties:
        raise UsageError("--property unbounded: how many messages may wait is said with --most-ready N, which asks for it")
    for name in options.properties:
        choice("--property", name, (name for name in PROPERTIES if name != "unbounded"))
    choice("--expect", options.expect, EXPECT_MODES)
    choice("--timing", options.timing, TIMINGS)
    _failures(options.failures)
    if options.max_seconds is not None and math.isnan(options.max_seconds):
        raise UsageError("--max-seconds takes a number from 0 on, not 'nan'")
    if options.rabbitmq is not None:
        rules_of(options.rabbitmq)
    if options.cluster is not None and options.walks is None:
        raise UsageError("--cluster shares out random walks; say how many: --walks N")
    if options.cluster is not None and options.jobs != 1:
        raise UsageError("--cluster and --jobs cannot be combined: the walks are the cluster's, or these processes'")
    stdin_once(options.files)
    keep_apart(options.files, options.output)
    if options.write is not None:
        if len(options.files) > 1:
            raise UsageError("--write keeps the counterexample of one scenario; name one file")
        keep_apart(options.files, options.write, "--write")
        if same_file(options.write, options.output) or options.write == options.output:
            raise UsageError("--write and --output name the same file")
        if os.path.lexists(options.write) and not options.force:
            raise UsageError(f"{options.write} exists already; --force overwrites it")
        folder = os.path.dirname(options.write) or "."
        if not os.access(folder, os.W_OK) or os.path.isdir(options.write):  # to be known before the work, not after it
            raise UsageError(f"--write cannot write {options.write}: {folder} is no folder in which one can write")


def _failures(text: str | None) -> tuple[int, tuple[tuple[str, int], ...] | None] | None:
    """How many in all, and of which kinds; None: nothing is said. Raises `UsageError`."""
    if text is None:
        return None
    if text.isdecimal():
        if int(text) > MOST_FAILURES:
            raise UsageError(f"--failures takes at most {MOST_FAILURES}, and each one more makes many more states")
        return int(text), None
    kinds: dict[str, int] = {}
    for part in text.split(","):
        name, equals, number = part.partition("=")
        if not name or name.lstrip("+-").replace(".", "").isdecimal():
            raise UsageError(f"{FAILURES_FORM}, not '{text}'")
        if name in FAILURES and name not in EXPLORED:
            raise UsageError(f"--failures: '{name}' is not explored: {', '.join(EXPLORED)} are")
        choice("--failures", name, EXPLORED)
        if (equals and not number.isdecimal()) or int(number or 1) > MOST_FAILURES:
            raise UsageError(f"{FAILURES_FORM}, not '{part}'")
        if name in kinds:
            raise UsageError(f"--failures names {name} twice; say once how many there may be")
        kinds[name] = int(number or 1)
    return sum(kinds.values()), tuple(kinds.items())


def bounds_for(scenario: Scenario, options: ExploreOptions) -> Bounds:
    """What the scenario asks for, where the command line says nothing else."""
    bounds = bounds_of(scenario)
    failures = _failures(options.failures)
    if failures is not None:
        bounds = bounds._replace(failures=failures[0], kinds=failures[1] or Bounds().kinds)
    if options.properties:
        bounds = bounds._replace(properties=tuple(dict.fromkeys(options.properties)))
    if options.at_most_once and "duplicated" not in bounds.properties:
        bounds = bounds._replace(properties=(*bounds.properties, "duplicated"))
    if options.most_ready is not None:
        bounds = with_most_ready(bounds, options.most_ready)
    if options.timing is not None:
        bounds = bounds._replace(any_time=options.timing == "any")
    return bounds._replace(
        walks=options.walks, seed=options.seed, expect=options.expect or bounds.expect, retry=options.retry or bounds.retry,
        races=options.races or bounds.races,
        max_states=options.max_states or bounds.max_states,
    )  # fmt: skip


@contextmanager
def _sharing(address: str | None) -> Iterator[SharedOut | None]:
    """Who carries out random walks; None: this process."""
    if address is None:
        yield None
        return
    with cluster(address) as shared:
        yield shared


def _each(files: list[Loaded], options: ExploreOptions, helpers: Helpers) -> tuple[list[Exploration], list[Suite], list[Suite]]:
    """What was explored, what cannot be, and what was not begun: after Ctrl-C what is known of the scenario in hand is told, and
    none of those after it is begun."""
    done: list[Exploration] = []
    not_explored: list[Suite] = []
    not_begun: list[Suite] = []
    for item in files:
        if item.scenario is None:
            continue
        if done and done[-1].explored.why == INTERRUPTED:
            found = Diagnostic(WARNING, "not-explored", "it was not begun: interrupted", Place(item.file, 0, 0))
            write_problems([found])
            not_begun.append(refused(item.file, [found]))
            continue
        try:
            done.append(_explored(item.scenario, options, helpers))
        except NotExplored as problem:
            found = Diagnostic(ERROR, "not-explored", str(problem), Place(item.file, 0, 0))
            write_problems([found])
            not_explored.append(refused(item.file, [found]))
    return done, not_explored, not_begun


def _explored(scenario: Scenario, options: ExploreOptions, helpers: Helpers) -> Exploration:
    progress, begun = Progress(f"explore {scenario.name}", quiet=False), time.monotonic()
    most = MAX_SECONDS if options.max_seconds is None else options.max_seconds
    with _interrupted() as stop:

        def watch(far: HowFar) -> str:
            spent = time.monotonic() - begun
            speed = far.states / spent if spent else 0
            progress.say(f"{far.states:,} states, depth {far.depth}, {speed:,.0f} a second, {far.frontier:,} to look at")
            if stop:
                return INTERRUPTED
            if spent > most:
                return f"--max-seconds {most:g}"
            taken = memory_mb() + (helpers.crew.memory_mb if isinstance(helpers.crew, ExploringCrew) else 0.0)
            memory = options.max_memory is not None and taken > options.max_memory
            return f"--max-memory {options.max_memory}" if memory else ""

        found = explored(scenario, bounds_for(scenario, options), watch, cures=options.cures, helpers=helpers)
    progress.clear()
    return found


@contextmanager
def _interrupted() -> Iterator[list[int]]:
    """Within it the first Ctrl-C ends the search, which then says what is known; it is in the list. A second one ends all."""
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _keep(path: str, found: Exploration, file: str, stdin: bytes | None) -> None:
    """Writes the first counterexample as a scenario; `file` is where the explored one stands."""
    asked = next((item for item in found.explored.asked if item.example is not None), None)
    if asked is None or asked.example is None:
        return
    text = _course_text(path, found, asked, file, stdin) if found.scenario.workers else _text(found, asked)
    with opened(path) as out:
        out.write(text)


def _text(found: Exploration, asked: PropertyVerdict) -> str:
    from routesim.explore.retelling.retold import Retold

    assert asked.example is not None
    return Retold(found.scenario, found.bounds, asked.name, asked.example).text


def _course_text(path: str, found: Exploration, asked: PropertyVerdict, file: str, stdin: bytes | None) -> str:
    from routesim.explore.retelling.of_workers import NotRetold, retold_course

    folder = "" if file == "-" else os.path.dirname(file)
    seen_from = os.path.relpath(folder or ".", os.path.dirname(path) or ".")
    try:
        return retold_course(found.scenario, read_source(file, stdin), folder, asked, "" if seen_from == "." else seen_from)
    except NotRetold as problem:
        raise UsageError(f"--write: {problem}") from None
