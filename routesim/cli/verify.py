"""`routesim verify`: the embedded engine held against a real broker."""

import sys
from typing import Annotated

import typer

from routesim.cli.shared.help import CliCommand, examples

EXAMPLES = examples(
    "routesim verify scenarios/*.yaml --broker amqp://localhost",
    "routesim verify scenarios/*.yaml --broker amqp://localhost -f junit -o v.xml",
    "routesim verify --random 500 --seed 7 --broker amqp://localhost --keep found",
)


def verify(
    broker: Annotated[str, typer.Option("--broker", metavar="AMQP", help="The real RabbitMQ: amqp://user:password@host.")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[SCENARIO...]", help="Scenario or definitions files; - is stdin.")
    ] = None,
    management: Annotated[
        str | None, typer.Option("--management", metavar="HTTP", help="Its HTTP API. Default: the same host, port 15672.")
    ] = None,
    speed: Annotated[
        int, typer.Option("--speed", min=1, metavar="N", help="All times are N times shorter on the real broker.")
    ] = 1,
    random: Annotated[int, typer.Option("--random", min=0, metavar="N", help="Draw so many scenarios and verify each.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="What --random draws from.")] = 0,
    keep: Annotated[str, typer.Option("--keep", metavar="DIR", help="Where --random keeps the first that differs.")] = ".",
    format: Annotated[
        str | None, typer.Option("--format", "-f", metavar="FORMAT", help="table, plain, json or junit. Default: table.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
) -> None:
    """Run scenarios here and on a real RabbitMQ, and compare what can be seen.

    Every queue, consumer and message is compared, by the rules of the version that the broker has. Status 1: a difference.
    """
    from routesim.cli.handlers.running_on_broker import BrokerTarget
    from routesim.cli.handlers.verifying import Verify, verify_all

    asked = Verify(files or [], BrokerTarget(broker, management, speed), random, seed, keep, format or "table", output)
    sys.exit(verify_all(asked))


COMMAND = CliCommand(verify, EXAMPLES)
