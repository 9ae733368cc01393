"""`routesim check`: what is wrong with a topology before a message is sent."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import CHECK_FORMAT, EVERY_VHOST, OUTPUT, RABBITMQ
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim check definitions.json",
    "routesim check scenarios/*.yaml --fail-on warning",
    "routesim check definitions.json --rabbitmq 4.1 --ignore version-will-refuse",
    "routesim check d.json --select dead-letter-nowhere --witness loss.yaml",
)


def check(
    files: Annotated[list[str], Positional(metavar="FILE...", help="Scenarios or definitions files; - is stdin.")],
    select: Annotated[
        list[str] | None,
        Option("--select", metavar="CODE", help="Only these rules, and those that are used only when asked for. Repeatable."),
    ] = None,
    ignore: Annotated[list[str] | None, Option("--ignore", metavar="CODE", help="Not these rules. Repeatable.")] = None,
    fail_on: Annotated[str, Option("--fail-on", metavar="SEVERITY", help="Status 1 from error, warning or note on.")] = "error",
    rabbitmq: RABBITMQ = None,
    vhost: EVERY_VHOST = None,
    witness: Annotated[
        str | None,
        Option("--witness", metavar="FILE", help="Write the witnesses there, worst first: FILE, FILE-2 and so on."),
    ] = None,
    format: CHECK_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Find what a topology loses, loops or never does, each error with a message that shows it.

    Nothing is sent, and no broker is needed; `routesim verify` compares scenarios with a real one. What is lost only when a
    worker, a connection or the broker fails, `routesim explore` finds.
    """
    from routesim.cli.handlers.checking import CheckOptions, check_files

    options = CheckOptions(tuple(select or ()), tuple(ignore or ()), fail_on, rabbitmq, witness, format, output, vhost)
    sys.exit(check_files(files, options))


COMMAND = CliCommand(check, EXAMPLES)
