"""`routesim run`: scenarios become traces."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import CLUSTER, FAIL_ON_LOSS, MANAGEMENT, OUTPUT, RABBITMQ, RUN_FORMAT, SCENARIOS, VHOST
from routesim.cli.shared.parameters import Option

Strings = list[str]  # where an option is called `list`, the type is out of sight
EXAMPLES = examples(
    "routesim run hello",
    "routesim run scenarios/",
    "routesim run scenarios/*.yaml --quiet --jobs 0",
    "routesim run scenarios/flaky-worker.yaml --seeds 1..1000",
    "routesim run shop.yaml --format json | jq .counts",
    "routesim run definitions.json",
    "routesim run scenarios/*.yaml -q --fail-under 100",
    "routesim run scenarios/*.yaml --format junit --output results.xml",
    "routesim run scenarios/*.yaml --format html --output report.html",
    "routesim run scenarios/prefetch.yaml -q --plot",
    "cat shop.yaml | routesim run -",
    "routesim run scenarios/shoes.yaml --message m3 --hide-infrastructure",
    "routesim run scenarios/shoes.yaml --step",
    "routesim run scenarios/*.yaml --watch",
    "routesim run scenarios/shoes.yaml --watch --format html",
)


def _list_shipped(asked: bool) -> None:
    """Whatever else is on the command line, or is missing there."""
    if asked:
        from routesim.cli.handlers.creating import list_shipped

        sys.exit(list_shipped())


def run(
    files: SCENARIOS,
    format: RUN_FORMAT = None,
    output: OUTPUT = None,
    quiet: Annotated[bool, Option("--quiet", "-q", help="Only what failed, and the verdict.")] = False,
    until: Annotated[
        str | None, Option("--until", metavar="WHEN", help="idle, steps, or a duration of virtual time such as 30s.")
    ] = None,
    seed: Annotated[int | None, Option("--seed", min=0, metavar="N", help="Instead of the scenario's own seed.")] = None,
    seeds: Annotated[
        str | None, Option("--seeds", metavar="SEEDS", help="Run once a seed and sum up: 1..1000, 7 or 1..10,20.")
    ] = None,
    max_events: Annotated[
        int, Option("--max-events", min=1, metavar="N", help="Budget of a run that does not come to rest.")
    ] = 1_000_000,
    jobs: Annotated[
        int, Option("--jobs", "-j", min=0, metavar="N", help="Run so many scenarios or seeds at once; 0: one a processor.")
    ] = 1,
    cluster: CLUSTER = None,
    broker: Annotated[
        str | None, Option("--broker", metavar="AMQP", help="On this real RabbitMQ instead: amqp://user:password@host.")
    ] = None,
    management: MANAGEMENT = None,
    rabbitmq: RABBITMQ = None,
    vhost: VHOST = None,
    speed: Annotated[int, Option("--speed", min=1, metavar="N", help="With --broker: all times are N times shorter there.")] = 1,
    coverage: Annotated[bool, Option("--coverage", help="Which bindings no message and no route used.")] = False,
    fail_under: Annotated[
        float | None,
        Option("--fail-under", min=0, max=100, metavar="PERCENT", help="Status 1 where fewer bindings are used."),
    ] = None,
    step: Annotated[
        bool, Option("--step", help="Go through one run event by event, on the terminal; h there shows the keys.")
    ] = False,
    watch: Annotated[
        bool,
        Option(
            "--watch",
            help="Run again whenever a file changes, and show what that changed; with --format html on a page that it serves. "
            "Goes on until Ctrl-C (status 130).",
        ),
    ] = False,
    list: Annotated[
        bool,
        Option(
            "--list",
            "-l",
            callback=_list_shipped,
            is_eager=True,
            help="Say which scenarios come with routesim, to be run by their names.",
        ),
    ] = False,
    check: Annotated[
        bool, Option("--check", help="Look at the topologies too: status 1 for what `routesim check` calls an error.")
    ] = False,
    message: Annotated[
        Strings | None, Option("--message", "-m", metavar="ID", help="Only rows about this message or task. Repeatable.")
    ] = None,
    queue: Annotated[Strings | None, Option("--queue", metavar="NAME", help="Only rows about this queue. Repeatable.")] = None,
    consumer: Annotated[
        Strings | None, Option("--consumer", metavar="NAME", help="Only rows about this consumer or worker. Repeatable.")
    ] = None,
    hide_infrastructure: Annotated[
        bool, Option("--hide-infrastructure", help="No rows of declarations, limits and what workers tell each other.")
    ] = False,
    fail_on_loss: FAIL_ON_LOSS = False,
    plot: Annotated[bool, Option("--plot", help="Ready and unacked messages of each queue over virtual time.")] = False,
) -> None:
    """Run scenarios through the embedded engine and print what happened."""
    from routesim.cli.handlers.running import RunOptions, run_files, until_of
    from routesim.cli.shared.exits import UNUSABLE, UsageError
    from routesim.cli.shared.files import found
    from routesim.cli.shared.options import SEEDS_FORMAT, format_of
    from routesim.report.formats import RUN, SEEDS, formats_of
    from routesim.report.trace.filtering import RowFilter

    files = found(files)

    format = (
        format_of(format, output, formats_of(RUN))
        if seeds is None
        else format_of(format, output, formats_of(SEEDS), SEEDS_FORMAT)
    )
    rows = RowFilter(tuple(message or ()), tuple(queue or ()), tuple(consumer or ()), not hide_infrastructure)
    options = RunOptions(
        format, output, quiet, until_of(until), seed, max_events, coverage or fail_under is not None, fail_under, plot,
        fail_on_loss, rabbitmq, vhost, rows if rows.asks else None,
    )  # fmt: skip
    if step:
        from routesim.cli.terminal import step_mode

        others = {"--watch": watch, "--broker": broker is not None, "--seeds": seeds is not None, "--jobs": jobs != 1}
        step_mode.check(files, options, others)
        sys.exit(step_mode.step_through(files, options))
    if watch:
        from routesim.cli.terminal import watch_mode

        watch_mode.check(files, options, {"--broker": broker is not None, "--seeds": seeds is not None, "--jobs": jobs != 1})
        watch_mode.watch(files, options)
    if broker is not None and rabbitmq is not None:
        raise UsageError("--broker has a version of its own; leave out --rabbitmq")
    if broker is None and (management is not None or speed != 1):
        raise UsageError("--management and --speed go with --broker: the embedded engine needs neither")
    if fail_on_loss and (broker is not None or seeds is not None):
        raise UsageError("--fail-on-loss is of one run of the embedded engine; leave out --broker and --seeds")
    if check and (broker is not None or seeds is not None):
        raise UsageError("--check goes with one run of the embedded engine; leave out --broker and --seeds")
    if rows.asks and seeds is not None:
        raise UsageError(f"{rows.described()} chooses rows of a trace, and --seeds has none; leave out one")
    if plot and (broker is not None or seeds is not None):
        raise UsageError("--plot shows one run of the embedded engine; leave out --broker and --seeds")
    if cluster is not None and (seeds is None or jobs != 1):
        raise UsageError("--cluster shares out the runs of --seeds, without --jobs")
    if broker is not None:
        if seeds is not None:
            raise UsageError("--seeds is of the embedded engine; leave out --broker")
        from routesim.cli.handlers.running_on_broker import BrokerTarget, run_live

        sys.exit(run_live(files, options, BrokerTarget(broker, management, speed)))
    if seeds is not None:
        from routesim.cli.handlers.sweeping import parsed, sweep_files

        sys.exit(sweep_files(files, options, parsed(seeds), _count(jobs), cluster))
    if jobs != 1 and len(files) > 1 and _count(jobs) > 1:
        from routesim.cli.handlers import parallel

        status = parallel.run_files(files, options, _count(jobs))
    else:
        status = run_files(files, options)
    if check and status < UNUSABLE:
        from routesim.cli.handlers.checking import errors_in

        status = max(status, errors_in(files, rabbitmq, vhost))
    sys.exit(status)


def _count(jobs: int) -> int:
    if jobs == 1:
        return 1
    from routesim.cli.shared.processes import count_of

    return count_of(jobs)


COMMAND = CliCommand(run, EXAMPLES)
