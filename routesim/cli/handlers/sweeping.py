"""`routesim run --seeds`: each scenario once a seed, and a summary in place of the traces."""

import contextlib
import pickle
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import IO

from routesim.cli.handlers.running import RunOptions, check, load_all, separates
from routesim.cli.shared.cluster import ClusterLost, cluster
from routesim.cli.shared.exits import NO, NO_VERDICT, OK, FilesRefused, UsageError
from routesim.cli.shared.options import SEEDS_FORMAT, choice
from routesim.cli.shared.output import CannotWrite, format_for, opened, stderr_line, style_of
from routesim.cli.shared.progress import Progress
from routesim.cli.shared.refusing import refuse_runs
from routesim.named_tuples import NamedTuple
from routesim.report.answers.sweep import SeedsReport
from routesim.report.formats import SEEDS, formats_of, writer_of
from routesim.run.sweeps.portions import SharedOut, in_order
from routesim.run.sweeps.seeds import Seeds, seeds_of
from routesim.run.sweeps.sweep import Sweep, sweep
from routesim.scenario import Scenario

LARGEST_PORTION = 64
PORTIONS = 64
AHEAD = 4  # portions a process that may wait for an earlier one


Share = Callable[[Scenario, RunOptions, Iterator[tuple[int, ...]]], Generator[Sweep, None, None]]


class ProcessDied(Exception):
    """A process ended before it had answered; the text says how."""


class _Portion(NamedTuple):
    scenario: bytes
    seeds: tuple[int, ...]
    until: str | int | None
    max_events: int


def parsed(text: str) -> Seeds:
    """Raises `UsageError`."""
    try:
        return seeds_of(text)
    except ValueError as problem:
        raise UsageError(f"--seeds: {problem}") from None


def sweep_files(files: list[str], options: RunOptions, seeds: Seeds, jobs: int, address: str | None = None) -> int:
    """Sweeps the scenarios in order, in so many processes or on the cluster of that address; 0 when every expectation held in
    every run of all of them."""
    if options.coverage:
        raise UsageError("--coverage is of one run; leave out --seeds")
    if options.seed is not None:
        raise UsageError("--seed is one seed, --seeds many: give one of the two")
    choice(SEEDS_FORMAT, options.format, formats_of(SEEDS))
    check(files, options)
    status = OK
    try:
        try:
            scenarios = load_all(files, options)
        except FilesRefused as problem:
            return refuse_runs(problem, options.format, options.output)
        with _sharing(address, jobs) as share, opened(options.output) as out:
            for index, scenario in enumerate(scenarios):
                if index and separates(options):
                    out.write("\n")
                found = _swept(scenario, options, seeds, share)
                _write(out, scenario, found, options, seeds)
                status = max(status, OK if found.ok else NO)
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
    except (ProcessDied, ClusterLost) as problem:
        stderr_line(f"error: {problem}")
        return NO_VERDICT
    return status


def _write(out: IO[str], scenario: Scenario, found: Sweep, options: RunOptions, seeds: Seeds) -> None:
    format = format_for(options.format, out)
    report = SeedsReport(scenario, found, str(seeds), len(seeds))
    writer_of(format, SEEDS)(out, report, style_of(out, format, quiet=options.quiet))


@contextlib.contextmanager
def _sharing(address: str | None, jobs: int) -> Iterator[Share]:
    """Who carries out the portions of a scenario."""
    if address is not None:
        with cluster(address) as shared:
            yield lambda scenario, options, portions: _on_cluster(scenario, options, portions, shared)
    elif jobs > 1:
        yield lambda scenario, options, portions: _shared(scenario, options, portions, jobs)
    else:
        yield _alone


def _swept(scenario: Scenario, options: RunOptions, seeds: Seeds, share: Share) -> Sweep:
    """The sum of all runs. When the first one draws nothing from its seed, any other seed would give that very run."""
    progress, count = Progress(scenario.name, quiet=options.quiet), len(seeds)
    rest = iter(seeds)
    found = sweep(scenario, islice(rest, 1), until=options.until, max_events=options.max_events)
    if found.drawn and count > 1:
        parts = share(scenario, options, _portions(rest, count))
        with contextlib.closing(parts):
            for part in parts:
                found.merge(part)
                progress.say(f"{found.runs:,} of {count:,} runs")
    progress.clear()
    return found


def _portions(seeds: Iterator[int], count: int) -> Iterator[tuple[int, ...]]:
    """The same however many processes there are, and so is what is found."""
    size = max(1, min(LARGEST_PORTION, count // PORTIONS))
    while portion := tuple(islice(seeds, size)):
        yield portion


def _alone(scenario: Scenario, options: RunOptions, portions: Iterator[tuple[int, ...]]) -> Generator[Sweep, None, None]:
    for portion in portions:
        yield sweep(scenario, portion, until=options.until, max_events=options.max_events)


def _shared(
    scenario: Scenario, options: RunOptions, portions: Iterator[tuple[int, ...]], jobs: int
) -> Generator[Sweep, None, None]:
    from routesim.cli.shared.processes import Died, Pool

    packed = pickle.dumps(scenario, pickle.HIGHEST_PROTOCOL)
    with Pool(jobs) as pool:
        questions = (_Portion(packed, portion, options.until, options.max_events) for portion in portions)
        pool.ask(_sweep, questions, ahead=AHEAD * jobs)
        for part in pool.in_order():
            if isinstance(part, Died):
                raise ProcessDied(f"a process that ran {scenario.file} {part}; there is no summary without its seeds")
            yield part


def _on_cluster(
    scenario: Scenario, options: RunOptions, portions: Iterator[tuple[int, ...]], shared: SharedOut
) -> Generator[Sweep, None, None]:
    packed = pickle.dumps(scenario._replace(topology=None), pickle.HIGHEST_PROTOCOL)
    questions = (_Portion(packed, portion, options.until, options.max_events) for portion in portions)
    yield from in_order(shared, _sweep, questions)


def _sweep(portion: _Portion) -> Sweep:
    return sweep(pickle.loads(portion.scenario), portion.seeds, until=portion.until, max_events=portion.max_events)
