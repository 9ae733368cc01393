"""`routesim explore`: every course of events within bounds."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import CLUSTER, EXPLORE_FORMAT, OUTPUT, RABBITMQ, SCENARIOS
from routesim.cli.shared.parameters import Option

EXAMPLES = examples(
    "routesim explore scenarios/explore/auto-ack.yaml",
    "routesim explore orders.yaml --failures crash=1,restart=1 --timing any",
    "routesim explore orders.yaml --write lost.yaml && routesim run lost.yaml",
)


def explore(
    files: SCENARIOS,
    failures: Annotated[
        str | None,
        Option("--failures", metavar="N|KIND=N,...", help="So many of any kind, or of each: crash=1,restart=1. Default: 1."),
    ] = None,
    property: Annotated[
        list[str] | None,
        Option("--property", metavar="NAME", help="What must hold, instead of the usual ones. Repeatable."),
    ] = None,
    at_most_once: Annotated[bool, Option("--at-most-once", help="The work of no message may be done twice.")] = False,
    most_ready: Annotated[
        int | None, Option("--most-ready", min=0, metavar="N", help="No more messages may wait in a queue.")
    ] = None,
    expect: Annotated[
        str | None,
        Option("--expect", metavar="HOW", help="What `expect` says holds always, sometimes, or stays reachable."),
    ] = None,
    timing: Annotated[
        str | None,
        Option("--timing", metavar="HOW", help="earliest: as written. any: a consumer may be faster or slower than timers."),
    ] = None,
    races: Annotated[
        bool, Option("--races", help="Try each outcome of what RabbitMQ leaves open, such as the order among queues.")
    ] = False,
    retry: Annotated[bool, Option("--retry", help="Publishers send again what was not confirmed.")] = False,
    cures: Annotated[bool, Option("--cures/--no-cures", help="Try what would have prevented it.")] = True,
    max_states: Annotated[
        int | None, Option("--max-states", min=1, metavar="N", help="Look at no more states. Default: 1,000,000.")
    ] = None,
    max_seconds: Annotated[
        float | None, Option("--max-seconds", min=0, metavar="S", help="Take no longer for a scenario. Default: 60.")
    ] = None,
    max_memory: Annotated[
        int | None, Option("--max-memory", min=1, metavar="MB", help="Take no more memory. Default: no limit.")
    ] = None,
    walks: Annotated[
        int | None, Option("--walks", min=1, metavar="N", help="Walk at random so often, instead of trying everything.")
    ] = None,
    seed: Annotated[int, Option("--seed", min=0, metavar="N", help="What --walks draws from.")] = 0,
    cluster: CLUSTER = None,
    jobs: Annotated[
        int, Option("--jobs", "-j", min=0, metavar="N", help="Explore with so many processes; 0: one a processor.")
    ] = 1,
    write: Annotated[str | None, Option("--write", metavar="FILE", help="Keep the first counterexample as a scenario.")] = None,
    force: Annotated[bool, Option("--force", help="With --write: replace a file that is there.")] = False,
    rabbitmq: RABBITMQ = None,
    format: EXPLORE_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Try every order of events and every failure, and show the shortest way in which a message is lost or stuck.

    Crashes of consumers before and after their work, publishers' lost connections and restarts of the broker, at every moment.
    Status 0: all of it was tried and everything holds, 1: something does not, 3: not all was tried.
    The other way round `routesim run` carries out the one course that the file says.
    """
    from routesim.cli.explorers.exploring import ExploreOptions, explore_all

    options = ExploreOptions(
        files, failures, tuple(property or ()), at_most_once, most_ready, expect, timing, races, retry, cures, max_states,
        max_seconds, max_memory, walks, seed, cluster, jobs, write, force, rabbitmq, format, output,
    )  # fmt: skip
    sys.exit(explore_all(options))


COMMAND = CliCommand(explore, EXAMPLES)
