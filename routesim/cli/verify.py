"""`routesim verify`: the embedded engine held against a real broker."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import MANAGEMENT, OUTPUT, VERIFY_FORMAT, VHOST
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim verify scenarios/*.yaml --broker amqp://localhost",
    "routesim verify scenarios/*.yaml --broker amqp://localhost -f junit -o v.xml",
    "routesim verify --random 500 --seed 7 --broker amqp://localhost --keep found",
)


def verify(
    broker: Annotated[str, Option("--broker", metavar="AMQP", help="The real RabbitMQ: amqp://user:password@host.")],
    files: Annotated[
        list[str] | None, Positional(metavar="[SCENARIO...]", help="Scenario or definitions files; - is stdin.")
    ] = None,
    management: MANAGEMENT = None,
    speed: Annotated[int, Option("--speed", min=1, metavar="N", help="All times are N times shorter on the real broker.")] = 1,
    random: Annotated[int, Option("--random", min=0, metavar="N", help="Draw so many scenarios and verify each.")] = 0,
    seed: Annotated[int, Option("--seed", min=0, metavar="N", help="What --random draws from.")] = 0,
    keep: Annotated[str, Option("--keep", metavar="DIR", help="Where --random keeps what differs, made smaller.")] = ".",
    restart: Annotated[
        str | None, Option("--restart", metavar="COMMAND", help="What restarts the broker, for scenarios that need it.")
    ] = None,
    vhost: VHOST = None,
    format: VERIFY_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Run scenarios here and on a real RabbitMQ, and compare what can be seen.

    Every queue, consumer and message is compared, by the rules of the version that the broker has. Status 1: a difference.
    Without a broker `routesim check` finds mistakes in a file, and `routesim run` what it expects.
    """
    from routesim.cli.handlers.running_on_broker import BrokerTarget
    from routesim.cli.handlers.verifying import VerifyOptions, verify_all

    target = BrokerTarget(broker, management, speed, restart)
    sys.exit(verify_all(VerifyOptions(files or [], target, random, seed, keep, format, output, vhost)))


COMMAND = CliCommand(verify, EXAMPLES)
