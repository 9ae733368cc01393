"""`routesim record`: what happens on a real broker becomes a scenario."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import MANAGEMENT
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim record shop.yaml --broker amqp://localhost --for 10m",
    "routesim record shop.yaml --broker amqp://localhost --count 1000",
    "routesim record shop.yaml --broker amqp://localhost --redact customer",
)


def record(
    file: Annotated[str, Positional(metavar="FILE", help="The scenario that is written.")],
    broker: Annotated[str, Option("--broker", metavar="AMQP", help="The real RabbitMQ: amqp://user:password@host.")],
    management: MANAGEMENT = None,
    vhost: Annotated[str, Option("--vhost", metavar="NAME", help="Which virtual host.")] = "/",
    duration: Annotated[str | None, Option("--for", metavar="TIME", help="So long, such as 10m. Default: until Ctrl-C.")] = None,
    count: Annotated[
        int | None, Option("--count", min=1, metavar="N", help="Until so many messages have been published.")
    ] = None,
    most: Annotated[
        int,
        Option("--most", min=100, metavar="N", help="So much of what the broker tells may wait to be heard."),
    ] = 100_000,
    bodies: Annotated[bool, Option("--bodies", help="Bodies too, not their sizes alone.")] = False,
    redact: Annotated[
        list[str] | None, Option("--redact", metavar="NAME", help="A header or property without its values. Repeatable.")
    ] = None,
    force: Annotated[bool, Option("--force", help="Overwrite the file if there is one.")] = False,
) -> None:
    """Listen to a real RabbitMQ's firehose, and write what happened as a scenario.

    Tracing has to be on: `rabbitmqctl trace_on -p VHOST` (trace_off afterwards; it costs the broker a message more for each
    publish and each delivery). No broker tells what consumers answer: what shows it is inferred, and the file says so.
    """
    from routesim.cli.recorders.traced import RecordedBroker, record_broker

    asked = RecordedBroker(file, broker, management, vhost, duration, count, most, bodies, tuple(redact or ()), force)
    sys.exit(record_broker(asked))


COMMAND = CliCommand(record, EXAMPLES)
