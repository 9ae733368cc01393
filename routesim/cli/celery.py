"""`routesim celery`: Celery apps in scenarios. Each subcommand imports what it needs when it is called."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, CliGroup, examples
from routesim.cli.shared.options import COMPARE_FORMAT, MONITOR_FORMAT, RABBITMQ, SCENARIO, WRITTEN, written_as
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim celery expand shop.yaml",
    "routesim celery monitor shop.yaml --at 5s",
    "routesim celery compare shop.yaml",
)
GROUP = CliGroup(EXAMPLES)
_command = GROUP.command


@_command("expand", epilog=examples(
    "routesim celery expand scenarios/shop.yaml", "routesim celery expand shop.yaml | routesim run -",
))  # fmt: skip
def expand(
    file: Annotated[str, Positional(metavar="FILE", help="A scenario with a celery section; - is stdin.")],
    output: WRITTEN = None,
    rabbitmq: RABBITMQ = None,
) -> None:
    """Print the plain scenario that a celery section stands for: exchanges, queues, bindings, consumers, messages.

    It runs as it is, to the very same events: routesim celery expand FILE | routesim run -
    """
    from routesim.cli.handlers.expanding import expand_file

    written_as("a scenario in YAML", output, ".yaml")
    sys.exit(expand_file(file, output, rabbitmq))


@_command("monitor", epilog=examples(
    "routesim celery monitor scenarios/celery/countdown-drains-queue.yaml", "routesim celery monitor shop.yaml --at 5s",
    "routesim celery monitor shop.yaml --as flower",
    "routesim celery monitor shop.yaml --every 1s --format json | jq .samples",
))  # fmt: skip
def monitor(
    file: SCENARIO,
    at: Annotated[
        str | None, Option("--at", metavar="TIME", help="At this virtual time, such as 5s. Default: the end of the run.")
    ] = None,
    every: Annotated[
        str | None, Option("--every", metavar="TIME", help="All values in steps of this virtual time as well, such as 1s.")
    ] = None,
    listener: Annotated[
        str | None, Option("--as", metavar="CONSUMER", help="Only what event messages told this consumer, such as flower.")
    ] = None,
    format: MONITOR_FORMAT = None,
) -> None:
    """Queues, workers and tasks as a monitor such as Flower shows them, over virtual time."""
    from routesim.cli.handlers.celery.celery_monitor import monitor_file

    sys.exit(monitor_file(file, at, every, listener, format))


@_command("compare", epilog=examples(
    "routesim celery compare scenarios/introduction/redis-notices-late.yaml",
    "routesim celery compare shop.yaml --visibility-timeout 10m",
    "routesim celery compare shop.yaml --format json | jq .differences",
))  # fmt: skip
def compare(
    file: SCENARIO,
    visibility_timeout: Annotated[
        str | None, Option("--visibility-timeout", metavar="TIME", help="Redis's. Default: the scenario's own, or 1h.")
    ] = None,
    format: COMPARE_FORMAT = None,
) -> None:
    """The same scenario on RabbitMQ and on Redis: what becomes of each task, what is lost or done twice, and why.

    Exit status 0: both the same; 1: they differ.
    """
    from routesim.cli.handlers.celery.celery_compare import compare_file

    sys.exit(compare_file(file, visibility_timeout, format))


COMMAND = CliCommand(GROUP, "")
