"""Files that are read, and what happens where they cannot be used: stderr says it to people, every format to programs."""

import gc
from collections.abc import Iterable, Iterator

from routesim.cli.shared.exits import UNUSABLE, FilesRefused, UsageError
from routesim.cli.shared.files import named
from routesim.cli.shared.output import columns_of, opened, read_stdin, stderr, style_of, wants_colour
from routesim.diagnostics import Diagnostic, Invalid
from routesim.named_tuples import NamedTuple
from routesim.report.formats import CHECK, diagnostics, formats_of, run_report, writer_of
from routesim.scenario import LoadableFile, Scenario, load, without_collector
from routesim.versions import NEWEST, Rules, UnknownVersion, rules

FOR_PEOPLE = ("table", "plain")


class Loaded(NamedTuple):
    """A file that was read. `scenario` None: it cannot be used; `problems`: all that there is to say about it."""

    file: str
    scenario: Scenario | None
    problems: list[Diagnostic]


# The last scenario, to the end of the process, which need not take it apart: of a large one that is a twentieth of all time.
_in_use: list[Scenario | None] = []


def rules_of(version: str | None) -> Rules:
    """The rules of a version, None: of the newest. Raises `UsageError`."""
    try:
        return rules(version or NEWEST)
    except UnknownVersion as unknown:
        raise UsageError(f"no RabbitMQ '{version}' is known: {unknown}") from None


def loaded(
    path: str,
    stdin: bytes | None = None,
    *,
    rabbitmq: str | None = None,
    lenient: bool = False,
    redis: bool = True,
    permit: tuple[str, ...] = (),
    vhost: str | None = None,
) -> Loaded:
    """As `scenario.load`, without raising."""
    file = "<stdin>" if path == "-" else path
    try:
        scenario = load(path, stdin, rabbitmq=rabbitmq, lenient=lenient, redis=redis, permit=permit, vhost=vhost)
        return Loaded(file, scenario, list(scenario.warnings))
    except Invalid as invalid:
        return Loaded(file, None, invalid.diagnostics)


def scenario_of(
    path: str, version: str | None, *, vhost: str | None = None, lenient: bool = False, redis: bool = False
) -> Scenario:
    """The scenario in a file, under another version's rules where one is asked for. Raises `FilesRefused` when it is invalid.

    `redis`: the command knows the rules of Redis too.
    """
    if version is not None:
        rules_of(version)
    path = named(path)
    stdin = read_stdin() if path == "-" else None
    with without_collector():
        file, scenario, problems = loaded(path, stdin, rabbitmq=version, lenient=lenient, redis=redis, vhost=vhost)
        _in_use[:] = [scenario]
        gc.freeze()  # a large topology is no garbage: the collector need not look through it, not even once
    write_problems(problems)
    if scenario is None:
        raise FilesRefused([(file, problems)])
    return scenario


def scenarios_of(file: LoadableFile, version: str | None, vhosts: Iterable[str]) -> Iterator[tuple[str, Scenario]]:
    """Those of several virtual hosts of a definitions file, which may be of Redis; what there is to say of the whole file is said
    with the first. Raises `FilesRefused` like `scenario_of`."""
    whole = True
    for vhost in vhosts:
        try:
            scenario, _ = file.load(rabbitmq=version, vhost=vhost, redis=True, whole=whole)
        except Invalid as invalid:
            write_problems(invalid.diagnostics)
            raise FilesRefused([(file.path, invalid.diagnostics)]) from None
        write_problems(scenario.warnings)
        whole = False
        yield vhost, scenario
    gc.freeze()  # as above


def write_problems(problems: Iterable[Diagnostic]) -> None:
    """Diagnostics to stderr."""
    found = list(problems)
    if found:
        with stderr() as stream:
            diagnostics.write(stream, found, colour=wants_colour(stream), columns=columns_of(stream))


def refuse(problem: FilesRefused, format: str | None, output: str | None = None) -> int:
    """Write what is wrong with the files in a format for programs, if it is one that can show it; the exit status."""
    if format is not None and format not in FOR_PEOPLE and format in formats_of(CHECK):
        from routesim.report.results.findings import Findings, refused

        found = Findings([refused(name, problems) for name, problems in problem.files])
        with opened(output) as out:
            writer_of(format, CHECK)(out, found, style_of(out, format))
    return UNUSABLE


def refuse_runs(problem: FilesRefused, format: str | None, output: str | None) -> int:
    """The same in a format of runs."""
    report = run_report(format or "plain")
    if report.shows_refused:
        from routesim.report.results.findings import refused

        with opened(output) as out:
            report.write_refused(out, [refused(name, problems) for name, problems in problem.files])
    return UNUSABLE
